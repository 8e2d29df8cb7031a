//! The steps of a plan by `std::fs`: what this machine's own file system says.

use super::Done;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

pub(super) struct Mirror {
    folder: PathBuf,
    open: HashMap<String, File>,
}

impl Mirror {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, open: HashMap::new() }
    }

    pub(super) fn step(&mut self, verb: &str, words: &[&str]) -> Done {
        self.try_step(verb, words).map_err(|error| name(&error))
    }

    fn try_step(&mut self, verb: &str, words: &[&str]) -> io::Result<Vec<String>> {
        match (verb, words) {
            ("mount" | "sync", _) => {}
            ("unmount", _) => self.open.clear(),
            ("open", [name, path, flags @ ..]) => {
                let has = |flag: &str| flags.contains(&flag);
                let mut options = OpenOptions::new();
                options.read(true).write(true).create(has("create")).truncate(has("truncate"));
                let file = options.create_new(has("exclusive")).open(self.at(path))?;
                self.open.insert((*name).to_owned(), file);
            }
            ("close", [name]) => drop(self.open.remove(*name)),
            ("read", [path]) => return Ok(vec![String::from_utf8_lossy(&fs::read(self.at(path))?).into_owned()]),
            ("read", [file, offset, length]) => {
                let mut bytes = vec![0; length.parse().expect("a length")];
                let read = self.opened(file).read_at(&mut bytes, number(offset))?;
                return Ok(vec![String::from_utf8_lossy(&bytes[..read]).into_owned()]);
            }
            ("write", [path, text]) => fs::write(self.at(path), text)?,
            ("write", [file, offset, text]) => self.opened(file).write_all_at(text.as_bytes(), number(offset))?,
            ("append", [file, text]) if file.starts_with('@') => {
                let file = self.opened(file);
                file.write_all_at(text.as_bytes(), file.metadata()?.len())?;
            }
            ("append", [path, text]) => {
                let mut file = OpenOptions::new().append(true).create(true).open(self.at(path))?;
                io::Write::write_all(&mut file, text.as_bytes())?;
            }
            ("resize", [file, size]) => self.opened(file).set_len(number(size))?,
            ("fsync", [file]) => self.opened(file).sync_all()?,
            ("list", [path]) => {
                let mut names = Vec::new();
                for entry in fs::read_dir(self.at(path))? {
                    let entry = entry?;
                    let mark = if entry.file_type()?.is_dir() { "/" } else { "" };
                    names.push(format!("{}{mark}", entry.file_name().to_string_lossy()));
                }
                names.sort();
                return Ok(names);
            }
            ("stat", [file]) => {
                let metadata =
                    if file.starts_with('@') { self.opened(file).metadata() } else { fs::metadata(self.at(file)) }?;
                let is_directory = metadata.is_dir();
                return Ok(if is_directory {
                    vec!["directory".into()]
                } else {
                    vec!["file".into(), metadata.len().to_string()]
                });
            }
            ("mkdir", [path]) => fs::create_dir(self.at(path))?,
            ("rmdir", [path]) => fs::remove_dir(self.at(path))?,
            ("unlink", [path]) => fs::remove_file(self.at(path))?,
            ("rename", [from, to]) => fs::rename(self.at(from), self.at(to))?,
            _ => unreachable!("plans have no step `{verb}`"),
        }
        Ok(Vec::new())
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path.strip_prefix("/local").expect("plans are about the mount").trim_start_matches('/'))
    }

    fn opened(&self, word: &str) -> &File {
        &self.open[word.trim_start_matches('@')]
    }
}

fn number(word: &str) -> u64 {
    word.parse().expect("plans have numbers where they belong")
}

/// As `wasi:filesystem` names it.
fn name(error: &io::Error) -> String {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "no-entry".into(),
        ErrorKind::AlreadyExists => "exist".into(),
        ErrorKind::NotADirectory => "not-directory".into(),
        ErrorKind::IsADirectory => "is-directory".into(),
        ErrorKind::DirectoryNotEmpty => "not-empty".into(),
        ErrorKind::InvalidInput => "invalid".into(),
        _ => error.to_string(),
    }
}
