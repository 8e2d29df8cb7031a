//! The app as it was named on the command line: its bytes, or what to do when they are none.

use crate::folder::folder_of;
use crate::nearest::nearest;
use anyhow::anyhow;
use mountfs_host::ComposeError;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use wasmparser::{Encoding, Parser, Payload};

/// The interface through which an app asks for folders.
pub(crate) const MOUNTS: &str = "mountfs:fs/mounts@";

/// Why a file is not run as an app.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) why: String,
    /// What the file is instead, or what was meant, and what to do.
    pub(crate) instead: Option<String>,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        self.instead.iter().try_for_each(|instead| write!(f, "; {instead}"))
    }
}

impl Error for Unusable {}

/// The bytes of the app, which begin like WebAssembly, or like nothing that is known.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Unusable> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| Unusable {
        why: format!("cannot read the app {shown}: {error}"),
        instead: is_there_instead(path, &error),
    })?;
    match is_instead(&bytes, path) {
        Some(instead) => Err(Unusable { why: format!("{shown} is no app"), instead: Some(instead) }),
        None => Ok(bytes),
    }
}

/// What is there in place of a file that cannot be read.
fn is_there_instead(path: &Path, error: &io::Error) -> Option<String> {
    if path.is_dir() {
        return Some("name the .wasm file in it".to_owned());
    }
    if error.kind() != io::ErrorKind::NotFound {
        return None;
    }
    let folder = folder_of(path);
    let Ok(there) = fs::read_dir(folder) else {
        return Some(format!("there is no folder {}", folder.display()));
    };
    let stem = |path: &Path| path.file_name()?.to_str()?.strip_suffix(".wasm").map(str::to_owned);
    let name = path.file_name()?.to_str()?;
    let meant = nearest(name.trim_end_matches(".wasm"), there.flatten().filter_map(|entry| stem(&entry.path())))?;
    Some(format!("did you mean {}?", path.with_file_name(format!("{meant}.wasm")).display()))
}

/// What a file is that is no app but often taken for one, and what to do with it.
fn is_instead(bytes: &[u8], path: &Path) -> Option<String> {
    const BEGINNINGS: [(&[u8], &str); 4] = [
        (b"\x1f\x8b", "it is compressed with gzip: unpack it first, with gunzip"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd: unpack it first, with unzstd"),
        (b"PK\x03\x04", "it is a zip archive: unpack it first, and name the .wasm file in it"),
        (b"\x7fELF", "it is machine code, as a compiler makes for one machine: name what that was made from"),
    ];
    if bytes.starts_with(b"\0asm") {
        return None;
    }
    if bytes.is_empty() {
        return Some("it is empty".to_owned());
    }
    let script = interpreter(path).or(bytes.starts_with(b"#!").then_some("INTERPRETER.wasm"));
    if let Some(interpreter) = script {
        let name = path.file_name().unwrap_or_default().display();
        return Some(format!(
            "it is a script: give an interpreter first, and a folder in which it sees the script: mountfs run --mount \
             /project={} {interpreter} /project/{name}",
            folder_of(path).display()
        ));
    }
    if let Some((_, what)) = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Some((*what).to_owned());
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).to_ascii_lowercase();
    // Comments may stand before it.
    let mut lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with(";;"));
    let first = lines.next()?;
    if ["(module", "(component"].iter().any(|opening| first.starts_with(opening)) {
        let (shown, binary) = (path.display(), path.with_extension("wasm"));
        return Some(match binary == path {
            true => "it is WebAssembly text: make it binary first, with wasm-tools parse".to_owned(),
            false => format!(
                "it is WebAssembly text: make it binary first: wasm-tools parse {shown} -o {}",
                binary.display()
            ),
        });
    }
    let is_page = ["<!doctype", "<html"].iter().any(|opening| first.starts_with(opening));
    is_page.then(|| "it is a web page, perhaps in place of a download: fetch the file itself".to_owned())
}

/// The interpreter for a script of this name.
fn interpreter(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "py" => Some("python.wasm"),
        "rb" => Some("ruby.wasm"),
        "js" | "mjs" => Some("quickjs.wasm"),
        "lua" | "php" | "pl" | "sh" | "ts" => Some("INTERPRETER.wasm"),
        _ => None,
    }
}

/// Why an app could not be composed, with what to do about it.
pub(crate) fn explain(error: ComposeError, app: &[u8]) -> anyhow::Error {
    let is_unadaptable = matches!(error, ComposeError::NotAdaptable(_));
    match is_unadaptable.then(|| Surface::of(app).ok()?.is_no_command()).flatten() {
        Some(why) => anyhow!("{error}; {why}"),
        None => error.into(),
    }
}

/// What shows of an app from outside: all that a host deals with.
pub(crate) struct Surface {
    pub(crate) is_component: bool,
    /// Names of imports; of a core module, of the modules they are from.
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

impl Surface {
    pub(crate) fn of(app: &[u8]) -> wasmparser::Result<Self> {
        let mut surface = Self { is_component: false, imports: Vec::new(), exports: Vec::new() };
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(app) {
            match payload? {
                Payload::Version { encoding, .. } => {
                    surface.is_component |= depth == 0 && encoding == Encoding::Component;
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ImportSection(imports) if depth == 0 => {
                    for import in imports.into_imports() {
                        surface.imports.push(import?.module.to_owned());
                    }
                }
                Payload::ExportSection(exports) if depth == 0 => {
                    for export in exports {
                        surface.exports.push(export?.name.to_owned());
                    }
                }
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        surface.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        surface.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        surface.imports.sort();
        surface.imports.dedup();
        Ok(surface)
    }

    /// Whether the app imports the interface with this beginning of a name.
    pub(crate) fn imports(&self, interface: &str) -> bool {
        self.imports.iter().any(|name| name.starts_with(interface))
    }

    /// Whether the app exports it.
    pub(crate) fn exports(&self, interface: &str) -> bool {
        self.exports.iter().any(|name| name.starts_with(interface))
    }

    /// Of a core module: why it is no WASI preview 1 command.
    pub(crate) fn is_no_command(&self) -> Option<String> {
        const MAKE: &str = "an app is made with a target like wasm32-wasip1 or wasm32-wasip2";
        if let Some(module) = self.imports.iter().find(|&import| import != "wasi_snapshot_preview1") {
            return Some(format!(
                "it imports from {module:?}, so it was made for another host, such as a page: {MAKE}"
            ));
        }
        let is_command = self.exports.iter().any(|export| export == "_start");
        (!is_command).then(|| format!("it exports no `_start`, so it is a library, not a command: {MAKE}"))
    }
}
