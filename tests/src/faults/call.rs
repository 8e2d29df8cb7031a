//! Which call of the kernel is what, and where it reaches.

use super::seccomp::Notice;
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Device and inode.
pub type Identity = (u64, u64);

/// A call that reached the folder.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name.
    pub name: &'static str,
    /// The path it reached, or the first of two, in the folder.
    pub path: PathBuf,
    /// Whether it was failed.
    pub failed: bool,
    /// The file whose content it changes, or the directories whose names.
    pub(super) changes: Vec<Identity>,
    /// The file or directory it makes durable.
    pub(super) fsyncs: Option<Identity>,
}

/// Where a call's arguments say what it reaches.
#[derive(Clone, Copy)]
enum At {
    /// A descriptor.
    Open(usize),
    /// A directory's descriptor, and a path from there.
    Below(usize, usize),
    /// A path.
    Path(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Looks,
    Writes,
    /// Names in the directory of each path.
    Names,
    /// A name in the path's directory when the flags say so.
    Opens,
    Fsyncs,
}

use At::{Below, Open, Path as AtPath};
use Kind::{Fsyncs, Looks, Names, Opens, Writes};

macro_rules! calls {
    ($($name:ident $kind:ident $($at:expr),+;)*) => {
        &[$((libc::$name, stringify!($name), $kind, &[$($at),+])),*]
    };
}

type Known = (libc::c_long, &'static str, Kind, &'static [At]);

const CALLS: &[Known] = calls! {
    SYS_openat Opens Below(0, 1);
    SYS_openat2 Opens Below(0, 1);
    SYS_read Looks Open(0);
    SYS_readv Looks Open(0);
    SYS_pread64 Looks Open(0);
    SYS_preadv2 Looks Open(0);
    SYS_getdents64 Looks Open(0);
    SYS_fstat Looks Open(0);
    SYS_statx Looks Below(0, 1);
    SYS_newfstatat Looks Below(0, 1);
    SYS_faccessat Looks Below(0, 1);
    SYS_readlinkat Looks Below(0, 1);
    SYS_write Writes Open(0);
    SYS_writev Writes Open(0);
    SYS_pwrite64 Writes Open(0);
    SYS_pwritev2 Writes Open(0);
    SYS_ftruncate Writes Open(0);
    SYS_fallocate Writes Open(0);
    SYS_utimensat Looks Below(0, 1);
    SYS_fchmod Looks Open(0);
    SYS_fsync Fsyncs Open(0);
    SYS_fdatasync Fsyncs Open(0);
    SYS_flock Looks Open(0);
    SYS_mkdirat Names Below(0, 1);
    SYS_unlinkat Names Below(0, 1);
    SYS_renameat2 Names Below(0, 1), Below(2, 3);
    SYS_renameat Names Below(0, 1), Below(2, 3);
    SYS_linkat Names Below(2, 3);
    SYS_symlinkat Names Below(1, 2);
};

/// Those that newer machines do not have.
#[cfg(target_arch = "x86_64")]
const OLD_CALLS: &[Known] = calls! {
    SYS_stat Looks AtPath(0);
    SYS_lstat Looks AtPath(0);
    SYS_access Looks AtPath(0);
    SYS_readlink Looks AtPath(0);
    SYS_mkdir Names AtPath(0);
    SYS_rmdir Names AtPath(0);
    SYS_unlink Names AtPath(0);
    SYS_rename Names AtPath(0), AtPath(1);
    SYS_link Names AtPath(1);
    SYS_symlink Names AtPath(1);
};
#[cfg(not(target_arch = "x86_64"))]
const OLD_CALLS: &[Known] = &[];

fn known() -> impl Iterator<Item = &'static Known> {
    CALLS.iter().chain(OLD_CALLS)
}

/// The numbers of all of them.
pub(super) fn numbers() -> impl Iterator<Item = u32> {
    known().map(|(number, ..)| (*number).try_into().expect("numbers are small"))
}

impl Call {
    /// What a notice is about, if it reaches the folder.
    pub(super) fn of(notice: &Notice, folder: &Path) -> Option<Self> {
        let caller = Caller { notice, proc: format!("/proc/{}", notice.pid).into() };
        let (number, name, kind, at) = known().find(|(number, ..)| *number == libc::c_long::from(notice.data.nr))?;
        let paths: Vec<_> = at.iter().filter_map(|at| caller.path(*at)).collect();
        let reached = paths.iter().find(|path| path.starts_with(folder))?;
        let parents = || paths.iter().filter_map(|path| identity(path.parent()?)).collect();
        let opened = || identity(&caller.proc.join("fd").join(caller.descriptor(0).to_string()));
        let (changes, fsyncs) = match kind {
            Looks => (Vec::new(), None),
            Writes => (opened().into_iter().collect(), None),
            Fsyncs => (Vec::new(), opened()),
            Names => (parents(), None),
            Opens if caller.creates(*number == libc::SYS_openat2) && !reached.exists() => (parents(), None),
            Opens => (Vec::new(), None),
        };
        let path = reached.strip_prefix(folder).expect("it is below").to_owned();
        Some(Self { name: name.trim_start_matches("SYS_"), path, failed: false, changes, fsyncs })
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// A thread that waits for its answer.
struct Caller<'a> {
    notice: &'a Notice,
    proc: PathBuf,
}

impl Caller<'_> {
    fn path(&self, at: At) -> Option<PathBuf> {
        let open = |descriptor| match self.descriptor(descriptor) {
            libc::AT_FDCWD => fs::read_link(self.proc.join("cwd")).ok(),
            number => fs::read_link(self.proc.join("fd").join(number.to_string())).ok(),
        };
        match at {
            Open(descriptor) => open(descriptor),
            // An empty path, or none, is the descriptor itself; an absolute one starts anew.
            Below(descriptor, path) => match self.text(path) {
                path if path.as_os_str().is_empty() => open(descriptor),
                path if path.is_absolute() => Some(path),
                path => open(descriptor).map(|directory| directory.join(path)),
            },
            AtPath(path) => Some(fs::read_link(self.proc.join("cwd")).ok()?.join(self.text(path))),
        }
    }

    /// Descriptors are 32 bits, whatever the others say.
    fn descriptor(&self, argument: usize) -> i32 {
        self.notice.data.args[argument] as u32 as i32
    }

    fn text(&self, argument: usize) -> PathBuf {
        let mut text = self.memory(argument, libc::PATH_MAX as usize);
        text.truncate(text.iter().position(|byte| *byte == 0).unwrap_or(0));
        PathBuf::from(std::ffi::OsString::from_vec(text))
    }

    /// Whether an open may make a file. `openat2` has its flags in memory, first of all.
    fn creates(&self, in_memory: bool) -> bool {
        let flags = if in_memory {
            self.memory(2, 8).try_into().map_or(0, u64::from_ne_bytes)
        } else {
            self.notice.data.args[2]
        };
        flags & libc::O_CREAT as u64 != 0
    }

    fn memory(&self, argument: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let memory = File::open(self.proc.join("mem"));
        let read = memory.and_then(|memory| memory.read_at(&mut bytes, self.notice.data.args[argument]));
        bytes.truncate(read.unwrap_or(0));
        bytes
    }
}
