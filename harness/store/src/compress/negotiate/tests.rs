use super::*;
use Codec::{Gzip, Identity, Zstd};
use proptest::prelude::*;

const BOTH: &[Codec] = &[Zstd, Gzip];

#[test]
fn the_choice_is_the_clients_then_the_servers() {
    let cases: &[(&str, &[Codec], Option<Codec>)] = &[
        // No preference: the server's order.
        ("gzip, zstd", BOTH, Some(Zstd)),
        ("gzip, zstd", &[Gzip, Zstd], Some(Gzip)),
        ("gzip, deflate, br, zstd", BOTH, Some(Zstd)),
        ("gzip, deflate, br", BOTH, Some(Gzip)),
        ("*", BOTH, Some(Zstd)),
        ("*", &[], Some(Identity)),
        // Weights.
        ("zstd;q=0.5, gzip", BOTH, Some(Gzip)),
        ("zstd;q=0.500,gzip;q=0.499", BOTH, Some(Zstd)),
        ("zstd;q=0.001", BOTH, Some(Zstd)),
        ("gzip;q=1.000, zstd;q=0.999", BOTH, Some(Gzip)),
        ("gzip;q=0.5, identity", BOTH, Some(Identity)),
        ("gzip;q=0.5, identity;q=0.5", BOTH, Some(Gzip)),
        ("gzip;q=0.5, identity;q=0.5", &[Identity, Gzip], Some(Identity)),
        ("gzip;q=0.5", &[Identity, Gzip], Some(Gzip)),
        ("zstd;q=0, *", BOTH, Some(Gzip)),
        ("*;q=0.1, gzip;q=0.2", BOTH, Some(Gzip)),
        ("gzip;q=0.5, *;q=0.8", BOTH, Some(Zstd)),
        // Identity needs no mention, and can be refused.
        ("", BOTH, Some(Identity)),
        ("br", BOTH, Some(Identity)),
        ("gzip;q=0", BOTH, Some(Identity)),
        ("identity;q=0", BOTH, None),
        ("identity;q=0, gzip;q=0.1", BOTH, Some(Gzip)),
        ("identity;q=0, gzip", &[], None),
        ("identity;q=0", &[Identity, Gzip], None),
        ("*;q=0", BOTH, None),
        ("*;q=0, identity", BOTH, Some(Identity)),
        ("*;q=0, gzip;q=0.2", BOTH, Some(Gzip)),
        ("br, *;q=0", BOTH, None),
        // Case, blanks, the alias, empty entries, the first mention.
        ("GZip;Q=1", BOTH, Some(Gzip)),
        (" \tgzip \t; q=0.7 ,, ", BOTH, Some(Gzip)),
        ("x-gzip", BOTH, Some(Gzip)),
        ("x-gzip;q=0, gzip", BOTH, Some(Identity)),
        ("gzip;q=0, gzip", BOTH, Some(Identity)),
        // Malformed entries are as if they were not there.
        ("gzip;q=1.1", BOTH, Some(Identity)),
        ("gzip;q=1.001, zstd;q=0.1", BOTH, Some(Zstd)),
        ("gzip;q=0.1234", BOTH, Some(Identity)),
        ("gzip;q=-0", BOTH, Some(Identity)),
        ("gzip;q=.5", BOTH, Some(Identity)),
        ("gzip;q=", BOTH, Some(Identity)),
        ("gzip;q", BOTH, Some(Identity)),
        ("gzip;level=9", BOTH, Some(Identity)),
        ("gzip;q=0.5;q=1", BOTH, Some(Identity)),
        ("gzip zstd", BOTH, Some(Identity)),
        ("gzip;q=0.", BOTH, Some(Identity)),
        ("gzip;q=1.", BOTH, Some(Gzip)),
        ("gzip;q=\u{665}", BOTH, Some(Identity)),
    ];
    for (accept, offer, expected) in cases {
        assert_eq!(negotiate(accept, offer).ok(), *expected, "{accept:?} of {offer:?}");
    }
}

#[test]
fn refusals_say_what_was_offered_and_lists_have_a_limit() {
    assert_eq!(negotiate("*;q=0", BOTH), Err(NotAcceptable::Nothing { offer: "zstd, gzip".to_owned() }));
    assert!(negotiate(&" ".repeat(ACCEPT_MAX), BOTH).is_ok());
    assert_eq!(negotiate(&" ".repeat(ACCEPT_MAX + 1), BOTH), Err(NotAcceptable::TooLong { bytes: ACCEPT_MAX + 1 }));
}

proptest! {
    #[test]
    fn any_text_gives_an_offered_codec_or_identity(accept in prop_oneof![any::<String>(), "((gzip|zstd|identity|\\*|br)(;q=[01](\\.[0-9]{0,4})?)?,? ?){0,6}"]) {
        if let Ok(codec) = negotiate(&accept, &[Gzip]) {
            prop_assert!(matches!(codec, Gzip | Identity));
            // What was refused by name is never sent.
            let refused = format!("{};q=0, {accept}", codec.name());
            prop_assert_ne!(negotiate(&refused, &[Gzip]).ok(), Some(codec));
        }
    }
}
