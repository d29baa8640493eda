//! Phase bars: where the time of a typical and of a slow request went, one row per case.

use crate::plots::scale;
use crate::svg::{Anchor, GRID, INK, Stroke, Svg, cut, plain};

/// Most rows in one picture.
pub(crate) const MOST_ROWS: usize = 12;
/// Phases with a colour of their own, the same in every picture; the rest is `other`.
const COLOURS: [(&str, &str); 10] = [
    ("lag", "#444444"),
    ("session-wait", "#56b4e9"),
    ("load", "#d55e00"),
    ("queue", "#e69f00"),
    ("dispatch", "#8a7a00"),
    ("service", "#0072b2"),
    ("roundtrip", "#0072b2"),
    ("encode", "#7a4fa3"),
    ("compress", "#cc79a7"),
    ("persist", "#009e73"),
];
/// A phase with less than this share of every bar is in `other` too.
const SMALL: f64 = 0.01;
const GREY: &str = "#bbbbbb";
/// Colours on which dark text reads better.
const LIGHT: [&str; 4] = ["#56b4e9", "#e69f00", "#cc79a7", GREY];
const LABELS: f64 = 250.0;
/// Where a label may break.
const SEPARATORS: [char; 2] = [',', '·'];
/// Characters of a label that fit beside the bars.
const LABEL_CHARS: usize = 34;
const PANEL: f64 = 410.0;
const GAP: f64 = 55.0;
const TOP: f64 = 96.0;
const ROW: f64 = 40.0;
const OTHER: &str = "other";
const UNEXPLAINED: &str = "unexplained";

/// One row: a case with the mean ns of each phase in its two bands.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) label: String,
    /// Requests around p50: phase -> mean ns.
    pub(crate) p50: Vec<(String, f64)>,
    /// Requests at or beyond p99: phase -> mean ns.
    pub(crate) p99: Vec<(String, f64)>,
}

/// Draws the rows (at most [`MOST_ROWS`]); `None` without any. Phases come in the order of the first row.
pub(crate) fn draw(title: &str, subtitle: &str, rows: &[Row]) -> Option<Vec<u8>> {
    let rows: Vec<&Row> = rows.iter().filter(|r| total(&r.p50) > 0.0 || total(&r.p99) > 0.0).take(MOST_ROWS).collect();
    if rows.is_empty() {
        return None;
    }
    let colours = colours(&rows);
    let bottom = TOP + rows.len() as f64 * ROW;
    let legend_rows = colours.len().div_ceil(6);
    let mut svg = Svg::new(bottom + 74.0 + legend_rows as f64 * 24.0, title, subtitle);
    let names = ["requests around p50 (p45 to p55)", "requests at or beyond p99"];
    for (panel, name) in names.into_iter().enumerate() {
        let band = |row: &&Row| if panel == 0 { row.p50.clone() } else { row.p99.clone() };
        let bands: Vec<Vec<(String, f64)>> = rows.iter().map(band).collect();
        let left = LABELS + panel as f64 * (PANEL + GAP + 20.0);
        draw_panel(&mut svg, left, name, &bands, &colours);
    }
    for (index, row) in rows.iter().enumerate() {
        let (first, second) = two_lines(&row.label);
        let y = TOP + index as f64 * ROW + if second.is_empty() { 25.0 } else { 18.0 };
        svg.text(LABELS - 10.0, y, plain(13.0, Anchor::End), &first);
        if !second.is_empty() {
            svg.text(LABELS - 10.0, y + 15.0, plain(13.0, Anchor::End), &second);
        }
    }
    for (index, (name, colour)) in colours.iter().enumerate() {
        let (x, y) = (20.0 + (index % 6) as f64 * 195.0, bottom + 66.0 + (index / 6) as f64 * 24.0);
        svg.rect([x, y - 12.0, 16.0, 14.0], colour, "");
        svg.text(x + 22.0, y, plain(14.0, Anchor::Start), name);
    }
    Some(svg.finish())
}

/// A label on two lines, broken after a comma where it can be.
fn two_lines(label: &str) -> (String, String) {
    if label.chars().count() <= LABEL_CHARS {
        return (label.to_owned(), String::new());
    }
    let fits = |at: &usize| label[..*at].chars().count() < LABEL_CHARS;
    match label.match_indices(SEPARATORS).map(|m| m.0).rfind(fits) {
        Some(at) => (label[..at].trim_end().to_owned(), cut(label[at..].trim_start_matches(SEPARATORS).trim_start(), LABEL_CHARS)),
        None => (cut(label, LABEL_CHARS), String::new()),
    }
}

fn total(band: &[(String, f64)]) -> f64 {
    band.iter().map(|p| p.1.max(0.0)).sum()
}

/// The phases that show, in the order of their first appearance, each in its own colour; then `other`, then what is in no phase.
fn colours(rows: &[&Row]) -> Vec<(String, &'static str)> {
    let mut largest: Vec<(&str, f64)> = Vec::new();
    for band in rows.iter().flat_map(|r| [&r.p50, &r.p99]) {
        for (name, ns) in band {
            let share = ns.max(0.0) / total(band).max(1.0);
            match largest.iter_mut().find(|known| known.0 == name) {
                Some(known) => known.1 = known.1.max(share),
                None => largest.push((name, share)),
            }
        }
    }
    let own = |(name, share): &(&str, f64)| COLOURS.iter().find(|c| c.0 == *name && *share >= SMALL).map(|c| c.1);
    let mut out: Vec<(String, &'static str)> = largest.iter().filter_map(|l| Some((l.0.to_owned(), own(l)?))).collect();
    if largest.iter().any(|l| l.0 != UNEXPLAINED && own(l).is_none()) {
        out.push((OTHER.to_owned(), GREY));
    }
    if largest.iter().any(|l| l.0 == UNEXPLAINED) {
        out.push((UNEXPLAINED.to_owned(), "#111111"));
    }
    out
}

fn draw_panel(svg: &mut Svg, left: f64, name: &str, bands: &[Vec<(String, f64)>], colours: &[(String, &str)]) {
    let ticks = scale::linear_ticks(bands.iter().map(|b| total(b)).fold(0.0, f64::max));
    let end = ticks.last().copied().unwrap_or(1.0);
    let bottom = TOP + bands.len() as f64 * ROW;
    svg.text(left, TOP - 14.0, plain(15.0, Anchor::Start), name);
    for tick in &ticks {
        let x = left + tick / end * PANEL;
        svg.line((x, TOP), (x, bottom), Stroke { colour: GRID, width: 1.0, dash: "" });
        svg.text(x, bottom + 18.0, plain(12.0, Anchor::Middle), &scale::label(*tick));
    }
    svg.line((left, TOP), (left, bottom), Stroke { colour: INK, width: 1.5, dash: "" });
    svg.text(left + PANEL / 2.0, bottom + 38.0, plain(13.0, Anchor::Middle), "mean time in each phase");
    for (index, band) in bands.iter().enumerate() {
        let y = TOP + index as f64 * ROW + 6.0;
        let mut x = left;
        for (phase, ns) in stack(band, colours) {
            let width = ns / end * PANEL;
            let colour = colours.iter().find(|c| c.0 == phase).map_or(GREY, |c| c.1);
            svg.rect([x, y, width, ROW - 12.0], colour, &format!("{phase}: {}", model::units::show_ns(ns)));
            if width > phase.len() as f64 * 7.5 + 8.0 {
                let dark = LIGHT.contains(&colour);
                let font =
                    crate::svg::Font { size: 12.0, anchor: Anchor::Middle, colour: if dark { "#111111" } else { "#ffffff" }, bold: false };
                svg.text(x + width / 2.0, y + 18.0, font, &phase);
            }
            x += width;
        }
        if total(band) > 0.0 {
            svg.text(x + 6.0, y + 18.0, plain(13.0, Anchor::Start), &model::units::show_ns(total(band)));
        }
    }
}

/// A band in the order of the colours, with what has none summed as `other`.
fn stack(band: &[(String, f64)], colours: &[(String, &str)]) -> Vec<(String, f64)> {
    let named = |phase: &str| colours.iter().any(|c| c.0 == phase);
    let rest: f64 = band.iter().filter(|p| !named(&p.0)).map(|p| p.1.max(0.0)).sum();
    let of = |phase: &str| match phase {
        OTHER => rest,
        _ => band.iter().filter(|p| p.0 == phase).map(|p| p.1.max(0.0)).sum(),
    };
    colours.iter().map(|c| (c.0.clone(), of(&c.0))).filter(|p| p.1 > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(scale: f64) -> Vec<(String, f64)> {
        let names = ["lag", "admit", "load", "queue", "dispatch", "service", "return", "encode", "compress", "persist", "unexplained"];
        names.iter().enumerate().map(|(i, name)| ((*name).to_owned(), (i as f64 + 1.0) * scale)).collect()
    }

    #[test]
    fn no_time_is_lost_when_small_phases_become_other() {
        let row = Row { label: "a".to_owned(), p50: band(1e4), p99: band(1e6) };
        let colours = colours(&[&row]);
        let names: Vec<&str> = colours.iter().map(|c| c.0.as_str()).collect();
        assert_eq!(names, ["lag", "load", "queue", "dispatch", "service", "encode", "compress", "persist", OTHER, UNEXPLAINED]);
        let stacked: f64 = stack(&row.p99, &colours).iter().map(|p| p.1).sum();
        assert!((stacked - total(&row.p99)).abs() < 1e-6);
    }

    #[test]
    fn a_long_label_breaks_after_a_comma() {
        let broken = two_lines("api=std, write=truncate, sync=file-and-dir");
        assert_eq!(broken, ("api=std, write=truncate".to_owned(), "sync=file-and-dir".to_owned()));
        assert_eq!(two_lines("truncate · file-and-directory · tokio").1, "tokio");
        assert_eq!(two_lines("short"), ("short".to_owned(), String::new()));
        assert_eq!(two_lines(&"é".repeat(50)).0.chars().count(), LABEL_CHARS);
    }

    #[test]
    fn a_case_without_time_is_not_drawn() {
        let row = Row { label: "a".to_owned(), p50: Vec::new(), p99: Vec::new() };
        assert!(draw("t", "s", &[row]).is_none());
    }
}
