//! `docs/compatibility.md`, made from what the suites noted in `target/compatibility/` as they ran: what each host and
//! interpreter does. The page is kept in the repository, and the step fails when a run says otherwise.

use crate::run::root;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

/// What the suites call a host, and what people do.
const HOSTS: [(&str, &str); 3] =
    [("native", "wasmtime"), ("browser-local", "page, local folder"), ("browser-opfs", "page, private storage")];

const INTERPRETERS: [(&str, &str); 5] = [
    ("python", "CPython 3.14"),
    ("python-3.12", "CPython 3.12"),
    ("ruby", "Ruby 3.4"),
    ("micropython", "MicroPython 1.27"),
    ("quickjs", "QuickJS 0.15"),
];

const PAGE: &str = "docs/compatibility.md";

/// How a case ended.
#[derive(Deserialize)]
struct Outcome {
    group: String,
    name: String,
    outcome: String,
    #[serde(default)]
    reason: Option<String>,
}

/// Prints what was run and what was not, and compares the page with it.
pub(crate) fn check() -> Result<()> {
    let page = page()?;
    let path = root().join(PAGE);
    let is_same = fs::read_to_string(&path).is_ok_and(|kept| kept == page);
    if !is_same {
        fs::create_dir_all(path.parent().expect("it is in a folder"))?;
        fs::write(&path, page)?;
    }
    ensure!(is_same, "{PAGE} said something else than this run: it is written anew, look at what changed");
    Ok(())
}

fn page() -> Result<String> {
    let mut hosts = Vec::new();
    for (file, title) in HOSTS {
        let outcomes: Vec<Outcome> = noted(&format!("{file}.json"))?;
        let count = |outcome: &str| outcomes.iter().filter(|case| case.outcome == outcome).count();
        let (passed, skipped, known) = (count("passed"), count("skipped"), count("known"));
        ensure!(passed + skipped + known == outcomes.len(), "{title}: not every case passed");
        println!("{title}: {passed} cases passed, {skipped} skipped, {known} known not to pass");
        for Outcome { group, name, outcome, reason } in outcomes.iter().filter(|case| case.outcome != "passed") {
            println!("  {outcome}: {group}: {name}: {}", reason.as_deref().unwrap_or_default());
        }
        hosts.push((title, outcomes));
    }
    check_all_ran(&hosts)?;
    let mut page = String::from(
        "# Compatibility\n\n\
         What each host does with the [cases](../tests/cases/) of the contract, and what the users of each language do in\n\
         each host ([tests/scripts/](../tests/scripts/)). `cargo xtask test` makes this page from its own run.\n\n\
         ## Cases by group and host\n\n",
    );
    cases(&mut page, &hosts)?;
    page.push_str("\n## Cases that a host does not run\n\n");
    left_out(&mut page, &hosts)?;
    page.push_str("\n## Interpreters\n\n`w` under wasmtime, `p` in a page.\n\n");
    interpreters(&mut page)?;
    Ok(page)
}

/// Every host has to have noted every case, and some host to have passed it: nothing stands for a case that never ran.
fn check_all_ran(hosts: &[(&str, Vec<Outcome>)]) -> Result<()> {
    let names = |outcomes: &[Outcome], passed: bool| -> BTreeSet<_> {
        let noted = outcomes.iter().filter(|case| !passed || case.outcome == "passed");
        noted.map(|case| format!("{}: {}", case.group, case.name)).collect()
    };
    let all: BTreeSet<_> = hosts.iter().flat_map(|(_, outcomes)| names(outcomes, false)).collect();
    for (title, outcomes) in hosts {
        let noted = names(outcomes, false);
        let missing: Vec<_> = all.difference(&noted).collect();
        ensure!(missing.is_empty(), "{title}: noted before there were these cases, run it again: {missing:?}");
    }
    let passed = hosts.iter().flat_map(|(_, outcomes)| names(outcomes, true)).collect();
    let nowhere: Vec<_> = all.difference(&passed).collect();
    ensure!(nowhere.is_empty(), "no host passes these cases: {nowhere:?}");
    Ok(())
}

/// A row a group: how many cases each host passed, of those there are.
fn cases(page: &mut String, hosts: &[(&str, Vec<Outcome>)]) -> Result<()> {
    let titles: Vec<_> = hosts.iter().map(|(title, _)| *title).collect();
    writeln!(page, "| group | {} |\n| --- |{}", titles.join(" | "), " --- |".repeat(titles.len()))?;
    let groups: BTreeSet<_> = hosts.iter().flat_map(|(_, outcomes)| outcomes).map(|case| &case.group).collect();
    for group in groups {
        write!(page, "| {group} |")?;
        for (_, outcomes) in hosts {
            let of_group: Vec<_> = outcomes.iter().filter(|case| case.group == *group).collect();
            let passed = of_group.iter().filter(|case| case.outcome == "passed").count();
            write!(page, " {passed} of {} |", of_group.len())?;
        }
        page.push('\n');
    }
    Ok(())
}

fn left_out(page: &mut String, hosts: &[(&str, Vec<Outcome>)]) -> Result<()> {
    writeln!(page, "| host | why | cases |\n| --- | --- | --- |")?;
    for (title, outcomes) in hosts {
        let mut reasons = BTreeMap::<_, Vec<_>>::new();
        for case in outcomes.iter().filter(|case| case.outcome != "passed") {
            reasons.entry(case.reason.as_deref().unwrap_or_default()).or_default().push(case.name.as_str());
        }
        for (reason, names) in reasons {
            writeln!(page, "| {title} | {reason} | {} |", names.join("; "))?;
        }
    }
    Ok(())
}

/// A row a fact: which interpreters were seen to do it, where.
fn interpreters(page: &mut String) -> Result<()> {
    let mut facts = Vec::<String>::new();
    let mut seen = BTreeSet::new();
    for (mark, host) in [("w", "native"), ("p", "browser")] {
        for (file, _) in INTERPRETERS {
            let path = format!("interpreters/{host}/{file}.json");
            if !root().join("target/compatibility").join(&path).exists() {
                continue;
            }
            for fact in noted::<Vec<String>>(&path)? {
                seen.insert((fact.clone(), file, mark));
                if !facts.contains(&fact) {
                    facts.push(fact);
                }
            }
        }
    }
    let titles: Vec<_> = INTERPRETERS.iter().map(|(_, title)| *title).collect();
    writeln!(page, "| | {} |\n| --- |{}", titles.join(" | "), " --- |".repeat(titles.len()))?;
    for fact in facts {
        write!(page, "| {} |", fact.replace('-', " "))?;
        for (file, _) in INTERPRETERS {
            let marks = ["w", "p"].into_iter().filter(|mark| seen.contains(&(fact.clone(), file, mark)));
            write!(page, " {} |", marks.collect::<Vec<_>>().join(" "))?;
        }
        page.push('\n');
    }
    Ok(())
}

fn noted<T: for<'de> Deserialize<'de>>(file: &str) -> Result<T> {
    let path = root().join("target/compatibility").join(file);
    let text = fs::read_to_string(&path);
    let text = text.with_context(|| format!("{file} was not noted: run the steps `native` and `browser` first"))?;
    serde_json::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
}
