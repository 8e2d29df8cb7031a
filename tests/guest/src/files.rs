//! The steps of `wasi:filesystem`.

use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream, ErrorCode, NewTimestamp,
    OpenFlags, PathFlags, filesystem_error_code,
};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::{Done, Fault, mounting};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The most that a host gives or takes at once.
const CHUNK: usize = 4096;

/// What the case has open, by its names.
#[derive(Default)]
struct Open {
    descriptors: HashMap<String, Rc<Descriptor>>,
    listings: HashMap<String, Rc<DirectoryEntryStream>>,
    inputs: HashMap<String, Rc<InputStream>>,
    outputs: HashMap<String, Rc<OutputStream>>,
}

thread_local! {
    static OPEN: RefCell<Open> = RefCell::default();
}

pub(crate) fn step(verb: &str, words: &[&str]) -> Done {
    match (verb, words) {
        ("open", [name, path, flags @ ..]) => {
            let opened = Rc::new(open(path, flags)?);
            OPEN.with_borrow_mut(|open| open.descriptors.insert((*name).to_owned(), opened));
            nothing()
        }
        ("open-many", [path, count]) => {
            let opened = (0..count.parse()?).map(|_| open(path, &["read"])).collect::<Result<Vec<_>, _>>()?;
            word(opened.len())
        }
        ("close", [name]) => {
            let closed = OPEN.with_borrow_mut(|open| open.descriptors.remove(*name));
            drop(closed.ok_or_else(|| unknown(name))?);
            nothing()
        }
        ("read", [path]) => text(&read(&open(path, &["read"])?, 0, u64::MAX)?),
        ("read", [file, offset, length]) => text(&read(&*opened(file)?, offset.parse()?, length.parse()?)?),
        ("pread", [file, offset, length]) => text(&opened(file)?.read(length.parse()?, offset.parse()?)?.0),
        ("write", [file, offset, text]) => {
            write(&*opened(file)?, text.as_bytes(), offset.parse()?)?;
            nothing()
        }
        ("write", [path, text]) => {
            write(&open(path, &["write", "create", "truncate"])?, text.as_bytes(), 0)?;
            nothing()
        }
        ("append", [file, text]) => push(&opened_or(file, &["write", "create"])?.append_via_stream()?, text),
        ("resize", [file, size]) => done(opened(file)?.set_size(size.parse()?)),
        ("fsync", [file]) => done(opened(file)?.sync()),
        ("list", [path]) => {
            let mut names = entries(path)?;
            names.sort();
            Ok(names)
        }
        ("count", [path]) => word(entries(path)?.len()),
        ("stat", [path]) => Ok(kind(&stat(path, PathFlags::SYMLINK_FOLLOW)?)),
        ("lstat", [path]) => Ok(kind(&stat(path, PathFlags::empty())?)),
        ("mtime", [path]) => word(modified(&stat(path, PathFlags::SYMLINK_FOLLOW)?)),
        ("newer", [path, seconds]) => {
            let seconds: u64 = seconds.parse()?;
            yes_or_no(modified(&stat(path, PathFlags::SYMLINK_FOLLOW)?) > seconds)
        }
        ("touch", [path, seconds, nanoseconds @ ..]) => {
            let nanoseconds = nanoseconds.first().map_or(Ok(0), |text| text.parse::<u64>())?;
            let time = NewTimestamp::Timestamp(Datetime { seconds: seconds.parse()?, nanoseconds: nanoseconds as u32 });
            match as_opened(path)? {
                Some(file) => done(file.set_times(time, time)),
                None => {
                    let (base, path) = place(path)?;
                    done(base.set_times_at(PathFlags::SYMLINK_FOLLOW, path, time, time))
                }
            }
        }
        ("mkdir", [path]) => at(path, |base, path| base.create_directory_at(path)),
        ("rmdir", [path]) => at(path, |base, path| base.remove_directory_at(path)),
        ("unlink", [path]) => at(path, |base, path| base.unlink_file_at(path)),
        ("rename", [from, to]) => {
            let ((from, old), (to, new)) = (place(from)?, place(to)?);
            done(from.rename_at(old, &to, new))
        }
        ("link", [from, to]) => {
            let ((from, old), (to, new)) = (place(from)?, place(to)?);
            done(from.link_at(PathFlags::empty(), old, &to, new))
        }
        ("symlink", [target, path]) => at(path, |base, path| base.symlink_at(target, path)),
        ("readlink", [path]) => {
            let (base, path) = place(path)?;
            Ok(vec![base.readlink_at(path)?])
        }
        ("same", [one, other]) => same(one, other),
        ("listing", [name, path]) => {
            let listing = Rc::new(open(path, &["read", "directory"])?.read_directory()?);
            OPEN.with_borrow_mut(|open| open.listings.insert((*name).to_owned(), listing));
            nothing()
        }
        ("next", [name]) => {
            let listing = OPEN.with_borrow(|open| open.listings.get(*name).cloned()).ok_or_else(|| unknown(name))?;
            Ok(vec![listing.read_directory_entry()?.map_or_else(|| "end".to_owned(), |entry| entry.name)])
        }
        ("stream", [name, file, "reading"]) => {
            let stream = Rc::new(opened(file)?.read_via_stream(0)?);
            OPEN.with_borrow_mut(|open| open.inputs.insert((*name).to_owned(), stream));
            nothing()
        }
        ("stream", [name, file, kind @ ("writing" | "appending")]) => {
            let file = opened(file)?;
            let stream = if *kind == "writing" { file.write_via_stream(0) } else { file.append_via_stream() };
            let stream = Rc::new(stream?);
            OPEN.with_borrow_mut(|open| open.outputs.insert((*name).to_owned(), stream));
            nothing()
        }
        ("pull", [name, length]) => {
            let stream = OPEN.with_borrow(|open| open.inputs.get(*name).cloned()).ok_or_else(|| unknown(name))?;
            text(&stream.blocking_read(length.parse()?)?)
        }
        ("push", [name, text]) => {
            let stream = OPEN.with_borrow(|open| open.outputs.get(*name).cloned()).ok_or_else(|| unknown(name))?;
            push(&stream, text)
        }
        _ => Err(Fault::Case(format!("there is no step `{verb}` with {} words", words.len()))),
    }
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Closed => Self::Failed("closed".to_owned()),
            StreamError::LastOperationFailed(error) => match filesystem_error_code(&error) {
                Some(code) => code.into(),
                None => Self::Failed(error.to_debug_string()),
            },
        }
    }
}

fn nothing() -> Done {
    Ok(Vec::new())
}

fn done(result: Result<(), ErrorCode>) -> Done {
    result?;
    nothing()
}

fn word(word: impl ToString) -> Done {
    Ok(vec![word.to_string()])
}

fn text(bytes: &[u8]) -> Done {
    word(String::from_utf8_lossy(bytes))
}

fn yes_or_no(yes: bool) -> Done {
    word(if yes { "yes" } else { "no" })
}

fn unknown(name: &str) -> Fault {
    Fault::Case(format!("nothing is open as {name}"))
}

/// `@f` is what was opened as `f`; anything else is a path.
fn as_opened(word: &str) -> Result<Option<Rc<Descriptor>>, Fault> {
    match word.strip_prefix('@') {
        Some(name) if !name.contains('/') => {
            OPEN.with_borrow(|open| open.descriptors.get(name).cloned()).map(Some).ok_or_else(|| unknown(name))
        }
        _ => Ok(None),
    }
}

fn opened(word: &str) -> Result<Rc<Descriptor>, Fault> {
    as_opened(word)?.ok_or_else(|| Fault::Case(format!("`{word}` is a path, not what is open")))
}

/// What is open, or what is at the path, opened for this.
fn opened_or(word: &str, flags: &[&str]) -> Result<Rc<Descriptor>, Fault> {
    match as_opened(word)? {
        Some(file) => Ok(file),
        None => Ok(Rc::new(open(word, flags)?)),
    }
}

/// A directory, and a path from there: `/a/b` is from the root, `@d/a/b` from what was opened as `d`.
fn place(word: &str) -> Result<(Rc<Descriptor>, &str), Fault> {
    if word.starts_with('/') {
        return mounting::place(word);
    }
    let below = word.strip_prefix('@').and_then(|word| word.split_once('/'));
    let (name, path) = below.ok_or_else(|| Fault::Case(format!("`{word}` is no path: it begins with / or @")))?;
    Ok((opened(&format!("@{name}"))?, path))
}

fn at(word: &str, change: impl FnOnce(&Descriptor, &str) -> Result<(), ErrorCode>) -> Done {
    let (base, path) = place(word)?;
    done(change(&base, path))
}

fn open(word: &str, flags: &[&str]) -> Result<Descriptor, Fault> {
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
            _ => return Err(Fault::Case(format!("there is no flag {flag}"))),
        }
    }
    if rights.is_empty() {
        rights = DescriptorFlags::READ;
    }
    let (base, path) = place(word)?;
    Ok(base.open_at(follow, path, how, rights)?)
}

/// All of the length, or up to the end: a host may give less at a time.
fn read(file: &Descriptor, offset: u64, length: u64) -> Result<Vec<u8>, ErrorCode> {
    let mut all = Vec::new();
    loop {
        let done = all.len() as u64;
        let (bytes, end) = file.read((length - done).min(1 << 16), offset.saturating_add(done))?;
        all.extend_from_slice(&bytes);
        if end || bytes.is_empty() || all.len() as u64 == length {
            return Ok(all);
        }
    }
}

fn write(file: &Descriptor, mut bytes: &[u8], mut offset: u64) -> Result<(), ErrorCode> {
    while !bytes.is_empty() {
        let written = file.write(bytes, offset)?;
        bytes = &bytes[written as usize..];
        offset += written;
    }
    Ok(())
}

fn push(stream: &OutputStream, text: &str) -> Done {
    for chunk in text.as_bytes().chunks(CHUNK) {
        stream.blocking_write_and_flush(chunk)?;
    }
    nothing()
}

fn entries(path: &str) -> Result<Vec<String>, Fault> {
    let listing = opened_or(path, &["read", "directory"])?.read_directory()?;
    let mut names = Vec::new();
    while let Some(entry) = listing.read_directory_entry()? {
        let mark = match entry.type_ {
            DescriptorType::Directory => "/",
            DescriptorType::SymbolicLink => "@",
            _ => "",
        };
        names.push(entry.name + mark);
    }
    Ok(names)
}

fn stat(word: &str, follow: PathFlags) -> Result<DescriptorStat, Fault> {
    if let Some(opened) = as_opened(word)? {
        return Ok(opened.stat()?);
    }
    let (base, path) = place(word)?;
    Ok(base.stat_at(follow, path)?)
}

/// By the hashes, which a libc goes by, and by the descriptors: they have to agree.
fn same(one: &str, other: &str) -> Done {
    let by_hash = identity(one)? == identity(other)?;
    let by_descriptor = opened_or(one, &["read"])?.is_same_object(&*opened_or(other, &["read"])?);
    if by_hash != by_descriptor {
        return Err(Fault::Failed(format!("is-same-object says {by_descriptor}, metadata-hash {by_hash}")));
    }
    yes_or_no(by_hash)
}

fn identity(word: &str) -> Result<(u64, u64), Fault> {
    let hash = match as_opened(word)? {
        Some(opened) => opened.metadata_hash()?,
        None => {
            let (base, path) = place(word)?;
            base.metadata_hash_at(PathFlags::SYMLINK_FOLLOW, path)?
        }
    };
    Ok((hash.lower, hash.upper))
}

fn kind(stat: &DescriptorStat) -> Vec<String> {
    match stat.type_ {
        DescriptorType::RegularFile => vec!["file".to_owned(), stat.size.to_string()],
        DescriptorType::Directory => vec!["directory".to_owned()],
        DescriptorType::SymbolicLink => vec!["link".to_owned()],
        other => vec![format!("{other:?}")],
    }
}

fn modified(stat: &DescriptorStat) -> u64 {
    stat.data_modification_timestamp.map_or(0, |time| time.seconds)
}
