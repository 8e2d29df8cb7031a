//! The code blocks of README and documentation: each is run, type-checked or parsed, or says why not.
//!
//! The first word after the fence is the language. `no-run: REASON` after it keeps a block of `sh` or `python` from being run.
//! The blocks of a page share a fresh folder, in which they run in their order.

use super::types;
use crate::run::{mountfs, root, run_quiet};
use crate::test::Count;
use crate::{browser, guests, wit};
use anyhow::{Result, bail, ensure};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fenced block.
pub(super) struct Block {
    page: PathBuf,
    line: usize,
    language: String,
    /// What is said after the language.
    note: String,
    pub(super) code: String,
}

/// The interpreters that the blocks of a page find in their folder.
const INTERPRETERS: [&str; 5] = ["python.wasm", "python-3.12.wasm", "ruby.wasm", "micropython.wasm", "quickjs.wasm"];

/// Where `cargo test` finds the blocks of Rust.
const DOCTESTS: &str = "tests/src/docs.rs";

/// Checks all of them, and says of each that fails where it is.
pub(super) fn check() -> Result<Count> {
    let python = guests::python()?;
    let package = browser::packed()?;
    let mut count = Count::default();
    let mut scripts = Vec::new();
    for page in pages()? {
        let blocks = blocks(&page)?;
        let folder = root().join("target/docs").join(page.to_string_lossy().replace(['/', '.'], "-"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        for name in INTERPRETERS {
            symlink(python.with_file_name(name), folder.join(name))?;
        }
        for block in blocks {
            let place = format!("{}:{}", page.display(), block.line);
            let checked = match (block.language.as_str(), block.note.strip_prefix("no-run: ")) {
                ("sh" | "python", Some(reason)) => {
                    println!("not run: {place}: {reason}");
                    continue;
                }
                ("text", _) => continue,
                ("sh", None) => shell(&block.code, &folder, &package),
                ("python", None) => in_python(&block.code, &folder, &python),
                ("rust", _) => is_doctest(&page),
                ("wit", _) => wit::parse_with(&block.code),
                ("toml", _) => toml::from_str::<toml::Table>(&block.code).map(drop).map_err(Into::into),
                ("json", _) => serde_json::from_str::<serde_json::Value>(&block.code).map(drop).map_err(Into::into),
                ("js" | "ts" | "html", _) => {
                    scripts.push(block);
                    continue;
                }
                (other, _) => bail!("{place}: nothing here checks blocks of {other:?}: `text` is for what is no code"),
            };
            match checked {
                Ok(()) => count.passed += 1,
                Err(error) => {
                    println!("{place}: {error:#}");
                    count.failed += 1;
                }
            }
        }
    }
    count.passed += scripts.len();
    ensure!(count.passed > 0, "there is no block of code");
    types::check(&scripts).inspect_err(|_| count.failed += 1)?;
    Ok(count)
}

/// Every page that the repository has, and those that are about to be added.
fn pages() -> Result<Vec<PathBuf>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"];
    let listed = run_quiet(Command::new("git").args(arguments).current_dir(root()))?;
    Ok(listed.lines().map(PathBuf::from).filter(|page| root().join(page).exists()).collect())
}

fn blocks(page: &Path) -> Result<Vec<Block>> {
    let text = fs::read_to_string(root().join(page))?;
    let mut blocks = Vec::new();
    let mut open = None;
    for (event, range) in Parser::new(&text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let (language, note) = info.split_once([' ', ',']).unwrap_or((&info, ""));
                // What has no language is output, too.
                let language = if language.is_empty() { "text" } else { language }.to_owned();
                let line = text[..range.start].lines().count() + 1;
                open = Some(Block { page: page.into(), line, language, note: note.into(), code: String::new() });
            }
            Event::Text(code) => {
                if let Some(block) = &mut open {
                    block.code.push_str(&code);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    Ok(blocks)
}

/// Runs it as a user would type it, with what the packages install in the path.
fn shell(code: &str, folder: &Path, package: &Path) -> Result<()> {
    // It is not published: what this would fetch is the packed file.
    let install = format!("npm install --silent --no-audit --no-fund {}", package.display());
    let code = code.replace("npm install mountfs", &install);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = [mountfs(), browser::node()].into_iter().filter_map(|program| Some(program.parent()?.to_owned()));
    let path = std::env::join_paths(programs.chain(std::env::split_paths(&path)))?;
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &code]).env("PATH", path).env("XDG_DATA_HOME", folder.join(".data"));
    run_quiet(bash.current_dir(folder)).map(drop)
}

/// Runs it as a script that may mount a folder of its own, under the names that people use.
fn in_python(code: &str, folder: &Path, python: &Path) -> Result<()> {
    let granted = tempfile::tempdir_in(folder)?;
    let mut command = Command::new(mountfs());
    command.args(["run", "--no-prompt"]);
    for id in ["pyscript", "mountfs"] {
        command.arg("--grant").arg(format!("{id}={}", granted.path().display()));
    }
    command.arg(python).args(["-c", code]);
    run_quiet(command.current_dir(folder)).map(drop)
}

/// Whether the page is among those whose blocks `cargo test` compiles.
fn is_doctest(page: &Path) -> Result<()> {
    let listed = fs::read_to_string(root().join(DOCTESTS))?;
    let name = format!("\"../../{}\"", page.display());
    ensure!(listed.contains(&name), "{DOCTESTS} does not name {name}, so that nothing compiles this block");
    Ok(())
}

impl Block {
    /// Of the page and the line, which compilers then name.
    pub(super) fn file_name(&self) -> String {
        let page = self.page.to_string_lossy().replace(['/', '.'], "-");
        format!("{page}-{}.{}", self.line, if self.language == "ts" { "ts" } else { "js" })
    }

    /// The script, which is in its tag where the block is a page's.
    pub(super) fn script(&self) -> &str {
        match self.language.as_str() {
            "html" => self
                .code
                .split_once("<script type=\"module\">")
                .map_or("", |(_, rest)| rest.split_once("</script>").map_or(rest, |(script, _)| script)),
            _ => &self.code,
        }
    }
}
