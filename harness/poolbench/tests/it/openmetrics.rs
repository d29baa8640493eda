//! A strict reader of OpenMetrics text: what it takes, any scraper takes.

use std::collections::{BTreeMap, BTreeSet};

/// Samples by series, such as `a_total{b="c"}`, in one text.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) samples: BTreeMap<String, f64>,
    /// Kind of each family.
    pub(crate) kinds: BTreeMap<String, String>,
    /// Series that may only grow.
    pub(crate) growing: BTreeSet<String>,
}

impl Metrics {
    /// The one sample of this series.
    #[track_caller]
    pub(crate) fn get(&self, series: &str) -> f64 {
        *self.samples.get(series).unwrap_or_else(|| panic!("no {series} among {:?}", self.samples.keys()))
    }

    /// Sum over all series of this name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples.iter().filter(|(series, _)| series.split('{').next() == Some(name)).map(|(_, value)| value).sum()
    }
}

/// Reads a whole text.
///
/// # Errors
/// The first line that is not as the standard has it, and why.
pub(crate) fn parse(text: &str) -> Result<Metrics, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("the text does not end with '# EOF'")?;
    let mut reader = Reader::default();
    for line in body.split_inclusive('\n') {
        let whole = line.strip_suffix('\n').ok_or_else(|| format!("{line}: no newline"))?;
        reader.line(whole).map_err(|why| format!("{whole}: {why}"))?;
    }
    reader.end_family()?;
    Ok(reader.metrics)
}

#[derive(Default)]
struct Reader {
    metrics: Metrics,
    family: String,
    kind: String,
    /// Samples of this family have begun, so that its description is over.
    begun: bool,
    /// By series without `le`: bounds and counts of a histogram, its sum and count.
    histograms: BTreeMap<String, Histogram>,
}

#[derive(Default)]
struct Histogram {
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        match line.strip_prefix("# ") {
            Some(said) => {
                let mut words = said.splitn(3, ' ');
                let (what, name, rest) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
                self.describe(what, name, rest)
            }
            None if line.starts_with('#') || line.is_empty() => Err("neither a sample nor a description".to_owned()),
            None => self.sample(line),
        }
    }

    fn describe(&mut self, what: &str, name: &str, rest: &str) -> Result<(), String> {
        if name != self.family || self.begun {
            self.end_family()?;
            if !is_name(name) || self.metrics.kinds.contains_key(name) {
                return Err("a bad name, or a family that was there before".to_owned());
            }
            (self.family, self.begun) = (name.to_owned(), false);
            self.kind.clear();
        }
        match what {
            "HELP" if !rest.is_empty() => Ok(()),
            "TYPE" if ["counter", "gauge", "histogram"].contains(&rest) && self.kind.is_empty() => {
                self.kind = rest.to_owned();
                self.metrics.kinds.insert(name.to_owned(), rest.to_owned());
                Ok(())
            }
            "UNIT" if ["seconds", "bytes"].contains(&rest) && name.ends_with(&format!("_{rest}")) => Ok(()),
            _ => Err("not a description as it should be".to_owned()),
        }
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        self.begun = true;
        let (series, value) = line.rsplit_once(' ').ok_or("no value")?;
        let value: f64 = value.parse().map_err(|_| "the value is no number")?;
        let (name, labels) = match series.split_once('{') {
            Some((name, rest)) => (name, parse_labels(rest.strip_suffix('}').ok_or("no closing brace")?)?),
            None => (series, Vec::new()),
        };
        let suffix = name.strip_prefix(self.family.as_str()).ok_or("a sample of another family")?;
        let (le, others): (Vec<_>, Vec<_>) = labels.into_iter().partition(|(label, _)| label == "le");
        let allowed = match self.kind.as_str() {
            "counter" => suffix == "_total",
            "gauge" => suffix.is_empty(),
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            _ => false,
        };
        if !allowed || le.is_empty() == (suffix == "_bucket") {
            return Err(format!("a {} has no such sample", self.kind));
        }
        if !value.is_finite() || (self.kind != "gauge" && value < 0.0) {
            return Err("not a value that can be".to_owned());
        }
        if self.kind == "histogram" {
            let part = self.histograms.entry(format!("{others:?}")).or_default();
            match suffix {
                "_bucket" => part.buckets.push((bound(&le[0].1)?, value)),
                "_sum" => part.sum = Some(value),
                _ => part.count = Some(value),
            }
        }
        if self.kind != "gauge" {
            self.metrics.growing.insert(series.to_owned());
        }
        match self.metrics.samples.insert(series.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err("the series is there twice".to_owned()),
        }
    }

    fn end_family(&mut self) -> Result<(), String> {
        for (labels, histogram) in std::mem::take(&mut self.histograms) {
            let fails = |why: &str| Err(format!("{}{labels}: {why}", self.family));
            let buckets = &histogram.buckets;
            if !buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1) {
                return fails("bounds and counts do not grow");
            }
            if buckets.last().map(|(bound, count)| (*bound, Some(*count))) != Some((f64::INFINITY, histogram.count))
                || histogram.sum.is_none()
            {
                return fails("the last bucket is not all of it, or there is no sum");
            }
        }
        Ok(())
    }
}

fn bound(text: &str) -> Result<f64, String> {
    if text == "+Inf" { Ok(f64::INFINITY) } else { text.parse().map_err(|_| format!("'{text}' is no bound")) }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn parse_labels(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut labels: Vec<(String, String)> = Vec::new();
    for part in text.split("\",") {
        let (name, value) = part.split_once("=\"").ok_or("a label without a value")?;
        let value = value.strip_suffix('"').unwrap_or(value);
        if !is_name(name) || value.contains(['"', '\n']) || labels.iter().any(|(known, _)| known == name) {
            return Err(format!("a bad label: {part}"));
        }
        labels.push((name.to_owned(), value.to_owned()));
    }
    Ok(labels)
}

#[test]
fn what_is_right_is_read() {
    let text = "# HELP a Some.\n# TYPE a counter\na_total{b=\"c\",d=\"e f\"} 1\na_total{b=\"x\"} 2.5\n# HELP t_seconds T.\n# TYPE t_seconds histogram\n\
                # UNIT t_seconds seconds\nt_seconds_sum 3.0\nt_seconds_count 2\nt_seconds_bucket{le=\"0.1\"} 1\nt_seconds_bucket{le=\"+Inf\"} 2\n# EOF\n";
    let metrics = parse(text).unwrap();
    assert_eq!((metrics.get("a_total{b=\"x\"}"), metrics.sum("a_total"), metrics.kinds["t_seconds"].as_str()), (2.5, 3.5, "histogram"));
}

#[test]
fn what_is_wrong_is_found() {
    let counter = "# HELP a Some.\n# TYPE a counter\n";
    let times = "# HELP t Some.\n# TYPE t histogram\nt_sum 1.0\nt_count 2\n";
    for (text, said) in [
        (format!("{counter}a_total 1\n"), "# EOF"),
        (format!("{counter}a 1\n# EOF\n"), "no such sample"),
        (format!("{counter}b_total 1\n# EOF\n"), "another family"),
        (format!("{counter}a_total 1\na_total 1\n# EOF\n"), "twice"),
        (format!("{counter}a_total 1\n{counter}# EOF\n"), "there before"),
        (format!("{counter}a_total -1\n# EOF\n"), "value that can be"),
        (format!("{counter}a_total x\n# EOF\n"), "no number"),
        (format!("{counter}\n# EOF\n"), "neither a sample"),
        (format!("{counter}a_total{{b=\"1\",b=\"2\"}} 1\n# EOF\n"), "bad label"),
        (format!("{counter}# UNIT a seconds\n# EOF\n"), "description as it should be"),
        ("a_total 1\n# EOF\n".to_owned(), "no such sample"),
        (format!("{times}t_bucket{{le=\"1\"}} 2\nt_bucket{{le=\"+Inf\"}} 1\n# EOF\n"), "do not grow"),
        (format!("{times}t_bucket{{le=\"1\"}} 2\n# EOF\n"), "not all of it"),
    ] {
        let why = parse(&text).unwrap_err();
        assert!(why.contains(said), "{text}\nsaid {why}");
    }
}
