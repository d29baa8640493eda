//! Lag over time: how late the generator was in each part of the window, so that a moment can be told from a trend.

use crate::plots::scale::{self, LogTime};
use crate::svg::{Anchor, DASHES, GRID, INK, PALETTE, Stroke, Svg, WIDTH, cut, plain};

/// Most lines in one picture.
pub(crate) const MOST_LINES: usize = 8;
const LEFT: f64 = 110.0;
const RIGHT: f64 = WIDTH - 40.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 330.0;
/// Marks below the axis of time.
const MARKS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// One line: a case.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Legend.
    pub(crate) label: String,
    /// `(share of the window, greatest lag in ns)`, rising in the former.
    pub(crate) points: Vec<(f64, u64)>,
}

/// Draws the lines (at most [`MOST_LINES`] of them); `None` without any point.
pub(crate) fn draw(title: &str, subtitle: &str, lines: &[Line]) -> Option<Vec<u8>> {
    let lines: Vec<&Line> = lines.iter().filter(|line| !line.points.is_empty()).take(MOST_LINES).collect();
    let values = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let axis = LogTime::around(values().min()? as f64, values().max()? as f64);
    let rows = lines.len().div_ceil(2);
    let mut svg = Svg::new(BOTTOM + 60.0 + rows as f64 * 24.0, title, subtitle);
    frame(&mut svg, &axis);
    for (index, line) in lines.iter().enumerate() {
        let stroke = Stroke { colour: PALETTE[index % PALETTE.len()], width: 2.0, dash: DASHES[index % DASHES.len()] };
        let points: Vec<(f64, f64)> = line.points.iter().map(|(share, ns)| (x_of(*share), y_of(*ns as f64, &axis))).collect();
        svg.polyline(&points, stroke, &line.label);
        let (x, y) = (LEFT + (index % 2) as f64 * (RIGHT - LEFT) / 2.0, BOTTOM + 72.0 + (index / 2) as f64 * 24.0);
        svg.line((x, y - 5.0), (x + 40.0, y - 5.0), stroke);
        svg.text(x + 48.0, y, plain(14.0, Anchor::Start), &cut(&line.label, 60));
    }
    Some(svg.finish())
}

fn x_of(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
}

fn y_of(ns: f64, axis: &LogTime) -> f64 {
    BOTTOM - axis.at(ns) * (BOTTOM - TOP)
}

fn frame(svg: &mut Svg, axis: &LogTime) {
    let (grid, ink) = (Stroke { colour: GRID, width: 1.0, dash: "" }, Stroke { colour: INK, width: 1.5, dash: "" });
    for tick in &axis.ticks {
        let y = y_of(*tick, axis);
        svg.line((LEFT, y), (RIGHT, y), grid);
        svg.text(LEFT - 8.0, y + 5.0, plain(14.0, Anchor::End), &scale::label(*tick));
    }
    for share in MARKS {
        svg.line((x_of(share), TOP), (x_of(share), BOTTOM), grid);
        svg.text(x_of(share), BOTTOM + 20.0, plain(14.0, Anchor::Middle), &format!("{} %", share * 100.0));
    }
    svg.line((LEFT, BOTTOM), (RIGHT, BOTTOM), ink);
    svg.line((LEFT, TOP), (LEFT, BOTTOM), ink);
    svg.text(f64::midpoint(LEFT, RIGHT), BOTTOM + 44.0, plain(15.0, Anchor::Middle), "time in the window");
    svg.text_upwards(28.0, f64::midpoint(TOP, BOTTOM), plain(15.0, Anchor::Middle), "greatest lag (log scale)");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_moment_stands_out_and_nothing_is_drawn_of_nothing() {
        let points = (0..100).map(|part| (f64::from(part) / 100.0, if part == 50 { 40_000_000 } else { 20_000 })).collect();
        let lines = [Line { label: "a <b>".to_owned(), points }, Line { label: "closed".to_owned(), points: Vec::new() }];
        let text = String::from_utf8(draw("t", "s", &lines).unwrap()).unwrap();
        assert_eq!(text.matches("<polyline").count(), 1);
        assert!(text.contains("a &lt;b&gt;") && text.contains("20 us") && text.contains("50 ms") && !text.contains("closed"), "{text}");
        assert!(draw("t", "s", &lines[1..]).is_none());
    }
}
