//! Wasmtime as the command uses it: compiled code is kept, and stacks are deep enough for interpreters.

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;
use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config, Engine};

/// An interpreter recurses on this stack for its guest's own recursion. Wasmtime's default of 512 KiB is for small guests.
const WASM_STACK: usize = 16 << 20;

/// What host functions need on top of it.
const HOST_STACK: usize = 2 << 20;

pub(crate) fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.max_wasm_stack(WASM_STACK).async_stack_size(WASM_STACK + HOST_STACK);
    match cache() {
        Ok(cache) => drop(config.cache(cache)),
        // It works without, only slower.
        Err(error) => tracing::warn!("compiled code is not kept for the next time: {error:#}"),
    }
    Ok(Engine::new(&config)?)
}

fn cache() -> Result<Option<Cache>> {
    let Some(folders) = directories::ProjectDirs::from("", "", "mountfs") else {
        return Ok(None);
    };
    let mut config = CacheConfig::new();
    config.with_directory(folders.cache_dir());
    Ok(Some(Cache::new(config)?))
}

/// Compiles an app, or finds it compiled.
pub(crate) fn compile(engine: &Engine, name: &str, app: &[u8]) -> Result<Component> {
    // Seen only at a terminal, and only where it takes long enough to wonder.
    let progress = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?)
        .with_message(format!("compiling {name}; next time it is there already"));
    let started = std::thread::scope(|scope| {
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        let progress = &progress;
        scope.spawn(move || {
            use std::sync::mpsc::RecvTimeoutError::Timeout;
            let mut wait = Duration::from_millis(500);
            while waiting.recv_timeout(wait) == Err(Timeout) {
                progress.tick();
                wait = Duration::from_millis(100);
            }
        });
        let component = Component::new(engine, app);
        drop(done);
        component
    });
    progress.finish_and_clear();
    started.map_err(anyhow::Error::from).with_context(|| format!("cannot compile {name}"))
}
