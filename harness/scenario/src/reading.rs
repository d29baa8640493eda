//! From texts to scenarios: every file, each against itself and then against the others.

use std::collections::BTreeSet;

use crate::matrix::{self, Combination};
use crate::problem::{Problem, Problems};
use crate::resolve::{self, Wanted};
use crate::wire::{self, Known, Wire, WireAxis};
use crate::{Source, sorted, strays};

/// A file that was read, with all its cases' ids.
pub(crate) struct Read {
    pub(crate) wire: Wire,
    /// As written, whatever `-s` changed.
    pub(crate) axes: Vec<WireAxis>,
    pub(crate) combinations: Vec<Combination>,
}

/// What a file says with `-s` applied.
pub(crate) type Change<'a> = &'a dyn Fn(Wire) -> Wire;

/// Reads and checks all files, by name; `found` are problems known already.
pub(crate) fn read_all(
    mut sources: Vec<&Source>,
    known: &Known<'_>,
    wanted: &Wanted,
    change: Change<'_>,
    mut found: Vec<Problem>,
) -> Result<Vec<Read>, Vec<Problem>> {
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    let mut names = BTreeSet::new();
    let (mut read, mut strays) = (Vec::new(), Vec::new());
    for source in sources {
        let mut problems = Problems::of(&source.file);
        match scenario_name(&source.file) {
            Some(name) if !names.insert(name) => problems.at(0, "the file is given twice (names of scenarios must differ)"),
            Some(name) => read.extend(read_one(source, name, known, wanted, change, &mut problems)),
            None => problems.at(0, "the file's name gives no scenario (expected GROUP/NAME.toml, both of a-z, 0-9 and -)"),
        }
        let (own, lost) = problems.into_parts();
        strays.extend(lost.into_iter().map(|stray| stray.behind(found.len())));
        found.extend(own);
    }
    strays::point(&strays, &read, &mut found);
    if found.is_empty() {
        found.extend(survivals(&read));
    }
    if found.is_empty() { Ok(read) } else { Err(sorted(found)) }
}

/// What is wrong with sentences that name another file's scenario.
fn survivals(read: &[Read]) -> Vec<Problem> {
    let all: Vec<(&str, &[WireAxis])> = read.iter().map(|r| (r.wire.name.as_str(), r.axes.as_slice())).collect();
    let of = |r: &Read| {
        let mut problems = Problems::of(&r.wire.file);
        r.wire.survives.iter().for_each(|survives| survives.check(&all, &mut problems));
        problems.into_vec()
    };
    read.iter().flat_map(of).collect()
}

fn read_one(source: &Source, name: &str, known: &Known<'_>, wanted: &Wanted, change: Change<'_>, problems: &mut Problems) -> Option<Read> {
    let wire = wire::read(&source.file, name, &source.text, known, problems)?;
    let axes = wire.axes.clone();
    let wire = change(wire);
    let combinations = matrix::combinations(&wire, problems);
    for combination in matrix::cover(&combinations) {
        resolve::case(&wire, &combination, known, wanted, problems);
    }
    Some(Read { wire, axes, combinations })
}

/// `pool/steady` of `pool/steady.toml`.
fn scenario_name(file: &str) -> Option<&str> {
    let name = file.strip_suffix(".toml")?;
    let (group, own) = name.split_once('/')?;
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (plain(group) && plain(own) && name.len() <= 100).then_some(name)
}
