use super::*;
use proptest::prelude::*;
use std::path::Path;

fn message(text: &str) -> Message {
    Message { role: Role::User, tool: "echo".to_owned(), digest: 7, text: text.to_owned() }
}

#[test]
fn ids_are_taken_or_refused_with_the_reason() {
    let long = "a".repeat(65);
    for good in ["a", "-", "_", "A-9_z", "com", "com10", "console", "null", &long[..64]] {
        assert_eq!(SessionId::try_from(good).unwrap().as_str(), good);
    }
    assert_eq!(SessionId::try_from(""), Err(IdError::Length(0)));
    assert_eq!(SessionId::try_from(long.as_str()), Err(IdError::Length(65)));
    for (bad, character) in
        [("..", '.'), ("a/b", '/'), ("a\\b", '\\'), ("a\0", '\0'), ("a.json", '.'), ("é", 'é'), ("a b", ' '), ("a\n", '\n')]
    {
        assert_eq!(SessionId::try_from(bad), Err(IdError::Character(character)));
    }
    for reserved in ["con", "CON", "Nul", "aux", "prn", "com1", "LPT9", "com0"] {
        assert_eq!(SessionId::try_from(reserved), Err(IdError::Reserved(reserved.to_owned())));
    }
}

#[test]
fn turns_are_counted_and_the_oldest_messages_go() {
    let mut session = Session::new(SessionId::try_from("s").unwrap());
    for text in ["a", "b", "c", "d"] {
        session.record_turn(message(text), 2);
    }
    assert_eq!(session.turns(), 4);
    assert_eq!(session.messages(), [message("c"), message("d")]);
    session.record_turn(message("e"), 0);
    assert_eq!((session.turns(), session.messages().len()), (5, 0));
}

/// Texts that lean towards what could break out.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[./\\\\A-Za-z0-9_-]{0,70}", "[A-Za-z0-9_-]{1,64}", "(\\.\\./){0,3}[a-z]{0,5}"]
}

proptest! {
    #[test]
    fn no_accepted_id_leaves_the_directory(text in hostile()) {
        if let Ok(id) = SessionId::try_from(text.as_str()) {
            let dir = Path::new("/srv/store");
            for suffix in [".json", ".tmp-0", ".corrupt-1"] {
                let path = dir.join(format!("{id}{suffix}"));
                prop_assert_eq!(path.parent(), Some(dir));
                prop_assert_eq!(path.components().count(), dir.components().count() + 1);
                prop_assert!(path.file_name().unwrap().len() <= 255 - 20);
            }
            prop_assert_eq!(id.as_str(), text);
        }
    }
}
