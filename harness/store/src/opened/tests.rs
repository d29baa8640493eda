use super::*;
use crate::session::Role;
use proptest::prelude::*;

fn id() -> SessionId {
    SessionId::try_from("s1").unwrap()
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just(Role::User), Just(Role::Assistant), Just(Role::Tool)];
    (role, any::<String>(), any::<u64>(), any::<String>()).prop_map(|(role, tool, digest, text)| Message { role, tool, digest, text })
}

#[test]
fn only_types_notice_a_damaged_message() {
    let bytes = br#"{"schema":1,"id":"s1","turns":1,"messages":[{"role":"root"}]}"#;
    let open = |parse| OpenSession::open(bytes.to_vec(), &id(), parse);
    assert!(open(Parse::Lazy).is_ok() && open(Parse::Tree).is_ok());
    assert!(open(Parse::Typed).unwrap_err().contains("unknown variant"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Turn after turn all three hold the same session and write the same bytes, which each of them opens.
    #[test]
    fn all_three_are_one_session(turns in prop::collection::vec((message(), 0usize..6), 0..8)) {
        let all = [Parse::Lazy, Parse::Typed, Parse::Tree];
        let mut open = all.map(|parse| OpenSession::new(id(), parse));
        for (message, keep) in turns {
            let mut documents = Vec::new();
            for session in &mut open {
                session.record_turn(message.clone(), keep).unwrap();
                documents.push((session.turns(), session.encode().unwrap()));
            }
            prop_assert!(documents.iter().all(|found| *found == documents[0]), "{documents:?}");
            open = all.map(|parse| OpenSession::open(documents[0].1.clone(), &id(), parse).unwrap());
            prop_assert!(open.iter().all(|session| *session.id() == id()));
        }
    }
}
