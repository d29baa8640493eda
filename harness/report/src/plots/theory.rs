//! Queueing theory as lines, what was simulated as dots on them.

use crate::plots::scale::{self, LogTime};
use crate::svg::{Anchor, DASHES, GRID, INK, PALETTE, Stroke, Svg, WIDTH, plain};

const LEFT: f64 = 110.0;
const RIGHT: f64 = WIDTH - 320.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 620.0;
/// Half the side of a dot.
const DOT: f64 = 4.5;

/// One queue of the picture.
#[derive(Clone, Debug)]
pub struct TheoryLine {
    /// Legend.
    pub queue: String,
    /// `(utilisation, formula's mean wait in ns, simulated mean wait in ns)`, rising in the first.
    pub points: Vec<(f64, f64, f64)>,
}

/// The picture, an SVG: mean wait over utilisation, the formula of each queue as a line and each simulation as a dot. `None` without any point.
pub fn theory_plot(lines: &[TheoryLine]) -> Option<Vec<u8>> {
    let values = || lines.iter().flat_map(|line| line.points.iter().flat_map(|point| [point.1, point.2]));
    let axis = LogTime::around(values().reduce(f64::min)?, values().reduce(f64::max)?);
    let mut svg = Svg::new(
        BOTTOM + 70.0,
        "The pool's own core under a virtual clock, beside queueing theory",
        "lines: the formula's mean wait; squares: what was simulated; a service takes 1 s on average",
    );
    frame(&mut svg, &axis, lines);
    for (index, line) in lines.iter().enumerate() {
        // More queues than colours: the ninth has the first colour and another dash.
        let stroke =
            Stroke { colour: PALETTE[index % PALETTE.len()], width: 2.0, dash: DASHES[(index + index / DASHES.len()) % DASHES.len()] };
        let formula: Vec<(f64, f64)> = line.points.iter().map(|point| (x_of(point.0), y_of(point.1, &axis))).collect();
        svg.polyline(&formula, stroke, &line.queue);
        for (utilisation, formula, simulated) in &line.points {
            let tip = format!("{} at {utilisation}: {:+.2} %", line.queue, 100.0 * (simulated / formula - 1.0));
            svg.rect([x_of(*utilisation) - DOT, y_of(*simulated, &axis) - DOT, 2.0 * DOT, 2.0 * DOT], stroke.colour, &tip);
        }
        let y = TOP + 12.0 + index as f64 * 26.0;
        svg.line((RIGHT + 24.0, y - 5.0), (RIGHT + 74.0, y - 5.0), stroke);
        svg.text(RIGHT + 84.0, y, plain(15.0, Anchor::Start), &line.queue);
    }
    Some(svg.finish())
}

fn x_of(utilisation: f64) -> f64 {
    LEFT + utilisation.clamp(0.0, 1.0) * (RIGHT - LEFT)
}

fn y_of(ns: f64, axis: &LogTime) -> f64 {
    BOTTOM - axis.at(ns) * (BOTTOM - TOP)
}

fn frame(svg: &mut Svg, axis: &LogTime, lines: &[TheoryLine]) {
    let (grid, ink) = (Stroke { colour: GRID, width: 1.0, dash: "" }, Stroke { colour: INK, width: 1.5, dash: "" });
    for tick in &axis.ticks {
        let y = y_of(*tick, axis);
        svg.line((LEFT, y), (RIGHT, y), grid);
        svg.text(LEFT - 8.0, y + 5.0, plain(14.0, Anchor::End), &scale::label(*tick));
    }
    let mut marks: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).chain([0.0, 1.0]).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    for mark in marks {
        svg.line((x_of(mark), TOP), (x_of(mark), BOTTOM), grid);
        svg.text(x_of(mark), BOTTOM + 20.0, plain(14.0, Anchor::Middle), &mark.to_string());
    }
    svg.line((LEFT, BOTTOM), (RIGHT, BOTTOM), ink);
    svg.line((LEFT, TOP), (LEFT, BOTTOM), ink);
    svg.text(f64::midpoint(LEFT, RIGHT), BOTTOM + 46.0, plain(15.0, Anchor::Middle), "utilisation");
    svg.text_upwards(28.0, f64::midpoint(TOP, BOTTOM), plain(15.0, Anchor::Middle), "mean wait (log scale)");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_queue_is_a_line_with_its_dots_and_nothing_is_drawn_of_nothing() {
        let line = |queue: &str| TheoryLine { queue: queue.to_owned(), points: vec![(0.5, 1e9, 1.01e9), (0.9, 9e9, 8.9e9)] };
        let text = String::from_utf8(theory_plot(&[line("M/M/1"), line("M/D/1")]).unwrap()).unwrap();
        assert_eq!(text.matches("<polyline").count(), 2);
        assert!(["M/M/1 at 0.5: +1.00 %", "M/D/1 at 0.9: -1.11 %", "10 s"].iter().all(|part| text.contains(part)), "{text}");
        assert!(theory_plot(&[]).is_none());
    }
}
