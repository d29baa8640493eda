//! The value of a setting against its row's kind, and its canonical text.

use model::units::{parse_bytes, parse_duration};

use crate::words;

/// Checks `text` against a kind of [`model::SettingRow`] and makes it canonical: durations in ns, sizes in bytes.
///
/// # Errors
/// What is wrong and what was expected.
pub(crate) fn canonical(kind: &str, default: &str, text: &str) -> Result<String, String> {
    let (name, rest) = kind.split_once(' ').unwrap_or((kind, ""));
    if name == "choice" {
        return choice(rest, text);
    }
    let (name, may_be_none) = match name.strip_suffix("|none").or_else(|| rest.ends_with("|none").then_some(name)) {
        Some(name) => (name, true),
        None => (name, default == "none" || name == "duration"),
    };
    if may_be_none && text == "none" {
        return Ok(text.to_owned());
    }
    match name {
        "duration" => parse_duration(text).map(|ns| ns.to_string()),
        "bytes" => parse_bytes(text).map(|bytes| bytes.to_string()),
        "integer" => integer(rest.trim_end_matches("|none"), text),
        "bool" => match text {
            "true" | "false" => Ok(text.to_owned()),
            _ => Err(format!("'{text}' is not a boolean (expected true or false)")),
        },
        _ if text.trim().is_empty() => Err("the text is empty (expected a value)".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

fn choice(words: &str, text: &str) -> Result<String, String> {
    let words: Vec<&str> = words.split('|').map(str::trim).collect();
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("unknown choice '{text}' {}", words::expected(text, &words)))
}

fn integer(range: &str, text: &str) -> Result<String, String> {
    let (low, high) = range
        .split_once("..=")
        .map_or((i64::MIN, i64::MAX), |(a, b)| (a.trim().parse().unwrap_or(i64::MIN), b.trim().parse().unwrap_or(i64::MAX)));
    let expected = match (low, high) {
        (i64::MIN, i64::MAX) => "expected an integer".to_owned(),
        _ => format!("expected an integer from {low} to {high}"),
    };
    match text.trim().parse::<i64>() {
        Ok(n) if (low..=high).contains(&n) => Ok(n.to_string()),
        Ok(_) => Err(format!("{text} is out of range ({expected})")),
        Err(_) => Err(format!("'{text}' is not an integer ({expected})")),
    }
}
