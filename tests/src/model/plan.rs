//! Random plans: steps as a case has them, on few names, so that they meet.

use super::Done;
use super::files::Files;
use crate::case::Step;
use anyhow::Result;
use proptest::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// A step of a plan, and what the model says it comes to.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The step.
    pub line: String,
    /// `{"Ok": [word, …]}` or `{"Err": name}`; none when it only must not fail.
    pub done: Option<Done>,
}

/// A plan, and what the model says of it.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Its steps from the mount on.
    pub steps: Vec<Planned>,
    /// What is on disk in the end: texts by path, and empty directories with a slash.
    pub after: BTreeMap<String, String>,
}

/// Plans, each the lines of some hundred steps. One whose turn comes when it makes no sense is left out by [`expected`].
pub(super) fn plans() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(step(), 50..150)
}

/// A plan from its mount on, with what the model says.
///
/// # Errors
///
/// When a line is no step.
pub fn expected(plan: &[String]) -> Result<Plan> {
    let mut files = Files::default();
    let mut steps = Vec::new();
    // What an unmount takes away is mounted again at once.
    let again =
        |line: &String| if line.starts_with("unmount") { vec![line.clone(), MOUNT.into()] } else { vec![line.clone()] };
    for line in std::iter::once(MOUNT.to_owned()).chain(plan.iter().flat_map(again)) {
        let step = Step::parse(&line)?;
        let words: Vec<_> = step.words.iter().map(String::as_str).collect();
        if let Some(done) = files.step(&step.verb, &words) {
            // What a report counts is an affair of the cases.
            let is_report = matches!(step.verb.as_str(), "sync" | "unmount");
            steps.push(Planned { line, done: (!is_report).then_some(done) });
        }
    }
    Ok(Plan { steps, after: files.tree() })
}

const MOUNT: &str = "mount /local";

fn step() -> impl Strategy<Value = String> {
    let offset = || prop_oneof![8 => 0..40u32, 1 => 0..150_000u32];
    let flags = || {
        let flags = prop::sample::subsequence(vec!["create", "exclusive", "truncate"], 0..=3);
        flags.prop_filter("as POSIX, exclusive goes with create", |flags| {
            !flags.contains(&"exclusive") || flags.contains(&"create")
        })
    };
    prop_oneof![
        4 => (file(), path(), flags()).prop_map(|(file, path, flags)| format!("open {file} {path} read write {}", flags.join(" "))),
        2 => file().prop_map(|file| format!("close {file}")),
        4 => (file(), offset(), text()).prop_map(|(file, offset, text)| format!("write @{file} {offset} {text}")),
        4 => (file(), offset(), offset()).prop_map(|(file, offset, length)| format!("read @{file} {offset} {length}")),
        2 => (file(), text()).prop_map(|(file, text)| format!("append @{file} {text}")),
        2 => (file(), offset()).prop_map(|(file, size)| format!("resize @{file} {size}")),
        1 => file().prop_map(|file| format!("stat @{file}")),
        1 => file().prop_map(|file| format!("fsync @{file}")),
        4 => (path(), text()).prop_map(|(path, text)| format!("write {path} {text}")),
        2 => (path(), text()).prop_map(|(path, text)| format!("append {path} {text}")),
        4 => path().prop_map(|path| format!("read {path}")),
        3 => path().prop_map(|path| format!("stat {path}")),
        2 => prop_oneof![path(), Just("/local".to_owned())].prop_map(|path| format!("list {path}")),
        4 => path().prop_map(|path| format!("mkdir {path}")),
        2 => path().prop_map(|path| format!("rmdir {path}")),
        2 => path().prop_map(|path| format!("unlink {path}")),
        5 => (path(), path()).prop_map(|(from, to)| format!("rename {from} {to}")),
        1 => Just("sync /local".to_owned()),
        1 => Just("unmount /local".to_owned()),
    ]
}

fn file() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["f", "g", "h"])
}

/// Few names, three deep.
fn path() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["a", "b", "d", "e"]);
    prop::collection::vec(name(), 1..=3).prop_map(|names| format!("/local/{}", names.join("/")))
}

/// Mostly short; `%` stands for many letters.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-m]{1,12}",
        1 => Just("\"\"".to_owned()),
        1 => ("[a-m]", 1..150_000u32).prop_map(|(letter, count)| format!("{letter}%{count}")),
    ]
}
