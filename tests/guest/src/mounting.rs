//! The steps of `mounts`. Which folder the user grants is no affair of the guest: the runner sees to it.

use crate::bindings::mountfs::fs::mounts::{self, Access, MountOptions, SyncReport};
use crate::bindings::wasi::filesystem::preopens;
use crate::bindings::wasi::filesystem::types::Descriptor;
use crate::{Done, Fault};
use std::rc::Rc;

/// The directory that an absolute path is looked up in, and the path from there.
pub(crate) fn place(path: &str) -> Result<(Rc<Descriptor>, &str), Fault> {
    // A libc takes the first of them for `/`.
    let (root, _) = preopens::get_directories().into_iter().next().expect("there is always a root");
    let path = &path[1..];
    Ok((Rc::new(root), if path.is_empty() { "." } else { path }))
}

/// Does a step of `mounts`; `None` when it is another's.
pub(crate) fn step(verb: &str, words: &[&str]) -> Option<Done> {
    Some(match (verb, words) {
        ("mount", [path, options @ ..]) => mount(path, options),
        ("sync", [path]) => mounts::sync(path).map(reported).map_err(Fault::from),
        ("unmount", [path]) => mounts::unmount(path).map(reported).map_err(Fault::from),
        ("revoke", [path, id]) => mounts::revoke(path, id).map(|was| vec![was.to_string()]).map_err(Fault::from),
        ("mounted", []) => Ok(mounts::mounted().into_iter().map(|mount| mount.path).collect()),
        ("unsynced", [path]) => {
            let mounted = mounts::mounted();
            let mount = mounted.iter().find(|mount| mount.path == *path);
            let mount = mount.ok_or_else(|| Fault::Case(format!("nothing is mounted at {path}")));
            mount.map(|mount| counted(&[("files", mount.unsynced.map_or(0, |unsynced| unsynced.files))]))
        }
        _ => return None,
    })
}

fn mount(path: &str, options: &[&str]) -> Done {
    let mut wanted = MountOptions { access: None, id: None, start_in: None };
    for option in options {
        match option.split_once('=') {
            Some(("folder", _)) => {}
            Some(("id", id)) => wanted.id = Some(id.to_owned()),
            Some(("access", "read")) => wanted.access = Some(Access::Read),
            Some(("access", "read-write")) => wanted.access = Some(Access::ReadWrite),
            _ => return Err(Fault::Case(format!("there is no option `{option}`"))),
        }
    }
    mounts::mount(path, &wanted)?;
    Ok(Vec::new())
}

fn reported(report: SyncReport) -> Vec<String> {
    let mut words = counted(&[("files", report.files), ("removed", report.removed)]);
    words.extend(report.conflicts.iter().map(|conflict| format!("conflict={}", conflict.path)));
    words.extend(report.failures.iter().map(|failure| format!("failure={}", failure.path)));
    words
}

/// `name=count` for all that are not zero.
fn counted(counts: &[(&str, u64)]) -> Vec<String> {
    counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}={count}")).collect()
}
