//! Power loss: many states of a recording, each put into a directory, opened and judged.

use std::collections::HashMap;
use std::path::Path;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tokio::runtime::Runtime;
use xxhash_rust::xxh3::Xxh3;

use crate::choose::{Choose, Drawn, Fixed, Lagging, Odometer};
use crate::error::CrashError;
use crate::log::{Log, Op};
use crate::record::Recording;
use crate::survive::{Filesystem, Image, survivors};
use crate::tally::Tally;
use crate::verify::{Found, verify};

/// Crash points with no more states than this are gone through in full.
const EXHAUSTIVE: usize = 64;
/// Random states of a crash point that has more.
const DRAWN: usize = 3;
/// States of such a crash point in which one block lags behind all others.
const LAGGING: usize = 8;

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Most crash points; all of a recording that has no more.
    pub points: usize,
    /// Seed of which, and of random states.
    pub seed: u64,
}

/// What power loss costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    /// Findings over all states.
    pub tally: Tally,
    /// Crash points looked at.
    pub points: u64,
    /// Those whose every state was looked at.
    pub exhausted: u64,
    /// States that differ from each other.
    pub distinct: u64,
}

/// Findings of states by their contents, so that the same state is opened once, whatever filesystem and crash point permits it.
#[derive(Debug, Default)]
pub struct Verdicts(HashMap<u128, Found>);

/// Judges states of `recording` that `filesystem` permits, in fresh directories below `scratch`.
///
/// # Errors
/// Where a state cannot be put into a directory.
pub fn power_loss(
    runtime: &Runtime,
    recording: &Recording,
    filesystem: Filesystem,
    sample: Sample,
    scratch: &Path,
    verdicts: &mut Verdicts,
) -> Result<Power, CrashError> {
    let mut rng = Pcg64Mcg::seed_from_u64(sample.seed);
    let points = points(&recording.log, sample.points, &mut rng);
    let mut power = Power { tally: Tally::default(), points: points.len() as u64, exhausted: 0, distinct: 0 };
    let mut seen = std::collections::HashSet::new();
    for point in points {
        let (begun, acknowledged) = recording.log.writes_at(point);
        let (images, exhausted) = states(&recording.log, point, filesystem, &mut rng);
        power.exhausted += u64::from(exhausted);
        for image in images {
            let key = digest(&image);
            seen.insert(key);
            if let std::collections::hash_map::Entry::Vacant(vacant) = verdicts.0.entry(key) {
                vacant.insert(open(runtime, recording, &image, scratch)?);
            }
            if let Some(found) = verdicts.0.get(&key) {
                power.tally.add(recording.subject.kind(), found, begun, acknowledged);
            }
        }
    }
    power.distinct = seen.len() as u64;
    Ok(power)
}

/// At most `most` crash points, in order: all of them, or a sample. Half of a sample lies just before flushes, where most is at stake.
fn points(log: &Log, most: usize, rng: &mut Pcg64Mcg) -> Vec<usize> {
    let mut points: Vec<usize> = (0..=log.ops.len()).collect();
    if points.len() > most {
        points.shuffle(rng);
        let flushes = |point: &usize| log.ops.get(*point).is_some_and(Op::flushes);
        let (mut before, mut others): (Vec<usize>, Vec<usize>) = points.into_iter().partition(flushes);
        // What one half lacks the other fills up.
        let half = before.len().min((most / 2).max(most.saturating_sub(others.len())));
        others.extend(before.split_off(half));
        others.truncate(most - half);
        points = before;
        points.extend(others);
        points.sort_unstable();
    }
    points
}

/// States of one crash point, and whether they are all there are.
fn states(log: &Log, point: usize, filesystem: Filesystem, rng: &mut Pcg64Mcg) -> (Vec<Image>, bool) {
    let state = |choose: &mut dyn Choose| survivors(&log.ops, point, filesystem, choose);
    let mut odometer = Odometer::default();
    let mut images = Vec::new();
    loop {
        images.push(state(&mut odometer));
        if !odometer.advance() {
            return (images, true);
        }
        // Too many is mostly known from the first.
        if images.len() == EXHAUSTIVE || odometer.least_states() > EXHAUSTIVE {
            break;
        }
    }
    images = Fixed::ALL.into_iter().map(|mut fixed| state(&mut fixed)).collect();
    images.extend((0..DRAWN).map(|_| state(&mut Drawn::new(rng.random()))));
    let mut lags = Lagging::default();
    state(&mut lags);
    let mut lags = lags.all();
    lags.shuffle(rng);
    lags.truncate(LAGGING);
    images.extend(lags.iter_mut().map(|lag| state(lag)));
    (images, false)
}

fn digest(image: &Image) -> u128 {
    let mut hasher = Xxh3::new();
    for (name, bytes) in image {
        // Lengths keep names and contents apart.
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    hasher.digest128()
}

fn open(runtime: &Runtime, recording: &Recording, image: &Image, scratch: &Path) -> Result<Found, CrashError> {
    let dir = tempfile::Builder::new().prefix("state-").tempdir_in(scratch).map_err(CrashError::system("make a directory"))?;
    for (name, bytes) in image {
        std::fs::write(dir.path().join(name), bytes).map_err(CrashError::system("write the state after a crash"))?;
    }
    verify(runtime, recording.subject, dir.path(), recording.seed)
}

#[cfg(test)]
mod tests;
