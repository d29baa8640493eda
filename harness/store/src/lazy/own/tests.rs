use super::super::{Head, place_in};
use super::*;
use crate::{
    json,
    session::{Message, Role, Session, SessionId},
};
use proptest::prelude::*;

/// What the parser finds in the same text.
fn parsed(text: &str) -> Option<(u32, String, u64, Vec<Range<usize>>)> {
    let head: Head<'_> = serde_json::from_str(text).ok()?;
    Some((head.schema, head.id.into_owned(), head.turns, head.messages.iter().map(|message| place_in(text, message)).collect()))
}

fn found(text: &str) -> Option<(u32, String, u64, Vec<Range<usize>>)> {
    find(text).map(|found| (found.schema, found.id.to_owned(), found.turns, found.messages))
}

fn document() -> impl Strategy<Value = String> {
    let text = prop_oneof![any::<String>(), "[\\\\\"\n\u{1}a]{0,150}", "[ -~]{0,300}"];
    let message = (prop::sample::select(vec![Role::User, Role::Tool]), "[a-z\"]{0,9}", any::<u64>(), text);
    prop::collection::vec(message, 0..5).prop_map(|messages| {
        let mut session = Session::new(SessionId::try_from("s1").unwrap());
        for (role, tool, digest, text) in messages {
            session.record_turn(Message { role, tool, digest, text }, 9);
        }
        String::from_utf8(json::encode(&session).unwrap()).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_we_write_is_found_as_by_the_parser(text in document()) {
        prop_assert!(found(&text).is_some(), "{}", text);
        prop_assert_eq!(found(&text), parsed(&text));
    }

    /// A damaged document is left to the parser, or it is one still, and then both find the same.
    #[test]
    fn a_damaged_document_is_never_taken_for_a_sound_one(text in document(), places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3), cut in any::<Option<prop::sample::Index>>()) {
        let mut bytes = text.into_bytes();
        for (at, with) in places {
            let at = at.index(bytes.len());
            bytes[at] = if with % 2 == 0 { br#""\{}[],:0u1n"#[usize::from(with / 2) % 12] } else { with };
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some(found) = found(&text) {
            prop_assert_eq!(Some(found), parsed(&text), "{}", text);
        }
    }
}

#[test]
fn other_forms_are_left_to_the_parser() {
    let ours = "{\"schema\":1,\"id\":\"s1\",\"turns\":12,\"messages\":[]}\n";
    assert_eq!(found(ours), Some((1, "s1".to_owned(), 12, vec![])));
    for (old, new) in [
        (":12", ": 12"),
        (":12", ":012"),
        (":12", ":-1"),
        (":12", ":99999999999999999999"),
        ("s1", "\\u0073"),
        ("\n", ""),
        ("\n", "\n\n"),
        ("[]", "[,]"),
        (":1,", ":4294967297,"),
    ] {
        assert_eq!(find(&ours.replace(old, new)), None, "{old} {new}");
    }
}
