use super::*;
use crate::compress::{CODECS, Config, Encoder};

fn encode(codec: Codec, body: &[u8]) -> Vec<u8> {
    Encoder::new(&Config::default()).encode(codec, body).unwrap().to_vec()
}

fn compressed() -> impl Iterator<Item = Codec> {
    CODECS.iter().map(|row| row.codec).filter(|codec| *codec != Codec::Identity)
}

#[test]
fn the_limit_is_exact_and_a_bomb_is_refused() {
    let body = vec![0; 4 << 20];
    for codec in CODECS.iter().map(|row| row.codec) {
        let bomb = encode(codec, &body);
        assert_eq!(decode(codec, &bomb, body.len()).unwrap(), body, "{codec:?}");
        for max in [0, 1, 1000, body.len() - 1] {
            assert_eq!(decode(codec, &bomb, max), Err(DecodeError::TooLarge { codec: codec.name(), max }), "{codec:?}");
        }
    }
}

#[test]
fn a_bomb_that_hides_its_size_is_refused() {
    let body = vec![0; 4 << 20];
    let mut stream = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    std::io::Write::write_all(&mut stream, &body).unwrap();
    let bomb = stream.finish().unwrap();
    assert_eq!(zstd::zstd_safe::get_frame_content_size(&bomb).unwrap(), None);
    assert_eq!(decode(Codec::Zstd, &bomb, 100_000), Err(DecodeError::TooLarge { codec: "zstd", max: 100_000 }));
    assert_eq!(decode(Codec::Zstd, &bomb, body.len()).unwrap(), body);
}

#[test]
fn no_buffer_is_larger_than_the_limit() {
    for codec in compressed() {
        let decoded = decode(codec, &encode(codec, &[7; 3000]), 3001).unwrap();
        assert!(decoded.capacity() <= 3001, "{codec:?}: {}", decoded.capacity());
    }
}

#[test]
fn every_cut_is_refused_and_does_not_spoil_the_next_body() {
    let body: Vec<u8> = (0..2000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for codec in compressed() {
        let whole = encode(codec, &body);
        for cut in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
            for max in [body.len(), body.len() * 2] {
                assert_eq!(decode(codec, &whole[..cut], max), Err(DecodeError::Truncated { codec: codec.name() }), "{codec:?} at {cut}");
            }
            assert_eq!(decode(codec, &whole, body.len()).unwrap(), body);
        }
    }
}

#[test]
fn what_follows_the_end_is_another_body_or_an_error() {
    for codec in compressed() {
        let mut bytes = encode(codec, b"one ");
        bytes.extend(encode(codec, b"two"));
        assert_eq!(decode(codec, &bytes, 7).unwrap(), b"one two");
        assert_eq!(decode(codec, &bytes, 6), Err(DecodeError::TooLarge { codec: codec.name(), max: 6 }));
        for garbage in [&b"x"[..], b"\0", b"garbage!garbage!garbage!"] {
            let mut bytes = encode(codec, b"one");
            bytes.extend(garbage);
            assert!(decode(codec, &bytes, 100).is_err(), "{codec:?} {garbage:?}");
        }
    }
}

#[test]
fn noise_and_a_changed_body_are_refused() {
    for codec in compressed() {
        let refused = decode(codec, b"this is no such thing at all", 100);
        assert!(matches!(refused, Err(DecodeError::Malformed { .. })), "{codec:?}: {refused:?}");
    }
    let mut member = encode(Codec::Gzip, b"some words, some words, some words");
    let checksum = member.len() - 8;
    member[checksum] ^= 1;
    assert!(matches!(decode(Codec::Gzip, &member, 100), Err(DecodeError::Malformed { .. })));
}

#[test]
fn a_window_beyond_8_mib_is_refused() {
    let mut stream = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    stream.window_log(24).unwrap();
    std::io::Write::write_all(&mut stream, &[1; 64]).unwrap();
    std::io::Write::flush(&mut stream).unwrap();
    let frame = stream.finish().unwrap();
    assert!(matches!(decode(Codec::Zstd, &frame, 1 << 20), Err(DecodeError::Malformed { .. })));
}
