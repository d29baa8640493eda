use super::*;
use crate::session::Session;
use crate::testkit::{id, message};
use proptest::prelude::*;

#[test]
fn what_is_wrong_outside_of_messages_is_said_as_by_the_full_parser() {
    let cases: [&[u8]; 9] = [
        b"",
        b"{",
        b"\xff{}",
        br#"{"schema":2,"id":"s1","turns":0,"messages":[]}"#,
        br#"{"schema":1,"id":"s2","turns":0,"messages":[]}"#,
        br#"{"schema":1,"id":"s1","turns":0,"messages":[],"extra":1}"#,
        br#"{"schema":1,"id":"s1","turns":0,"messages":[]} x"#,
        br#"{"schema":1,"id":"s1","turns":0,"messages":[{]}"#,
        br#"{"schema":1,"id":"s1","turns":0,"messages":[{"role":"user","tool":"","digest":"0000000000000000","text":""}]}"#,
    ];
    for bytes in cases {
        let lazy = LazySession::open(bytes.to_vec(), &id()).unwrap_err();
        let full = json::decode(bytes, &id()).unwrap_err();
        assert_eq!(lazy.split(['(', ' ']).next(), full.split(['(', ' ']).next(), "{lazy} / {full}");
    }
    assert!(LazySession::open("[".repeat(100_000).into_bytes(), &id()).is_err());
}

#[test]
fn what_is_wrong_inside_of_a_message_is_kept_until_it_is_read() {
    let bytes = br#"{"schema":1,"id":"s1","turns":1,"messages":[{"role":"root"}]}"#;
    let lazy = LazySession::open(bytes.to_vec(), &id()).unwrap();
    assert_eq!(lazy.encode(), [&bytes[..], b"\n"].concat());
    assert!(json::decode(&lazy.encode(), &id()).unwrap_err().contains("unknown variant"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Turn after turn the lazy and the full session are one.
    #[test]
    fn it_does_what_a_parsed_session_does(first in prop::collection::vec(message(), 0..5), then in prop::collection::vec((message(), 0usize..6), 0..6)) {
        let mut full = Session::new(id());
        first.into_iter().for_each(|message| full.record_turn(message, 100));
        let mut lazy = LazySession::open(json::encode(&full).unwrap(), &id()).unwrap();
        for (message, keep) in then {
            lazy.record_turn(&message, keep).unwrap();
            full.record_turn(message, keep);
            prop_assert_eq!(lazy.encode(), json::encode(&full).unwrap());
            prop_assert_eq!((lazy.turns(), lazy.messages.len(), lazy.messages.is_empty()), (full.turns(), full.messages().len(), full.messages().is_empty()));
            prop_assert_eq!(&json::decode(&lazy.encode(), &id()).unwrap(), &full);
            lazy = LazySession::open(lazy.encode(), &id()).unwrap();
        }
    }
}
