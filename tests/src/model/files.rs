//! The model: a folder as names and bytes in memory, with the errors of POSIX.

use super::Done;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

type File = Rc<RefCell<Vec<u8>>>;
type Directory = BTreeMap<String, Node>;

#[derive(Clone, Debug)]
enum Node {
    File(File),
    Directory(Directory),
}

/// A folder mounted at `/local`, and what is open in it.
#[derive(Default)]
pub(super) struct Files {
    root: Directory,
    open: HashMap<String, File>,
}

impl Files {
    /// What a step comes to; `None` when it makes no sense now, because it needs something open that is not.
    pub(super) fn step(&mut self, verb: &str, words: &[&str]) -> Option<Done> {
        Some(match (verb, words) {
            ("mount" | "sync", _) => Ok(Vec::new()),
            ("unmount", _) => {
                self.open.clear();
                Ok(Vec::new())
            }
            ("open", [name, path, flags @ ..]) => self.open(path, flags).map(|file| {
                self.open.insert((*name).to_owned(), file);
                Vec::new()
            }),
            ("close", [name]) => self.open.remove(*name).map(|_| Ok(Vec::new()))?,
            ("read", [file, offset, length]) => {
                let file = self.opened(file)?.borrow();
                let start = number(offset).min(file.len());
                word(&file[start..(start + number(length)).min(file.len())])
            }
            ("write", [file, offset, text]) => {
                write(&mut self.opened(file)?.borrow_mut(), number(offset), text);
                Ok(Vec::new())
            }
            ("append", [file, text]) if file.starts_with('@') => {
                self.opened(file)?.borrow_mut().extend_from_slice(text.as_bytes());
                Ok(Vec::new())
            }
            ("resize", [file, size]) => {
                self.opened(file)?.borrow_mut().resize(number(size), 0);
                Ok(Vec::new())
            }
            ("fsync", [file]) => self.opened(file).map(|_| Ok(Vec::new()))?,
            ("stat", [file]) if file.starts_with('@') => size(self.opened(file)?),
            (verb, words) => self.by_path(verb, words),
        })
    }

    /// Every file's text by path, and empty directories with a slash.
    pub(super) fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        let mut ahead = vec![(&self.root, String::new())];
        while let Some((directory, prefix)) = ahead.pop() {
            for (name, node) in directory {
                match node {
                    Node::File(file) => drop(tree.insert(prefix.clone() + name, text(&file.borrow()))),
                    Node::Directory(entries) if entries.is_empty() => {
                        tree.insert(format!("{prefix}{name}/"), String::new());
                    }
                    Node::Directory(entries) => ahead.push((entries, format!("{prefix}{name}/"))),
                }
            }
        }
        tree
    }

    fn by_path(&mut self, verb: &str, words: &[&str]) -> Done {
        match (verb, words) {
            ("read", [path]) => match self.node(path)? {
                Node::File(file) => word(&file.borrow()),
                Node::Directory(_) => fails("is-directory"),
            },
            ("write", [path, text]) => {
                let file = self.open(path, &["create", "truncate"])?;
                write(&mut file.borrow_mut(), 0, text);
                Ok(Vec::new())
            }
            ("append", [path, text]) => {
                let file = self.open(path, &["create"])?;
                file.borrow_mut().extend_from_slice(text.as_bytes());
                Ok(Vec::new())
            }
            ("list", [path]) => match self.node(path)? {
                Node::File(_) => fails("not-directory"),
                Node::Directory(entries) => {
                    let mark = |node: &Node| if matches!(node, Node::Directory(_)) { "/" } else { "" };
                    let mut names: Vec<_> =
                        entries.iter().map(|(name, node)| format!("{name}{}", mark(node))).collect();
                    names.sort();
                    Ok(names)
                }
            },
            ("stat", [path]) => match self.node(path)? {
                Node::File(file) => size(&file),
                Node::Directory(_) => Ok(vec!["directory".to_owned()]),
            },
            ("mkdir", [path]) => {
                let (parent, name) = self.parent(path)?;
                if parent.contains_key(name) {
                    return fails("exist");
                }
                parent.insert(name.to_owned(), Node::Directory(Directory::new()));
                Ok(Vec::new())
            }
            ("rmdir", [path]) => {
                let (parent, name) = self.parent(path)?;
                match parent.get(name) {
                    None => return fails("no-entry"),
                    Some(Node::File(_)) => return fails("not-directory"),
                    Some(Node::Directory(entries)) if !entries.is_empty() => return fails("not-empty"),
                    Some(Node::Directory(_)) => parent.remove(name),
                };
                Ok(Vec::new())
            }
            ("unlink", [path]) => {
                let (parent, name) = self.parent(path)?;
                match parent.get(name) {
                    None => return fails("no-entry"),
                    Some(Node::Directory(_)) => return fails("is-directory"),
                    Some(Node::File(_)) => parent.remove(name),
                };
                Ok(Vec::new())
            }
            ("rename", [from, to]) => self.rename(from, to),
            _ => unreachable!("plans have no step `{verb}`"),
        }
    }

    /// In the order in which Linux looks (`rename(2)`).
    fn rename(&mut self, from: &str, to: &str) -> Done {
        let (parent, name) = self.parent(from)?;
        let node = parent.get(name).cloned();
        let (target, new) = self.parent(to)?;
        let other = target.get(new).cloned();
        let node = node.ok_or("no-entry")?;
        if from == to {
            return Ok(Vec::new());
        }
        if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return fails("invalid");
        }
        if from.strip_prefix(to).is_some_and(|rest| rest.starts_with('/')) {
            return fails("not-empty");
        }
        match (&node, other) {
            (Node::Directory(_), Some(Node::File(_))) => return fails("not-directory"),
            (Node::File(_), Some(Node::Directory(_))) => return fails("is-directory"),
            (_, Some(Node::Directory(entries))) if !entries.is_empty() => return fails("not-empty"),
            _ => {}
        }
        target.insert(new.to_owned(), node);
        let (parent, name) = self.parent(from)?;
        parent.remove(name);
        Ok(Vec::new())
    }

    fn open(&mut self, path: &str, flags: &[&str]) -> Result<File, String> {
        let (parent, name) = self.parent(path)?;
        let has = |flag: &str| flags.contains(&flag);
        match parent.get(name) {
            Some(_) if has("exclusive") => Err("exist".to_owned()),
            Some(Node::Directory(_)) => Err("is-directory".to_owned()),
            Some(Node::File(file)) => {
                if has("truncate") {
                    file.borrow_mut().clear();
                }
                Ok(file.clone())
            }
            None if has("create") => {
                let file = File::default();
                parent.insert(name.to_owned(), Node::File(file.clone()));
                Ok(file)
            }
            None => Err("no-entry".to_owned()),
        }
    }

    fn opened(&self, word: &str) -> Option<&File> {
        self.open.get(word.strip_prefix('@')?)
    }

    fn node(&self, path: &str) -> Result<Node, String> {
        let mut node = Node::Directory(self.root.clone());
        for part in parts(path) {
            node = match node {
                Node::File(_) => return Err("not-directory".to_owned()),
                Node::Directory(entries) => entries.get(part).cloned().ok_or("no-entry")?,
            };
        }
        Ok(node)
    }

    /// The directory that a path's last name is in.
    fn parent<'p>(&mut self, path: &'p str) -> Result<(&mut Directory, &'p str), String> {
        let parts = parts(path);
        let (name, above) = parts.split_last().expect("no plan changes the mount point itself");
        let mut at = &mut self.root;
        for part in above {
            at = match at.get_mut(*part) {
                None => return Err("no-entry".to_owned()),
                Some(Node::File(_)) => return Err("not-directory".to_owned()),
                Some(Node::Directory(entries)) => entries,
            };
        }
        Ok((at, name))
    }
}

fn parts(path: &str) -> Vec<&str> {
    let path = path.strip_prefix("/local").expect("plans are about the mount");
    path.split('/').filter(|part| !part.is_empty()).collect()
}

fn write(file: &mut Vec<u8>, offset: usize, text: &str) {
    if text.is_empty() {
        // As POSIX has it, nothing written extends nothing.
        return;
    }
    let end = offset + text.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(text.as_bytes());
}

fn number(word: &str) -> usize {
    word.parse().expect("plans have numbers where they belong")
}

fn size(file: &File) -> Done {
    Ok(vec!["file".to_owned(), file.borrow().len().to_string()])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn word(bytes: &[u8]) -> Done {
    Ok(vec![text(bytes)])
}

fn fails(error: &str) -> Done {
    Err(error.to_owned())
}
