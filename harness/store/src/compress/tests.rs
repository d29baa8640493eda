use super::*;
use proptest::prelude::*;

fn at(gzip_level: u32, zstd_level: i32) -> Config {
    Config { gzip_level, zstd_level, ..Config::default() }
}

fn text(size: usize) -> Vec<u8> {
    let words = ["session ", "worker ", "turn ", "\"text\":", "0.25, ", "the "];
    (0..size as u32).flat_map(|n| words[(n.wrapping_mul(2_654_435_761) >> 16) as usize % words.len()].bytes()).take(size).collect()
}

#[test]
fn the_table_is_in_order_and_names_are_unambiguous() {
    let mut names = std::collections::BTreeSet::new();
    for (at, row) in CODECS.iter().enumerate() {
        assert_eq!(row.codec as usize, at);
        assert!(!row.doc.is_empty());
        for name in row.names {
            assert!(names.insert(*name), "{name} twice");
            assert_eq!(Codec::named(name), Some(row.codec));
            assert_eq!(Codec::named(&name.to_uppercase()), Some(row.codec));
        }
    }
    assert_eq!(Codec::named("br"), None);
}

#[test]
fn every_level_gives_the_body_back_at_every_kind_of_size() {
    let bodies = [Vec::new(), vec![1], text(100), text(100_000)];
    let levels = (0..=9).map(|level| (Codec::Gzip, at(level, 3))).chain((-7..=19).map(|level| (Codec::Zstd, at(6, level))));
    for (codec, config) in levels {
        let mut encoder = Encoder::new(&config);
        for body in &bodies {
            let encoded = encoder.encode(codec, body).unwrap();
            assert_eq!(decode(codec, &encoded, body.len()).unwrap(), *body, "{codec:?} {config:?}");
        }
    }
}

#[test]
fn levels_take_effect() {
    let body = text(100_000);
    let size = |codec, gzip, zstd| Encoder::new(&at(gzip, zstd)).encode(codec, &body).unwrap().len();
    assert!(size(Codec::Gzip, 0, 0) > body.len());
    assert!(size(Codec::Gzip, 9, 0) < size(Codec::Gzip, 1, 0));
    assert!(size(Codec::Zstd, 0, 19) < size(Codec::Zstd, 0, -7));
    assert_eq!(size(Codec::Zstd, 0, 0), size(Codec::Zstd, 0, 3));
}

#[test]
fn a_used_encoder_gives_the_bytes_of_a_fresh_one() {
    for row in CODECS {
        let mut used = Encoder::new(&Config::default());
        for size in [10, 1_200_000, 0, 5000] {
            let fresh = Encoder::new(&Config::default()).encode(row.codec, &text(size)).unwrap();
            assert_eq!(used.encode(row.codec, &text(size)).unwrap(), fresh, "{:?} {size}", row.codec);
        }
    }
}

#[test]
fn others_can_read_what_is_written() {
    let body = text(10_000);
    let mut encoder = Encoder::new(&Config::default());
    let mut out = Vec::new();
    let member = encoder.encode(Codec::Gzip, &body).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&member[..]), &mut out).unwrap();
    assert_eq!(out, body);
    let frame = encoder.encode(Codec::Zstd, &body).unwrap();
    assert_eq!(zstd::stream::decode_all(&frame[..]).unwrap(), body);
}

#[test]
fn small_bodies_go_as_they_are_where_the_client_takes_that() {
    let config = Config { min_size: 100, ..Config::default() };
    assert_eq!(config.choose("zstd", 99), Ok(Codec::Identity));
    assert_eq!(config.choose("zstd", 100), Ok(Codec::Zstd));
    assert_eq!(config.choose("zstd, identity;q=0", 99), Ok(Codec::Zstd));
    assert!(config.choose("br, identity;q=0", 99).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_body_comes_back(body in proptest::collection::vec(any::<u8>(), 0..5000), gzip in 0u32..=9, zstd in -7..=12, slack in 0usize..3) {
        let mut encoder = Encoder::new(&at(gzip, zstd));
        for row in CODECS {
            let encoded = encoder.encode(row.codec, &body).unwrap();
            prop_assert_eq!(&decode(row.codec, &encoded, body.len() + slack).unwrap(), &body);
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused_within_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..500), magic in 0..3usize, max in 0usize..2000) {
        let start: [&[u8]; 3] = [b"", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x28\xb5\x2f\xfd"];
        let bytes = [start[magic], &bytes].concat();
        for row in CODECS {
            if let Ok(body) = decode(row.codec, &bytes, max) {
                prop_assert!(body.len() <= max);
            }
        }
    }
}
