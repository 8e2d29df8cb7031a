//! `mountfs compose`.

use crate::app;
use crate::checks::size;
use crate::folder::folder_of;
use crate::progress::Progress;
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use mountfs_host::Grants;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Put the mountfs component into an interpreter, as one component for any host.
///
/// What the app imports of wasi:filesystem and mountfs:fs/mounts comes from the mountfs component; the result exports
/// what the app exports, and mountfs:fs/mounts. It runs under `mountfs run`, under any host that provides
/// mountfs:fs/grants, and with --preopen-grants under any WASI host.
#[derive(Args)]
pub(crate) struct Compose {
    /// The app: a component, or a WASI preview 1 command, which is made a component first.
    app: PathBuf,

    /// Where to write the composed component.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,

    /// Take grants from the host's preopens: `wasmtime run --dir HOST::/local OUT.wasm` then grants HOST for the mount
    /// point /local.
    #[arg(long)]
    preopen_grants: bool,
}

impl Compose {
    pub(crate) fn call(self) -> Result<ExitCode> {
        let app = app::read(&self.app)?;
        let same = |output: PathBuf| self.app.canonicalize().is_ok_and(|app| app == output);
        ensure!(
            !self.output.canonicalize().is_ok_and(same),
            "{} is the app itself: name another file with --output",
            self.output.display()
        );
        let grants = if self.preopen_grants { Grants::Preopens } else { Grants::Host };
        let progress = Progress::of(format!("composing {}", self.app.display()));
        let composed = mountfs_host::compose(&app, grants).map_err(|error| app::explain(error, &app));
        drop(progress);
        let composed = composed.with_context(|| format!("cannot compose {}", self.app.display()))?;
        write(&self.output, &composed).with_context(|| format!("cannot write {}", self.output.display()))?;
        if std::io::stderr().is_terminal() {
            tell!("wrote {}, {}", self.output.display(), size(composed.len() as u64));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// All of it, or what was there before.
fn write(output: &Path, bytes: &[u8]) -> Result<()> {
    let mut builder = tempfile::Builder::new();
    // The mode a new file gets, in place of the owner-only one of a temporary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder_of(output))?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.as_file().sync_all()?;
    file.persist(output)?;
    Ok(())
}
