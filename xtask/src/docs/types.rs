//! Type-checks the scripts of the documentation against the npm package, as its users would.

use super::blocks::Block;
use crate::browser;
use crate::run::{root, run};
use anyhow::Result;
use std::fs;
use std::os::unix::fs::symlink;

/// What a block may take from those before it: the page's `mountfs`.
const BEFORE: &str = "declare global { const mountfs: import(\"mountfs\").Mountfs; }\nexport {};\n";

/// Plain scripts are checked as far as they say what is what.
const OPTIONS: &str = r#"{
  "compilerOptions": {
    "target": "es2022", "module": "esnext", "moduleResolution": "bundler", "lib": ["es2024", "dom", "dom.iterable", "dom.asynciterable"],
    "strict": true, "noImplicitAny": false, "strictNullChecks": STRICT, "allowJs": true, "checkJs": true, "skipLibCheck": true, "noEmit": true,
    "types": ["wicg-file-system-access"], "typeRoots": ["node_modules/@types"]
  },
  "include": ["before.d.ts", "*.KIND"]
}"#;

pub(super) fn check(scripts: &[Block]) -> Result<()> {
    let folder = root().join("target/docs/types");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("node_modules"))?;
    let package = root().join("host-browser");
    symlink(&package, folder.join("node_modules/mountfs"))?;
    symlink(package.join("node_modules/@types"), folder.join("node_modules/@types"))?;
    fs::write(folder.join("before.d.ts"), BEFORE)?;
    for block in scripts {
        fs::write(folder.join(block.file_name()), format!("{}\nexport {{}};\n", block.script()))?;
    }
    for (kind, strict) in [("js", "false"), ("ts", "true")] {
        let options = folder.join(format!("{kind}.json"));
        fs::write(&options, OPTIONS.replace("STRICT", strict).replace("KIND", kind))?;
        run(browser::tsc().arg("--project").arg(options))?;
    }
    Ok(())
}
