//! `mountfs run`.

use super::Failed;
use crate::folder::{Named, Preopen, granted, mounted};
use crate::limit::{self, Limit, Memory};
use crate::progress::Progress;
use crate::prompt::{self, Prompt, RefuseAloud};
use crate::{app, engine, hint};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::{Args, ValueHint};
use mountfs_host::{
    FileStore, GrantKey, GrantStore as _, MountError, MountOptions, MountfsCtx, MountfsCtxView, MountfsView, Mounts,
    app_name,
};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::{Command, CommandPre};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxView, WasiView};

/// The id of a `--mount`: what a guest gets that names none.
const ID: &str = "mountfs";

/// Of a run that mountfs could not start or finish; as in docker and env, so that it is told from the guest's own.
const FAILED: u8 = 125;

/// Of a guest that trapped; as of a process that aborted, and as in wasmtime.
const TRAPPED: u8 = 134;

/// Run an app in folders you choose.
///
/// The app sees the folders given here, those it asks for and is granted, and nothing else of the machine: no other
/// files, no network. What it wrote in mounted folders is durable when the command ends.
///
/// Options of mountfs go before the app. All that stands behind it goes to the app, also --help and --mount: whoever
/// writes the app's arguments gives it no folder.
///
/// Ends with the app's exit code; 125 when mountfs itself failed, 134 when the app trapped, 2 when an option is wrong.
///
/// For a script in this folder: mountfs run --mount /project=. python.wasm /project/main.py
#[derive(Args)]
#[command(override_usage = "mountfs run [OPTIONS] <APP> [ARGS]...")]
pub(crate) struct Run {
    /// Mount a folder before the app starts: --mount /notes=~/notes, or read-only --mount /data=./data:ro. To read and
    /// write (:rw) is the default.
    #[arg(long, value_name = "GUEST=HOST[:ro|:rw]", value_parser = mounted)]
    mount: Vec<Named>,

    /// Let the app mount this folder when it asks for this id, wherever it wants it: --grant pyscript=./data.
    #[arg(long, value_name = "ID=HOST[:ro|:rw]", value_parser = granted)]
    grant: Vec<Named>,

    /// Preopen a folder, as wasmtime does: for a standard library, say. The app can read and write it, and it is never
    /// asked for, synced or revoked.
    #[arg(long, value_name = "HOST::GUEST")]
    dir: Vec<Preopen>,

    /// Set an environment variable of the app, or hand on one of yours. The app sees no others.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,

    /// Let the app use no more than this at a time: memory=512M, descriptors=512, mounts=256.
    ///
    /// It gets an error over it, and can go on. Memory is without a limit by default; the others are as shown.
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<Limit>,

    /// Never ask: what was neither given here nor kept before is refused. What is kept counts for every script of the
    /// app: for code that you do not trust, give an --app-name of its own.
    #[arg(long)]
    no_prompt: bool,

    /// The name under which the app's grants are kept; by default its file name and digest, so that other code is
    /// another app.
    #[arg(long, value_name = "NAME")]
    app_name: Option<String>,

    /// The app: a component, composed or not, or a WASI preview 1 command; and all that it gets as its arguments.
    // One argument, so that clap parses nothing behind the app: not even what it would know.
    #[arg(required = true, trailing_var_arg = true, value_names = ["APP", "ARGS"], value_hint = ValueHint::FilePath)]
    command: Vec<OsString>,
}

/// What the store of this run holds.
pub(crate) struct Guest {
    wasi: WasiCtx,
    mountfs: MountfsCtx,
    table: ResourceTable,
    memory: Memory,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl MountfsView for Guest {
    fn mountfs(&mut self) -> MountfsCtxView<'_> {
        MountfsCtxView { ctx: &mut self.mountfs, wasi: &mut self.wasi, table: &mut self.table }
    }
}

impl Run {
    pub(crate) fn call(self) -> Result<ExitCode, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let result = runtime.block_on(self.run());
        // A prompt or a read of standard input may still block a thread.
        runtime.shutdown_background();
        result.map_err(|error| Failed { error, code: FAILED.into() })
    }

    async fn run(self) -> Result<ExitCode> {
        let path = self.app();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let bytes = app::read(path)?;
        let guest = self.guest(&name, &bytes)?;

        let engine = engine::engine()?;
        let component =
            engine::load(&engine, &name, &bytes).with_context(|| format!("cannot run {}", path.display()))?;
        let app = link(&engine, &name, &component)?;
        let mut store = Store::new(&engine, guest);
        store.limiter(|guest| &mut guest.memory);
        let instance = match app.instance_pre().instantiate_async(&mut store).await {
            Ok(instance) => instance,
            Err(error) => {
                if let Some(needed) = store.data().memory.needed() {
                    let mib = needed.max(largest_memory(&component)).div_ceil(1 << 20);
                    bail!("cannot run {name}: it needs at least {mib} MiB to start: raise --limit memory");
                }
                return exit_code(&name, Err(error));
            }
        };
        let command = Command::new(&mut store, &instance)?;
        if !self.mount.is_empty() {
            let mounts = Mounts::new(&mut store, &instance)
                .map_err(|_| anyhow!("{name} uses no files, so there is nothing to --mount for"))?;
            for Named { name, folder, access } in &self.mount {
                let options = MountOptions { access: Some((*access).into()), ..MountOptions::default() };
                let mounted = mounts.mount(&mut store, name, &options).await?;
                mounted.map_err(|error| anyhow!("cannot mount {} at {name}: {}", folder.display(), explain(&error)))?;
            }
        }
        let ended = command.wasi_cli_run().call_run(&mut store).await;
        let synced = {
            let _progress = Progress::of("making durable what was written".to_owned());
            sync(store.data_mut()).await
        };
        let succeeded = is_success(&ended);
        let code = exit_code(&name, ended)?;
        if !succeeded && let Some(hint) = self.hint(&bytes) {
            tell!("mountfs: {hint}");
        }
        synced?;
        Ok(code)
    }

    fn app(&self) -> &Path {
        Path::new(&self.command[0])
    }

    fn args(&self) -> &[OsString] {
        &self.command[1..]
    }

    /// What may have been meant, when the app failed.
    fn hint(&self, app: &[u8]) -> Option<String> {
        let command = <Self as Args>::augment_args(clap::Command::new("run"));
        let mounts = self.mount.iter().map(|Named { name, folder, .. }| (name.as_str(), folder.as_path()));
        let preopens = self.dir.iter().map(|Preopen { name, folder }| (name.as_str(), folder.as_path()));
        hint::option_behind(self.args(), &command)
            .or_else(|| hint::file_out_of_sight(self.args(), &mounts.chain(preopens).collect::<Vec<_>>()))
            .or_else(|| hint::grant_in_vain(app, self.grant.first()?))
    }

    fn guest(&self, name: &str, app: &[u8]) -> Result<Guest> {
        for (number, mount) in self.mount.iter().enumerate() {
            ensure!(
                self.mount[..number].iter().all(|other| other.name != mount.name),
                "there are two --mount for {}: give one",
                mount.name
            );
        }
        let mut wasi = WasiCtx::builder();
        wasi.inherit_stdio().allow_blocking_current_thread(true).arg(name);
        for arg in self.args() {
            wasi.arg(
                arg.to_str().with_context(|| format!("the argument {arg:?} is not Unicode, as those of WASI are"))?,
            );
        }
        for variable in &self.env {
            match variable.split_once('=') {
                Some((name, value)) => drop(wasi.env(name, value)),
                None => {
                    if let Ok(value) = std::env::var(variable) {
                        wasi.env(variable, value);
                    }
                }
            }
        }
        for preopen @ Preopen { folder, name } in &self.dir {
            wasi.preopened_dir(folder, name, FsPerms::ReadWrite).map_err(|error| {
                perhaps(anyhow!("cannot preopen the folder {}: {error:#}", folder.display()), preopen.meant())
            })?;
        }

        let mut mountfs = MountfsCtx::builder();
        mountfs.allow_blocking_current_thread(true).limits(limit::of_host(&self.limit));
        mountfs.app(self.app_name.clone().unwrap_or_else(|| app_name(name, app)));
        for named @ Named { name, folder, access } in &self.mount {
            let granted = mountfs.grant(GrantKey::new(name, ID), folder, *access);
            granted.map_err(|error| perhaps(error, named.meant()))?;
            ensure!(
                name.starts_with('/'),
                "cannot mount {} at {name}, which is not absolute: did you mean /{named}?",
                folder.display()
            );
        }
        for named @ Named { name, folder, access } in &self.grant {
            mountfs.grant_id(name, folder, *access).map_err(|error| perhaps(error, named.meant()))?;
        }
        let store = store()?;
        // A store that cannot be read is said now, not when the app asks.
        store.list()?;
        mountfs.store(store);
        let app = self.app_name.clone().unwrap_or_else(|| name.to_owned());
        match self
            .no_prompt
            .then_some("--no-prompt")
            .or_else(|| (!prompt::is_possible()).then_some("there is no terminal to ask at"))
        {
            Some(why) => {
                let given = self.grant.iter().map(|named| named.name.clone()).collect();
                mountfs.picker(RefuseAloud { app, why, given })
            }
            None => mountfs.picker(Prompt { app }),
        };
        let mut table = ResourceTable::new();
        table.set_max_capacity(limit::MOST_RESOURCES);
        let memory = Memory::new(&self.limit);
        Ok(Guest { wasi: wasi.build(), mountfs: mountfs.build(), table, memory })
    }
}

/// The app, with all that it imports.
pub(crate) fn link(engine: &Engine, name: &str, component: &Component) -> Result<CommandPre<Guest>> {
    let mut linker = Linker::new(engine);
    mountfs_host::add_to_linker(&mut linker)?;
    let app = linker
        .instantiate_pre(component)
        .map_err(|error| anyhow!("{name} imports what nothing here provides: {error:#}"))?;
    CommandPre::new(app)
        .map_err(|error| anyhow!("{name} is not a command: it does not export wasi:cli/run ({error:#})"))
}

/// Bytes that the largest memory of an app starts with.
fn largest_memory(component: &Component) -> usize {
    const PAGE: u64 = 64 << 10;
    let pages = component.resources_required().and_then(|required| required.max_initial_memory_size);
    pages.and_then(|pages| usize::try_from(pages * PAGE).ok()).unwrap_or(0)
}

/// The error, with what may have been meant.
fn perhaps(error: impl Into<anyhow::Error>, meant: Option<String>) -> anyhow::Error {
    let error = error.into();
    match meant {
        Some(meant) => anyhow!("{error:#}; {meant}"),
        None => error,
    }
}

/// The user's own grants.
pub(super) fn store() -> Result<FileStore> {
    FileStore::of_user().context("there is no home folder to keep grants in: set HOME")
}

/// What a guest wrote reached the system when it wrote it; here it reaches the disk.
async fn sync(guest: &mut Guest) -> Result<()> {
    let mut failed = Vec::new();
    for (key, report) in guest.mountfs().sync().await {
        tracing::info!(%key, "{report}");
        failed.extend(report.failures.iter().map(|failure| format!("{} in {key}: {}", failure.path, failure.reason)));
    }
    ensure!(failed.is_empty(), "written, but perhaps not durable: {}", failed.join("; "));
    Ok(())
}

fn is_success(ended: &wasmtime::Result<Result<(), ()>>) -> bool {
    match ended {
        Ok(ended) => ended.is_ok(),
        Err(error) => matches!(error.downcast_ref(), Some(I32Exit(0))),
    }
}

fn exit_code(name: &str, ended: wasmtime::Result<Result<(), ()>>) -> Result<ExitCode> {
    match ended {
        Ok(Ok(())) => Ok(ExitCode::SUCCESS),
        Ok(Err(())) => Ok(ExitCode::FAILURE),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => Ok(u8::try_from(*code).unwrap_or(u8::MAX).into()),
            None => {
                tell!("mountfs: {name} trapped: {error:#}");
                Ok(TRAPPED.into())
            }
        },
    }
}

/// An error of `mounts`, for whoever wrote the command line.
fn explain(error: &MountError) -> String {
    match error {
        MountError::InvalidPath(why) | MountError::InvalidId(why) | MountError::Other(why) => why.clone(),
        MountError::Denied => "the app takes its grants from preopens: give it the folder with --dir".to_owned(),
        other => format!("{other:?}"),
    }
}
