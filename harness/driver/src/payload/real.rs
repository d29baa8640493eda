//! Payloads that nobody of this project wrote: a sample that is carried along, and corpora that a script fetches.

use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use store::compress::{Codec, decode};

use super::Pick;

/// MDN's browser-compat-data, CC0; see the README beside it.
const SAMPLE: &[u8] = include_bytes!("../../data/mdn-compat.json.zst");
/// Most bytes of the sample.
const SAMPLE_MAX: usize = 4 << 20;
/// What every entry of the sample begins with, and what follows its name; objects within an entry have names too.
const ENTRY: [&str; 2] = ["{\"name\":\"", "\",\"compat\":"];
/// Where `scripts/corpora` puts what it fetches, from where the program is started.
const HOME: &str = "target/corpora";
/// Largest corpus that is read, bytes.
const CORPUS_MAX: u64 = 64 << 20;

/// The sample as text, and where its entries begin.
fn sample() -> &'static (String, Vec<usize>) {
    static SAMPLED: OnceLock<(String, Vec<usize>)> = OnceLock::new();
    SAMPLED.get_or_init(|| {
        // It is part of the program, and a test reads it.
        let text = decode(Codec::Zstd, SAMPLE, SAMPLE_MAX).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let [begin, behind] = ENTRY;
        let is_entry = |(at, _): &(usize, &str)| {
            let name = text.get(at + begin.len()..).unwrap_or_default();
            name.find('"').and_then(|end| name.get(end..)).is_some_and(|rest| rest.starts_with(behind))
        };
        let entries = text.match_indices(begin).filter(is_entry).map(|(at, _)| at).collect();
        (text, entries)
    })
}

/// Why the sample has no document of so many bytes.
pub(super) fn sample_lacks(bytes: usize) -> Option<String> {
    let has = sample().0.len();
    (bytes > has)
        .then(|| format!("the sample has {has} bytes, and repeating it would flatter compression (expected a size of 1MiB at most)"))
}

/// A list of entries that follow each other in the sample, of just so many bytes: its end is cut off.
pub(super) fn mdn_compat(pick: Pick<'_>, bytes: usize) -> String {
    let (text, entries) = sample();
    let room = entries.iter().filter(|at| **at + bytes <= text.len() + 1).count();
    let from = if room == 0 { 0 } else { entries.get(pick(room as u32) as usize).copied().unwrap_or(0) };
    let mut out = String::with_capacity(bytes + 1);
    out.push('[');
    out.push_str(text.get(from..(from + bytes).min(text.len())).unwrap_or_default());
    out
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(HOME).join(format!("{name}.json"))
}

/// Why the corpus cannot be used.
pub(super) fn corpus_lacks(name: &str) -> Option<String> {
    match std::fs::metadata(path(name)) {
        Ok(found) if found.len() <= CORPUS_MAX => None,
        Ok(found) => Some(format!("{} has {} bytes (expected at most {CORPUS_MAX})", path(name).display(), found.len())),
        Err(why) => Some(format!("{} cannot be read: {why}", path(name).display())),
    }
}

/// The corpus from its begin, at most so many bytes; empty where it is not there.
pub(super) fn corpus(name: &str, bytes: usize) -> String {
    let mut text = std::fs::read_to_string(path(name)).unwrap_or_default();
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// The text of a file that is given as a payload.
///
/// # Errors
/// Why it is none: it cannot be read, is empty or too large, or is no UTF-8.
pub(super) fn given(path: &str) -> Result<String, String> {
    let max = super::GIVEN_MAX;
    let mut bytes = Vec::new();
    // One byte more than is allowed tells a file that is too long, whatever its metadata say.
    let read = std::fs::File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes));
    match (read, bytes.len() as u64) {
        (Err(why), _) => Err(format!("'{path}' cannot be read: {why}")),
        (_, 0) => Err(format!("'{path}' is empty (expected 1 to {max} bytes)")),
        (_, long) if long > max => Err(format!("'{path}' has more than {max} bytes")),
        _ => String::from_utf8(bytes).map_err(|why| format!("'{path}' is no UTF-8 text: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_json_of_many_entries_and_ascii() {
        let (text, entries) = sample();
        assert!(entries.len() >= 1400 && text.is_ascii() && text.len() > 1 << 20);
        assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap().len(), entries.len());
        assert!(sample_lacks(1 << 20).is_none() && sample_lacks(16 << 20).is_some());
    }

    #[test]
    fn documents_begin_with_an_entry_and_differ() {
        let at = |which: u32, bytes: usize| mdn_compat(&mut |most| which.min(most - 1), bytes);
        let (a, b) = (at(0, 5000), at(100, 5000));
        assert!(a.starts_with("[{\"name\":") && b.starts_with("[{\"name\":") && a != b);
        assert!(at(u32::MAX, 1 << 20).len() >= 1 << 20);
    }
}
