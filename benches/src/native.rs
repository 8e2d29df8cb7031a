//! What is measured natively.

use crate::host::{Guest, Way};
use crate::python;
use crate::side_by_side::{Compared, Repeat, compare, quantile, timed};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::time::Duration;
use wasmtime::component::Instance;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

mod bindings {
    #![allow(missing_docs, clippy::all)]
    wasmtime::component::bindgen!({
        path: ["../wit", "guest/wit"],
        inline: "
            package mountfs:bench-runner;

            world bench-guest {
                export mountfs:benches/work@0.1.0;
            }
        ",
        exports: { default: async },
    });
}

/// Operations of the guest, and how fast ours is to be, where a preopen is 1.
const OPERATIONS: [(&str, Option<f64>); 16] = [
    ("read 4 KiB", Some(0.9)),
    ("read 64 KiB", Some(0.95)),
    ("read 1 MiB", Some(0.95)),
    ("write 4 KiB", Some(0.9)),
    ("write 64 KiB", Some(0.95)),
    ("write 1 MiB", Some(0.95)),
    ("read 4 KiB of a stream", Some(0.9)),
    ("read 64 KiB of a stream", Some(0.95)),
    ("write 4 KiB to a stream", Some(0.9)),
    ("open and close", Some(0.75)),
    ("stat", Some(0.75)),
    ("fstat", Some(0.75)),
    ("list 1,000 names", Some(0.75)),
    ("list and stat 1,000", Some(0.75)),
    ("rename", Some(0.75)),
    ("create and unlink", None),
];

/// What is done with many mounts in the table.
const LOOKUPS: [&str; 2] = ["open and close", "stat"];
const MOUNTS: [usize; 3] = [1, 100, 10_000];

/// Sandboxes in one process.
const DENSITY: usize = 1000;

#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Processors, and how busy the machine was.
    pub(crate) machine: String,
    pub(crate) turns: usize,
    /// As the command `mountfs` runs a guest: file calls block its thread.
    pub(crate) blocking: Vec<Compared>,
    /// As the libraries do by default: file calls go to another thread.
    pub(crate) default: Vec<Compared>,
    pub(crate) python: Vec<Compared>,
    /// By mounts in the table, nanoseconds of each lookup.
    pub(crate) mounts: Vec<(usize, Vec<(String, f64)>)>,
    pub(crate) startup: Startup,
    pub(crate) density: Density,
}

/// Milliseconds to an instance that can be called, and bytes of linear memory: ours, and on a preopen.
#[derive(Serialize, Deserialize)]
pub(crate) struct Startup {
    pub(crate) milliseconds: (f64, f64),
    pub(crate) memory: (usize, usize),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Density {
    pub(crate) instances: usize,
    /// Microseconds to make one and to mount a folder of its own: median, and nine of ten are below.
    pub(crate) microseconds: (f64, f64),
    /// KiB of the process for each.
    pub(crate) kibibytes: f64,
}

/// An operation of an instance.
struct Operation<'a> {
    guest: &'a bindings::BenchGuest,
    store: &'a mut Store<Guest>,
    name: &'a str,
}

impl Repeat for Operation<'_> {
    async fn repeat(&mut self, times: u32) -> Result<Duration> {
        let (took, done) =
            timed(self.guest.mountfs_benches_work().call_repeat(&mut *self.store, self.name, times)).await;
        done?;
        Ok(took)
    }
}

pub(crate) async fn measure(guests: &Path, turns: usize) -> Result<Measured> {
    let app = fs::read(guests.join("bench.wasm"))?;
    let machine = machine()?;
    let engine = Engine::default();
    eprintln!("as the command runs it");
    let blocking = operations(&engine, &app, true, turns).await?;
    eprintln!("as the libraries do by default");
    let default = operations(&engine, &app, false, turns).await?;
    eprintln!("CPython");
    let python = python::measure(guests, turns.div_ceil(8)).await?;
    let mounts = mounts(&engine, &app, turns).await?;
    let startup = startup(&engine, &app, turns.div_ceil(2)).await?;
    let density = density(&app).await?;
    Ok(Measured { machine, turns, blocking, default, python, mounts, startup, density })
}

async fn operations(engine: &Engine, app: &[u8], blocking: bool, turns: usize) -> Result<Vec<Compared>> {
    let mut compared = Vec::new();
    let ways = [Way::new(engine, app, true, blocking)?, Way::new(engine, app, false, blocking)?];
    for (name, to_reach) in OPERATIONS {
        let (folder, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (mut store, ours) = started(&ways[0], folder.path(), 0, name).await?;
        let (mut their_store, theirs) = started(&ways[1], other.path(), 0, name).await?;
        let mut ours = Operation { guest: &ours, store: &mut store, name };
        let mut theirs = Operation { guest: &theirs, store: &mut their_store, name };
        compared.push(compare(name, to_reach, turns, &mut ours, &mut theirs).await?);
    }
    Ok(compared)
}

async fn started(way: &Way, folder: &Path, more: usize, name: &str) -> Result<(Store<Guest>, bindings::BenchGuest)> {
    let (mut store, instance) = way.start(folder, more, |_| {}).await?;
    let guest = callable(&mut store, &instance)?;
    guest.mountfs_benches_work().call_prepare(&mut store, name).await?;
    Ok((store, guest))
}

fn callable(store: &mut Store<Guest>, instance: &Instance) -> Result<bindings::BenchGuest> {
    Ok(bindings::BenchGuest::new(store, instance)?)
}

async fn mounts(engine: &Engine, app: &[u8], turns: usize) -> Result<Vec<(usize, Vec<(String, f64)>)>> {
    let way = Way::new(engine, app, true, true)?;
    let mut measured = Vec::new();
    for count in MOUNTS {
        let folder = tempfile::tempdir()?;
        let mut lookups = Vec::new();
        for name in LOOKUPS {
            let (mut store, guest) = started(&way, folder.path(), count - 1, name).await?;
            let mut operation = Operation { guest: &guest, store: &mut store, name };
            let mut took = Vec::new();
            for _ in 0..turns {
                took.push(operation.repeat(1000).await?.as_secs_f64() * 1e9 / 1000.0);
            }
            eprintln!("{name} with {count} mounts: {:.0} ns", quantile(&took, 0.5));
            lookups.push((name.to_owned(), quantile(&took, 0.5)));
        }
        measured.push((count, lookups));
    }
    Ok(measured)
}

async fn startup(engine: &Engine, app: &[u8], turns: usize) -> Result<Startup> {
    let ways = [Way::new(engine, app, true, true)?, Way::new(engine, app, false, true)?];
    let folder = tempfile::tempdir()?;
    let (mut milliseconds, mut memory) = ([const { Vec::new() }; 2], [0; 2]);
    for _ in 0..turns {
        for (way, (took_all, memory)) in ways.iter().zip(milliseconds.iter_mut().zip(&mut memory)) {
            let (took, started) = timed(way.start(folder.path(), 0, |_| {})).await;
            took_all.push(took.as_secs_f64() * 1e3);
            *memory = started?.0.data().memory;
        }
    }
    let [ours, theirs] = milliseconds.map(|took| quantile(&took, 0.5));
    eprintln!("start-up: {ours:.2} ms, {theirs:.2} ms; memory {} KiB, {} KiB", memory[0] >> 10, memory[1] >> 10);
    Ok(Startup { milliseconds: (ours, theirs), memory: (memory[0], memory[1]) })
}

/// Many composed guests in one process, each with a folder of its own, and nothing in another's.
async fn density(app: &[u8]) -> Result<Density> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(DENSITY as u32)
        .total_core_instances(10 * DENSITY as u32)
        .total_memories(4 * DENSITY as u32)
        .total_tables(10 * DENSITY as u32)
        .max_memory_size(64 << 20);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config.memory_reservation(64 << 20).memory_guard_size(0);
    let way = Way::new(&Engine::new(&config)?, app, true, true)?;
    let folders = tempfile::tempdir()?;
    let before = resident()?;
    let (mut took_all, mut running) = (Vec::new(), Vec::new());
    for number in 0..DENSITY {
        let folder = folders.path().join(number.to_string());
        fs::create_dir(&folder)?;
        fs::write(folder.join("owner"), number.to_string())?;
        let (took, started) = timed(way.start(&folder, 0, |_| {})).await;
        took_all.push(took.as_secs_f64() * 1e6);
        running.push(started?);
    }
    for (number, (store, instance)) in running.iter_mut().enumerate() {
        let guest = callable(store, instance)?;
        guest.mountfs_benches_work().call_prepare(&mut *store, "open and close").await?;
        guest.mountfs_benches_work().call_repeat(&mut *store, "open and close", 1).await?;
        let mut names: Vec<_> = fs::read_dir(folders.path().join(number.to_string()))?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<Result<_>>()?;
        names.sort();
        anyhow::ensure!(names == ["file", "owner"], "the folder of {number} has {names:?}");
    }
    let kibibytes = (resident()? - before) as f64 / DENSITY as f64;
    let microseconds = (quantile(&took_all, 0.5), quantile(&took_all, 0.9));
    eprintln!(
        "{DENSITY} instances: {:.0} µs each (nine of ten below {:.0}), {kibibytes:.0} KiB each",
        microseconds.0, microseconds.1
    );
    Ok(Density { instances: DENSITY, microseconds, kibibytes })
}

/// What it was measured on.
fn machine() -> Result<String> {
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split_whitespace().next().context("the kernel tells")?;
    let processors = std::thread::available_parallelism()?;
    Ok(format!("{} with {processors} processors and a load of {load} before", std::env::consts::ARCH))
}

/// KiB of this process in memory.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the kernel tells")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
