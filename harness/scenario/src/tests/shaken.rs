//! No text, however broken, makes `expand` panic or hang.

use proptest::prelude::*;

use super::*;

fn files() -> Vec<String> {
    standard::sources().into_iter().filter(|s| s.file.ends_with(".toml")).map(|s| s.text).collect()
}

/// Cuts, repeats, swaps or overwrites a piece; `at` and `len` are shares of the text.
fn shaken(text: &str, at: usize, len: usize, how: u8, with: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at % (chars.len() + 1);
    let end = (at + len).min(chars.len());
    let piece: String = chars[at..end].iter().collect();
    let (head, tail): (String, String) = (chars[..at].iter().collect(), chars[end..].iter().collect());
    match how % 4 {
        0 => head + &tail,
        1 => format!("{head}{piece}{piece}{tail}"),
        2 => format!("{tail}{piece}{head}"),
        _ => format!("{head}{with}{tail}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn mutated_files_never_panic(
        pick in any::<prop::sample::Index>(),
        changes in prop::collection::vec((0usize..4000, 0usize..60, any::<u8>(), "[-\\[\\]{}=\"'#.,a-z0-9%/ \\n\u{0}é]{0,8}"), 1..4),
        set in prop::option::of(("(pool.hot.max|load.length|load.arrivals.kind|target|x)", ".{0,6}")),
    ) {
        let files = files();
        let mut text = pick.get(&files).clone();
        for (at, len, how, with) in &changes {
            text = shaken(&text, *at, *len, *how, with);
        }
        let selection = Selection { set: set.into_iter().collect(), each_value_once: true, ..Selection::default() };
        if let Err(found) = plan_of(&[source("a/b.toml", &text)], &selection) {
            prop_assert!(!found.is_empty());
            let lines = text.lines().count() as u32 + 1;
            prop_assert!(found.iter().all(|p| p.line <= lines && !p.what.is_empty()), "{found:?}");
        }
    }

    #[test]
    fn values_of_any_kind_never_panic(kind in "(duration|bytes|integer 0..=9|integer|bool|choice a|b|text|duration.none|what)", value in "\\PC{0,12}") {
        let first = crate::values::canonical(&kind, "", &value);
        if let (Ok(text), "bool" | "text" | "integer") = (&first, kind.as_str()) {
            prop_assert_eq!(crate::values::canonical(&kind, "", text), Ok(text.clone()), "canonical text stays as it is");
        }
    }
}
