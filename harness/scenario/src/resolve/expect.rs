//! `[expect]`: a figure's name and its bounds.

use model::Located;
use model::plan::{Expectation, Size};

use crate::KnownKinds;
use crate::problem::Problems;
use crate::wire::Known;
use crate::words;

/// Figures that hold a word instead of bounds.
const WORDS: [(&str, &str); 2] = [("digest", "input"), ("sessions", "consistent")];
/// Figures that are counts.
const COUNTS: [&str; 8] =
    ["deaths", "children-left", "faults", "executed-twice", "executed-unsaid", "executed-never", "descriptors-left", "sessions-left"];
/// Figures that are shares.
const SHARES: [&str; 5] = ["accuracy", "over-predicted", "regret", "affinity-hits", "memory-growth"];

/// All expectations; what is wrong is reported and left out.
pub(super) fn all(given: &[(String, Located)], size: Size, known: &Known<'_>, problems: &mut Problems) -> Vec<Expectation> {
    let names = figures(known.kinds);
    let one = |(key, says): &(String, Located)| {
        let (figure, of) = of_size(key);
        if of.is_some_and(|of| of != size) {
            return None;
        }
        let figure = &figure.to_owned();
        if !names.contains(figure) {
            problems.with(says, format!("unknown figure '{figure}' {}", words::expected(figure, &names)));
            return None;
        }
        let result = expectation(figure, says).map_err(|why| format!("expect {figure}: {why}"));
        problems.ok(says, result)
    };
    given.iter().filter_map(one).collect()
}

/// A figure that holds at one size only is a table of sizes: `{ smoke = …, full = … }`.
fn of_size(key: &str) -> (&str, Option<Size>) {
    let sizes = [Size::Smoke, Size::Full].into_iter();
    sizes.filter_map(|size| Some((key.strip_suffix(size.name())?.strip_suffix('.')?, Some(size)))).next().unwrap_or((key, None))
}

fn figures(kinds: &KnownKinds) -> Vec<String> {
    let fixed = WORDS.iter().map(|(name, _)| *name).chain(COUNTS).chain(SHARES).map(str::to_owned);
    let outcomes = kinds.outcomes.iter().map(|o| format!("outcomes.{o}"));
    let faults = kinds.faults.iter().map(|(kind, _)| format!("faults.{kind}"));
    let tiers = kinds.tiers.iter().flat_map(|t| [format!("served.{t}"), format!("recall.{t}")]);
    fixed.chain(outcomes).chain(faults).chain(tiers).collect()
}

fn expectation(figure: &str, says: &Located) -> Result<Expectation, String> {
    let text = says.value.trim();
    let bare = Expectation { figure: figure.to_owned(), says: says.clone(), at_least: None, at_most: None, share: false };
    if let Some((_, word)) = WORDS.iter().find(|(name, _)| *name == figure) {
        return if text == *word { Ok(bare) } else { Err(format!("unknown word '{text}' (expected '{word}')")) };
    }
    let share = text.contains('%');
    if (COUNTS.contains(&figure) || figure.starts_with("faults.")) && share {
        return Err(format!("'{text}' is a share (expected a count such as '0' or '>= 5')"));
    }
    if (SHARES.contains(&figure) || figure.starts_with("recall.")) && !share {
        return Err(format!("'{text}' is not a share (expected such as '>= 90%')"));
    }
    let (mut low, mut high) = (None, None);
    for part in text.split(',') {
        let (mark, number) = ["<=", ">="].iter().find_map(|m| Some((*m, part.trim().strip_prefix(m)?))).unwrap_or(("", part.trim()));
        let value = bound(number.trim(), share).ok_or_else(|| expected(text))?;
        low = if mark == "<=" { low } else { Some(value) };
        high = if mark == ">=" { high } else { Some(value) };
    }
    match (low, high) {
        (Some(a), Some(b)) if a > b => Err(format!("'{text}' holds for nothing (expected the lower bound below the upper one)")),
        _ => Ok(Expectation { at_least: low, at_most: high, share, ..bare }),
    }
}

fn expected(text: &str) -> String {
    format!("'{text}' is not a bound (expected such as '100%', '>= 90%', '<= 5%', '>= 1%, <= 20%', '0' or '>= 5')")
}

fn bound(text: &str, share: bool) -> Option<f64> {
    if share {
        let percent: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
        return (0.0..=100.0).contains(&percent).then_some(percent / 100.0);
    }
    text.parse::<u32>().ok().map(f64::from)
}
