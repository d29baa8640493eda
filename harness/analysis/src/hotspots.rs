//! Folded stacks: where the samples are, and how to make their names short enough to read.
//!
//! A folded stack is `root;…;leaf count`, one per line. Lines that are not are left out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::stats::share;

/// A function and its part of all samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hotspot {
    /// Its name, as in the stacks.
    pub function: String,
    /// Samples in the function itself.
    pub self_samples: u64,
    /// Share of all samples, 0..=1.
    pub self_share: f64,
    /// Samples in it or in anything it called; recursion counts once.
    pub total_samples: u64,
    /// Share of all samples, 0..=1.
    pub total_share: f64,
}

/// What replaces the frames of the runtime below the application.
const RUNTIME: &str = "[runtime]";
/// Generic arguments up to this many characters are kept.
const SHORT: usize = 16;
/// Frames that only carry the application: paths, and whole names of the C library.
const SCAFFOLDING_PATHS: [&str; 5] = ["std::", "core::", "alloc::", "tokio::", "__libc_start"];
const SCAFFOLDING_NAMES: [&str; 7] = ["clone3", "__clone", "clone", "start_thread", "_start", "__rust_try", "main"];

/// Stacks and their counts.
fn stacks(folded: &str) -> impl Iterator<Item = (&str, u64)> {
    folded.lines().filter_map(|line| {
        let (stack, count) = line.trim_end().rsplit_once(' ')?;
        Some((stack, count.parse().ok()?)).filter(|(stack, _)| !stack.is_empty())
    })
}

/// The `top` functions by own samples, then by total, then by name.
pub fn hotspots(folded: &str, top: usize) -> Vec<Hotspot> {
    let mut by_function: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut all = 0u64;
    for (stack, count) in stacks(folded) {
        all = all.saturating_add(count);
        for frame in stack.split(';').collect::<BTreeSet<&str>>() {
            let total = &mut by_function.entry(frame).or_default().1;
            *total = total.saturating_add(count);
        }
        if let Some(leaf) = stack.rsplit(';').next() {
            let own = &mut by_function.entry(leaf).or_default().0;
            *own = own.saturating_add(count);
        }
    }
    let mut rows: Vec<(&str, u64, u64)> = by_function.into_iter().map(|(name, (own, total))| (name, own, total)).collect();
    rows.sort_by(|a, b| (b.1, b.2).cmp(&(a.1, a.2)).then_with(|| a.0.cmp(b.0)));
    let hotspot = |(function, own, total): (&str, u64, u64)| Hotspot {
        function: function.to_owned(),
        self_samples: own,
        self_share: share(own, all).unwrap_or(0.0),
        total_samples: total,
        total_share: share(total, all).unwrap_or(0.0),
    };
    rows.into_iter().take(top).map(hotspot).collect()
}

/// Shortens names and folds the runtime below the first frame of the application into one frame; equal stacks become one line, by name.
pub fn prune(folded: &str) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (stack, count) in stacks(folded) {
        let total = counts.entry(prune_stack(stack)).or_default();
        *total = total.saturating_add(count);
    }
    counts.into_iter().map(|(stack, count)| format!("{stack} {count}\n")).collect()
}

fn prune_stack(stack: &str) -> String {
    let frames: Vec<String> = stack.split(';').map(shorten).collect();
    let application = frames.iter().position(|f| !is_scaffolding(f));
    // A stack of the runtime alone keeps its leaf, or nobody could say what the runtime did.
    match application.unwrap_or(frames.len().saturating_sub(1)) {
        0 => frames.join(";"),
        first => [&[RUNTIME.to_owned()], frames.get(first..).unwrap_or_default()].concat().join(";"),
    }
}

fn is_scaffolding(frame: &str) -> bool {
    let path = frame.trim_start_matches(['<', '&']);
    SCAFFOLDING_NAMES.contains(&path) || SCAFFOLDING_PATHS.iter().any(|p| path.starts_with(p))
}

/// A name without its hash, its crate digests and its long generic arguments.
fn shorten(frame: &str) -> String {
    let name = without_hash(frame);
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        let Some(end) = closing(from) else { break };
        out.push_str(before);
        let (inner, after) = (from.get(1..end).unwrap_or_default(), from.get(end + 1..).unwrap_or_default());
        if out.is_empty() {
            out.push_str(&qualified(inner));
        } else if out.ends_with("::") {
            // The arguments of a call; an `impl` block's name comes the same way and stays.
            if inner.starts_with("impl ") {
                out.push_str(&format!("<{}>", shorten(inner)));
            } else {
                out.truncate(out.len() - 2);
            }
        } else {
            out.push_str(&arguments(inner));
        }
        rest = after;
    }
    out.push_str(rest);
    without_digests(&out)
}

/// `Type as path::Trait` of a qualified name, both shortened, the trait to its last word.
fn qualified(inner: &str) -> String {
    let (of, by) = inner.split_once(" as ").unwrap_or((inner, ""));
    // A split inside of nested brackets would cut a name in half.
    if by.is_empty() || closing(&format!("<{of}>")) != Some(of.len() + 1) {
        return format!("<{}>", shorten(inner));
    }
    let trait_path = shorten(by);
    let head = trait_path.split('<').next().unwrap_or_default();
    let word = head.rsplit("::").next().unwrap_or_default();
    format!("<{} as {word}>", shorten(of))
}

fn arguments(inner: &str) -> String {
    let short = shorten(inner);
    if short.chars().count() <= SHORT { format!("<{short}>") } else { "<…>".to_owned() }
}

/// The index of the bracket that closes the one at the begin; `->` closes nothing.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut before = ' ';
    for (index, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Without the `::h0123456789abcdef` of legacy mangling.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && is_hex(hash) => path,
        _ => name,
    }
}

/// Without the `[0123456789abcdef]` of v0 mangling.
fn without_digests(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, from)) = rest.split_once('[') {
        out.push_str(before);
        match from.split_once(']') {
            Some((inner, after)) if inner.len() >= 8 && is_hex(inner) => rest = after,
            _ => {
                out.push('[');
                rest = from;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
