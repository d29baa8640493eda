use super::*;
use crate::testkit::{id, message};
use proptest::prelude::*;

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
