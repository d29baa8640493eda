//! Folded stacks: one line a stack, outermost frame first, then a space and the count.

use std::collections::BTreeMap;
use std::fmt;

/// Stacks and their counts, in the order of their text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded(BTreeMap<String, u64>);

impl Folded {
    /// Adds `count` samples of the stack whose frames are given outermost first.
    pub fn add<'a>(&mut self, frames: impl Iterator<Item = &'a str>, count: u64) {
        let mut line = String::new();
        for frame in frames {
            if !line.is_empty() {
                line.push(';');
            }
            // These three have a meaning in the format.
            line.extend(frame.chars().map(|c| match c {
                ';' => ':',
                '\n' | '\r' => ' ',
                c => c,
            }));
        }
        if !line.is_empty() {
            *self.0.entry(line).or_default() += count;
        }
    }

    /// Sum of all counts.
    pub fn samples(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(stack, count)| writeln!(f, "{stack} {count}"))
    }
}
