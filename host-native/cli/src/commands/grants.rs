//! `mountfs grants`.

use crate::nearest::nearest;
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use mountfs_host::{FileStore, GrantStore as _, Kept};
use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

/// Show or take back the folders you granted, which `mountfs run` keeps for the next time.
#[derive(Args)]
pub(crate) struct Grants {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Show every kept grant: the app, where it sees the folder, the access, the folder. The default.
    List {
        /// As JSON: a list of {app, path, id, folder, access, serial}.
        #[arg(long)]
        json: bool,
    },
    /// Take back the grants for a mount point: an app that runs with one is cut off with its next call, and has to ask
    /// again.
    ///
    /// What is not kept ends with its run, and cannot be taken back here: a folder of --mount or --grant, and one that
    /// you let an app see for this time only.
    Revoke {
        /// The mount point, as the list shows it.
        path: String,
        /// Only the grant with this id; otherwise those of every id.
        #[arg(long)]
        id: Option<String>,
        /// Only the grant of this app, as the list shows it; otherwise those of every app.
        #[arg(long)]
        app: Option<String>,
        /// As JSON: a list of what was revoked, as `list --json` shows it.
        #[arg(long)]
        json: bool,
    },
}

impl Grants {
    pub(crate) fn call(self) -> Result<ExitCode> {
        let store = super::run::store()?;
        match self.verb.unwrap_or(Verb::List { json: false }) {
            Verb::List { json: true } => writeln!(stdout(), "{}", serde_json::to_string_pretty(&store.list()?)?)?,
            Verb::List { json: false } => list(&store)?,
            Verb::Revoke { path, id, app, json } => {
                let wanted = |kept: &Kept| {
                    kept.key.path == path
                        && id.as_ref().is_none_or(|id| *id == kept.key.id)
                        && app.as_ref().is_none_or(|app| *app == kept.app)
                };
                let (found, others): (Vec<_>, Vec<_>) = store.list()?.into_iter().partition(wanted);
                if found.is_empty() {
                    bail!("no grant is kept for {path:?} like that: {}", instead(&path, &others));
                }
                revoke(&store, &found, json)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What may have been meant in place of a grant that is not kept.
fn instead(path: &str, kept: &[Kept]) -> String {
    let points = || kept.iter().map(|kept| kept.key.path.clone());
    let folder = Path::new(path).canonicalize().ok();
    let seen_at = kept.iter().find(|kept| folder.as_ref() == Some(&kept.folder)).map(|kept| kept.key.path.clone());
    match seen_at.or_else(|| nearest(path, points().filter(|point| point != path))) {
        Some(meant) => format!("did you mean {}? `mountfs grants` lists what is", meant.escape_debug()),
        None => {
            "`mountfs grants` lists what is (a folder of --mount or --grant, or one granted for this time only, is \
                 not: it ends with its run)"
                .to_owned()
        }
    }
}

/// Says what it revoked also when it then fails.
fn revoke(store: &FileStore, found: &[Kept], json: bool) -> Result<()> {
    let mut revoked = Vec::new();
    let all = found.iter().try_for_each(|kept| {
        store.remove(&kept.app, &kept.key)?;
        revoked.push(kept);
        Ok(())
    });
    if !revoked.is_empty() {
        tell!("an app that is running there is cut off with its next call");
    }
    let told = tell(&revoked, json);
    all.and(told)
}

fn tell(revoked: &[&Kept], json: bool) -> Result<()> {
    if json {
        writeln!(stdout(), "{}", serde_json::to_string_pretty(revoked)?)?;
        return Ok(());
    }
    for kept in revoked {
        writeln!(
            stdout(),
            "revoked {} of {}: {}",
            kept.key,
            kept.app.escape_debug(),
            kept.folder.display().to_string().escape_debug()
        )?;
    }
    Ok(())
}

fn list(store: &FileStore) -> Result<()> {
    let grants = store.list()?;
    if grants.is_empty() {
        tell!("no grants are kept in {}", store.path().display());
    }
    let row = |kept: &Kept| [kept.app.escape_debug().to_string(), kept.key.to_string(), kept.access.to_string()];
    let rows: Vec<_> = grants.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (app_width, key_width, access_width) = (width(0), width(1), width(2));
    for (kept, [app, key, access]) in grants.iter().zip(&rows) {
        writeln!(
            stdout(),
            "{app:app_width$}  {key:key_width$}  {access:access_width$}  {}",
            kept.folder.display().to_string().escape_debug()
        )?;
    }
    Ok(())
}
