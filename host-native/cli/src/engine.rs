//! Wasmtime as the command uses it: stacks are deep enough for interpreters, and compiled code is kept.

use crate::app;
use crate::progress::Progress;
use anyhow::{Context as _, Result};
use mountfs_host::{ComposeError, Grants};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// An interpreter recurses on this stack for its guest's own recursion. Wasmtime's default of 512 KiB is for small guests.
const WASM_STACK: usize = 16 << 20;

/// What host functions need on top of it.
const HOST_STACK: usize = 2 << 20;

/// How many apps' compiled code is kept: those started last.
const KEPT: usize = 16;

/// An app of more bytes than that takes long to compile.
const LARGE: usize = 4 << 20;

/// What the name of code that is not whole yet ends with.
const PARTIAL: &str = "partial";

pub(crate) fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.max_wasm_stack(WASM_STACK).async_stack_size(WASM_STACK + HOST_STACK);
    Ok(Engine::new(&config)?)
}

/// The app, composed and compiled; or found so, from the last time.
pub(crate) fn load(engine: &Engine, name: &str, app: &[u8]) -> Result<Component> {
    let kept = kept(engine, app);
    if let Some(kept) = &kept
        && let Some(component) = find(engine, kept)
    {
        return Ok(component);
    }
    let component = {
        let progress = Progress::of(format!("compiling {name}, once"));
        if app.len() > LARGE && !progress.is_shown() {
            tell!("mountfs: compiling {name}, once (a minute or so)");
        }
        Component::new(engine, prepare(app)?)?
    };
    if let Some(kept) = &kept {
        let keep = component.serialize().map_err(anyhow::Error::from).and_then(|code| keep(kept, &code));
        keep.unwrap_or_else(|error| tracing::warn!("compiled code is not kept for the next time: {error:#}"));
    }
    Ok(component)
}

/// The app as the component that is run.
pub(crate) fn prepare(app: &[u8]) -> Result<Cow<'_, [u8]>> {
    let component = mountfs_host::to_component(app).map_err(|error| app::explain(error, app))?;
    match mountfs_host::compose(&component, Grants::Host) {
        Ok(composed) => Ok(composed.into()),
        Err(ComposeError::AlreadyComposed | ComposeError::NothingToConnect) => Ok(component),
        Err(error) => Err(error.into()),
    }
}

/// Where compiled code is kept. `None` without a home.
pub(crate) fn cache() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "mountfs")?.cache_dir().to_owned())
}

/// The file for this app's code, as this mountfs and this engine compile it. `None` without a home.
pub(crate) fn kept(engine: &Engine, app: &[u8]) -> Option<PathBuf> {
    let made_by = Sha256::new().chain_update(env!("CARGO_PKG_VERSION")).chain_update(mountfs_host::COMPONENT);
    let digest = made_by.chain_update(app).finalize();
    let mut compiler = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compiler);
    let name = format!("{digest:x}-{:x}.cwasm", compiler.finish());
    Some(cache()?.join(name))
}

fn find(engine: &Engine, kept: &Path) -> Option<Component> {
    if !kept.exists() {
        return None;
    }
    let folder = kept.parent()?;
    if !is_private(folder) {
        let folder = folder.display();
        tracing::warn!("kept code is not used: others can write to {folder}; make it yours alone (chown, chmod go-w)");
        return None;
    }
    // SAFETY: the file has to be what `Component::serialize` gave. Its name has the digest of what it was compiled from,
    // it was renamed into place whole, and it is in a folder that, as was just looked, is the user's, and only theirs to
    // write to: who can change it can also change this program. Wasmtime checks that its own version and settings made it.
    #[expect(unsafe_code, reason = "loading compiled code is trusting it")]
    let component = unsafe { Component::deserialize_file(engine, kept) };
    match component {
        Ok(component) => {
            // The time of its last use, for `keep`.
            let _ = fs::File::open(kept).and_then(|file| file.set_modified(SystemTime::now()));
            Some(component)
        }
        Err(error) => {
            tracing::warn!("compiled code in {} is made anew: {error:#}", kept.display());
            None
        }
    }
}

/// Keeps compiled code, and removes what was not used for longest.
fn keep(kept: &Path, code: &[u8]) -> Result<()> {
    let folder = kept.parent().context("it is in a folder")?;
    create_private(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut file = tempfile::Builder::new().suffix(&format!(".{PARTIAL}")).tempfile_in(folder)?;
    // For as long as this process lives: one that nobody has locked was left by a run that was killed. Where there are
    // no locks, none is taken for that.
    let _ = file.as_file().lock();
    file.write_all(code)?;
    // Code that a loss of power cut short would be run all the same.
    file.as_file().sync_all()?;
    file.persist(kept)?;

    let there: Vec<_> = fs::read_dir(folder)?.flatten().collect();
    let with_extension =
        |wanted| there.iter().filter(move |entry| entry.path().extension().is_some_and(|found| found == wanted));
    for partial in with_extension(PARTIAL) {
        let is_left = fs::File::open(partial.path()).is_ok_and(|file| file.try_lock().is_ok());
        if is_left {
            // Another process may have removed it already; also below.
            let _ = fs::remove_file(partial.path());
        }
    }
    let mut used: Vec<_> = with_extension("cwasm")
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    used.sort();
    let surplus = used.len().saturating_sub(KEPT);
    for (_, path) in used.drain(..surplus) {
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// Whether only this user can write to a folder: whoever else could put code there would run it as this user.
#[cfg(unix)]
fn is_private(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    fs::metadata(folder).is_ok_and(|folder| folder.uid() == user && folder.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> bool {
    true
}

#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    // Inherits the owner-only rights of the user's profile.
    fs::create_dir_all(folder)
}
