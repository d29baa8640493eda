//! Scenario files: the standard ones carried in the binary, or a directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
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
            files.extend(toml_files(&group)?);
        }
    }
    files.sort();
    if files.is_empty() {
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

fn toml_files(group: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(group).with_context(|| format!("reading '{}'", group.display()))?;
    Ok(entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect())
}

fn read_one(dir: &Path, path: &Path) -> Result<Source> {
    let file = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned();
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
