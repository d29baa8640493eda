use super::*;
use proptest::prelude::*;

/// Unescaped quotes by the definition, or `None` where an escape is none of JSON's.
fn plainly(bytes: &[u8]) -> Option<Vec<usize>> {
    let (mut ends, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match bytes[at] {
            0..b' ' => return None,
            b'"' => ends.push(at),
            b'\\' => {
                at += 1;
                match bytes.get(at) {
                    Some(b'u') if bytes.get(at + 1..at + 5)?.iter().all(u8::is_ascii_hexdigit) => {}
                    Some(b) if br#""\/bfnrt"#.contains(b) => {}
                    _ => return None,
                }
            }
            _ => {}
        }
        at += 1;
    }
    Some(ends)
}

fn walked(bytes: &[u8]) -> Option<Vec<usize>> {
    let mut strings = Strings::new(bytes);
    let (mut ends, mut from) = (Vec::new(), 0);
    while let Some(end) = strings.end(from) {
        ends.push(end);
        from = end + 1;
    }
    // To the end, and not stopped by what is no JSON.
    (strings.next >= bytes.len()).then_some(ends)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn quotes_are_found_as_by_the_definition(bytes in prop_oneof![
        prop::collection::vec(prop::sample::select(br#"\\\\""nux0"#.to_vec()), 0..300),
        prop::collection::vec(prop::sample::select(br#"\\\\\""""#.to_vec()), 0..300),
        prop::collection::vec(prop::sample::select(b"\\\\\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec()).prop_map(|b| if b == b'a' { b'n' } else { b }), 0..300),
    ]) {
        // No document ends with a backslash.
        let bytes = [&bytes[..], b"n"].concat();
        prop_assert_eq!(walked(&bytes), plainly(&bytes));
    }

    #[test]
    fn a_block_is_seen_as_it_is_byte_by_byte(bytes in prop::collection::vec(any::<u8>(), BLOCK)) {
        let bytes: [u8; BLOCK] = bytes.try_into().unwrap();
        let (fast, slow) = (Block::of(&bytes), Block::plainly(&bytes));
        prop_assert_eq!((fast.quote, fast.backslash, fast.control), (slow.quote, slow.backslash, slow.control));
    }
}
