//! The cases of `tests/cases/`, under wasmtime: the component with the native host, on real folders.

mod disk;

use anyhow::{Context as _, Result, bail, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use mountfs_tests::case::{self, Case, End, Host, Step};
use mountfs_tests::root;
use mountfs_tests::steps::Guest;
use serde::Serialize;
use std::fs;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// How a case ended, for `docs/compatibility.md`.
#[derive(Clone, Serialize)]
struct Outcome {
    group: String,
    name: String,
    /// `passed`, `skipped`, `known` or `failed`.
    outcome: &'static str,
    /// Why it was skipped, or does not pass yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

type Outcomes = Arc<Mutex<Vec<Outcome>>>;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let folder = root().join("tests/cases");
    let host = case::host(&folder, "native")?;
    let outcomes = Outcomes::default();
    let mut trials = Vec::new();
    let mut known = host.known.clone();
    for (group, cases) in case::cases(&folder)? {
        for case in cases {
            let full = format!("{group}: {}", case.name);
            known.remove(&full);
            trials.push(trial(&group, case, &host, &outcomes));
        }
    }
    ensure!(known.is_empty(), "tests/cases/hosts/native.toml names cases that there are not: {known:?}");
    let all = trials.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let outcomes = outcomes.lock().expect("no case panicked holding it");
    // Only a whole run says what the host does.
    if outcomes.len() == all {
        write(&outcomes)?;
    }
    Ok(conclusion.exit_code())
}

fn write(outcomes: &[Outcome]) -> Result<()> {
    let path = root().join("target/compatibility/native.json");
    fs::create_dir_all(path.parent().expect("it is in a folder"))?;
    let mut outcomes = outcomes.to_vec();
    outcomes.sort_by(|one, other| (&one.group, &one.name).cmp(&(&other.group, &other.name)));
    Ok(fs::write(path, serde_json::to_string_pretty(&outcomes)?)?)
}

fn trial(group: &str, case: Case, host: &Host, outcomes: &Outcomes) -> Trial {
    let full = format!("{group}: {}", case.name);
    let known = host.known.get(&full).cloned();
    let lacks = case.needs.iter().find_map(|need| host.lacks.get(need).cloned());
    let outcomes = outcomes.clone();
    let mut outcome = Outcome { group: group.to_owned(), name: case.name.clone(), outcome: "passed", reason: None };
    if let Some(reason) = lacks {
        (outcome.outcome, outcome.reason) = ("skipped", Some(reason));
        outcomes.lock().expect("nobody panicked holding it").push(outcome);
        // Who asks for what is ignored sees how it fails.
        return Trial::test(full, move || run(&case).map_err(failed)).with_ignored_flag(true);
    }
    Trial::test(full, move || {
        let (ended, reason, result) = match (run(&case), known) {
            (Ok(()), None) => ("passed", None, Ok(())),
            (Err(_), Some(reason)) => ("known", Some(reason), Ok(())),
            (Err(error), None) => ("failed", None, Err(failed(error))),
            (Ok(()), Some(_)) => {
                ("failed", None, Err("it passes now: take its line out of tests/cases/hosts/native.toml".into()))
            }
        };
        (outcome.outcome, outcome.reason) = (ended, reason);
        outcomes.lock().expect("nobody panicked holding it").push(outcome);
        result
    })
}

fn failed(error: anyhow::Error) -> Failed {
    format!("{error:#}").into()
}

fn run(case: &Case) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let folders = disk::Folders::new(case)?;
        let mut guest = Guest::new().await?;
        for step in case.all_steps()? {
            let done = act(&folders, &mut guest, &step).await.with_context(|| format!("at `{}`", step.line))?;
            match (step.end, done) {
                (End::Well, Ok(_)) => {}
                (End::Answers(wanted), Ok(answer)) if wanted == answer => {}
                (End::Fails(wanted), Err(error)) if wanted == error => {}
                (_, Ok(answer)) => bail!("`{}` answered {answer:?}", step.line),
                (_, Err(error)) => bail!("`{}` failed with {error}", step.line),
            }
        }
        guest.unmount_all().await.context("afterwards")?;
        folders.check(case)
    })
}

/// What other programs do is done here, and what the user chooses; the rest is the guest's.
async fn act(folders: &disk::Folders, guest: &mut Guest, step: &Step) -> Result<Result<Vec<String>, String>> {
    let words: Vec<_> = step.words.iter().map(String::as_str).collect();
    match (step.verb.as_str(), &words[..]) {
        ("outside", words) => folders.outside(words).map(|()| Ok(Vec::new())),
        ("disk", [path]) => Ok(folders.text(path).map(|text| vec![text]).ok_or_else(String::new)),
        (verb, words) => {
            if verb == "mount" {
                let folder = words.iter().find_map(|word| word.strip_prefix("folder=")).unwrap_or_default();
                guest.user_chooses((folder != "none").then(|| folders.path(folder)));
            }
            guest.step(verb, words).await
        }
    }
}
