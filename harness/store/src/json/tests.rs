use super::*;
use crate::session::Role;
use crate::testkit::{id, message};
use proptest::prelude::*;

#[test]
fn the_document_is_as_documented() {
    let mut session = Session::new(id());
    session.record_turn(Message { role: Role::Tool, tool: "echo".to_owned(), digest: u64::MAX, text: "é\n".to_owned() }, 9);
    let document = String::from_utf8(encode(&session).unwrap()).unwrap();
    let expected = "{\"schema\":1,\"id\":\"s1\",\"turns\":1,\"messages\":[{\"role\":\"tool\",\"tool\":\"echo\",\"digest\":\"ffffffffffffffff\",\"text\":\"é\\n\"}]}\n";
    assert_eq!(document, expected);
}

#[test]
fn what_is_no_session_is_refused_with_the_reason() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "not a session document"),
        (b"{", "not a session document"),
        (b"\xff{}", "not UTF-8"),
        (br#"{"schema":2,"id":"s1","turns":0,"messages":[]}"#, "schema 2, and this build reads 1"),
        (br#"{"schema":2,"whatever":[]}"#, "schema 2, and this build reads 1"),
        (br#"{"schema":1,"id":"s2","turns":0,"messages":[]}"#, "document of session `s2`"),
        (br#"{"schema":1,"id":"s1","turns":0,"messages":[],"extra":1}"#, "unknown field `extra`"),
        (br#"{"schema":1,"id":"s1","turns":0,"turns":1,"messages":[]}"#, "duplicate field"),
        (br#"{"schema":1,"id":"s1","turns":-1,"messages":[]}"#, "not a session document"),
        (br#"{"schema":1,"id":"s1","turns":0,"messages":[]} x"#, "trailing"),
        (
            br#"{"schema":1,"id":"s1","turns":0,"messages":[{"role":"user","tool":"","digest":"0000000000000000","text":""}]}"#,
            "1 messages in 0 turns",
        ),
        (
            br#"{"schema":1,"id":"s1","turns":1,"messages":[{"role":"user","tool":"","digest":"+000000000000000","text":""}]}"#,
            "16 hexadecimal",
        ),
        (
            br#"{"schema":1,"id":"s1","turns":1,"messages":[{"role":"root","tool":"","digest":"0000000000000000","text":""}]}"#,
            "unknown variant",
        ),
    ];
    for (bytes, expected) in cases {
        let why = decode(bytes, &id()).unwrap_err();
        assert!(why.contains(expected), "{}: {why}", String::from_utf8_lossy(bytes));
    }
    assert!(decode("[".repeat(100_000).as_bytes(), &id()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_session_comes_back_and_writes_the_same_bytes(messages in prop::collection::vec(message(), 0..6), turns in 6u64..) {
        let session = Session::from_parts(id(), turns, messages);
        let bytes = encode(&session).unwrap();
        let read = decode(&bytes, &id()).unwrap();
        prop_assert_eq!(&read, &session);
        prop_assert_eq!(encode(&read).unwrap(), bytes);
    }

    #[test]
    fn no_change_of_one_byte_panics(messages in prop::collection::vec(message(), 0..6), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&Session::from_parts(id(), 9, messages)).unwrap();
        // Without its final line feed a document is still whole.
        let at = at.index(bytes.len() - 1);
        bytes[at] = byte;
        let _ = decode(&bytes, &id());
        let _ = decode(&bytes[..at], &id()).unwrap_err();
    }
}
