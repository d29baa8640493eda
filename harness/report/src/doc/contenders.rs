//! Ways of doing a job: one table per combination of the other axes, their picture, and the traps among them.

use std::fmt::Write as _;

use analysis::summary::{ContenderRow, ContenderTable, Interval, ScenarioSummary};
use model::claim::AGAIN;
use model::units::show_ns;

use crate::doc::classes::within;
use crate::doc::scenario::image;
use crate::markdown::{Column, Notes, Table, code, details, escape};
use crate::show;

/// The tables with the sentence that says how to read them; `pictures` holds one path per table.
pub(crate) fn tables(scenario: &ScenarioSummary, pictures: &[Option<String>]) -> String {
    let Some(first) = scenario.contenders.first() else { return String::new() };
    let judged = if first.cpu_bound { "CPU time per operation" } else { "median wall time per operation" };
    let against = first.rows.first().map_or(String::new(), |row| code(&row.value));
    let mut out = format!(
        "### Ways of {}\n\nEach way does the same on the same documents, in batches on one thread; times are per operation, medians over rounds with their \
         95 % intervals; p99 is over batches. The ratio is of {judged}, to {against} over the same rounds: **bold** where its interval excludes 1 and it \
         is farther from 1 than any repeat (`-again`) from itself. The last column is how near the way comes to what cannot be passed.\n\n",
        code(&first.job)
    );
    let mut notes = Notes::default();
    for (index, table) in scenario.contenders.iter().enumerate() {
        out.push_str(&one(table, &mut notes));
        let says = [format!("Ratios of {}", scenario.name), at(table).join(", ")].join(" ");
        out.push_str(&image(pictures.get(index).and_then(Option::as_deref), &says));
    }
    out.push_str(&notes.render());
    out.push_str(&traps(&scenario.contenders));
    out + &facts(&scenario.contenders)
}

fn at(table: &ContenderTable) -> Vec<String> {
    table.at.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn one(table: &ContenderTable, notes: &mut Notes) -> String {
    let places: Vec<String> = at(table).iter().map(|place| code(place)).collect();
    let mut out = if places.is_empty() { String::new() } else { format!("At {}", places.join(", ")) };
    if let Some(noise) = table.noise {
        let lead = if out.is_empty() { "A" } else { ", a" };
        let _ = write!(out, "{lead} repeat was within {} of itself", show::ratio(noise));
    }
    if !out.is_empty() {
        out.push_str(":\n\n");
    }
    let sizes = table.rows.iter().any(|row| row.bytes_ratio.is_some_and(|ratio| (ratio - 1.0).abs() > 1e-3));
    let axis = if table.axis.is_empty() { "way" } else { table.axis.as_str() };
    let mut shown = Table::new(&[(Column::Left, axis)]);
    for name in ["p50", "p99", "CPU", "speed", "ratio"].into_iter().chain(sizes.then_some("smaller by")).chain(["of the limit"]) {
        shown.column(name);
    }
    for row in &table.rows {
        shown.row(cells(row, sizes, notes));
    }
    out + &shown.render() + &limits(table)
}

/// What was taken for the limit, each sort once, with the median over its ways.
fn limits(table: &ContenderTable) -> String {
    let mut known: Vec<(&str, Vec<f64>)> = Vec::new();
    for limit in table.rows.iter().filter_map(|row| row.limit.as_ref()) {
        match known.iter_mut().find(|(what, _)| *what == limit.what) {
            Some((_, all)) => all.push(limit.ns),
            None => known.push((&limit.what, vec![limit.ns])),
        }
    }
    let one = |(what, all): &mut (&str, Vec<f64>)| {
        all.sort_by(f64::total_cmp);
        format!("{what}, {}", show_ns(all.get(all.len() / 2).copied().unwrap_or(0.0)))
    };
    let all: Vec<String> = known.iter_mut().map(one).collect();
    if all.is_empty() { String::new() } else { format!("Limit: {}.\n\n", escape(&all.join("; "))) }
}

fn cells(row: &ContenderRow, sizes: bool, notes: &mut Notes) -> Vec<String> {
    let name = code(&row.value);
    if let Some(why) = &row.not_here {
        return vec![name, format!("not available here{}", notes.mark(why))];
    }
    let time = |of: &Interval, notes: &mut Notes| match of.value {
        Some(ns) => within(of, ns),
        None => notes.blank(of.why_blank.as_deref()),
    };
    let mut cells = vec![name, time(&row.p50_ns, notes), time(&row.p99_ns, notes), time(&row.cpu_ns, notes)];
    cells.push(row.bytes_per_s.map_or_else(|| notes.blank(None), |per_s| format!("{:.0} MB/s", per_s / 1e6)));
    cells.push(ratio(row, notes));
    if sizes {
        cells.push(row.bytes_ratio.map_or_else(|| notes.blank(None), show::ratio));
    }
    let share = row.limit.as_ref().and_then(|limit| limit.share);
    cells.push(share.map_or_else(|| notes.blank(None), show::percent));
    cells
}

fn ratio(row: &ContenderRow, notes: &mut Notes) -> String {
    let Some(ratio) = &row.ratio else { return "1".to_owned() };
    let Some(value) = ratio.value else { return notes.blank(ratio.why_blank.as_deref()) };
    let text = small_ratio_within(value, ratio.low.zip(ratio.high));
    if row.differs { format!("**{text}**") } else { text }
}

/// As elsewhere, but with two digits of what is far below 1.
fn small_ratio_within(value: f64, ends: Option<(f64, f64)>) -> String {
    match ends {
        Some((low, high)) if value < 0.095 => format!("{value:.3}× [{low:.3}, {high:.3}]"),
        None if value < 0.095 => format!("{value:.3}×"),
        _ => show::ratio_within(value, ends.map(|e| e.0), ends.map(|e| e.1)),
    }
}

/// What goes wrong for who uses a way unawares, each once.
fn traps(tables: &[ContenderTable]) -> String {
    let mut known: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows).filter(|row| !row.trap.is_empty()) {
        let way = row.way.strip_suffix(AGAIN).unwrap_or(&row.way);
        match known.iter_mut().find(|(trap, _)| *trap == row.trap) {
            Some((_, ways)) if ways.contains(&way) => {}
            Some((_, ways)) => ways.push(way),
            None => known.push((&row.trap, vec![way])),
        }
    }
    if known.is_empty() {
        return String::new();
    }
    let line = |(trap, ways): &(&str, Vec<&str>)| {
        format!("- {}: {}.", ways.iter().map(|way| code(way)).collect::<Vec<_>>().join(", "), escape(trap.trim_end_matches('.')))
    };
    format!("Traps:\n\n{}\n\n", known.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// What the contenders saw, folded away: each sentence once, with the ways that it holds for.
fn facts(tables: &[ContenderTable]) -> String {
    let mut known: Vec<(String, Vec<String>)> = Vec::new();
    for (table, row) in tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row))) {
        let of = at(table).into_iter().chain([row.value.clone()]).collect::<Vec<_>>().join(" ");
        for (name, value) in &row.facts {
            let says = format!("{}: {}", code(name), escape(value));
            match known.iter_mut().find(|(known, _)| *known == says) {
                Some((_, rows)) => rows.push(of.clone()),
                None => known.push((says, vec![of.clone()])),
            }
        }
    }
    let all: usize = tables.iter().map(|table| table.rows.len()).sum();
    let line = |(says, rows): &(String, Vec<String>)| {
        let rows = if rows.len() == all { "every row".to_owned() } else { rows.iter().map(|row| code(row)).collect::<Vec<_>>().join(", ") };
        format!("- {says} ({rows})")
    };
    if known.is_empty() {
        return String::new();
    }
    details("What the ways saw, in their first round", &known.iter().map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use analysis::summary::LimitShare;

    use super::*;

    fn interval(value: f64) -> Interval {
        Interval { value: Some(value), low: Some(value * 0.9), high: Some(value * 1.1), rounds: 4, why_blank: None }
    }

    fn row(way: &str, ratio: Option<f64>, differs: bool) -> ContenderRow {
        ContenderRow {
            case: format!("io/x?way={way}"),
            value: way.to_owned(),
            way: way.to_owned(),
            not_here: None,
            p50_ns: interval(5000.0),
            p99_ns: Interval { why_blank: Some("too few".to_owned()), ..Interval::default() },
            cpu_ns: interval(4000.0),
            bytes_per_s: Some(1.5e9),
            bytes_ratio: None,
            ratio: ratio.map(interval),
            differs,
            limit: Some(LimitShare { what: "copying 4 KiB".to_owned(), ns: 100.0, share: Some(0.02) }),
            trap: String::new(),
            facts: BTreeMap::from([("cache".to_owned(), "warm".to_owned())]),
        }
    }

    fn table() -> ContenderTable {
        let mut rows = vec![row("a", None, false), row("a-again", Some(1.02), false), row("b", Some(0.04), true), row("ring", None, false)];
        rows[2].trap = "it bites".to_owned();
        rows[3].not_here = Some("the kernel refuses".to_owned());
        let at = vec![("size".to_owned(), "4KiB".to_owned())];
        ContenderTable { at, job: "file-read".to_owned(), cpu_bound: false, axis: "way".to_owned(), noise: Some(1.02), rows }
    }

    #[test]
    fn a_table_has_a_row_per_way_with_ratio_limit_and_what_is_missing() {
        let mut notes = Notes::default();
        let text = one(&table(), &mut notes).replace('\u{a0}', " ");
        assert!(text.starts_with("At `size=4KiB`, a repeat was within 1.02× of itself:"), "{text}");
        let of = |way: &str| text.lines().find(|l| l.starts_with(&format!("| `{way}` |"))).unwrap().to_owned();
        assert!(of("a").contains("| 1 |") && of("a").contains("1500 MB/s") && of("a").contains("2.0 %"), "{text}");
        assert!(of("a-again").contains("1.02× [0.92, 1.12]") && !of("a-again").contains("**"), "{text}");
        assert!(of("b").contains("**0.040× [0.036, 0.044]**"), "{text}");
        assert!(of("ring").contains("not available here"), "{text}");
        assert!(text.contains("Limit: copying 4 KiB, 100 ns."), "{text}");
        assert!(!text.contains("smaller by"), "nothing came out");
        assert!(notes.render().contains("the kernel refuses"));
    }

    #[test]
    fn traps_and_facts_are_told_once() {
        let tables = [table(), table()];
        assert_eq!(traps(&tables), "Traps:\n\n- `b`: it bites.\n\n");
        let told = facts(&tables);
        assert_eq!(told.matches("warm").count(), 1);
        assert!(told.contains("(every row)"), "{told}");
    }
}
