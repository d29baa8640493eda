//! One alert rule, read from a table of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pool::SettingRow;
use pool::clock::Nanos;

use super::webhook::Url;
use crate::config::ConfigError;
use crate::monitor::values::{Part, VALUES, ValueRow, ValueUnit};

/// Longest name of a rule, bytes: it is a label of a metric.
const NAME_MAX: usize = 64;

/// The fields of an alert beside its name.
pub const FIELDS: &[SettingRow] = &[
    ("metric", "text", "", "The value watched: one of the names in docs/MONITORING.md, such as shed-share or queue-depth.hot."),
    ("compare", "choice >|>=|<|<=", ">", "How the value must compare with the threshold for the rule to be broken."),
    ("threshold", "text", "", "A number in the value's unit; 5% for shares, 250ms for times and 64MiB for bytes are understood."),
    ("clear", "text", "none", "The threshold at which a firing alert recovers; none for the same. On the good side of `threshold`."),
    ("for", "duration", "0s", "How long the rule must be broken without a break before the alert fires."),
    ("severity", "choice info|warning|critical", "warning", "Passed on to the hooks."),
    ("exec", "text", "none", "A program and its arguments, which gets the alert as JSON on stdin; no shell is involved."),
    ("webhook", "text", "none", "An http:// URL that the alert is POSTed to as JSON."),
    ("rate-limit", "duration", "0s", "Shortest time between two deliveries of this rule; what came and went between is left out in pairs."),
    ("timeout", "duration", "10s", "Time that a hook may take before it is ended and counts as failed."),
    ("retries", "integer 0..=100", "4", "How often a failed delivery is tried again."),
    ("backoff", "duration", "1s", "Time before the first retry; doubles with each, up to 60s."),
];

/// How a value is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// Every comparison as it is written.
const COMPARISONS: [(&str, Compare); 4] = [(">", Compare::Above), (">=", Compare::AtLeast), ("<", Compare::Below), ("<=", Compare::AtMost)];

impl Compare {
    /// Whether `value` breaks a rule with this threshold.
    pub fn breaks(self, value: f64, threshold: f64) -> bool {
        match self {
            Compare::Above => value > threshold,
            Compare::AtLeast => value >= threshold,
            Compare::Below => value < threshold,
            Compare::AtMost => value <= threshold,
        }
    }

    /// As it is written.
    pub fn sign(self) -> &'static str {
        COMPARISONS[self as usize].0
    }
}

/// What is done when an alert fires or recovers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// A program with arguments.
    Exec(PathBuf, Vec<String>),
    /// A POST.
    Webhook(Url),
}

/// When an alert fires, when it recovers, and who is told.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The value watched, as it was named.
    pub metric: String,
    /// Its row.
    pub(crate) row: &'static ValueRow,
    /// The part of the pool it is about.
    pub part: Part,
    /// How it is compared.
    pub compare: Compare,
    /// What breaks the rule.
    pub threshold: f64,
    /// What a firing alert must no longer break to recover.
    pub clear: f64,
    /// How long it must be broken to fire.
    pub for_ns: Nanos,
    /// Passed on.
    pub severity: String,
    /// Who is told.
    pub hooks: Vec<Hook>,
    /// Shortest time between two deliveries.
    pub rate_limit_ns: Nanos,
    /// Time a hook may take.
    pub timeout_ns: Nanos,
    /// Further tries.
    pub retries: u32,
    /// Time before the first of them.
    pub backoff_ns: Nanos,
}

impl Rule {
    /// Reads a rule from canonical texts (durations in ns); what is missing has the default of [`FIELDS`].
    ///
    /// # Errors
    /// The field at fault and what was expected.
    pub fn parse(name: &str, fields: &BTreeMap<String, String>) -> Result<Rule, ConfigError> {
        let read = Reader(fields);
        let printable = |c: char| !c.is_control();
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(printable) {
            return bad("name", format!("'{}' is no name (expected 1 to {NAME_MAX} printable bytes)", name.escape_debug()));
        }
        read.refuse_unknown()?;
        let metric = read.text("metric")?;
        let (row, part) = find_value(&metric)?;
        let compare = read.compare()?;
        let threshold = read.value("threshold", row.unit)?.map_or_else(|| bad("threshold", "is missing (expected a number)"), Ok)?;
        let clear = read.value("clear", row.unit)?.unwrap_or(threshold);
        if clear != threshold && compare.breaks(clear, threshold) {
            let why = format!("{clear} breaks the rule itself ({metric} {} {threshold}); choose a value on the other side", compare.sign());
            return bad("clear", why);
        }
        Ok(Rule {
            name: name.to_owned(),
            row,
            part,
            compare,
            threshold,
            clear,
            metric,
            for_ns: read.number("for")?,
            severity: read.severity()?,
            hooks: read.hooks()?,
            rate_limit_ns: read.number("rate-limit")?,
            timeout_ns: read.number("timeout")?.clamp(1_000_000, 600_000_000_000),
            retries: u32::try_from(read.number("retries")?.min(100)).unwrap_or(100),
            backoff_ns: read.number("backoff")?,
        })
    }

    /// `shed-share > 0.05`.
    pub fn condition(&self) -> String {
        format!("{} {} {}", self.metric, self.compare.sign(), self.threshold)
    }
}

fn bad<T>(key: &str, why: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError { key: key.to_owned(), why: why.into() })
}

/// The value of this name.
fn find_value(name: &str) -> Result<(&'static ValueRow, Part), ConfigError> {
    if name.is_empty() {
        return bad("metric", "is missing (expected the name of a value, such as shed-share)");
    }
    let mut names: Vec<(String, &'static ValueRow, Part)> = Vec::new();
    for row in VALUES {
        names.push((row.name.to_owned(), row, Part::All));
        names.extend(row.parts().into_iter().map(|(name, part)| (name, row, part)));
    }
    if let Some((_, row, part)) = names.iter().find(|(n, _, _)| n == name) {
        return Ok((row, *part));
    }
    let nearest = names.iter().max_by(|a, b| strsim::jaro(&a.0, name).total_cmp(&strsim::jaro(&b.0, name))).map_or("", |n| &n.0);
    bad("metric", format!("unknown value '{name}' (did you mean '{nearest}'?)"))
}

struct Reader<'a>(&'a BTreeMap<String, String>);

impl Reader<'_> {
    fn refuse_unknown(&self) -> Result<(), ConfigError> {
        let Some(key) = self.0.keys().find(|k| !FIELDS.iter().any(|f| f.0 == *k)) else { return Ok(()) };
        let nearest = FIELDS.iter().map(|f| f.0).max_by(|a, b| strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)));
        bad(key, format!("unknown field of an alert (did you mean '{}'?)", nearest.unwrap_or_default()))
    }

    fn text(&self, key: &str) -> Result<String, ConfigError> {
        match self.0.get(key) {
            Some(text) => Ok(text.trim().to_owned()),
            None => Ok(FIELDS.iter().find(|f| f.0 == key).map_or("", |f| f.2).to_owned()),
        }
    }

    /// A canonical number; the defaults of durations are read in seconds.
    fn number(&self, key: &str) -> Result<u64, ConfigError> {
        let text = self.text(key)?;
        let read = match self.0.contains_key(key) {
            true => text.parse().ok(),
            false => text.strip_suffix('s').map_or_else(|| text.parse().ok(), |s| s.parse::<u64>().ok().map(|s| s * 1_000_000_000)),
        };
        read.map_or_else(|| bad(key, format!("'{text}' is not a whole number (durations in ns)")), Ok)
    }

    fn compare(&self) -> Result<Compare, ConfigError> {
        let text = self.text("compare")?;
        match COMPARISONS.iter().find(|(sign, _)| *sign == text) {
            Some((_, compare)) => Ok(*compare),
            None => bad("compare", format!("'{text}' is no comparison (expected >, >=, < or <=)")),
        }
    }

    fn severity(&self) -> Result<String, ConfigError> {
        let text = self.text("severity")?;
        let known = ["info", "warning", "critical"];
        if known.contains(&text.as_str()) {
            Ok(text)
        } else {
            bad("severity", format!("unknown '{text}' (expected one of {})", known.join(", ")))
        }
    }

    /// A number in the value's unit, however it was typed.
    fn value(&self, key: &str, unit: ValueUnit) -> Result<Option<f64>, ConfigError> {
        let text = self.text(key)?;
        if text.is_empty() || text == "none" {
            return Ok(None);
        }
        let units: &[(&str, f64)] = match unit {
            ValueUnit::Number => &[],
            ValueUnit::Share => &[("%", 0.01)],
            ValueUnit::Seconds => &[("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)],
            ValueUnit::Bytes => &[("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0), ("B", 1.0)],
        };
        let (digits, factor) =
            units.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor))).unwrap_or((text.as_str(), 1.0));
        match digits.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number * factor)),
            _ => {
                let also: String = units.iter().map(|(suffix, _)| format!(", or one with {suffix}")).collect();
                bad(key, format!("'{text}' is no number in the unit of the value (expected a number{also})"))
            }
        }
    }

    fn hooks(&self) -> Result<Vec<Hook>, ConfigError> {
        let mut hooks = Vec::new();
        let exec = self.text("exec")?;
        if exec != "none" {
            let words = if exec.starts_with('[') {
                serde_json::from_str::<Vec<String>>(&exec)
                    .map_err(|e| ConfigError { key: "exec".to_owned(), why: format!("'{exec}' is no array of texts: {e}") })?
            } else {
                exec.split_whitespace().map(str::to_owned).collect()
            };
            match words.split_first() {
                Some((program, args)) if !program.is_empty() => hooks.push(Hook::Exec(PathBuf::from(program), args.to_vec())),
                _ => return bad("exec", "names no program (expected a program and its arguments)"),
            }
        }
        let url = self.text("webhook")?;
        if url != "none" {
            hooks.push(Hook::Webhook(Url::parse(&url).map_err(|why| ConfigError { key: "webhook".to_owned(), why })?));
        }
        Ok(hooks)
    }
}

#[cfg(test)]
mod tests;
