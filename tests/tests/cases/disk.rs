//! The folders of a case on disk: filled before, changed by other programs meanwhile, compared afterwards.

use anyhow::{Context as _, Result, bail, ensure};
use mountfs_tests::case::{Case, Entry, Tree};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Larger files are compared by their size.
const LARGEST: u64 = 1 << 20;

/// The folder of a case, which has no name, and the others. Beside each is a secret that no guest may reach.
pub(crate) struct Folders {
    top: tempfile::TempDir,
}

impl Folders {
    pub(crate) fn new(case: &Case) -> Result<Self> {
        let folders = Self { top: tempfile::tempdir()? };
        fs::write(folders.top.path().join("secret"), "secret")?;
        folders.fill("", &case.disk)?;
        case.others.iter().try_for_each(|(name, tree)| folders.fill(name, tree))?;
        Ok(folders)
    }

    /// Where a folder is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(if name.is_empty() { "folder" } else { name })
    }

    fn fill(&self, name: &str, tree: &Tree) -> Result<()> {
        let top = self.path(name);
        fs::create_dir_all(&top)?;
        for (path, entry) in tree {
            let at = top.join(path);
            fs::create_dir_all(at.parent().context("it is in a folder")?)?;
            match entry {
                Entry::Text(_) if path.ends_with('/') => fs::create_dir_all(at)?,
                Entry::Text(text) => fs::write(at, text)?,
                Entry::Link { link } => symlink(link, at)?,
                Entry::Is(_) => bail!("{path} is neither a file nor a link"),
            }
        }
        Ok(())
    }

    /// A path as other programs have it: `name`, or `folder:name`.
    fn at(&self, path: &str) -> PathBuf {
        let (folder, path) = path.split_once(':').unwrap_or(("", path));
        self.path(folder).join(path)
    }

    /// What is in a file; `None` when there is none.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.at(path)).ok()
    }

    /// Something that another program does.
    pub(crate) fn outside(&self, words: &[&str]) -> Result<()> {
        match *words {
            ["write", path, text] => fs::write(self.at(path), text)?,
            ["append", path, text] => {
                let mut file = File::options().append(true).open(self.at(path))?;
                std::io::Write::write_all(&mut file, text.as_bytes())?;
            }
            ["remove", path] if self.at(path).is_dir() => fs::remove_dir_all(self.at(path))?,
            ["remove", path] => fs::remove_file(self.at(path))?,
            ["mkdir", path] => fs::create_dir_all(self.at(path))?,
            ["rename", from, to] => fs::rename(self.at(from), self.at(to))?,
            ["symlink", target, path] => symlink(target, self.at(path))?,
            ["touch", path, seconds] => {
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.parse()?);
                File::options().write(true).open(self.at(path))?.set_modified(time)?;
            }
            ["fill", path, count] => {
                fs::create_dir(self.at(path))?;
                (0..count.parse::<usize>()?)
                    .try_for_each(|name| File::create(self.at(path).join(name.to_string())).map(drop))?;
            }
            ["sparse", path, size] => File::create(self.at(path))?.set_len(size.parse()?)?,
            ["bytes", hex] => {
                let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
                let name = bytes.collect::<Result<Vec<_>, _>>()?;
                File::create(self.path("").join(OsStr::from_bytes(&name)))?;
            }
            _ => bail!("no other program can do `{}`", words.join(" ")),
        }
        Ok(())
    }

    /// Compares every folder with what it was and what the case says is different.
    pub(crate) fn check(&self, case: &Case) -> Result<()> {
        ensure!(fs::read_to_string(self.top.path().join("secret"))? == "secret", "the secret was changed");
        let mut names: Vec<_> = fs::read_dir(self.top.path())?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<_, _>>()?;
        names.sort();
        ensure!(names.len() == 2 + case.others.len(), "there is something beside the folders: {names:?}");
        if case.unchecked {
            return Ok(());
        }
        let mut found = tree(&self.path(""))?;
        for (path, text) in &case.conflicts {
            let (stem, extension) =
                path.rsplit_once('.').map_or((path.as_str(), String::new()), |(stem, end)| (stem, format!(".{end}")));
            let kept = found
                .keys()
                .find(|name| name.starts_with(&format!("{stem} (conflict ")) && name.ends_with(&extension))
                .cloned();
            let kept = kept.with_context(|| format!("no other version of {path} was kept: {found:?}"))?;
            ensure!(found.remove(&kept) == Some(Entry::Text(text.clone())), "{kept} is not the guest's version");
        }
        same("the folder", &found, &changed(&case.disk, &case.after)?)?;
        for (name, before) in &case.others {
            let after = case.others_after.get(name).cloned().unwrap_or_default();
            same(&format!("the folder {name}"), &tree(&self.path(name))?, &changed(before, &after)?)?;
        }
        Ok(())
    }
}

fn same(what: &str, found: &Tree, wanted: &Tree) -> Result<()> {
    ensure!(found == wanted, "{what} has {found:?}, not {wanted:?}");
    Ok(())
}

/// What there should be: what there was, with what is different. A directory is in the paths of what is in it.
fn changed(before: &Tree, different: &Tree) -> Result<Tree> {
    let mut after = before.clone();
    for (path, entry) in different {
        let was = match entry {
            Entry::Is(false) => Some(after.remove(path).with_context(|| format!("{path} was not there before"))?),
            entry => after.insert(path.clone(), entry.clone()),
        };
        ensure!(was.as_ref() != Some(entry), "{path} was so before");
    }
    Ok(after)
}

fn tree(top: &Path) -> Result<Tree> {
    let mut tree = BTreeMap::new();
    walk(top, "", &mut tree)?;
    Ok(tree)
}

fn walk(folder: &Path, prefix: &str, tree: &mut Tree) -> Result<()> {
    let mut is_empty = true;
    for entry in fs::read_dir(folder)? {
        is_empty = false;
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            walk(&entry.path(), &format!("{path}/"), tree)?;
        } else if metadata.is_symlink() {
            let link = fs::read_link(entry.path())?.to_string_lossy().into_owned();
            tree.insert(path, Entry::Link { link });
        } else if metadata.len() > LARGEST {
            tree.insert(path, Entry::Text(format!("<{} bytes>", metadata.len())));
        } else {
            tree.insert(path, Entry::Text(String::from_utf8_lossy(&fs::read(entry.path())?).into_owned()));
        }
    }
    if is_empty && !prefix.is_empty() {
        tree.insert(prefix.to_owned(), Entry::Text(String::new()));
    }
    Ok(())
}
