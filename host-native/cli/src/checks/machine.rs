//! What of the machine and the user's account a run would use.

use super::{Check, size};
use crate::{engine, has_colours, prompt};
use mountfs_host::{Access, FileStore, GrantKey, GrantStore as _, Kept, Limits};
use serde_json::json;
use std::env::consts;
use std::fs;
use std::path::Path;

pub(crate) fn all() -> Vec<Check> {
    vec![command(), grants(), cache(), terminal(), descriptors()]
}

fn command() -> Check {
    let (version, wasmtime) = (env!("CARGO_PKG_VERSION"), wasmtime_environ::VERSION);
    let platform = format!("{}-{}", consts::ARCH, consts::OS);
    let path = std::env::current_exe().ok();
    let at = path.as_ref().map(|path| format!(", {}", path.display())).unwrap_or_default();
    Check::ok(
        "mountfs",
        format!("{version} with wasmtime {wasmtime} on {platform}{at}"),
        json!({ "version": version, "wasmtime": wasmtime, "platform": platform, "path": path }),
    )
}

fn grants() -> Check {
    const ABOUT: &str = "grants";
    let Some(store) = FileStore::of_user() else {
        return Check::problem(ABOUT, "there is no home folder to keep them in", "set HOME", json!({}));
    };
    let (path, shown) = (store.path(), store.path().display());
    let facts = json!({ "path": path, "exists": path.exists() });
    // A question that leaves a broken file where it is, unlike the list.
    let nobody = Kept::new("", GrantKey::new("/", "nobody"), "/", Access::Read);
    let kept = match store.is_kept(&nobody).and_then(|_| store.list()) {
        Ok(kept) => kept,
        Err(error) => {
            let todo = format!("repair {shown}, or move it away and grant again: until then, nothing runs");
            return Check::problem(ABOUT, format!("{:#}", anyhow::Error::from(error)), todo, facts);
        }
    };
    if let Some((why, todo)) = is_open_to_others(path, 0o077)
        .or_else(|| is_open_to_others(path.parent()?, 0o022))
        .or_else(|| is_unwritable(path.parent()?))
    {
        return Check::problem(ABOUT, why, todo, facts);
    }
    let gone: Vec<_> = kept.iter().filter(|kept| !kept.folder.is_dir()).collect();
    let facts = json!({ "path": path, "exists": path.exists(), "kept": kept.len(), "gone": gone });
    match gone.first() {
        None if kept.is_empty() => Check::ok(ABOUT, format!("none kept yet; they would be in {shown}"), facts),
        None => Check::ok(ABOUT, format!("{} kept in {shown}, for you only", kept.len()), facts),
        Some(first) => Check::note(
            ABOUT,
            format!(
                "{} kept in {shown}; of {} the folder is gone, as {}",
                kept.len(),
                gone.len(),
                first.folder.display()
            ),
            format!("forget it: mountfs grants revoke {} --id {}", first.key.path.escape_debug(), first.key.id),
            facts,
        ),
    }
}

fn cache() -> Check {
    const ABOUT: &str = "compiled";
    let Some(folder) = engine::cache() else {
        return Check::problem(ABOUT, "there is no home folder to keep compiled apps in", "set HOME", json!({}));
    };
    let files: Vec<_> = fs::read_dir(&folder).into_iter().flatten().flatten().collect();
    let apps =
        files.iter().filter(|file| file.path().extension().is_some_and(|extension| extension == "cwasm")).count();
    let bytes = files.iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum::<u64>();
    let facts = json!({ "path": folder, "apps": apps, "bytes": bytes });
    // Compiled code is trusted: whoever can write there can run what they want as this user.
    if let Some((why, todo)) = is_open_to_others(&folder, 0o022) {
        return Check::problem(ABOUT, why, todo, facts);
    }
    if let Some((why, todo)) = is_unwritable(&folder) {
        return Check::problem(ABOUT, format!("{why}: each run compiles its app anew"), todo, facts);
    }
    Check::ok(ABOUT, format!("{apps} kept, {}, in {}", size(bytes), folder.display()), facts)
}

fn terminal() -> Check {
    const ABOUT: &str = "terminal";
    let (asks, colours) = (prompt::is_possible(), has_colours(&std::io::stderr()));
    let facts = json!({ "asks": asks, "colours": colours });
    let colours = if colours { "with colours" } else { "without colours" };
    match asks {
        true => Check::ok(ABOUT, format!("an app that wants a folder can ask you; {colours}"), facts),
        false => Check::note(
            ABOUT,
            format!("none to ask at: an app that wants a folder is refused; {colours}"),
            "give folders beforehand, with --mount or --grant",
            facts,
        ),
    }
}

fn descriptors() -> Check {
    const ABOUT: &str = "open files";
    /// What the host itself opens beside what the app has open, with what it holds until it is durable.
    const OURS: u64 = 128;
    let app = Limits::default().descriptors;
    let most = most_open_files();
    let facts = json!({ "app": app, "process": most });
    match most {
        Some(most) if most < app as u64 + OURS => Check::problem(
            ABOUT,
            format!("an app may have {app} open, and this process no more than {most}"),
            format!("ulimit -n {}, or run with --limit descriptors={}", 1024, most.saturating_sub(OURS).max(1)),
            facts,
        ),
        Some(most) => Check::ok(ABOUT, format!("{app} for an app, of {most} for the process"), facts),
        None => Check::ok(ABOUT, format!("{app} for an app; the system has no limit"), facts),
    }
}

#[cfg(unix)]
fn most_open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn most_open_files() -> Option<u64> {
    None
}

/// Whether others than the user have one of these rights, and what to do then.
#[cfg(unix)]
fn is_open_to_others(path: &Path, rights: u32) -> Option<(String, String)> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let what = if rights & 0o044 == 0 { "write to" } else { "read or write" };
    let todo = || format!("chmod {:o} {}", mode & 0o700, path.display());
    (mode & rights != 0).then(|| (format!("others than you can {what} {}", path.display()), todo()))
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path, _: u32) -> Option<(String, String)> {
    None
}

/// Whether a folder, or the one that it would be made in, cannot be written to, and what to do then.
fn is_unwritable(folder: &Path) -> Option<(String, String)> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let why = match there.is_dir() {
        false => "is not a folder",
        true if can_write(there) => return None,
        true => "cannot be written to",
    };
    let (why, todo) = (format!("{} {why}", there.display()), format!("make {} writable for you", folder.display()));
    Some((why, format!("{todo}, or set HOME or the XDG variable to where you can write")))
}

#[cfg(unix)]
fn can_write(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn can_write(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|folder| !folder.permissions().readonly())
}
