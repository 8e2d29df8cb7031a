//! CPython, which has never heard of mountfs, on a mount and on a preopen.

use crate::host::Way;
use crate::side_by_side::{Compared, summed_up, timed};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use wasmtime::{Config, Engine};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// What CPython does, in its own words; each line it prints is a name and nanoseconds of one.
const SCRIPT: &str = r#"
import os, time

def measure(name, times, work):
    started = time.perf_counter_ns()
    for _ in range(times): work()
    print(name, (time.perf_counter_ns() - started) // times, sep="\t")

os.chdir("/local")
os.makedirs("names", exist_ok=True)
for number in range(300):
    open(f"names/{number}", "wb").close()
block = bytes(1 << 20)
file = open("file", "w+b", buffering=0)
file.write(block)

def read(length):
    def work():
        file.seek(0)
        left = length
        while left: left -= len(file.read(left))
    return work

def write(length):
    view = memoryview(block)[:length]
    def work():
        file.seek(0)
        done = 0
        while done < length: done += file.write(view[done:])
    return work

def rename():
    os.rename("names/0", "names/x")
    os.rename("names/x", "names/0")

def unlink():
    open("new", "wb").close()
    os.unlink("new")

measure("read 4 KiB", 5000, read(4 << 10))
measure("read 64 KiB", 3000, read(64 << 10))
measure("read 1 MiB", 200, read(1 << 20))
measure("write 4 KiB", 5000, write(4 << 10))
measure("write 64 KiB", 1000, write(64 << 10))
measure("write 1 MiB", 60, write(1 << 20))
measure("open and close", 2000, lambda: open("file", "rb", buffering=0).close())
measure("stat", 3000, lambda: os.stat("file"))
measure("fstat", 3000, lambda: os.fstat(file.fileno()))
measure("listdir of 300", 20, lambda: os.listdir("names"))
measure("scandir and stat of 300", 10, lambda: [entry.stat() for entry in os.scandir("names")])
measure("rename", 500, rename)
measure("create and unlink", 100, unlink)
"#;

fn to_reach(name: &str) -> Option<f64> {
    match name {
        "read 4 KiB" | "write 4 KiB" => Some(0.9),
        name if name.contains("iB") => Some(0.95),
        "create and unlink" | "start-up" => None,
        _ => Some(0.75),
    }
}

pub(crate) async fn measure(guests: &Path, turns: usize) -> Result<Vec<Compared>> {
    let app = fs::read(guests.join("python-3.12.wasm"))?;
    let app = mountfs_host::to_component(&app)?;
    let mut config = Config::new();
    config.max_wasm_stack(16 << 20).async_stack_size(18 << 20);
    let engine = Engine::new(&config)?;
    let ways = [Way::new(&engine, &app, true, true)?, Way::new(&engine, &app, false, true)?];
    let mut took: Vec<(String, [Vec<f64>; 2])> = Vec::new();
    for turn in 0..=turns {
        for side in if turn % 2 == 0 { [0, 1] } else { [1, 0] } {
            let mut lines = run(&ways[side], SCRIPT).await?;
            lines.insert("start-up".to_owned(), run(&ways[side], "print('all', 0, sep='\\t')").await?["all in all"]);
            lines.remove("all in all");
            // The first of each warms up.
            for (name, nanoseconds) in lines.into_iter().filter(|_| turn > 0) {
                let at = took.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                    took.push((name, Default::default()));
                    took.len() - 1
                });
                took[at].1[side].push(nanoseconds);
            }
        }
    }
    Ok(took.iter().map(|(name, [ours, theirs])| summed_up(name, to_reach(name), ours, theirs)).collect())
}

/// What a script printed, and how long it took from the first step of the host to the last.
async fn run(way: &Way, script: &str) -> Result<BTreeMap<String, f64>> {
    let (folder, output) = (tempfile::tempdir()?, MemoryOutputPipe::new(1 << 20));
    let work = async {
        let arguments = ["python", "-S", "-c", script];
        let wasi = |wasi: &mut wasmtime_wasi::WasiCtxBuilder| {
            wasi.args(&arguments).stdout(output.clone()).inherit_stderr();
        };
        let (mut store, instance) = way.start(folder.path(), 0, wasi).await?;
        let command = Command::new(&mut store, &instance)?;
        let ended = command.wasi_cli_run().call_run(&mut store).await;
        match ended {
            Ok(Ok(())) => Ok(()),
            Err(error) if matches!(error.downcast_ref(), Some(wasmtime_wasi::I32Exit(0))) => Ok(()),
            Ok(Err(())) => anyhow::bail!("Python failed"),
            Err(error) => Err(error.into()),
        }
    };
    let (took, done) = timed(work).await;
    done?;
    let text = String::from_utf8(output.contents().to_vec())?;
    let lines = text.lines().map(|line| {
        let (name, nanoseconds) = line.split_once('\t').with_context(|| format!("Python printed {line:?}"))?;
        Ok((name.to_owned(), nanoseconds.parse()?))
    });
    let mut lines = lines.collect::<Result<BTreeMap<_, _>>>()?;
    lines.insert("all in all".to_owned(), took.as_secs_f64() * 1e9);
    Ok(lines)
}
