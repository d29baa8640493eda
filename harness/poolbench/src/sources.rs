//! Scenario files: the standard ones carried in the binary, or a directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use model::trace::{ENDING, FILE_BYTES_MAX};
use scenario::{Problem, Source};

use crate::exit::{Complaint, Exit};

const STANDARD: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
/// The remedy for a bad scenario where there is none of its own.
pub(crate) const WHERE_TO_LOOK: &str = "docs/SCENARIOS.md explains every key, `poolbench list --settings` prints every setting";
/// Files that a directory of scenarios may hold.
const FILES_MAX: usize = 2000;

/// Reads all scenarios.
pub(crate) fn read(dir: Option<&Path>) -> Result<Vec<Source>> {
    let Some(dir) = dir else {
        return Ok(STANDARD.iter().map(|(file, text)| Source { file: (*file).to_owned(), text: (*text).to_owned() }).collect());
    };
    let missing = |e: std::io::Error| {
        Complaint::usage(
            format!("cannot read scenarios from '{}': {e}", dir.display()),
            "give a directory of GROUP/NAME.toml files with --scenarios",
        )
    };
    let mut files = Vec::new();
    for group in std::fs::read_dir(dir).map_err(missing)? {
        let group = group.context("reading the scenarios directory")?.path();
        if group.is_dir() {
            files.extend(files_of(&group)?);
        }
    }
    files.sort();
    if !files.iter().any(|file| file.extension().is_some_and(|e| e == "toml")) {
        return Err(Complaint::usage(
            format!("'{}' holds no GROUP/NAME.toml file", dir.display()),
            "copy one of the standard scenarios; `poolbench list` names them",
        ));
    }
    if files.len() > FILES_MAX {
        return Err(Complaint::usage(
            format!("'{}' holds {} files (at most {FILES_MAX})", dir.display(), files.len()),
            "split the directory",
        ));
    }
    files.into_iter().map(|path| read_one(dir, &path)).collect()
}

/// Scenarios, and the traces beside them.
fn files_of(group: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(group).with_context(|| format!("reading '{}'", group.display()))?;
    let ours = |path: &PathBuf| path.to_str().is_some_and(|name| name.ends_with(".toml") || name.ends_with(ENDING));
    Ok(entries.flatten().map(|e| e.path()).filter(ours).collect())
}

fn read_one(dir: &Path, path: &Path) -> Result<Source> {
    let file = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned();
    // Larger ones are refused by whoever reads the text; this keeps a mistaken file of any size out of memory.
    if std::fs::metadata(path).is_ok_and(|found| found.len() > FILE_BYTES_MAX as u64) {
        let most = model::units::show_bytes(FILE_BYTES_MAX as f64);
        return Err(Complaint::usage(
            format!("{file}: is too large (expected at most {most})"),
            "shorten it, or move it out of the directory",
        ));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|e| Complaint::usage(format!("{file}: cannot be read: {e}"), "scenario files are UTF-8 text"))?;
    Ok(Source { file, text })
}

/// All problems as one complaint.
#[expect(clippy::needless_pass_by_value, reason = "so that it fits map_err")]
pub(crate) fn refuse(problems: Vec<Problem>) -> anyhow::Error {
    let help = problems.iter().find_map(|p| p.help.clone());
    let filters = problems.iter().all(|p| p.file == "-f" || p.file == "-F");
    let usual = if filters { "`poolbench list --cases` prints what -f and -F search" } else { WHERE_TO_LOOK };
    let help = Some(help.unwrap_or_else(|| usual.to_owned()));
    Complaint { exit: Exit::Usage, lines: problems.iter().map(ToString::to_string).collect(), help }.into()
}
