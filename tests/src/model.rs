//! Random plans of steps, done by a guest in a mounted folder, by `std::fs` in another, and by a plain model: all three
//! must answer alike, and leave the same on disk.

mod files;
mod mirror;
mod plan;

pub use plan::{Plan, Planned, expected};

use crate::Folder;
use crate::case::Step;
use crate::steps::Guest;
use anyhow::{Context as _, Result, bail, ensure};
use mirror::Mirror;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};
use std::collections::BTreeMap;

/// What a step comes to: its answer, or the name of its error.
pub type Done = Result<Vec<String>, String>;

/// Steps in a plan, on average.
const STEPS: u64 = 100;

/// Plans with about `ops` operations in all: the same ones for the same seed.
///
/// # Errors
///
/// When none can be made.
pub fn generate(ops: u64, seed: u64) -> Result<impl Iterator<Item = Result<Vec<String>>>> {
    let config = Config { rng_algorithm: RngAlgorithm::XorShift, rng_seed: RngSeed::Fixed(seed), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let plans = plan::plans();
    Ok((0..ops.div_ceil(STEPS)).map(move |_| {
        plans.new_tree(&mut runner).map(|plan| plan.current()).map_err(|why| anyhow::anyhow!("no plan: {why}"))
    }))
}

/// Runs plans with about `ops` operations in all under wasmtime, and answers how many steps that were.
///
/// # Errors
///
/// A short plan in which somebody differs, and how.
pub fn run(ops: u64, seed: u64) -> Result<usize> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut steps = 0;
    for plan in generate(ops, seed)? {
        let plan = plan?;
        if tokio.block_on(run_one(&plan)).is_err() {
            let plan = shorten(plan, |plan| tokio.block_on(run_one(plan)).is_err());
            let error = tokio.block_on(run_one(&plan)).expect_err("it failed a moment ago");
            bail!("{error:#}\nseed {seed}, plan:\n{}", plan.join("\n"));
        }
        steps += expected(&plan)?.steps.len();
    }
    Ok(steps)
}

/// Leaves out whatever a plan fails without: halves first, then smaller and smaller parts.
fn shorten(mut plan: Vec<String>, fails: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut size = plan.len().div_ceil(2);
    while size > 0 {
        let before = plan.len();
        let mut at = 0;
        while at < plan.len() {
            let mut less = plan.clone();
            less.drain(at..(at + size).min(plan.len()));
            if fails(&less) {
                plan = less;
            } else {
                at += size;
            }
        }
        if size > 1 || plan.len() == before {
            size /= 2;
        }
    }
    plan
}

async fn run_one(plan: &[String]) -> Result<()> {
    let (folder, other) = (Folder::new(), Folder::new());
    let mut guest = Guest::new().await?;
    guest.user_chooses(Some(folder.path()));
    let mut mirror = Mirror::new(other.path());
    let Plan { steps, after } = expected(plan)?;
    for Planned { line, done } in steps {
        let step = Step::parse(&line)?;
        let words: Vec<_> = step.words.iter().map(String::as_str).collect();
        let guests = guest.step(&step.verb, &words).await.with_context(|| line.clone())?;
        let mirrors = mirror.step(&step.verb, &words);
        let Some(done) = done else {
            ensure!(guests.is_ok(), "at `{line}` the guest has {}", short(&guests));
            continue;
        };
        ensure!(mirrors == done, "at `{line}` std::fs has {}, and the model {}", short(&mirrors), short(&done));
        ensure!(guests == done, "at `{line}` the guest has {}, and the model {}", short(&guests), short(&done));
    }
    guest.unmount_all().await?;
    for (who, folder) in [("the guest", &folder), ("std::fs", &other)] {
        let tree = folder.tree();
        ensure!(tree == after, "{who} left {:?} on disk, and the model {:?}", names(&tree), names(&after));
    }
    Ok(())
}

fn short(done: &Done) -> String {
    let text = format!("{done:?}");
    if text.len() > 300 { format!("{}… ({} bytes)", &text[..300], text.len()) } else { text }
}

/// Names and sizes.
fn names(tree: &BTreeMap<String, String>) -> Vec<String> {
    tree.iter().map(|(path, text)| format!("{path} {}", text.len())).collect()
}
