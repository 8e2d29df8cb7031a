//! The native half: tables, and a bar for each ratio.

use crate::native::Measured;
use crate::side_by_side::Compared;
use anyhow::Result;
use std::fmt::Write as _;

pub(super) fn page(native: &Measured) -> Result<String> {
    let Measured { machine, turns, blocking, default, python, mounts, startup, density } = native;
    let mut page = String::from(
        "## Native\n\n\
         A guest that is composed and mounted, beside the same guest as it is on a direct preopen of wasmtime-wasi, under the\n\
         same wasmtime, with everything in the page cache. The ratio is how fast ours is, where the preopen is 1: the median of\n\
         all turns, and in brackets the range of the middle half.\n\n",
    );
    writeln!(page, "Run on {machine}, {turns} turns each.\n")?;
    page += "![how fast each operation is beside a direct preopen](performance/native.svg)\n\n";
    page += "### A Rust guest, as the command runs it\n\nFile calls block the thread that runs the guest.\n\n";
    table(&mut page, blocking)?;
    page += "\n### A Rust guest, as the libraries run it by default\n\nFile calls go to another thread.\n\n";
    table(&mut page, default)?;
    page += "\n### CPython 3.12\n\nUnchanged, a WASI preview 1 command, as the command runs it. Start-up is from the first step of the\nhost to the last, with everything compiled.\n\n";
    table(&mut page, python)?;
    page += "\n### Many mounts\n\nNanoseconds of a look-up in one mount, with so many in the table.\n\n| mounts |";
    let names: Vec<_> = mounts.first().into_iter().flat_map(|(_, lookups)| lookups).map(|(name, _)| name).collect();
    names.iter().for_each(|name| page += &format!(" {name} |"));
    page += &format!("\n| ---: |{}\n", " ---: |".repeat(names.len()));
    for (count, lookups) in mounts {
        write!(page, "| {count} |")?;
        lookups.iter().for_each(|(_, took)| page += &format!(" {took:.0} |"));
        page += "\n";
    }
    let (ours, theirs) = startup.milliseconds;
    let (memory, their_memory) = startup.memory;
    write!(
        page,
        "\n### Start-up, memory and density\n\n\
         An instance of the Rust guest with its folder is ready in {ours:.2} ms, on a preopen in {theirs:.2} ms. Its linear\n\
         memories have {} KiB, on a preopen {} KiB.\n\n\
         {} composed instances in one process, with wasmtime's pooling allocator, each with a folder of its own: {:.0} µs each\n\
         to make and mount (nine of ten below {:.0} µs), {:.0} KiB of the process each.\n",
        memory >> 10,
        their_memory >> 10,
        density.instances,
        density.microseconds.0,
        density.microseconds.1,
        density.kibibytes,
    )?;
    Ok(page)
}

fn table(page: &mut String, all: &[Compared]) -> Result<()> {
    *page += "| operation | mounted | preopen | ratio | to reach | |\n| --- | ---: | ---: | ---: | ---: | --- |\n";
    for Compared { name, ours, theirs, ratio, spread, to_reach } in all {
        let (goal, verdict) = match to_reach {
            Some(goal) => (format!("{goal:.2}"), if ratio >= goal { "reached" } else { "missed" }),
            None => (String::new(), ""),
        };
        writeln!(
            page,
            "| {name} | {} | {} | {ratio:.2} ({:.2} to {:.2}) | {goal} | {verdict} |",
            time(*ours),
            time(*theirs),
            spread.0,
            spread.1
        )?;
    }
    Ok(())
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e4 => format!("{nanoseconds:.0} ns"),
        ..1e7 => format!("{:.0} µs", nanoseconds / 1e3),
        _ => format!("{:.0} ms", nanoseconds / 1e6),
    }
}

/// Height of a row, where the bars begin, and how long one of ratio 1 is, in pixels.
const ROW: usize = 24;
const LEFT: f64 = 190.0;
const ONE: f64 = 360.0;

/// A bar for each ratio, with its spread and a tick at what is to reach.
pub(super) fn picture(all: &[Compared]) -> String {
    let height = (all.len() + 2) * ROW;
    let x = |ratio: f64| LEFT + ONE * ratio.min(1.4);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 {height}' font-family='system-ui, sans-serif' font-size='13'>\n\
         <style>\n\
         text {{ fill: #24292f }} .bar {{ fill: #4c8bf5 }} .spread {{ stroke: #1b3f7a; stroke-width: 1.5 }}\n\
         .goal {{ stroke: #d1242f; stroke-width: 2 }} .one {{ stroke: #8c959f; stroke-dasharray: 3 3 }}\n\
         @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .spread {{ stroke: #c6dbff }} }}\n\
         </style>\n\
         <text x='{LEFT}' y='15'>how fast, where a direct preopen is 1 (red: to reach)</text>\n\
         <line class='one' x1='{one}' x2='{one}' y1='{ROW}' y2='{end}'/>\n",
        one = x(1.0),
        end = height - ROW / 2,
    );
    for (row, Compared { name, ratio, spread, to_reach, .. }) in all.iter().enumerate() {
        let top = (row + 1) * ROW + 4;
        let middle = top + 8;
        svg += &format!(
            "<text x='{}' y='{}' text-anchor='end'>{name}</text>\n\
             <rect class='bar' x='{LEFT}' y='{top}' width='{:.0}' height='16' rx='2'/>\n\
             <line class='spread' x1='{:.0}' x2='{:.0}' y1='{middle}' y2='{middle}'/>\n\
             <text x='{:.0}' y='{}'>{ratio:.2}</text>\n",
            LEFT - 8.0,
            top + 13,
            x(*ratio) - LEFT,
            x(spread.0),
            x(spread.1),
            x(spread.1.max(*ratio)) + 8.0,
            top + 13,
        );
        if let Some(goal) = to_reach {
            svg += &format!("<line class='goal' x1='{0:.0}' x2='{0:.0}' y1='{top}' y2='{1}'/>\n", x(*goal), top + 16);
        }
    }
    svg + "</svg>\n"
}
