//! Percentile spectrum: response latency against the share of requests at or below it, the tail stretched by "nines".

use crate::plots::scale::{self, LogTime};
use crate::svg::{Anchor, DASHES, FAINT, Font, GRID, INK, PALETTE, Stroke, Svg, WIDTH, cut, plain};

/// Most lines in one picture; more cannot be told apart.
pub(crate) const MOST_LINES: usize = 8;
/// A quantile with fewer samples beyond it is drawn thin, since the tables leave it blank.
const ENOUGH_BEYOND: f64 = 10.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = WIDTH - 40.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 500.0;
/// Rightmost "nines" of the widest axis: 99.9999 %.
const MOST_NINES: f64 = 6.0;

/// One line: a case.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Legend.
    pub(crate) label: String,
    /// Requests that the line rests on.
    pub(crate) count: u64,
    /// `(share at or below, ns)`, rising.
    pub(crate) points: Vec<(f64, u64)>,
}

/// Draws the lines (at most [`MOST_LINES`] of them); `None` without any point.
pub(crate) fn draw(title: &str, subtitle: &str, lines: &[Line]) -> Option<Vec<u8>> {
    let lines: Vec<&Line> = lines.iter().filter(|l| !l.points.is_empty()).take(MOST_LINES).collect();
    let low = lines.iter().filter_map(|l| l.points.first()).map(|p| p.1).min()?;
    let high = lines.iter().filter_map(|l| l.points.last()).map(|p| p.1).max()?;
    let axis = LogTime::around(low as f64, high as f64);
    let most = lines.iter().map(|l| l.count).max()?;
    let nines_end = (nines(1.0 - 0.5 / most as f64) + 0.05).clamp(2.0, MOST_NINES);
    let rows = lines.len().div_ceil(2);
    let mut svg = Svg::new(BOTTOM + 70.0 + rows as f64 * 24.0, title, subtitle);
    frame(&mut svg, &axis, nines_end);
    for (index, line) in lines.iter().enumerate() {
        curve(&mut svg, line, index, &axis, nines_end);
        legend(&mut svg, line, index);
    }
    Some(svg.finish())
}

/// 0 at 0 %, 1 at 90 %, 2 at 99 %.
fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1e-12).log10()
}

fn x_of(share: f64, nines_end: f64) -> f64 {
    LEFT + (nines(share) / nines_end).clamp(0.0, 1.0) * (RIGHT - LEFT)
}

fn y_of(ns: f64, axis: &LogTime) -> f64 {
    BOTTOM - axis.at(ns) * (BOTTOM - TOP)
}

fn frame(svg: &mut Svg, axis: &LogTime, nines_end: f64) {
    let grid = Stroke { colour: GRID, width: 1.0, dash: "" };
    for tick in &axis.ticks {
        let y = y_of(*tick, axis);
        svg.line((LEFT, y), (RIGHT, y), grid);
        svg.text(LEFT - 8.0, y + 5.0, plain(14.0, Anchor::End), &scale::label(*tick));
    }
    let marks: [(f64, &str); 9] = [
        (0.0, "0 %"),
        (0.5, "50 %"),
        (0.9, "90 %"),
        (0.95, "95 %"),
        (0.99, "99 %"),
        (0.999, "99.9 %"),
        (0.9999, "99.99 %"),
        (0.99999, "99.999 %"),
        (0.999_999, "99.9999 %"),
    ];
    for (share, name) in marks.into_iter().filter(|m| nines(m.0) <= nines_end + 1e-6) {
        let x = x_of(share, nines_end);
        svg.line((x, TOP), (x, BOTTOM), grid);
        svg.text(x, BOTTOM + 20.0, plain(14.0, Anchor::Middle), name);
    }
    let ink = Stroke { colour: INK, width: 1.5, dash: "" };
    svg.line((LEFT, BOTTOM), (RIGHT, BOTTOM), ink);
    svg.line((LEFT, TOP), (LEFT, BOTTOM), ink);
    svg.text(
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 44.0,
        plain(15.0, Anchor::Middle),
        "share of ok requests at or below, % (scale of nines); thin: fewer than 10 samples beyond",
    );
    svg.text_upwards(28.0, f64::midpoint(TOP, BOTTOM), plain(15.0, Anchor::Middle), "response latency (log scale)");
}

fn curve(svg: &mut Svg, line: &Line, index: usize, axis: &LogTime, nines_end: f64) {
    // A sample of rank r stands at (r - 1/2) / n: the largest would otherwise lie at infinitely many nines.
    let half = 0.5 / line.count.max(1) as f64;
    let firm_until = 1.0 - ENOUGH_BEYOND / line.count.max(1) as f64;
    let (mut firm, mut thin) = (Vec::<(f64, f64)>::new(), Vec::<(f64, f64)>::new());
    for (share, ns) in &line.points {
        let point = (x_of((share - half).max(0.0), nines_end), y_of(*ns as f64, axis));
        let into = if *share <= firm_until { &mut firm } else { &mut thin };
        if into.last().is_none_or(|last| (last.0 - point.0).abs() + (last.1 - point.1).abs() >= 1.5) {
            into.push(point);
        }
    }
    if let Some(last) = firm.last() {
        thin.insert(0, *last);
    }
    let (colour, dash) = (PALETTE[index % PALETTE.len()], DASHES[index % DASHES.len()]);
    svg.polyline(&firm, Stroke { colour, width: 2.5, dash }, &line.label);
    svg.polyline(&thin, Stroke { colour, width: 1.0, dash: "" }, &format!("{}: fewer than 10 samples beyond", line.label));
}

fn legend(svg: &mut Svg, line: &Line, index: usize) {
    let x = LEFT + (index % 2) as f64 * (RIGHT - LEFT) / 2.0;
    let y = BOTTOM + 76.0 + (index / 2) as f64 * 24.0;
    let (colour, dash) = (PALETTE[index % PALETTE.len()], DASHES[index % DASHES.len()]);
    svg.line((x, y - 5.0), (x + 40.0, y - 5.0), Stroke { colour, width: 2.5, dash });
    svg.text(x + 48.0, y, plain(14.0, Anchor::Start), &cut(&line.label, 52));
    let faint = Font { size: 12.0, anchor: Anchor::End, colour: FAINT, bold: false };
    svg.text(x + (RIGHT - LEFT) / 2.0 - 16.0, y, faint, &format!("{} requests", line.count));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, scale: u64) -> Line {
        let points = (1..=1000u64).map(|i| (i as f64 / 1000.0, i * scale)).collect();
        Line { label: label.to_owned(), count: 1000, points }
    }

    #[test]
    fn the_curve_is_firm_up_to_ten_samples_from_the_end() {
        let text = String::from_utf8(draw("t", "s", &[line("a <b>", 1000)]).unwrap()).unwrap();
        assert_eq!(text.matches("<polyline").count(), 2);
        assert!(text.contains("a &lt;b&gt;: fewer than 10 samples beyond"));
        assert!(text.contains("99.9 %") && !text.contains("99.999 %"), "1000 samples reach no further than 99.95 %");
    }

    #[test]
    fn no_more_lines_than_can_be_told_apart_and_none_without_points() {
        let many: Vec<Line> = (1..20).map(|i| line("x", i)).collect();
        let text = String::from_utf8(draw("t", "s", &many).unwrap()).unwrap();
        assert_eq!(text.matches("1000 requests").count(), MOST_LINES);
        assert!(draw("t", "s", &[Line { label: String::new(), count: 0, points: Vec::new() }]).is_none());
    }
}
