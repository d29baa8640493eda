//! Carries the standard scenarios and the facts of the build into the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let manifest = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = manifest.join("../..");
    carry_scenarios(&root.join("scenarios"));
    for watched in ["harness", "scenarios"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
    let commit = git(&root, &["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "not a git checkout".to_owned());
    let code = ["status", "--porcelain", "--", "harness", "scenarios", "Cargo.toml", "Cargo.lock", ".cargo"];
    let dirty = git(&root, &code).is_some_and(|changes| !changes.is_empty());
    if let Some(dir) = git(&root, &["rev-parse", "--absolute-git-dir"]) {
        for file in ["HEAD", "index"] {
            println!("cargo:rerun-if-changed={dir}/{file}");
        }
    }
    let rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("--version").output();
    let rustc = rustc.ok().and_then(|out| String::from_utf8(out.stdout).ok()).unwrap_or_default();
    println!("cargo:rustc-env=POOLBENCH_COMMIT={commit}");
    println!("cargo:rustc-env=POOLBENCH_DIRTY={dirty}");
    println!("cargo:rustc-env=POOLBENCH_RUSTC={}", rustc.trim());
}

fn git(root: &Path, args: &[&str]) -> Option<String> {
    let out = Command::new("git").arg("-C").arg(root).args(args).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Writes a table of `(relative name, text)` that the binary includes: scenarios, and the traces that they replay.
fn carry_scenarios(dir: &Path) {
    let mut files = Vec::new();
    walk(dir, &mut files);
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(dir).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let path = std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        let _ = writeln!(table, "    ({name:?}, include_str!({:?})),", path.display().to_string());
    }
    table.push(']');
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("scenarios.rs");
    if let Err(why) = std::fs::write(&out, table) {
        println!("cargo:warning=cannot write {}: {why}", out.display());
    }
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "toml" || e == "trace") {
            files.push(path);
        }
    }
}
