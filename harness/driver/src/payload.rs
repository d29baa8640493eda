//! Payloads, made from a seed before the load begins.

mod real;

use bytes::Bytes;
use rand::{Rng, RngExt};

/// A shape of payload: its row in [`SHAPES`].
pub struct Shape {
    /// Name in scenario files.
    pub name: &'static str,
    /// What it looks like.
    pub doc: &'static str,
    make: fn(&mut dyn FnMut(u32) -> u32, usize) -> String,
    /// Why there is none of that many bytes, if so.
    lacks: fn(usize) -> Option<String>,
    /// Whether it is fetched rather than made, and ends where its file does.
    fetched: bool,
}

/// A corpus that `scripts/corpora` fetches.
macro_rules! fetched {
    ($name:literal, $doc:literal) => {
        Shape {
            name: concat!("corpus-", $name),
            doc: $doc,
            make: |_, bytes| real::corpus($name, bytes),
            lacks: |_| real::corpus_lacks($name),
            fetched: true,
        }
    };
}

/// All shapes. Every one is UTF-8 text of just the size asked for; of those that are fetched, and longer than their file, the whole file.
pub const SHAPES: &[Shape] = &[
    drawn("agent-session", "JSON of a conversation with tool calls, prose and code", agent_session),
    drawn("json-records", "a JSON array of small, regular records", json_records),
    drawn("prose", "English-like text of a few hundred words", prose),
    drawn("random", "base64-like text of random bits: compresses to about three quarters, no further", random),
    Shape {
        name: "mdn-compat",
        doc: "real JSON: a list of features from MDN's browser-compat-data (CC0, carried along), up to 1 MiB",
        make: real::mdn_compat,
        lacks: real::sample_lacks,
        fetched: false,
    },
    fetched!("mdn", "real JSON: all of MDN's browser-compat-data, 21 MB"),
    fetched!("twitter", "real JSON: a search of tweets, 0.6 MB"),
    fetched!("citm", "real JSON: a catalogue of concerts, 1.7 MB"),
    fetched!("canada", "real JSON: coordinates, nearly all numbers, 2.3 MB"),
    fetched!("github-events", "real JSON: events of a forge, 65 KB"),
    fetched!("gsoc-2018", "real JSON: records of 2.5 KiB, 3.3 MB"),
    fetched!("update-center", "real JSON: a catalogue of plugins, 0.5 MB"),
];

const fn drawn(name: &'static str, doc: &'static str, make: fn(&mut dyn FnMut(u32) -> u32, usize) -> String) -> Shape {
    Shape { name, doc, make, lacks: |_| None, fetched: false }
}

/// Before the path of a file that is the payload. No scenario can name it: where a file lies is no part of a load that others can repeat.
pub const GIVEN: &str = "file:";
/// Largest file that is taken as a payload, bytes: a session keeps several of them.
pub const GIVEN_MAX: u64 = 1 << 20;

/// The size of a file that is to be a payload, bytes.
///
/// # Errors
/// Why it is none: it cannot be read, is empty or larger than [`GIVEN_MAX`], or is no UTF-8.
pub fn given_bytes(path: &str) -> Result<u64, String> {
    real::given(path).map(|text| text.len() as u64)
}

/// Whether there is such a shape.
pub(crate) fn known(shape: &str) -> bool {
    shape.starts_with(GIVEN) || SHAPES.iter().any(|s| s.name == shape)
}

/// Why there is no payload of that shape and size, if so, and what to do; `None` for an unknown shape.
pub(crate) fn lacks(shape: &str, bytes: usize) -> Option<(String, Option<&'static str>)> {
    if let Some(path) = shape.strip_prefix(GIVEN) {
        return real::given(path).err().map(|why| (why, Some("give a text file in UTF-8 of 1 byte to 1 MiB")));
    }
    let shape = SHAPES.iter().find(|s| s.name == shape)?;
    let remedy = shape.fetched.then_some("scripts/corpora fetches the corpora; run from the root of the repository");
    (shape.lacks)(bytes).map(|why| (why, remedy))
}

/// Distinct payloads made per kind of request: enough that no cache serves one alone, few enough to build quickly.
pub(crate) const VARIANTS: usize = 32;

/// Makes one payload of `shape` with exactly `bytes` bytes, or of a file that is given the whole; `None` for an unknown shape.
pub fn make(shape: &str, bytes: usize, rng: &mut impl Rng) -> Option<Bytes> {
    if let Some(path) = shape.strip_prefix(GIVEN) {
        return real::given(path).ok().map(Bytes::from);
    }
    let shape = SHAPES.iter().find(|s| s.name == shape)?;
    let mut pick = |n: u32| rng.random_range(0..n);
    let mut text = (shape.make)(&mut pick, bytes);
    // All that are made are ASCII, so that any length is a whole text; those that are fetched were cut already.
    text.truncate(bytes);
    Some(Bytes::from(text))
}

/// The first payload that a contender of that shape and size is given in a run of that seed.
///
/// # Errors
/// What is wrong, and what to do: a shape that does not exist, or one whose corpus is not here.
pub fn first(shape: &str, bytes: usize, seed: u64) -> Result<Bytes, (String, &'static str)> {
    if let Some((why, remedy)) = lacks(shape, bytes) {
        return Err((why, remedy.unwrap_or("choose a size that the shape has")));
    }
    let names = || SHAPES.iter().map(|s| s.name).collect::<Vec<_>>().join(", ");
    let made = make(shape, bytes, &mut crate::schedule::stream(seed, "payload"));
    made.ok_or_else(|| (format!("no payload of shape '{shape}' (expected one of {})", names()), "docs/SCENARIOS.md lists the shapes"))
}

type Pick<'a> = &'a mut dyn FnMut(u32) -> u32;

const WORDS: &[&str] = &[
    "the",
    "a",
    "of",
    "to",
    "and",
    "in",
    "is",
    "it",
    "for",
    "that",
    "with",
    "as",
    "on",
    "this",
    "be",
    "are",
    "from",
    "by",
    "at",
    "which",
    "request",
    "worker",
    "session",
    "result",
    "value",
    "error",
    "file",
    "line",
    "function",
    "return",
    "should",
    "when",
    "before",
    "after",
    "because",
    "queue",
    "latency",
    "measure",
    "first",
    "second",
    "every",
    "between",
    "different",
    "number",
    "client",
    "server",
    "message",
    "content",
    "change",
    "update",
    "index",
    "search",
    "found",
    "missing",
    "expected",
    "example",
    "however",
    "therefore",
    "summary",
    "document",
    "section",
    "table",
    "quickly",
    "slowly",
    "always",
    "never",
    "perhaps",
    "configuration",
    "implementation",
    "performance",
    "compression",
    "transaction",
    "directory",
    "permission",
    "environment",
    "dependency",
    "repository",
    "asynchronous",
    "deterministic",
    "percentile",
    "throughput",
    "calibration",
    "interval",
    "observation",
    "hypothesis",
    "experiment",
    "conclusion",
];
const NAMES: &[&str] = &["user", "path", "size", "count", "index", "buffer", "entry", "key", "state", "token", "offset", "limit"];

/// A word by a law that favours the early ones, as language does.
fn word(pick: Pick) -> &'static str {
    let n = WORDS.len() as u32;
    let (a, b) = (pick(n), pick(n));
    WORDS[a.min(b) as usize]
}

fn sentence(out: &mut String, pick: Pick) {
    let first = out.len();
    for i in 0..6 + pick(12) {
        if i > 0 {
            out.push_str(if pick(9) == 0 { ", " } else { " " });
        }
        out.push_str(word(pick));
    }
    if let Some(head) = out.get_mut(first..=first) {
        head.make_ascii_uppercase();
    }
    out.push_str(". ");
}

fn prose(pick: Pick, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 200);
    while out.len() < bytes {
        sentence(&mut out, pick);
    }
    out
}

fn code(out: &mut String, pick: Pick) {
    let name = |pick: Pick| NAMES[pick(NAMES.len() as u32) as usize];
    let (a, b) = (name(pick), name(pick));
    out.push_str(&format!("fn {a}_{b}({a}: &str, {b}: usize) -> Option<usize> {{\\n    let {b} = {b} + {};\\n", pick(1000)));
    for _ in 0..1 + pick(4) {
        out.push_str(&format!("    if {a}.len() > {} {{ return None; }}\\n", pick(500)));
    }
    out.push_str(&format!("    Some({b})\\n}}\\n"));
}

fn agent_session(pick: Pick, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 2000);
    out.push_str("{\"messages\":[");
    let mut turn = 0;
    while out.len() < bytes {
        out.push_str(&format!("{{\"id\":\"msg_{:08x}\",\"role\":\"user\",\"turn\":{turn},\"text\":\"", pick(u32::MAX)));
        sentence(&mut out, pick);
        out.push_str(&format!(
            "\"}},{{\"role\":\"assistant\",\"tool\":\"{}\",\"arguments\":{{\"path\":\"src/{}.rs\",\"line\":{}}}}},",
            word(pick),
            word(pick),
            pick(4000)
        ));
        out.push_str("{\"role\":\"tool\",\"content\":\"");
        if pick(2) == 0 {
            code(&mut out, pick);
        } else {
            (0..1 + pick(4)).for_each(|_| sentence(&mut out, pick));
        }
        out.push_str("\"},");
        turn += 1;
    }
    out
}

fn json_records(pick: Pick, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 200);
    out.push('[');
    let mut id = pick(100_000);
    while out.len() < bytes {
        id += 1 + pick(9);
        out.push_str(&format!(
            "{{\"id\":{id},\"name\":\"{} {}\",\"active\":{},\"score\":{}.{:02},\"tags\":[\"{}\",\"{}\"]}},",
            word(pick),
            word(pick),
            pick(4) != 0,
            pick(100),
            pick(100),
            word(pick),
            word(pick)
        ));
    }
    out
}

fn random(pick: Pick, bytes: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    (0..bytes).map(|_| char::from(ALPHABET[pick(64) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn every_shape_has_just_the_size_and_the_seed_decides_it() {
        for shape in SHAPES.iter().filter(|s| !s.fetched) {
            for bytes in [0, 1, 100, 4096, 70_000] {
                let one = |seed| make(shape.name, bytes, &mut Pcg64Mcg::seed_from_u64(seed)).unwrap();
                assert_eq!(one(1).len(), bytes, "{}", shape.name);
                assert_eq!(one(1), one(1));
                assert!(bytes < 100 || one(1) != one(2));
                assert!(one(1).is_ascii());
            }
        }
        let given = concat!("file:", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        assert_eq!(make(given, 1, &mut Pcg64Mcg::seed_from_u64(1)).unwrap(), whole);
        assert!(lacks(given, 1).is_none() && lacks("file:/no-such", 1).unwrap().0.contains("/no-such"));
        assert!(make("no-such", 1, &mut Pcg64Mcg::seed_from_u64(1)).is_none());
    }

    #[test]
    fn the_first_payload_is_the_one_that_a_contender_is_given() {
        let drawn = make("agent-session", 4096, &mut crate::schedule::stream(42, "payload"));
        assert_eq!(first("agent-session", 4096, 42).ok(), drawn);
        assert_ne!(first("agent-session", 4096, 43).ok(), drawn);
        let (why, _) = first("agent-sesion", 1, 1).unwrap_err();
        assert!(why.starts_with("no payload of shape 'agent-sesion' (expected one of agent-session, "), "{why}");
    }
}
