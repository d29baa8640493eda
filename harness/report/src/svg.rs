//! A small SVG writer: shapes, text, tooltips, nothing that depends on a font being measured or a script being run.
//!
//! Every picture is 1200 units wide on a white ground of its own, so that it reads the same on a light and on a dark page.

use std::fmt::Write as _;

/// Width of every picture in user units.
pub(crate) const WIDTH: f64 = 1200.0;
/// Colour of text and axes.
pub(crate) const INK: &str = "#222222";
/// Colour of secondary text.
pub(crate) const FAINT: &str = "#666666";
/// Colour of grid lines.
pub(crate) const GRID: &str = "#dddddd";
/// Eight colours that readers with any common colour blindness can tell apart (after Okabe and Ito, the yellow darkened for white paper).
pub(crate) const PALETTE: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a7a00", "#444444"];
/// Dash patterns beside the colours, so that lines differ in print too.
pub(crate) const DASHES: [&str; 8] = ["", "9 4", "3 3", "12 4 3 4", "6 2", "1 3", "14 6", "4 2 1 2"];

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Its begin.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stroke<'a> {
    /// Colour.
    pub(crate) colour: &'a str,
    /// Width in user units.
    pub(crate) width: f64,
    /// Dash pattern; empty for a solid line.
    pub(crate) dash: &'a str,
}

/// How a text is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Font<'a> {
    /// Height in user units.
    pub(crate) size: f64,
    /// Anchor.
    pub(crate) anchor: Anchor,
    /// Colour.
    pub(crate) colour: &'a str,
    /// Whether it is bold.
    pub(crate) bold: bool,
}

/// A picture being written.
#[derive(Debug)]
pub(crate) struct Svg {
    body: String,
    height: f64,
}

impl Svg {
    /// A picture of that height with its title at the top and a line below it.
    pub(crate) fn new(height: f64, title: &str, subtitle: &str) -> Self {
        let mut svg = Self { body: String::new(), height };
        let bold = Font { size: 20.0, anchor: Anchor::Start, colour: INK, bold: true };
        svg.text(20.0, 32.0, bold, &cut(title, 105));
        svg.text(20.0, 54.0, Font { size: 14.0, anchor: Anchor::Start, colour: FAINT, bold: false }, &cut(subtitle, 165));
        let _ = writeln!(svg.body, "<title>{}</title>", escape(title));
        svg
    }

    /// A filled rectangle; `tip` is its tooltip where it is not empty.
    pub(crate) fn rect(&mut self, [x, y, w, h]: [f64; 4], fill: &str, tip: &str) {
        let shape = format!("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"", n(x), n(y), n(w), n(h));
        self.close(&shape, "rect", tip);
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke<'_>) {
        let (x1, y1, x2, y2) = (n(from.0), n(from.1), n(to.0), n(to.1));
        let shape = format!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"{}", stroke.attributes());
        self.close(&shape, "line", "");
    }

    /// A line through points.
    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], stroke: Stroke<'_>, tip: &str) {
        if points.len() < 2 {
            return;
        }
        let list: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y))).collect();
        let shape = format!("<polyline fill=\"none\" points=\"{}\"{}", list.join(" "), stroke.attributes());
        self.close(&shape, "polyline", tip);
    }

    /// A text with its baseline at `y`.
    pub(crate) fn text(&mut self, x: f64, y: f64, font: Font<'_>, text: &str) {
        let _ = writeln!(self.body, "<text x=\"{}\" y=\"{}\"{}>{}</text>", n(x), n(y), font.attributes(), escape(text));
    }

    /// A text that reads upwards, centred on the point: the label of a vertical axis.
    pub(crate) fn text_upwards(&mut self, x: f64, y: f64, font: Font<'_>, text: &str) {
        let (x, y) = (n(x), n(y));
        let _ =
            writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" transform=\"rotate(-90 {x} {y})\"{}>{}</text>", font.attributes(), escape(text));
    }

    /// The whole file.
    pub(crate) fn finish(self) -> Vec<u8> {
        let (w, h) = (n(WIDTH), n(self.height));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n"
        );
        let _ = writeln!(out, "<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>");
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out.into_bytes()
    }

    fn close(&mut self, shape: &str, name: &str, tip: &str) {
        let _ = if tip.is_empty() {
            writeln!(self.body, "{shape}/>")
        } else {
            writeln!(self.body, "{shape}><title>{}</title></{name}>", escape(tip))
        };
    }
}

impl Stroke<'_> {
    fn attributes(&self) -> String {
        let dash = if self.dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", self.dash) };
        format!(" stroke=\"{}\" stroke-width=\"{}\"{dash}", self.colour, n(self.width))
    }
}

impl Font<'_> {
    fn attributes(&self) -> String {
        let anchor = match self.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let bold = if self.bold { " font-weight=\"bold\"" } else { "" };
        format!(" font-size=\"{}\" fill=\"{}\"{anchor}{bold}", n(self.size), self.colour)
    }
}

/// A plain font in ink.
pub(crate) fn plain(size: f64, anchor: Anchor) -> Font<'static> {
    Font { size, anchor, colour: INK, bold: false }
}

/// One decimal, without a trailing `.0` and without a negative zero: the same text on any host.
pub(crate) fn n(value: f64) -> String {
    let text = format!("{:.1}", if value.is_finite() { value } else { 0.0 });
    let text = text.strip_suffix(".0").map_or(text.clone(), str::to_owned);
    if text == "-0" { "0".to_owned() } else { text }
}

/// Cuts a text that would not fit, at a character.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Escapes a text for XML and drops the control characters that XML cannot hold.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_negative_zero() {
        assert_eq!(["0", "1.5", "12", "0"], [n(-0.001), n(1.5), n(12.0), n(f64::NAN)].map(|s| s).each_ref().map(String::as_str));
    }

    #[test]
    fn a_hostile_text_cannot_leave_its_element() {
        assert_eq!(escape("</text><script>\u{0}\"&"), "&lt;/text&gt;&lt;script&gt;&quot;&amp;");
    }

    #[test]
    fn a_tooltip_closes_its_own_element() {
        let mut svg = Svg::new(100.0, "t", "s");
        svg.rect([0.0, 0.0, 1.0, 1.0], "#fff", "tip");
        svg.polyline(&[(0.0, 0.0), (1.0, 1.0)], Stroke { colour: "#000", width: 1.0, dash: "" }, "");
        let text = String::from_utf8(svg.finish()).unwrap();
        assert!(text.contains("<title>tip</title></rect>"));
        assert_eq!(text.matches("<svg").count(), text.matches("</svg>").count());
    }

    #[test]
    fn a_long_label_is_cut_at_a_character() {
        assert_eq!(cut("ééééé", 3), "éé…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
