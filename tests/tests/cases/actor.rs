//! Does the steps of a case: what the guest does, through the component's own exports; what the embedder does, through
//! `mounts`; and what other programs do.

use crate::disk::Folders;
use anyhow::{Context as _, Result, bail};
use mountfs_host::{
    GuestAccess, MountError, MountInfo, MountOptions, PickError, PickRequest, Picked, Picker, SyncReport,
};
use mountfs_tests::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, Fixture, NewTimestamp, OpenFlags, PathFlags,
};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use wasmtime::component::{Resource, ResourceAny};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamError};

/// What a step answers, or the name of its error.
type Done = Result<Vec<String>, String>;

/// The user: chooses the folder that the step names, or none.
#[derive(Clone, Default)]
struct User(Arc<Mutex<Option<PathBuf>>>);

#[async_trait]
impl Picker for User {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        let folder = self.0.lock().expect("nobody panicked holding it").clone().ok_or(PickError::Denied)?;
        Ok(Picked { folder, keep: true })
    }
}

enum Stream {
    Input(Resource<DynInputStream>),
    Output(Resource<DynOutputStream>),
}

pub(crate) struct Actor<'a> {
    folders: &'a Folders,
    guest: Fixture,
    user: User,
    opened: HashMap<String, Descriptor>,
    listings: HashMap<String, ResourceAny>,
    streams: HashMap<String, Stream>,
}

/// A directory of the guest and a path from there.
struct Place<'a> {
    base: Descriptor,
    path: &'a str,
}

impl<'a> Actor<'a> {
    pub(crate) async fn new(folders: &'a Folders) -> Self {
        let user = User::default();
        let guest = Fixture::new(|grants| {
            grants.picker(user.clone());
        })
        .await;
        let (opened, listings, streams) = Default::default();
        Self { folders, guest, user, opened, listings, streams }
    }

    /// Does one step. The outer error is one of the case itself.
    pub(crate) async fn step(&mut self, verb: &str, words: &[String]) -> Result<Done> {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match (verb, &words[..]) {
            ("outside", words) => self.folders.outside(words).map(|()| Ok(Vec::new())),
            ("disk", [path]) => Ok(self.folders.text(path).map(|text| vec![text]).ok_or_else(String::new)),
            ("mount", [path, options @ ..]) => self.mount(path, options).await,
            ("sync", [path]) => Ok(reported(self.guest.sync(path).await)),
            ("unmount", [path]) => Ok(reported(self.guest.unmount(path).await)),
            ("revoke", [path, id]) => Ok(match self.guest.revoke(path, id).await {
                Ok(revoked) => Ok(vec![revoked.to_string()]),
                Err(error) => Err(tag(&error).into()),
            }),
            ("mounted", []) => Ok(Ok(self.guest.mounts().await.into_iter().map(|mount| mount.path).collect())),
            ("unsynced", [path]) => {
                let mounted = self.guest.mounts().await;
                let is_at = |mount: &&MountInfo| mount.path == *path;
                let mount = mounted.iter().find(is_at).with_context(|| format!("nothing is mounted at {path}"))?;
                Ok(Ok(counted(&[("files", mount.unsynced.map_or(0, |unsynced| unsynced.files))])))
            }
            ("pull" | "push", words) => self.stream_step(verb, words).await,
            (verb, words) => Ok(self.guest_step(verb, words).await?.map_err(|code| code.name().to_owned())),
        }
    }

    /// Unmounts all that is left, which syncs it.
    pub(crate) async fn unmount_all(&mut self) -> Result<()> {
        for MountInfo { path, .. } in self.guest.mounts().await {
            // A report may name conflicts, and must name no failure.
            if let Err(error) = self.guest.unmount(&path).await {
                bail!("the unmount of {path} failed: {error}");
            }
        }
        Ok(())
    }

    async fn mount(&mut self, path: &str, options: &[&str]) -> Result<Done> {
        let mut folder = Some("");
        let mut wanted = MountOptions::default();
        for option in options {
            match option.split_once('=').with_context(|| format!("`{option}` is no option"))? {
                ("folder", "none") => folder = None,
                ("folder", name) => folder = Some(name),
                ("id", id) => wanted.id = Some(id.into()),
                ("access", "read") => wanted.access = Some(GuestAccess::Read),
                ("access", "read-write") => wanted.access = Some(GuestAccess::ReadWrite),
                _ => bail!("there is no option `{option}`"),
            }
        }
        *self.user.0.lock().expect("nobody panicked holding it") = folder.map(|name| self.folders.path(name));
        Ok(self.guest.mount_with(path, wanted).await.map(|_| Vec::new()).map_err(|error| tag(&error).to_owned()))
    }

    async fn guest_step(&mut self, verb: &str, words: &[&str]) -> Result<Result<Vec<String>, ErrorCode>> {
        let none = |()| Vec::new();
        Ok(match (verb, words) {
            ("open", [name, path, flags @ ..]) => match self.open(path, flags).await? {
                Ok(opened) => {
                    self.opened.insert((*name).to_owned(), opened);
                    Ok(Vec::new())
                }
                Err(code) => Err(code),
            },
            ("close", [name]) => {
                let descriptor = self.opened.remove(*name).with_context(|| format!("{name} is not open"))?;
                self.guest.drop(descriptor).await;
                Ok(Vec::new())
            }
            ("read", [path]) => match self.open(path, &["read"]).await? {
                Ok(file) => {
                    let text = self.read_all(file).await;
                    self.guest.drop(file).await;
                    text.map(|text| vec![text])
                }
                Err(code) => Err(code),
            },
            ("read", [file, offset, length]) => {
                let file = self.descriptor(file)?;
                let read = self.guest.pread(file, length.parse()?, offset.parse()?).await;
                read.map(|(bytes, _)| vec![String::from_utf8_lossy(&bytes).into_owned()])
            }
            ("write", [file, offset, text]) => {
                let file = self.descriptor(file)?;
                self.guest.pwrite(file, text.as_bytes(), offset.parse()?).await.map(|_| Vec::new())
            }
            ("write", [path, text]) => match self.open(path, &["write", "create", "truncate"]).await? {
                Ok(file) => {
                    let written = self.guest.pwrite(file, text.as_bytes(), 0).await;
                    self.guest.drop(file).await;
                    written.map(|_| Vec::new())
                }
                Err(code) => Err(code),
            },
            ("append", [file, text]) if file.starts_with('@') && !file.contains('/') => {
                let file = self.descriptor(file)?;
                self.append(file, text).await
            }
            ("append", [path, text]) => match self.open(path, &["write", "create"]).await? {
                Ok(file) => {
                    let appended = self.append(file, text).await;
                    self.guest.drop(file).await;
                    appended
                }
                Err(code) => Err(code),
            },
            ("resize", [file, size]) => {
                let file = self.descriptor(file)?;
                self.guest.set_size(file, size.parse()?).await.map(none)
            }
            ("fsync", [file]) => {
                let file = self.descriptor(file)?;
                self.guest.fsync(file).await.map(none)
            }
            ("list", [path]) => self.list(path).await?.map(|mut names| {
                names.sort();
                names
            }),
            ("count", [path]) => self.list(path).await?.map(|names| vec![names.len().to_string()]),
            ("stat", [path]) => self.stat(path, PathFlags::SYMLINK_FOLLOW).await?.map(|stat| kind(&stat)),
            ("lstat", [path]) => self.stat(path, PathFlags::empty()).await?.map(|stat| kind(&stat)),
            ("mtime", [path]) => {
                self.stat(path, PathFlags::SYMLINK_FOLLOW).await?.map(|stat| vec![modified(&stat).to_string()])
            }
            ("newer", [path, seconds]) => {
                let seconds: u64 = seconds.parse()?;
                let is_newer = |stat: DescriptorStat| answer(modified(&stat) > seconds);
                self.stat(path, PathFlags::SYMLINK_FOLLOW).await?.map(is_newer)
            }
            ("touch", [path, seconds]) => {
                let time = NewTimestamp::Timestamp(Datetime { seconds: seconds.parse()?, nanoseconds: 0 });
                match self.opened_as(path)? {
                    Some(file) => self.guest.set_times(file, time, time).await.map(none),
                    None => {
                        let Place { base, path } = self.place(path).await?;
                        self.guest.set_times_at(base, path, time, time).await.map(none)
                    }
                }
            }
            ("mkdir", [path]) => {
                let Place { base, path } = self.place(path).await?;
                self.guest.mkdir_at(base, path).await.map(none)
            }
            ("rmdir", [path]) => {
                let Place { base, path } = self.place(path).await?;
                self.guest.rmdir_at(base, path).await.map(none)
            }
            ("unlink", [path]) => {
                let Place { base, path } = self.place(path).await?;
                self.guest.unlink_at(base, path).await.map(none)
            }
            ("rename", [from, to]) => {
                let (from, to) = (self.place(from).await?, self.place(to).await?);
                self.guest.rename_at(from.base, from.path, to.base, to.path).await.map(none)
            }
            ("link", [from, to]) => {
                let (from, to) = (self.place(from).await?, self.place(to).await?);
                self.guest.link_at(PathFlags::empty(), from.base, from.path, to.base, to.path).await.map(none)
            }
            ("symlink", [target, path]) => {
                let Place { base, path } = self.place(path).await?;
                self.guest.symlink_at(target, base, path).await.map(none)
            }
            ("readlink", [path]) => {
                let Place { base, path } = self.place(path).await?;
                self.guest.readlink_at(base, path).await.map(|target| vec![target])
            }
            ("same", [one, other]) => {
                let (one, other) = (self.hash(one).await?, self.hash(other).await?);
                one.and_then(|one| other.map(|other| answer(one == other)))
            }
            ("listing", [name, path]) => match self.open(path, &["read", "directory"]).await? {
                Ok(directory) => match self.guest.read_directory(directory).await {
                    Ok(listing) => {
                        self.listings.insert((*name).to_owned(), listing);
                        Ok(Vec::new())
                    }
                    Err(code) => Err(code),
                },
                Err(code) => Err(code),
            },
            ("next", [name]) => {
                let listing = *self.listings.get(*name).with_context(|| format!("there is no listing {name}"))?;
                let next = self.guest.next_entry(listing).await;
                next.map(|entry| vec![entry.map_or_else(|| "end".to_owned(), |entry| entry.name)])
            }
            ("stream", [name, file, what]) => {
                let file = self.descriptor(file)?;
                let stream = match *what {
                    "reading" => self.guest.input(file, 0).await.map(Stream::Input),
                    "writing" => self.guest.output(file, 0).await.map(Stream::Output),
                    "appending" => self.guest.append(file).await.map(Stream::Output),
                    _ => bail!("a stream is for reading, writing or appending, not {what}"),
                };
                stream.map(|stream| {
                    self.streams.insert((*name).to_owned(), stream);
                    Vec::new()
                })
            }
            _ => bail!("there is no step `{verb}` with {} words", words.len()),
        })
    }

    async fn stream_step(&mut self, verb: &str, words: &[&str]) -> Result<Done> {
        let done = match (verb, words) {
            ("pull", [name, length]) => match self.streams.get(*name) {
                Some(Stream::Input(stream)) => {
                    self.guest.read_stream(stream, length.parse()?).await.map(|text| vec![text])
                }
                _ => bail!("there is no input stream {name}"),
            },
            ("push", [name, text]) => match self.streams.get(*name) {
                Some(Stream::Output(stream)) => self.guest.write_stream(stream, text).await.map(|()| Vec::new()),
                _ => bail!("there is no output stream {name}"),
            },
            _ => bail!("there is no step `{verb}` with {} words", words.len()),
        };
        Ok(match done {
            Ok(answer) => Ok(answer),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = self.guest.error_code(error).await;
                Err(code.context("a stream's error has no code")?.name().to_owned())
            }
            Err(StreamError::Closed) => Err("closed".to_owned()),
            Err(StreamError::Trap(error)) => bail!("a stream trapped: {error:#}"),
        })
    }

    async fn append(&mut self, file: Descriptor, text: &str) -> Result<Vec<String>, ErrorCode> {
        let stream = self.guest.append(file).await?;
        match self.guest.write_stream(&stream, text).await {
            Ok(()) => Ok(Vec::new()),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(self.guest.error_code(error).await.unwrap_or(ErrorCode::Io))
            }
            Err(_) => Err(ErrorCode::Pipe),
        }
    }

    async fn read_all(&mut self, file: Descriptor) -> Result<String, ErrorCode> {
        let mut all = Vec::new();
        loop {
            let (bytes, end) = self.guest.pread(file, 1 << 16, all.len() as u64).await?;
            all.extend_from_slice(&bytes);
            if end || bytes.is_empty() {
                return Ok(String::from_utf8_lossy(&all).into_owned());
            }
        }
    }

    async fn list(&mut self, path: &str) -> Result<Result<Vec<String>, ErrorCode>> {
        let opened = match self.opened_as(path)? {
            Some(directory) => Ok(directory),
            None => self.open(path, &["read", "directory"]).await?,
        };
        let entries = match opened {
            Ok(directory) => self.guest.entries(directory).await,
            Err(code) => Err(code),
        };
        Ok(entries.map(|entries| {
            let named = |entry: mountfs_tests::DirectoryEntry| {
                let mark = match entry.type_ {
                    DescriptorType::Directory => "/",
                    DescriptorType::SymbolicLink => "@",
                    _ => "",
                };
                entry.name + mark
            };
            entries.into_iter().map(named).collect()
        }))
    }

    async fn stat(&mut self, path: &str, follow: PathFlags) -> Result<Result<DescriptorStat, ErrorCode>> {
        Ok(match self.opened_as(path)? {
            Some(opened) => self.guest.fstat(opened).await,
            None => {
                let Place { base, path } = self.place(path).await?;
                self.guest.stat_at(base, follow, path).await
            }
        })
    }

    async fn hash(&mut self, path: &str) -> Result<Result<(u64, u64), ErrorCode>> {
        Ok(match self.opened_as(path)? {
            Some(opened) => self.guest.hash(opened).await,
            None => {
                let Place { base, path } = self.place(path).await?;
                self.guest.hash_below(base, path).await
            }
        })
    }

    async fn open(&mut self, path: &str, flags: &[&str]) -> Result<Result<Descriptor, ErrorCode>> {
        let mut follow = PathFlags::SYMLINK_FOLLOW;
        let (mut how, mut rights) = (OpenFlags::empty(), DescriptorFlags::empty());
        for flag in flags {
            match *flag {
                "read" => rights |= DescriptorFlags::READ,
                "write" => rights |= DescriptorFlags::WRITE,
                "create" => how |= OpenFlags::CREATE,
                "exclusive" => how |= OpenFlags::EXCLUSIVE,
                "truncate" => how |= OpenFlags::TRUNCATE,
                "directory" => how |= OpenFlags::DIRECTORY,
                "nofollow" => follow = PathFlags::empty(),
                _ => bail!("there is no flag {flag}"),
            }
        }
        if rights == DescriptorFlags::empty() {
            rights = DescriptorFlags::READ;
        }
        let Place { base, path } = self.place(path).await?;
        Ok(self.guest.open_at_with(base, follow, path, how, rights).await)
    }

    /// `@f` is what was opened as `f`.
    fn descriptor(&self, word: &str) -> Result<Descriptor> {
        self.opened_as(word)?.with_context(|| format!("`{word}` names nothing that is open"))
    }

    fn opened_as(&self, word: &str) -> Result<Option<Descriptor>> {
        match word.strip_prefix('@') {
            Some(name) if !name.contains('/') => {
                Ok(Some(*self.opened.get(name).with_context(|| format!("{name} is not open"))?))
            }
            _ => Ok(None),
        }
    }

    /// `/a/b` is from the root, `@d/a/b` from what was opened as `d`.
    async fn place<'w>(&mut self, word: &'w str) -> Result<Place<'w>> {
        if let Some(path) = word.strip_prefix('/') {
            let path = if path.is_empty() { "." } else { path };
            return Ok(Place { base: self.guest.root().await, path });
        }
        let (name, path) =
            word.strip_prefix('@').and_then(|word| word.split_once('/')).context("a path begins with / or @")?;
        let base = *self.opened.get(name).with_context(|| format!("{name} is not open"))?;
        Ok(Place { base, path })
    }
}

fn answer(yes: bool) -> Vec<String> {
    vec![if yes { "yes" } else { "no" }.to_owned()]
}

fn kind(stat: &DescriptorStat) -> Vec<String> {
    match stat.type_ {
        DescriptorType::RegularFile => vec!["file".into(), stat.size.to_string()],
        DescriptorType::Directory => vec!["directory".into()],
        DescriptorType::SymbolicLink => vec!["link".into()],
        other => vec![format!("{other:?}")],
    }
}

fn modified(stat: &DescriptorStat) -> u64 {
    stat.data_modification_timestamp.map_or(0, |time| time.seconds)
}

/// `name=count` for all that are not zero.
fn counted(counts: &[(&str, u64)]) -> Vec<String> {
    counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}={count}")).collect()
}

fn reported(report: Result<SyncReport, MountError>) -> Done {
    let report = report.map_err(|error| tag(&error).to_owned())?;
    let mut words = counted(&[("files", report.files), ("removed", report.removed)]);
    words.extend(report.conflicts.iter().map(|conflict| format!("conflict={}", conflict.path)));
    words.extend(report.failures.iter().map(|failure| format!("failure={}", failure.path)));
    Ok(words)
}

fn tag(error: &MountError) -> &'static str {
    match error {
        MountError::InvalidPath(_) => "invalid-path",
        MountError::InvalidId(_) => "invalid-id",
        MountError::NotMounted => "not-mounted",
        MountError::AlreadyMounted(_) => "already-mounted",
        MountError::Busy => "busy",
        MountError::Cancelled => "cancelled",
        MountError::Denied => "denied",
        MountError::NeedsUserActivation => "needs-user-activation",
        MountError::Unsupported(_) => "unsupported",
        MountError::Incomplete(_) => "incomplete",
        MountError::Other(_) => "other",
    }
}
