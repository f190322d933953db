//! Checks every file of `templates/` against its declaration and compiles it in.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: a build script reads files"
)]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/template/check.rs"]
mod check;
#[path = "src/template/environment.rs"]
mod environment;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let folder = root.join("templates");
    println!("cargo::rerun-if-changed=src/template/check.rs");
    println!("cargo::rerun-if-changed=src/template/environment.rs");
    println!("cargo::rerun-if-changed=templates");

    let mut found = BTreeSet::new();
    list(&folder, "", &mut found)?;
    let mut faults = Vec::new();
    let mut code = String::from("/// Path under `templates/` and text of each template.\n");
    code.push_str("const SOURCES: &[(&str, &str)] = &[\n");
    for declaration in check::TEMPLATES {
        let path = declaration.path;
        println!("cargo::rerun-if-changed=templates/{path}");
        if !found.remove(path) {
            faults.push(format!("templates/{path}: declared, and no such file"));
            continue;
        }
        let file = folder.join(path);
        if let Err(fault) = check::check(declaration, &fs::read_to_string(&file)?) {
            faults.push(fault.to_string());
        }
        writeln!(code, "    ({path:?}, include_str!({file:?})),")?;
    }
    code.push_str("];\n");
    faults.extend(found.iter().map(|path| {
        format!("templates/{path}: not declared in src/template/check.rs, so nothing uses it")
    }));
    for fault in &faults {
        println!("cargo::error={fault}");
    }
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("templates.rs"),
        code,
    )?;
    Ok(())
}

/// Puts the paths of all files under `folder` into `found`, relative and with `/`.
fn list(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .ok_or("templates/: a name that is not UTF-8")?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{prefix}{name}/"), found)?;
        } else {
            found.insert(format!("{prefix}{name}"));
        }
    }
    Ok(())
}
