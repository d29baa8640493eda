//! English-like text from a seed. Its vocabulary is small, so it compresses better than what people write: compare codecs on it,
//! and take ratios from the scenarios.

const WORDS: &str = "the of to a and in it is that for was on with as be by at this from not are which one had or an but were \
    their when there more been who what its into than has some could other time then about out our two these may first any like \
    tool session worker answer reply request message agent model context summary result error retry budget deadline queue tier \
    measured observed changed compared written loaded closed started finished waited failed recovered expected considered \
    quickly slowly partly entirely seldom often therefore meanwhile afterwards nevertheless directory repository function \
    argument parameter statement description explanation improvement assumption alternative consequence";

/// A linear congruential generator (Knuth's MMIX constants): the same text everywhere, with no dependency.
pub(crate) struct Lcg(u64);

impl Lcg {
    pub(crate) fn new(seed: u64) -> Self {
        Lcg(seed)
    }

    /// A number below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The high bits are the random ones.
        (((self.0 >> 32) * u64::from(bound)) >> 32) as u32
    }
}

/// Sentences, together at least `bytes` long.
pub(crate) fn prose(random: &mut Lcg, bytes: usize) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
    let mut out = String::with_capacity(bytes + 128);
    while out.len() < bytes {
        for _ in 0..6 + random.below(10) {
            // The smaller of two draws: early words are the frequent ones.
            let word = random.below(count).min(random.below(count));
            out.push_str(words[word as usize]);
            out.push(if random.below(12) == 0 { ',' } else { ' ' });
        }
        out.push_str("and so on.\n");
    }
    out
}
