//! A merged run's facts: what all its parts agree in is said once, what they differ in for each.

use std::collections::BTreeSet;

use model::facts::{Facts, Part};

use crate::markdown::escape;
use crate::show::plural;

/// What `of` says of a run and its seed: one text where all parts agree, else each text with the parts, from 1, that it holds for.
pub(crate) fn said(facts: &Facts, seed: u64, of: &dyn Fn(&Facts, u64) -> String) -> String {
    let mut texts: Vec<(String, Vec<String>)> = Vec::new();
    for (number, part) in (1..).zip(&facts.parts) {
        let (text, number): (String, u32) = (of(&part.facts, part.seed), number);
        match texts.iter_mut().find(|(other, _)| *other == text) {
            Some((_, numbers)) => numbers.push(number.to_string()),
            None => texts.push((text, vec![number.to_string()])),
        }
    }
    match texts.as_slice() {
        [] => of(facts, seed),
        [(text, _)] => text.clone(),
        several => several.iter().map(|(text, numbers)| format!("{text} (run {})", numbers.join(", "))).collect::<Vec<_>>().join("; "),
    }
}

/// The parts with their numbers, begin, seed and rounds.
pub(crate) fn list(parts: &[Part]) -> String {
    let one = |(number, part): (u32, &Part)| {
        let (low, high) = (part.rounds.values().min().unwrap_or(&0), part.rounds.values().max().unwrap_or(&0));
        let rounds = if low == high { plural(u64::from(*high), "round") } else { format!("{low} to {high} rounds") };
        format!("run {number} of {}, seed {}, {rounds}", escape(&part.facts.started), part.seed)
    };
    (1..).zip(parts).map(one).collect::<Vec<_>>().join("; ")
}

/// `seed 1`, or the seeds of the parts where they differ.
pub(crate) fn seeds(facts: &Facts, seed: u64) -> String {
    let seeds: BTreeSet<u64> = facts.parts.iter().map(|p| p.seed).collect();
    let texts: Vec<String> = seeds.iter().map(u64::to_string).collect();
    match texts.as_slice() {
        [] => format!("seed {seed}"),
        [one] => format!("seed {one}"),
        several => format!("seeds {}", several.join(", ")),
    }
}
