//! The nearest valid word, for error messages.

/// Longer lists are not printed: the nearest word or the documentation serves better.
const SHORT_LIST: usize = 10;
/// Least likeness at which a word is worth suggesting: 1 less the share of letters to change, swaps counting once.
const LIKE: f64 = 0.6;

/// The most alike of `names`; the first of equals; `None` if nothing is like it.
pub(crate) fn nearest<'a, S: AsRef<str>>(word: &str, names: &'a [S]) -> Option<&'a str> {
    closest(word, names).filter(|(_, likeness)| *likeness >= LIKE).map(|(name, _)| name)
}

/// The most alike of `names` with its likeness, however unlike; `None` only for an empty list.
pub(crate) fn closest<'a, S: AsRef<str>>(word: &str, names: &'a [S]) -> Option<(&'a str, f64)> {
    let mut best: Option<(&str, f64)> = None;
    for name in names.iter().map(AsRef::as_ref) {
        let likeness = strsim::normalized_damerau_levenshtein(word, name);
        if best.is_none_or(|(_, b)| likeness > b) {
            best = Some((name, likeness));
        }
    }
    best
}

/// `(did you mean 'x'? expected one of x, y)`, as much of it as there is to say.
pub(crate) fn expected<S: AsRef<str>>(word: &str, names: &[S]) -> String {
    let list = || names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match (nearest(word, names), names.len()) {
        (_, 0) => "(none is permitted here)".to_owned(),
        (Some(near), n) if n > SHORT_LIST => format!("(did you mean '{near}'?)"),
        (Some(near), _) => format!("(did you mean '{near}'? expected one of {})", list()),
        (None, n) if n > SHORT_LIST => "(docs/SCENARIOS.md lists those that exist)".to_owned(),
        (None, _) => format!("(expected one of {})", list()),
    }
}

/// As [`expected`], of names that are nowhere else: the most alike is named where there are too many to list, however unlike.
pub(crate) fn expected_of_all<S: AsRef<str>>(word: &str, names: &[S]) -> String {
    match closest(word, names) {
        Some((near, likeness)) if names.len() > SHORT_LIST && likeness < LIKE => {
            format!("(the nearest of the {} that exist is '{near}')", names.len())
        }
        _ => expected(word, names),
    }
}
