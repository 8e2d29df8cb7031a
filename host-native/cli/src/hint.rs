//! What may have been meant when an app ended with an error, for whoever wrote the command line.

use crate::app::{MOUNTS, Surface};
use crate::folder::{Named, folder_of};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// An option of mountfs that stands behind the app, whose argument it is.
pub(crate) fn option_behind(args: &[OsString], command: &clap::Command) -> Option<String> {
    let is_ours = |name: &str| command.get_arguments().any(|option| option.get_long() == Some(name));
    let name = |arg: &OsString| Some(arg.to_str()?.strip_prefix("--")?.split('=').next()?.to_owned());
    let option = args.iter().filter_map(name).find(|name| is_ours(name))?;
    Some(format!("--{option} stands behind the app, so that it is the app's: options of mountfs go before the app"))
}

/// A file of the user's that an argument names, and that the app sees under another name, or not at all. `folders` are
/// those that it was given, each with the app's name for it.
pub(crate) fn file_out_of_sight(args: &[OsString], folders: &[(&str, &Path)]) -> Option<String> {
    let seen_at = |name: &str| Path::new("/").join(name);
    let is_seen = |file: &Path| {
        let path = seen_at(file.to_str().unwrap_or_default());
        let mut places =
            folders.iter().filter_map(|(name, folder)| Some(folder.join(path.strip_prefix(seen_at(name)).ok()?)));
        places.any(|place| place.is_file())
    };
    let file = args.iter().map(Path::new).find(|file| file.is_file() && !is_seen(file))?;
    let shown = file.display();
    let inside = |(name, folder): &(&str, &Path)| -> Option<PathBuf> {
        Some(seen_at(name).join(file.canonicalize().ok()?.strip_prefix(folder.canonicalize().ok()?).ok()?))
    };
    if let Some(seen) = folders.iter().find_map(inside) {
        return Some(format!("the app sees {shown} as {}", seen.display()));
    }
    let why = match folders.is_empty() {
        true => format!("the app was given no folder, so it may not have seen {shown}"),
        false => format!("no folder that the app was given has {shown} in it"),
    };
    let free = |point: &&str| folders.iter().all(|(name, _)| name != point);
    let point = ["/project", "/scripts", "/files"].into_iter().find(free)?;
    Some(format!(
        "{why}: try --mount {point}={}, and {point}/{} in place of {shown}",
        folder_of(file).display(),
        file.file_name().unwrap_or_default().display()
    ))
}

/// A folder that was granted to an app that cannot ask for it.
pub(crate) fn grant_in_vain(app: &[u8], grant: &Named) -> Option<String> {
    let surface = Surface::of(app).ok()?;
    // Of one that was composed before, what is inside does not show.
    if surface.imports(MOUNTS) || surface.exports(MOUNTS) {
        return None;
    }
    let mount = Named { name: format!("/{}", grant.name), ..grant.clone() };
    Some(format!("the app cannot ask for folders, so that --grant {grant} gave it none: try --mount {mount}"))
}
