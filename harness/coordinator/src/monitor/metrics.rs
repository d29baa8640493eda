//! The table of metrics, and their OpenMetrics text.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::counters::{BUCKETS, Histogram, bound_ns};
use super::scrape::Scrape;

mod table;

pub use table::METRICS;

/// What sort of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows; its samples end in `_total`.
    Counter,
    /// A value of this moment.
    Gauge,
    /// Counts by upper bound, in seconds.
    Histogram,
}

/// The unit, which is the end of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// None: a count.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// One metric.
pub struct MetricRow {
    stem: &'static str,
    /// Its sort.
    pub kind: MetricKind,
    /// Its unit.
    pub unit: MetricUnit,
    /// Its labels, in order.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
    read: fn(&Scrape, &mut Series<'_>),
}

impl MetricRow {
    /// The name of the family, the unit included; a counter's samples have `_total` behind it.
    pub fn name(&self) -> String {
        match self.unit {
            MetricUnit::None => self.stem.to_owned(),
            MetricUnit::Seconds => format!("{}_seconds", self.stem),
            MetricUnit::Bytes => format!("{}_bytes", self.stem),
        }
    }

    fn encode(&self, scrape: &Scrape, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let unit = match self.unit {
            MetricUnit::None => None,
            MetricUnit::Seconds => Some(Unit::Seconds),
            MetricUnit::Bytes => Some(Unit::Bytes),
        };
        let sort = match self.kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
            MetricKind::Histogram => MetricType::Histogram,
        };
        let metric = encoder.encode_descriptor(self.stem, self.help, unit.as_ref(), sort)?;
        let mut series = Series { metric, row: self, result: Ok(()) };
        (self.read)(scrape, &mut series);
        series.result
    }
}

/// Where a row puts its samples. The first error stays; there are none but of memory.
struct Series<'a> {
    metric: MetricEncoder<'a>,
    row: &'a MetricRow,
    result: fmt::Result,
}

impl Series<'_> {
    /// One sample with these label values, in the order of the row's labels.
    fn put(&mut self, values: &[&str], value: f64) {
        let (kind, labels) = (self.row.kind, self.labels(values));
        let result = match labels.as_slice() {
            [] => one(kind, &mut self.metric, value),
            _ => self.metric.encode_family(&labels).and_then(|mut metric| one(kind, &mut metric, value)),
        };
        self.result = self.result.and(result);
    }

    fn labels<'a>(&self, values: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        self.row.labels.iter().copied().zip(values.iter().copied()).collect()
    }

    fn put_times(&mut self, values: &[&str], times: &Histogram) {
        let counts = times.buckets();
        let count = counts.iter().sum();
        // A phase that never happened has no row, as in reports.
        if count == 0 {
            return;
        }
        let labels = self.labels(values);
        let buckets: [(f64, u64); BUCKETS] = std::array::from_fn(|i| (bound_ns(i).map_or(f64::INFINITY, |ns| ns as f64 / 1e9), counts[i]));
        let result = self
            .metric
            .encode_family(&labels)
            .and_then(|mut metric| metric.encode_histogram::<NoLabelSet>(times.sum_s(), count, &buckets, None));
        self.result = self.result.and(result);
    }
}

fn one(kind: MetricKind, metric: &mut MetricEncoder<'_>, value: f64) -> fmt::Result {
    match kind {
        MetricKind::Counter if value.fract() == 0.0 => metric.encode_counter::<NoLabelSet, u64, f64>(&(value as u64), None),
        MetricKind::Counter => metric.encode_counter::<NoLabelSet, f64, f64>(&value, None),
        MetricKind::Gauge | MetricKind::Histogram => metric.encode_gauge(&value),
    }
}

/// A scrape as something that `prometheus-client` encodes.
#[derive(Debug)]
struct Family(Scrape);

impl Collector for Family {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        METRICS.iter().try_for_each(|row| row.encode(&self.0, &mut encoder))
    }
}

/// All metrics as OpenMetrics text.
pub(crate) fn text(scrape: Scrape) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Family(scrape)));
    let mut text = String::with_capacity(64 << 10);
    // Writing into a string cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

#[cfg(test)]
mod tests;
