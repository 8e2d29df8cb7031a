//! Guest paths that name a place in the mount table.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The longest path there may be, in bytes: what Linux takes (`PATH_MAX`).
pub const LONGEST: usize = 4096;

/// A path of these parts.
pub fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut path = String::new();
    for part in parts {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    path
}

/// An absolute guest path in normal form: where a mount is, or could be, attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MountPoint(Vec<String>);

impl MountPoint {
    /// Checks a path that a guest or embedder wants to mount at.
    ///
    /// # Errors
    ///
    /// Why it is not a mount point, for a person who is told the path as well.
    pub fn parse(path: &str) -> Result<Self, &'static str> {
        let Some(relative) = path.strip_prefix('/') else {
            return Err("it is not absolute: it has to begin with `/`");
        };
        if path.len() > LONGEST {
            return Err("it is too long: a mount point has at most 4096 bytes");
        }
        if path.contains('\0') {
            return Err("it contains a NUL character");
        }
        if relative.is_empty() {
            return Ok(Self::default());
        }
        let parts = relative.split('/').map(|part| match part {
            "" => Err("it has an empty part: write each `/` once, and none at the end"),
            "." => Err("it has the part `.`: write the path without it"),
            ".." => Err("it has the part `..`: write the path without it"),
            part => Ok(part.to_owned()),
        });
        parts.collect::<Result<_, _>>().map(Self)
    }

    /// The place of a preopen of the host under the guest's root. `None` for a name that leads above it.
    ///
    /// Relative names count from the root, because that is what a libc does with them; so `.` is the root itself.
    pub fn of_preopen(name: &str) -> Option<Self> {
        let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.map(|part| (part != "..").then(|| part.to_owned())).collect::<Option<_>>().map(Self)
    }

    /// Its parts, from the root down; none for `/`.
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for MountPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|part| write!(f, "/{part}"))
    }
}

/// Checks the id of a grant. The rule is that of a browser's directory picker (File System Access, `id`), for every
/// host, so that an app moves between hosts unchanged.
///
/// # Errors
///
/// What an id is, for a person.
pub fn check_id(id: &str) -> Result<(), &'static str> {
    let is_id =
        (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_id { Ok(()) } else { Err("an id has 1 to 32 characters of `A-Z a-z 0-9 _ -`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_prints_as_it_was_written() {
        for path in ["/", "/local", "/a/b c/ü", "/a/..b/.c"] {
            assert_eq!(MountPoint::parse(path).unwrap().to_string(), path);
        }
    }

    #[test]
    fn what_is_no_mount_point_says_why() {
        for (path, why) in [
            ("", "not absolute"),
            ("local", "not absolute"),
            ("/a/", "empty part"),
            ("//a", "empty part"),
            ("//", "empty part"),
            ("/a/./b", "`.`"),
            ("/a/..", "`..`"),
            ("/a\0b", "NUL"),
            (&format!("/{}", "x".repeat(LONGEST)), &LONGEST.to_string()),
        ] {
            let error = MountPoint::parse(path).unwrap_err();
            assert!(error.contains(why), "{path:?}: {error}");
        }
    }

    #[test]
    fn preopens_have_a_place_under_the_root() {
        for (name, place) in [(".", Some("/")), ("/", Some("/")), ("lib", Some("/lib")), ("/a//b/", Some("/a/b"))] {
            assert_eq!(MountPoint::of_preopen(name).map(|p| p.to_string()).as_deref(), place);
        }
        assert_eq!(MountPoint::of_preopen("../up"), None);
    }

    #[test]
    fn ids_are_those_a_picker_takes() {
        assert!(check_id("pyscript").is_ok() && check_id("A-z_9").is_ok() && check_id(&"x".repeat(32)).is_ok());
        for id in ["", "a b", "é", "a/b", "a\0", &"x".repeat(33)] {
            assert!(check_id(id).is_err(), "{id:?}");
        }
    }
}
