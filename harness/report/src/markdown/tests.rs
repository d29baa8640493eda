use proptest::prelude::*;

use super::*;

#[test]
fn text_from_outside_shows_as_typed() {
    assert_eq!(escape("a_b *c* [x](y) <img> 1|2"), "a_b \\*c\\* \\[x\\](y) &lt;img&gt; 1\\|2");
    assert_eq!(escape("# not\n- a list"), "\\# not - a list");
    assert_eq!(escape("see `a_b --c *` *now*"), "see `a_b --c *` \\*now\\*");
    assert_eq!(escape("one ` alone, none ``"), "one \\` alone, none \\`\\`");
    assert_eq!(code("a`b\n"), "`a'b`");
    assert_eq!(code(""), BLANK);
}

#[test]
fn a_pipe_stays_in_its_cell() {
    let mut table = Table::new(&[(Column::Left, "a"), (Column::Right, "b")]);
    table.row(vec![code("x|y"), escape("1|2")]);
    table.row(vec!["short".to_owned()]);
    assert_eq!(table.render(), "| a | b |\n| --- | ---: |\n| `x\\|y` | 1\\|2 |\n| short |  |\n\n");
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(anchor("pool/steady"), "poolsteady");
    assert_eq!(anchor("How to read this"), "how-to-read-this");
    assert_eq!(anchor("sqlite/session-writes"), "sqlitesession-writes");
}

#[test]
fn a_bar_is_as_long_as_its_share() {
    assert_eq!([bar(0.0), bar(0.5), bar(1.0), bar(7.0)].map(|b| b.chars().count()), [0, 5, 10, 10]);
    assert_eq!(bar(0.06), "▋".to_owned());
}

#[test]
fn a_reason_is_printed_once() {
    let mut notes = Notes::default();
    assert_eq!(notes.blank(Some("few")), "–<sup>1</sup>");
    assert_eq!(notes.blank(Some("other")), "–<sup>2</sup>");
    assert_eq!(notes.blank(Some("few")), "–<sup>1</sup>");
    assert_eq!(notes.blank(None), "–");
    assert_eq!(notes.render(), "<sup>1</sup> few<br>\n<sup>2</sup> other\n\n");
}

proptest! {
    /// Whatever the text, a table keeps its number of lines and of cells.
    #[test]
    fn no_text_breaks_a_table(text in ".{0,60}") {
        let mut table = Table::new(&[(Column::Left, "a"), (Column::Right, "b")]);
        table.row(vec![escape(&text), code(&text)]);
        let rendered = table.render();
        let lines: Vec<&str> = rendered.trim_end().split('\n').collect();
        prop_assert_eq!(lines.len(), 3);
        let bytes = lines[2].as_bytes();
        let bare = (0..bytes.len()).filter(|i| bytes[*i] == b'|' && (*i == 0 || bytes[i - 1] != b'\\')).count();
        prop_assert_eq!(bare, 3, "{}", lines[2]);
    }

    #[test]
    fn no_text_opens_an_element(text in ".{0,60}") {
        prop_assert!(!escape(&text.replace('`', "")).contains('<'));
    }
}
