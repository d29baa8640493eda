//! Quantities as people write them: `5ms`, `64KiB`, `2k/s`, `60% of capacity`.

use serde::{Deserialize, Serialize};

const DURATIONS: [(&str, f64); 6] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
const SIZES: [(&str, f64); 4] = [("B", 1.0), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)];

/// Splits `12.5ms` into its number and its unit.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let number: f64 = text[..end].parse().ok()?;
    Some((number, text[end..].trim()))
}

fn scaled(text: &str, units: &[(&str, f64)], what: &str, example: &str) -> Result<u64, String> {
    let names: Vec<&str> = units.iter().map(|u| u.0).collect();
    let expected = || format!("'{text}' is not a {what} (expected a number and one of {}, such as {example})", names.join(", "));
    let (number, unit) = split(text).ok_or_else(expected)?;
    let (_, factor) = units.iter().find(|u| u.0 == unit).ok_or_else(expected)?;
    let value = number * factor;
    if !value.is_finite() || value > 9e18 {
        return Err(format!("'{text}' is too large for a {what}"));
    }
    Ok(value.round() as u64)
}

/// Parses `5ms`, `0.5s`, `2m` into nanoseconds.
///
/// # Errors
/// What was expected, when the text is not a number with a unit of time.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    scaled(text, &DURATIONS, "duration", "'500ms'")
}

/// Parses `100B`, `4KiB`, `1MiB` into bytes.
///
/// # Errors
/// What was expected, when the text is not a number with a unit of size.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    scaled(text, &SIZES, "size", "'64KiB'")
}

/// A rate: absolute, or a share of the measured capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rate {
    /// Requests per second.
    PerSecond(f64),
    /// Share of capacity, 1.0 is all of it.
    OfCapacity(f64),
}

impl Rate {
    /// Parses `800/s`, `2k/s`, `60% of capacity`.
    ///
    /// # Errors
    /// What was expected, when the text is neither, or is zero or negative.
    pub fn parse(text: &str) -> Result<Rate, String> {
        let bad = || format!("'{text}' is not a rate (expected such as '800/s', '2k/s' or '60% of capacity', above zero)");
        let t = text.trim();
        let rate = if let Some(share) = t.strip_suffix("of capacity") {
            let percent = share.trim().strip_suffix('%').ok_or_else(bad)?;
            Rate::OfCapacity(percent.trim().parse::<f64>().map_err(|_| bad())? / 100.0)
        } else {
            let n = t.strip_suffix("/s").ok_or_else(bad)?.trim();
            let (digits, factor) = match n.strip_suffix('k') {
                Some(d) => (d, 1e3),
                None => (n, 1.0),
            };
            Rate::PerSecond(digits.trim().parse::<f64>().map_err(|_| bad())? * factor)
        };
        let (Rate::PerSecond(v) | Rate::OfCapacity(v)) = rate;
        if v.is_finite() && v > 0.0 && v <= 1e7 { Ok(rate) } else { Err(bad()) }
    }
}

/// Parses a share such as `90%` or `0.9` into 0.0..=1.0 (above 1 for more than all).
///
/// # Errors
/// What was expected, when the text is neither.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let bad = || format!("'{text}' is not a share (expected such as '90%' or 0.9)");
    let t = text.trim();
    let value = match t.strip_suffix('%') {
        Some(p) => p.trim().parse::<f64>().map_err(|_| bad())? / 100.0,
        None => t.parse::<f64>().map_err(|_| bad())?,
    };
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(bad()) }
}

fn three_digits(value: f64, unit: &str) -> String {
    let digits = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

/// Nanoseconds with three significant digits: `1.23 ms`, `45.6 us`, `789 ns`.
pub fn show_ns(ns: f64) -> String {
    match ns {
        n if !n.is_finite() => "-".to_owned(),
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 999.5e3 => three_digits(n / 1e3, "us"),
        n if n < 999.5e6 => three_digits(n / 1e6, "ms"),
        n => three_digits(n / 1e9, "s"),
    }
}

/// Bytes with three significant digits: `1.50 KiB`, `16.0 MiB`.
pub fn show_bytes(bytes: f64) -> String {
    match bytes {
        b if !b.is_finite() => "-".to_owned(),
        b if b < 1024.0 => format!("{b:.0} B"),
        b if b < 1_048_576.0 => three_digits(b / 1024.0, "KiB"),
        b if b < 1_073_741_824.0 => three_digits(b / 1_048_576.0, "MiB"),
        b => three_digits(b / 1_073_741_824.0, "GiB"),
    }
}

/// A rate with three significant digits: `812/s`, `12.3k/s`.
pub fn show_rate(per_s: f64) -> String {
    match per_s {
        r if !r.is_finite() => "-".to_owned(),
        r if r < 9999.5 => three_digits(r, "").trim_end().to_owned() + "/s",
        r => three_digits(r / 1e3, "").trim_end().to_owned() + "k/s",
    }
}

#[cfg(test)]
mod tests;
