//! A case of `tests/cases/`: its data, and how its steps are written. The README there has the words.

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// One behaviour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// In words.
    pub name: String,
    /// What a host has to be able to do.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What is in the folder.
    #[serde(default)]
    pub disk: Tree,
    /// Other folders, by name, and what is in them.
    #[serde(default)]
    pub others: BTreeMap<String, Tree>,
    /// What is mounted first.
    #[serde(default = "at_local")]
    pub mounts: Vec<String>,
    /// What is done then.
    pub steps: String,
    /// What is different in the folder afterwards.
    #[serde(default)]
    pub after: Tree,
    /// The same for other folders.
    #[serde(default)]
    pub others_after: BTreeMap<String, Tree>,
    /// The guest's version of files that were changed on both sides.
    #[serde(default)]
    pub conflicts: BTreeMap<String, String>,
    /// Whether the folders are not compared.
    #[serde(default)]
    pub unchecked: bool,
}

/// What is at each path; an empty directory's ends with `/`.
pub type Tree = BTreeMap<String, Entry>;

/// What is at one path.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Entry {
    /// A file with this text, or an empty directory.
    Text(String),
    /// A symbolic link.
    Link {
        /// Where it leads.
        link: String,
    },
    /// `false`: nothing.
    Is(bool),
}

fn at_local() -> Vec<String> {
    vec!["/local".into()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    case: Vec<Case>,
}

/// What a host lacks, and the cases that are known not to pass on it, each with the reason.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// By what a case may need.
    #[serde(default)]
    pub lacks: BTreeMap<String, String>,
    /// By `group: name`.
    #[serde(default)]
    pub known: BTreeMap<String, String>,
}

/// All cases, by group.
///
/// # Errors
///
/// When a file is not what it should be; says which, and where.
pub fn cases(folder: &Path) -> Result<BTreeMap<String, Vec<Case>>> {
    let mut groups = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', " ");
            let cases = read::<Group>(&path)?.case;
            let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
            ensure!(names.len() == cases.len(), "{} has two cases of one name", path.display());
            groups.insert(name, cases);
        }
    }
    ensure!(!groups.is_empty(), "there are no cases in {}", folder.display());
    Ok(groups)
}

/// What is known of a host.
///
/// # Errors
///
/// As [`cases`].
pub fn host(folder: &Path, name: &str) -> Result<Host> {
    read(&folder.join("hosts").join(name).with_extension("toml"))
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not what it should be", path.display()))
}

/// One line of a case.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// As it is written.
    pub line: String,
    /// Its first word.
    pub verb: String,
    /// The others.
    pub words: Vec<String>,
    /// How it must end.
    pub end: End,
}

/// How a step must end.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Without an error.
    Well,
    /// With this answer.
    Answers(Vec<String>),
    /// With this error.
    Fails(String),
}

impl Case {
    /// Its mounts and then its steps.
    ///
    /// # Errors
    ///
    /// Says which line cannot be read.
    pub fn all_steps(&self) -> Result<Vec<Step>> {
        let mounts = self.mounts.iter().map(|words| format!("mount {words}"));
        let lines = mounts.chain(self.steps.lines().map(|line| line.trim().to_owned()));
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| Step::parse(&line)).collect()
    }
}

impl Step {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub fn parse(line: &str) -> Result<Self> {
        let mut words = Vec::new();
        let mut end = End::Well;
        for word in split(line).with_context(|| format!("in the step `{line}`"))? {
            match (&mut end, word) {
                (End::Well, Word::Bare("=")) => end = End::Answers(Vec::new()),
                (End::Well, Word::Bare("!")) => end = End::Fails(String::new()),
                (End::Well, word) => words.push(word.text()),
                (End::Answers(answer), word) => answer.push(word.text()),
                (End::Fails(error), word) if error.is_empty() => *error = word.text(),
                (End::Fails(_), _) => bail!("the step `{line}` fails in more than one way"),
            }
        }
        ensure!(!words.is_empty(), "the step `{line}` has no verb");
        let verb = words.remove(0);
        Ok(Self { line: line.to_owned(), verb, words, end })
    }
}

enum Word<'a> {
    Bare(&'a str),
    Quoted(String),
}

impl Word<'_> {
    fn text(self) -> String {
        match self {
            Self::Bare(text) => text.to_owned(),
            Self::Quoted(text) => text,
        }
    }
}

fn split(mut rest: &str) -> Result<Vec<Word<'_>>> {
    let mut words = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(words);
        }
        if rest.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter();
            words.push(Word::Quoted(values.next().context("a word is missing")??));
            rest = &rest[values.byte_offset()..];
        } else {
            let (word, behind) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            words.push(match word.split_once('%') {
                Some((before, count)) => Word::Quoted(before.to_owned() + &"n".repeat(count.parse()?)),
                None => Word::Bare(word),
            });
            rest = behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_words_and_how_it_ends() {
        let step = |line: &str| Step::parse(line).map(|step| (step.verb, step.words, step.end));
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(step("list /a").unwrap(), ("list".into(), words(&["/a"]), End::Well));
        assert_eq!(step("list /a  =").unwrap().2, End::Answers(words(&[])));
        assert_eq!(step(r#"read "/a b" = "= !" c"#).unwrap().1, ["/a b"]);
        assert_eq!(step(r#"read "/a b" = "= !" c"#).unwrap().2, End::Answers(words(&["= !", "c"])));
        assert_eq!(step("stat /a ! no-entry").unwrap().2, End::Fails("no-entry".into()));
        assert_eq!(step(r#"mkdir "a\u0000b""#).unwrap().1, ["a\0b"]);
        assert_eq!(step("stat /a%3").unwrap().1, ["/annn"]);
        assert!(step("stat /a ! no entry").is_err());
        assert!(step("= a").is_err());
        assert!(step(r#"read "a"#).is_err());
    }
}
