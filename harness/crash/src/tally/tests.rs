use super::*;
use SessionFound::{Empty, Missing, Torn, Whole};

fn found(sessions: &[SessionFound; 4]) -> Found {
    Found { refused: None, damage: None, sessions: sessions.to_vec() }
}

fn tally(kind: Kind, found: &Found, begun: u64, acknowledged: u64) -> Tally {
    let mut tally = Tally::default();
    tally.add(kind, found, begun, acknowledged);
    tally
}

#[test]
fn what_was_acknowledged_or_one_more_is_durable() {
    let six = found(&[Whole(2), Whole(2), Whole(1), Whole(1)]);
    for acknowledged in [5, 6] {
        let tally = tally(Kind::Sqlite, &six, 6, acknowledged);
        assert_eq!((tally.class(), tally.lost_sum), (Class::Durable, 0));
    }
    let lost = tally(Kind::Sqlite, &six, 8, 8);
    assert_eq!((lost.class(), lost.lost_max, lost.losing), (Class::Consistent, 2, 1));
}

#[test]
fn a_write_that_had_not_begun_is_damage_in_either_kind() {
    let six = found(&[Whole(2), Whole(2), Whole(1), Whole(1)]);
    for kind in [Kind::Files, Kind::Sqlite] {
        assert_eq!(tally(kind, &six, 5, 5).class(), Class::Unsafe);
    }
}

#[test]
fn a_later_write_without_an_earlier_one_is_damage_where_there_are_transactions() {
    let hole = found(&[Whole(1), Missing, Whole(1), Missing]);
    assert_eq!(tally(Kind::Sqlite, &hole, 3, 3).damaged, 1);
    let files = tally(Kind::Files, &hole, 3, 3);
    assert_eq!((files.class(), files.lost_sum), (Class::Consistent, 1));
}

#[test]
fn whatever_is_not_whole_is_unsafe_even_if_nothing_was_acknowledged() {
    let whole = || found(&[Whole(1), Missing, Missing, Missing]);
    let cases = [
        found(&[Empty, Missing, Missing, Missing]),
        found(&[Torn("x".to_owned()), Missing, Missing, Missing]),
        Found { damage: Some("x".to_owned()), ..whole() },
        Found { refused: Some("x".to_owned()), damage: None, sessions: Vec::new() },
    ];
    for case in cases {
        let tally = tally(Kind::Files, &case, 1, 0);
        assert_eq!((tally.class(), tally.lost_sum, tally.first.is_some()), (Class::Unsafe, 0, true), "{case:?}");
    }
}
