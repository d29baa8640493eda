//! Markdown as GitHub shows it: escaping, tables, notes under tables, anchors, bars. Knows nothing of reports.

use std::fmt::Write as _;

/// What stands where there is no figure.
pub(crate) const BLANK: &str = "–";

/// A space that keeps a number on one line with its unit.
const UNBROKEN: &str = "\u{a0}";

/// Escapes a text from outside, so that it shows as typed wherever it stands in a line. Line breaks become spaces; `code` in pairs of
/// backticks stays code, since our own sentences and notes use it and nothing inside of it can act.
pub(crate) fn escape(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|inside| inside.trim().is_empty()) {
        return escape_plain(&line);
    }
    parts.iter().enumerate().map(|(i, part)| if i % 2 == 1 { code(part) } else { escape_plain(part) }).collect()
}

fn escape_plain(line: &str) -> String {
    let chars: Vec<char> = line.chars().filter(|c| !c.is_control()).collect();
    let mut out = String::with_capacity(chars.len() + 8);
    for (i, c) in chars.iter().enumerate() {
        let word = |at: Option<usize>| at.and_then(|a| chars.get(a)).is_some_and(|c| c.is_alphanumeric());
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '_' if word(i.checked_sub(1)) && word(Some(i + 1)) => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '|' => {
                out.push('\\');
                out.push(*c);
            }
            '#' | '-' | '+' | '=' if i == 0 => {
                out.push('\\');
                out.push(*c);
            }
            c => out.push(*c),
        }
    }
    out
}

/// A text from outside as a code span, in or out of a table.
pub(crate) fn code(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let inside: String = one_line.chars().filter(|c| !c.is_control()).map(|c| if c == '`' { '\'' } else { c }).collect();
    if inside.is_empty() { BLANK.to_owned() } else { format!("`{inside}`") }
}

/// Prose from outside: paragraphs stay paragraphs, the rest is escaped.
pub(crate) fn prose(text: &str) -> String {
    let paragraphs: Vec<String> = text.replace("\r\n", "\n").split("\n\n").map(escape).filter(|p| !p.is_empty()).collect();
    paragraphs.join("\n\n")
}

/// The anchor that GitHub gives to a heading.
pub(crate) fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// A share as a bar of at most ten characters, in eighths.
pub(crate) fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * 80.0).round() as usize;
    let mut out = "█".repeat(eighths / 8);
    out.push_str(["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]);
    out
}

/// Folds a text away behind a plain line (GitHub shows no Markdown there); the text keeps its own Markdown.
pub(crate) fn details(line: &str, body: &str) -> String {
    format!("<details><summary>{}</summary>\n\n{}\n\n</details>\n\n", crate::svg::escape(line), body.trim_end())
}

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A table whose cells are Markdown already.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<(Column, String)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with those columns.
    pub fn new(head: &[(Column, &str)]) -> Self {
        Self { head: head.iter().map(|(column, name)| (*column, (*name).to_owned())).collect(), rows: Vec::new() }
    }

    /// Adds a column of numbers.
    pub(crate) fn column(&mut self, name: &str) {
        self.head.push((Column::Right, name.to_owned()));
    }

    /// Adds a row; a short one is filled up.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// How many rows it has.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The table with an empty line after it; nothing at all without rows.
    pub fn render(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut out = String::new();
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |", cells.collect::<Vec<_>>().join(" | "));
        let _ = writeln!(out, "{}", line(&mut self.head.iter().map(|h| in_cell(&h.1))));
        let rule = |column: Column| if column == Column::Left { "---" } else { "---:" };
        let _ = writeln!(out, "{}", line(&mut self.head.iter().map(|h| rule(h.0).to_owned())));
        for row in &self.rows {
            let cells = self.head.iter().enumerate().map(|(i, (column, _))| {
                let text = in_cell(row.get(i).map_or("", String::as_str));
                if *column == Column::Right { text.replace(' ', UNBROKEN) } else { text }
            });
            let _ = writeln!(out, "{}", line(&mut cells.into_iter()));
        }
        out.push('\n');
        out
    }
}

/// A pipe would end the cell, even in a code span.
fn in_cell(text: &str) -> String {
    text.replace("\\|", "|").replace('|', "\\|").replace('\n', " ")
}

/// Reasons for what is blank in a table, each once, printed under it.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    reasons: Vec<String>,
}

impl Notes {
    /// The cell of a blank figure: a dash with the mark of its reason.
    pub(crate) fn blank(&mut self, why: Option<&str>) -> String {
        let Some(why) = why.filter(|w| !w.is_empty()) else {
            return BLANK.to_owned();
        };
        format!("{BLANK}{}", self.mark(why))
    }

    /// The mark of a reason.
    pub(crate) fn mark(&mut self, why: &str) -> String {
        let index = self.reasons.iter().position(|r| r == why).unwrap_or_else(|| {
            self.reasons.push(why.to_owned());
            self.reasons.len() - 1
        });
        format!("<sup>{}</sup>", index + 1)
    }

    /// The reasons as one paragraph; nothing if there are none.
    pub(crate) fn render(self) -> String {
        if self.reasons.is_empty() {
            return String::new();
        }
        let lines: Vec<String> = self.reasons.iter().enumerate().map(|(i, r)| format!("<sup>{}</sup> {}", i + 1, escape(r))).collect();
        format!("{}\n\n", lines.join("<br>\n"))
    }
}

#[cfg(test)]
mod tests;
