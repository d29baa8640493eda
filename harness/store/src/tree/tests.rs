use super::*;
use crate::json::decode;
use crate::testkit::id;

#[test]
fn what_is_wrong_outside_of_messages_is_said() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "not a session document"),
        (b"[]", "not a session document"),
        (b"\xff{}", "not UTF-8"),
        (br#"{"schema":2,"whatever":[]}"#, "missing field `id`"),
        (br#"{"schema":2,"id":"s1","turns":0,"messages":[]}"#, "schema 2, and this build reads 1"),
        (br#"{"schema":1,"id":"s2","turns":0,"messages":[]}"#, "document of session `s2`"),
        (br#"{"schema":1,"id":"s1","turns":0,"messages":[],"extra":1}"#, "unknown field `extra`"),
        (br#"{"schema":1,"id":"s1","turns":-1,"messages":[]}"#, "`turns` is no count"),
        (br#"{"schema":1,"id":7,"turns":0,"messages":[]}"#, "`id` is no text"),
        (br#"{"schema":1,"id":"s1","turns":0,"messages":{}}"#, "`messages` no list"),
        (br#"{"schema":1,"id":"s1","turns":0,"messages":[]} x"#, "trailing"),
        (br#"{"schema":1,"id":"s1","turns":0,"messages":[1]}"#, "1 messages in 0 turns"),
    ];
    for (bytes, expected) in cases {
        let why = TreeSession::open(bytes, &id()).unwrap_err();
        assert!(why.contains(expected), "{}: {why}", String::from_utf8_lossy(bytes));
        assert!(decode(bytes, &id()).is_err());
    }
    assert!(TreeSession::open("[".repeat(100_000).as_bytes(), &id()).is_err());
}

#[test]
fn what_is_wrong_inside_of_a_message_is_kept() {
    let bytes = br#"{"schema":1,"id":"s1","turns":1,"messages":[{"role":"root"}]}"#;
    let tree = TreeSession::open(bytes, &id()).unwrap();
    assert_eq!(tree.encode().unwrap(), [&bytes[..], b"\n"].concat());
}
