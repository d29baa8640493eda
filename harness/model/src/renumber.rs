//! The one change that merging runs makes to their evidence: the round of a record, in its very text.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Where a record's text says what changes.
#[derive(Deserialize)]
struct Places<'a> {
    #[serde(borrow)]
    round: &'a RawValue,
    #[serde(borrow, default)]
    profile: Option<ProfilePlaces<'a>>,
}

#[derive(Deserialize)]
struct ProfilePlaces<'a> {
    #[serde(borrow)]
    folded: &'a RawValue,
}

fn range(line: &str, part: &RawValue) -> Range<usize> {
    let begin = part.get().as_ptr().addr() - line.as_ptr().addr();
    begin..begin + part.get().len()
}

/// The JSON of a record with another round and, if it was profiled, another file of stacks. Every other byte stays: a record that is parsed
/// and written anew may differ in the last digit of a number, and lacks what only a newer build knows.
///
/// # Errors
/// Why the text is not a record.
pub fn renumbered(line: &str, round: u32, folded: Option<&str>) -> Result<String, serde_json::Error> {
    let places: Places<'_> = serde_json::from_str(line)?;
    let mut changes = vec![(range(line, places.round), round.to_string())];
    if let (Some(profile), Some(file)) = (places.profile, folded) {
        changes.push((range(line, profile.folded), serde_json::to_string(file)?));
    }
    // From the end, so that what is still to be changed stays in its place.
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = line.to_owned();
    changes.into_iter().for_each(|(range, new)| text.replace_range(range, &new));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use crate::record::{ProfileFigures, Status, TrialKind};

    #[test]
    fn all_but_the_round_and_the_stacks_file_stays_byte_for_byte() {
        // Spaces, an odd order, a number that no writer of ours writes so, a field of the future, and `round` where it is none.
        let line = r#"{ "note":"\"round\":1", "x":0.10000000000000000001,"profile":{"hz":9,"folded":"profiles/a.folded"}, "round" : 1 ,"left":{"round":1}}"#;
        let changed = renumbered(line, 40, Some("profiles/3/a \".folded")).unwrap();
        let expected = line.replace("\"round\" : 1 ", "\"round\" : 40 ").replace("profiles/a.folded", "profiles/3/a \\\".folded");
        assert_eq!(changed, expected);
        assert_eq!(renumbered(&changed, 1, Some("profiles/a.folded")).unwrap(), line, "and it can be undone");
        assert_eq!(renumbered(r#"{"round":7,"profile":null}"#, 8, Some("x")).unwrap(), r#"{"round":8,"profile":null}"#);
        assert!(renumbered("{}", 1, None).is_err() && renumbered("not json", 1, None).is_err());
    }

    #[test]
    fn a_record_differs_in_its_round_alone() {
        let mut record = Record::without_figures("a/b?round=0", 0, TrialKind::Profiled, 7, Status::Measured);
        record.profile = Some(ProfileFigures { folded: "profiles/x.folded".to_owned(), ..ProfileFigures::default() });
        let line = serde_json::to_string(&record).unwrap();
        let read: Record = serde_json::from_str(&renumbered(&line, 12, None).unwrap()).unwrap();
        record.round = 12;
        assert_eq!(read, record);
    }
}
