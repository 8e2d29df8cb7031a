//! Sync without knowing what was written: every file and directory is made durable.

use crate::bindings::exports::mountfs::fs::grants::SyncReport;
use crate::bindings::mountfs::fs::types::Failure;
use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

/// The report of a sync that had nothing to do.
pub(crate) fn nothing() -> SyncReport {
    SyncReport { files: 0, bytes: 0, removed: 0, conflicts: Vec::new(), failures: Vec::new() }
}

/// Makes a whole tree durable: the files, then the directory that names them. A failure stops nothing else.
pub(crate) fn sync(root: &Descriptor) -> SyncReport {
    let mut report = nothing();
    // Paths still to visit, not descriptors: a deep tree costs no open directories, a wide one only names.
    let mut directories = vec![String::new()];
    while let Some(path) = directories.pop() {
        if let Err(code) = sync_directory(root, &path, &mut directories, &mut report) {
            fail(&mut report, if path.is_empty() { "." } else { &path }, code);
        }
    }
    report
}

fn sync_directory(
    root: &Descriptor,
    path: &str,
    directories: &mut Vec<String>,
    report: &mut SyncReport,
) -> Result<(), ErrorCode> {
    let place = if path.is_empty() { "." } else { path };
    let directory = match root.open_at(PathFlags::empty(), place, OpenFlags::DIRECTORY, DescriptorFlags::READ) {
        Err(ErrorCode::NoEntry | ErrorCode::Access | ErrorCode::NotPermitted) => return Ok(()),
        opened => opened?,
    };
    let entries = directory.read_directory()?;
    loop {
        let entry = match entries.read_directory_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            // A name that is not UTF-8 is one the guest cannot have written; an entry that is gone needs nothing.
            Err(ErrorCode::IllegalByteSequence | ErrorCode::NoEntry) => continue,
            Err(code) => return Err(code),
        };
        let inner = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
        match entry.type_ {
            DescriptorType::Directory => directories.push(inner),
            DescriptorType::RegularFile => match sync_file(&directory, &entry.name) {
                Ok(size) => {
                    report.files += 1;
                    report.bytes += size;
                }
                // What this process may not open, the guest has not written.
                Err(ErrorCode::NoEntry | ErrorCode::Access | ErrorCode::NotPermitted) => {}
                Err(code) => fail(report, &inner, code),
            },
            _ => {}
        }
    }
    directory.sync()
}

fn sync_file(directory: &Descriptor, name: &str) -> Result<u64, ErrorCode> {
    let open = |flags| directory.open_at(PathFlags::empty(), name, OpenFlags::empty(), flags);
    let file = open(DescriptorFlags::READ).or_else(|_| open(DescriptorFlags::WRITE))?;
    file.sync()?;
    Ok(file.stat()?.size)
}

fn fail(report: &mut SyncReport, path: &str, code: ErrorCode) {
    report.failures.push(Failure { path: path.to_owned(), reason: code.message().to_owned() });
}
