//! The browser half, as `benches/browser/` measured it: a table for each folder, and a dot for each contender.

use anyhow::Result;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What `benches/browser/bench.ts` writes.
#[derive(Deserialize)]
pub(super) struct Results {
    machine: String,
    rounds: usize,
    measured: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    folder: String,
    unit: String,
    to_reach: Option<Aim>,
    /// By contender.
    results: BTreeMap<String, Spread>,
}

#[derive(Deserialize)]
struct Aim {
    says: String,
    limit: f64,
    reached: bool,
}

#[derive(Deserialize)]
struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

/// As the results name them, as people do, and their colour in the picture.
pub(super) const CONTENDERS: [(&str, &str, &str); 5] = [
    ("mountfs", "mountfs", "#d1242f"),
    ("floor", "floor", "#8c959f"),
    ("floor-16", "floor, 16 at once", "#57606a"),
    ("pyodide", "Pyodide", "#4c8bf5"),
    ("zenfs", "ZenFS", "#2da44e"),
];

pub(super) fn page(results: &Results) -> Result<String> {
    let Results { machine, rounds, measured } = results;
    let mut page = String::from(
        "\n## In a page\n\n\
         One real folder, in headless Chromium, each contender in a browser that started five seconds before: this project\n\
         with CPython, Pyodide's `mountNativeFS`, ZenFS, and the floor, which is bare File System Access, one call after the\n\
         other or 16 at once. Medians, and in brackets the lowest and highest. Cold is what was not met since the mount; the\n\
         system's page cache is warm. What is written counts until it is on disk.\n\n",
    );
    writeln!(page, "Run on {machine}; {rounds} rounds, for those that take a minute one.\n")?;
    page += "![how long each takes](performance/browser.svg)\n";
    let mut folder = "";
    for line in measured {
        if line.folder != folder {
            folder = &line.folder;
            write!(page, "\n### {folder}\n\n| |")?;
            CONTENDERS.iter().for_each(|(_, name, _)| page += &format!(" {name} |"));
            page += " to reach | |\n| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |\n";
        }
        write!(page, "| {}, {} |", line.name, line.unit)?;
        for (contender, ..) in CONTENDERS {
            match line.results.get(contender) {
                Some(Spread { median, low, high }) if low < high => {
                    write!(page, " {} ({} to {}) |", short(*median), short(*low), short(*high))?;
                }
                Some(Spread { median, .. }) => write!(page, " {} |", short(*median))?,
                None => page += " |",
            }
        }
        match &line.to_reach {
            Some(Aim { says, limit, reached }) => {
                let verdict = if *reached { "reached" } else { "missed" };
                writeln!(page, " {says}: {} | {verdict} |", short(*limit))?;
            }
            None => page += " | |\n",
        }
    }
    Ok(page)
}

fn short(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// Height of a row, where the scale begins, and how long a power of ten is, in pixels.
const ROW: usize = 22;
const LEFT: f64 = 430.0;
const DECADE: f64 = 80.0;

/// A dot for each contender on a scale of powers of ten, from 0.1 ms on.
pub(super) fn picture(results: &Results) -> String {
    let lines: Vec<_> = results.measured.iter().filter(|line| line.unit == "ms").collect();
    let height = (lines.len() + 3) * ROW;
    let x = |milliseconds: f64| LEFT + DECADE * (milliseconds.max(0.1).log10() + 1.0);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 960 {height}' font-family='system-ui, sans-serif' font-size='12'>\n\
         <style>text {{ fill: #24292f }} .scale {{ stroke: #d0d7de }}\n\
         @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .scale {{ stroke: #30363d }} }}</style>\n"
    );
    let mut left = LEFT;
    for (_, name, colour) in CONTENDERS {
        let text = left + 9.0;
        svg += &format!("<circle cx='{left}' cy='11' r='5' fill='{colour}'/><text x='{text}' y='15'>{name}</text>\n");
        left += 36.0 + 7.0 * name.len() as f64;
    }
    for (power, says) in ["0.1 ms", "1 ms", "10 ms", "0.1 s", "1 s", "10 s"].iter().enumerate() {
        let at = LEFT + DECADE * power as f64;
        let (top, end) = (2 * ROW, height - ROW);
        svg += &format!("<line class='scale' x1='{at}' x2='{at}' y1='{top}' y2='{end}'/>\n");
        svg += &format!("<text x='{at}' y='{}' text-anchor='middle'>{says}</text>\n", height - 6);
    }
    for (row, line) in lines.iter().enumerate() {
        let middle = (row + 2) * ROW + ROW / 2;
        let (at, text) = (LEFT - 14.0, format!("{}: {}", line.folder, line.name));
        svg += &format!("<text x='{at}' y='{}' text-anchor='end'>{text}</text>\n", middle + 4);
        // Ours last, so that it is on top.
        for (contender, _, colour) in CONTENDERS.iter().rev() {
            if let Some(Spread { median, low, high }) = line.results.get(*contender) {
                svg += &format!(
                    "<line x1='{:.0}' x2='{:.0}' y1='{middle}' y2='{middle}' stroke='{colour}' stroke-width='2'/>\
                     <circle cx='{:.0}' cy='{middle}' r='5' fill='{colour}'/>\n",
                    x(*low),
                    x(*high),
                    x(*median)
                );
            }
        }
    }
    svg + "</svg>\n"
}
