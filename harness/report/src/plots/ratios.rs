//! Ratio bars: each way against the first, on a logarithmic axis, with its interval and the noise of the repeat.

use crate::svg::{Anchor, GRID, INK, PALETTE, Stroke, Svg, WIDTH, cut, plain};

/// Most rows in one picture.
pub(crate) const MOST_ROWS: usize = 40;
const LABELS: f64 = 250.0;
const RIGHT: f64 = 200.0;
const TOP: f64 = 80.0;
const ROW: f64 = 26.0;
/// Colour of a difference on the good side, on the bad side, and of none.
const COLOURS: [&str; 3] = [PALETTE[2], PALETTE[3], "#bbbbbb"];
const BAND: &str = "#eeeeee";

/// One way.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) label: String,
    /// Its time by that of the first way, above 0.
    pub(crate) ratio: f64,
    /// The interval of it.
    pub(crate) ends: Option<(f64, f64)>,
    /// Whether it differs from the first.
    pub(crate) differs: bool,
    /// What stands behind the bar.
    pub(crate) says: String,
}

/// Draws the rows (at most [`MOST_ROWS`]); `None` with fewer than two. `noise` is a factor of at least 1.
pub(crate) fn draw(title: &str, subtitle: &str, noise: Option<f64>, rows: &[Row]) -> Option<Vec<u8>> {
    let rows: Vec<&Row> = rows.iter().filter(|r| r.ratio.is_finite() && r.ratio > 0.0).take(MOST_ROWS).collect();
    if rows.len() < 2 {
        return None;
    }
    let values = || rows.iter().flat_map(|r| [Some(r.ratio), r.ends.map(|e| e.0), r.ends.map(|e| e.1)]).flatten().filter(|v| *v > 0.0);
    let scale = Scale::around(values().fold(0.8, f64::min), values().fold(1.25, f64::max));
    let bottom = TOP + rows.len() as f64 * ROW;
    let mut svg = Svg::new(bottom + 56.0, title, subtitle);
    if let Some(noise) = noise.filter(|n| *n > 1.0) {
        let (from, to) = (scale.at(1.0 / noise), scale.at(noise));
        svg.rect([from, TOP, to - from, bottom - TOP], BAND, &format!("noise: a repeat was {noise:.2}x from itself"));
    }
    for tick in scale.ticks() {
        let x = scale.at(tick);
        svg.line((x, TOP), (x, bottom), Stroke { colour: GRID, width: 1.0, dash: "" });
        svg.text(x, bottom + 18.0, plain(12.0, Anchor::Middle), &format!("{tick}×"));
    }
    svg.line((scale.at(1.0), TOP), (scale.at(1.0), bottom), Stroke { colour: INK, width: 1.5, dash: "" });
    let foot = "time by that of the first row; left of 1× is faster; grey where no difference is seen";
    svg.text(LABELS + (WIDTH - LABELS - RIGHT) / 2.0, bottom + 40.0, plain(13.0, Anchor::Middle), foot);
    for (index, row) in rows.iter().enumerate() {
        bar(&mut svg, &scale, row, TOP + index as f64 * ROW);
    }
    Some(svg.finish())
}

fn bar(svg: &mut Svg, scale: &Scale, row: &Row, y: f64) {
    let (one, at) = (scale.at(1.0), scale.at(row.ratio));
    let colour = match (row.differs, row.ratio < 1.0) {
        (true, true) => COLOURS[0],
        (true, false) => COLOURS[1],
        (false, _) => COLOURS[2],
    };
    svg.rect([one.min(at), y + 5.0, (at - one).abs().max(1.5), ROW - 10.0], colour, &format!("{}: {}", row.label, row.says));
    let mut end = at.max(one);
    if let Some((low, high)) = row.ends {
        let middle = y + ROW / 2.0;
        svg.line((scale.at(low), middle), (scale.at(high), middle), Stroke { colour: INK, width: 1.5, dash: "" });
        end = end.max(scale.at(high));
    }
    svg.text(LABELS - 10.0, y + 18.0, plain(13.0, Anchor::End), &cut(&row.label, 34));
    svg.text(end + 6.0, y + 18.0, plain(12.0, Anchor::Start), &row.says);
}

/// A logarithmic axis of ratios.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn around(low: f64, high: f64) -> Self {
        Self { low: low.clamp(1e-6, 1.0) / 1.1, high: high.clamp(1.0, 1e6) * 1.1 }
    }

    fn at(&self, ratio: f64) -> f64 {
        let share = (ratio.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        LABELS + share.clamp(0.0, 1.0) * (WIDTH - LABELS - RIGHT)
    }

    /// Round ratios within the axis, few enough to be read.
    fn ticks(&self) -> Vec<f64> {
        let steps: &[f64] = if self.high / self.low < 40.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let all = (-6..=6).flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
        let shown = |tick: f64| (tick * 1e6).round() / 1e6;
        all.map(shown).filter(|tick| (self.low..=self.high).contains(tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, ratio: f64) -> Row {
        Row { label: label.to_owned(), ratio, ends: Some((ratio * 0.9, ratio * 1.1)), differs: ratio > 1.5, says: format!("{ratio}×") }
    }

    #[test]
    fn every_row_is_drawn_and_what_is_no_ratio_is_not() {
        let svg = draw("t", "s", Some(1.1), &[row("a", 1.0), row("b", 300.0), row("nan", f64::NAN), row("zero", 0.0)]).unwrap();
        let text = String::from_utf8(svg).unwrap();
        assert!(
            text.contains(">a</text>") && text.contains(">b</text>") && !text.contains(">nan</text>") && !text.contains(">zero</text>")
        );
        assert!(text.contains(COLOURS[1]) && text.contains("noise"));
        assert!(draw("t", "s", None, &[row("a", 1.0)]).is_none(), "nothing to compare");
    }

    #[test]
    fn the_axis_rises_and_holds_its_ends() {
        let scale = Scale::around(0.02, 200.0);
        assert!(scale.at(0.02) < scale.at(1.0) && scale.at(1.0) < scale.at(200.0));
        assert!(scale.at(0.0) >= LABELS && scale.at(1e12) <= WIDTH - RIGHT);
        assert!(scale.ticks().contains(&1.0) && scale.ticks().len() >= 3);
    }
}
