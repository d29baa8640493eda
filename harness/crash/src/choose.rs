//! Who decides where the model leaves a choice: fixed rules, a seeded draw, or an odometer that goes through all of them.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What is to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// How many of the changes of names that may be lost survive.
    Names,
    /// How many of a file's changes of size that may be lost survive.
    Size,
    /// Up to which of its unsynced versions a block came.
    Block,
    /// Whether a block is torn between that version and the next, and where.
    Tear,
}

/// A source of choices. Always the same number of options for the same choices before.
pub trait Choose {
    /// One of `0..options`; `options` is at least 1. 0 loses most, the last loses least, but for [`Choice::Tear`] (0 is whole).
    fn choose(&mut self, what: Choice, options: usize) -> usize;
}

/// All or nothing of each kind; nothing is torn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Whether unsynced changes of names survive.
    pub names: bool,
    /// Whether unsynced changes of size survive.
    pub sizes: bool,
    /// Whether unsynced data survive.
    pub data: bool,
}

impl Fixed {
    /// What is worth trying at every crash point, from losing all that may be lost to losing nothing.
    pub const ALL: [Fixed; 5] = [
        Fixed { names: false, sizes: false, data: false },
        Fixed { names: true, sizes: true, data: true },
        Fixed { names: true, sizes: true, data: false },
        Fixed { names: true, sizes: false, data: false },
        Fixed { names: false, sizes: true, data: true },
    ];
}

impl Choose for Fixed {
    fn choose(&mut self, what: Choice, options: usize) -> usize {
        let survives = match what {
            Choice::Names => self.names,
            Choice::Size => self.sizes,
            Choice::Block => self.data,
            Choice::Tear => false,
        };
        if survives { options.saturating_sub(1) } else { 0 }
    }
}

/// Draws from a seed.
#[derive(Clone, Debug)]
pub struct Drawn {
    rng: Pcg64Mcg,
    /// How likely the last option is taken outright, by kind: a state in which nearly all or nearly nothing survives is as likely as one between.
    lean: [f64; 3],
}

impl Drawn {
    /// The state of that seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let lean = [0; 3].map(|_| [0.05, 0.5, 0.95][rng.random_range(0..3)]);
        Self { rng, lean }
    }
}

impl Choose for Drawn {
    fn choose(&mut self, what: Choice, options: usize) -> usize {
        let lean = match what {
            Choice::Names => self.lean[0],
            Choice::Size => self.lean[1],
            Choice::Block => self.lean[2],
            // Most blocks are whole.
            Choice::Tear => return if self.rng.random_bool(0.25) { self.rng.random_range(0..options) } else { 0 },
        };
        if self.rng.random_bool(lean) { options - 1 } else { self.rng.random_range(0..options) }
    }
}

/// Everything survives, but one block is at an older version. By chance alone this is rare, and it is what checksums of records must catch.
#[derive(Clone, Debug, Default)]
pub struct Lagging {
    /// Versions of each block, in the order asked for.
    blocks: Vec<usize>,
    /// Which block lags, and at which version; none in the state that only counts.
    lag: Option<(usize, usize)>,
}

impl Lagging {
    /// All such states, after one state was made without a lag.
    pub fn all(self) -> Vec<Lagging> {
        let of_block = |(block, options): (usize, &usize)| (0..options - 1).map(move |version| (block, version));
        let lags: Vec<(usize, usize)> = self.blocks.iter().enumerate().flat_map(of_block).collect();
        lags.into_iter().map(|lag| Lagging { blocks: Vec::new(), lag: Some(lag) }).collect()
    }
}

impl Choose for Lagging {
    fn choose(&mut self, what: Choice, options: usize) -> usize {
        match what {
            Choice::Names | Choice::Size => options - 1,
            Choice::Tear => 0,
            Choice::Block => {
                self.blocks.push(options);
                let lag = self.lag.filter(|(block, _)| block + 1 == self.blocks.len());
                lag.map_or(options - 1, |(_, version)| version.min(options - 1))
            }
        }
    }
}

/// Goes through all choices, one state after the other.
#[derive(Clone, Debug, Default)]
pub struct Odometer {
    digits: Vec<(usize, usize)>,
    at: usize,
}

impl Odometer {
    /// At least so many states there are, as the choices of the last one tell: each other option of each choice is at least one more.
    pub fn least_states(&self) -> usize {
        1 + self.digits.iter().map(|(_, options)| options - 1).sum::<usize>()
    }

    /// Turns to the next state; `false` when all were seen.
    pub fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((digit, options)) = self.digits.pop() {
            if digit + 1 < options {
                self.digits.push((digit + 1, options));
                return true;
            }
        }
        false
    }
}

impl Choose for Odometer {
    fn choose(&mut self, _: Choice, options: usize) -> usize {
        if self.at == self.digits.len() {
            self.digits.push((0, options));
        }
        let digit = self.digits.get(self.at).map_or(0, |(digit, _)| *digit);
        self.at += 1;
        digit
    }
}
