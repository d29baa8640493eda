use std::collections::BTreeSet;

use super::*;

const PAGE: &str = include_str!("../../../../../docs/MONITORING.md");

/// What the page says of a metric.
fn line(row: &MetricRow) -> String {
    let total = if row.kind == MetricKind::Counter { "_total" } else { "" };
    let labels: Vec<String> = row.labels.iter().map(|label| format!("`{label}`")).collect();
    format!(
        "| `{}{total}` | {} | {} | {} |",
        row.name(),
        format!("{:?}", row.kind).to_lowercase(),
        if labels.is_empty() { "-".to_owned() } else { labels.join(", ") },
        row.help
    )
}

#[test]
fn the_page_lists_every_metric_and_no_other() {
    let lines: Vec<String> = METRICS.iter().map(line).collect();
    let missing: Vec<&String> = lines.iter().filter(|line| !PAGE.contains(*line)).collect();
    assert!(missing.is_empty(), "docs/MONITORING.md lacks:\n{}", missing.iter().map(|l| format!("{l}\n")).collect::<String>());
    let extra = |l: &&str| (l.starts_with("| `poolbench_") || l.starts_with("| `process_")) && !lines.iter().any(|line| line == l);
    assert_eq!(PAGE.lines().find(extra), None, "no such metric");
}

#[test]
fn names_and_helps_are_as_they_should_be() {
    let mut seen = BTreeSet::new();
    for row in METRICS {
        assert!(seen.insert(row.name()), "{} is there twice", row.name());
        assert!(row.stem.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", row.stem);
        assert!(!row.stem.ends_with("_total"), "{}: the encoder adds it", row.stem);
        assert!(row.help.ends_with('.') && row.help.len() > 15, "{}: {}", row.stem, row.help);
        assert!(!row.help.contains(['\n', '|', '"', '\\']), "{}", row.help);
        assert_eq!(row.kind == MetricKind::Histogram, row.stem == "poolbench_request" || row.stem == "poolbench_phase");
    }
}
