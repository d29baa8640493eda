//! Documents that were cut at a size, made whole again.

use serde::de::IgnoredAny;

/// The longest begin of `text` that can be closed into a whole JSON document, closed; `text` itself where it is whole already; `None` where no
/// such begin holds half of it.
///
/// It is cut behind an object within a list where there is one, so that no object lacks the members that its like have.
pub(crate) fn whole(text: &[u8]) -> Option<String> {
    let valid = |text: &[u8]| serde_json::from_slice::<IgnoredAny>(text).is_ok();
    if valid(text) {
        return String::from_utf8(text.to_vec()).ok();
    }
    let half = text.len() / 2;
    let cuts = cuts(text);
    let cut = cuts.into_iter().flatten().find(|cut| cut.end > half)?;
    let mut out = text.get(..cut.end)?.to_vec();
    out.extend(cut.open.iter().rev().map(|open| if *open == b'{' { b'}' } else { b']' }));
    String::from_utf8(out).ok().filter(|text| valid(text.as_bytes()))
}

/// A place to cut, and the brackets that are open there.
#[derive(Clone)]
struct Cut {
    end: usize,
    open: Vec<u8>,
}

/// The last cuts behind an object in a list, behind any entry of a list, and behind anything whole.
fn cuts(text: &[u8]) -> [Option<Cut>; 3] {
    let mut last = [None, None, None];
    let mut open = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        let (end, object) = match byte {
            b'"' => {
                in_string = true;
                continue;
            }
            b'{' | b'[' => {
                open.push(*byte);
                (at + 1, false)
            }
            b'}' | b']' => {
                open.pop();
                (at + 1, *byte == b'}')
            }
            b',' => (at, false),
            _ => continue,
        };
        let in_list = open.last() == Some(&b'[');
        for (place, fits) in last.iter_mut().zip([in_list && object, in_list, true]) {
            if fits {
                *place = Some(Cut { end, open: open.clone() });
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_stays_and_what_is_cut_is_closed() {
        assert_eq!(whole(b"[1,2]").unwrap(), "[1,2]");
        assert_eq!(whole(br#"{"m":[{"a":1},{"a":"x]}"},{"a":"#).unwrap(), r#"{"m":[{"a":1},{"a":"x]}"}]}"#);
        assert_eq!(whole(br#"{"a":{"b":1,"c":2},"d":{"e":"f"#).unwrap(), r#"{"a":{"b":1,"c":2},"d":{}}"#);
        assert_eq!(whole(b"no JSON at all, not a bit"), None);
        assert_eq!(whole(b""), None);
    }

    #[test]
    fn every_cut_of_a_document_is_whole_or_refused() {
        let text = br#"{"messages":[{"id":"m\"1","n":[1,2.5,-3e4],"x":null},{"id":"m2","n":[],"x":{"y":"\\"}}]}"#;
        for end in 0..=text.len() {
            if let Some(document) = whole(&text[..end]) {
                assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok(), "{end}: {document}");
                assert!(document.len() * 2 > end);
            }
        }
        assert!(whole(&text[..70]).is_some());
    }
}
