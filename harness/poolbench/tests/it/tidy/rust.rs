//! Just enough Rust for textual rules: code without comments and strings, functions with their lengths, tests cut off.
//!
//! Limits: macros are taken as written, not expanded; a function is found by the word `fn` and its braces are counted.

/// The code alone: comments and the insides of strings and characters become blanks; lines stay where they are.
pub(super) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = token_end(&chars, at);
        let hidden = end > at + 1;
        // Quotes stay, so that two words around a string do not grow together.
        for (i, c) in chars.iter().enumerate().take(end).skip(at) {
            let edge = *c == '"' && (i == at || i + 1 == end);
            out.push(if *c == '\n' || !hidden || edge { *c } else { ' ' });
        }
        at = end;
    }
    out
}

/// Where the comment, string or character that begins at `at` ends; `at + 1` for any other thing.
fn token_end(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied().unwrap_or('\0');
    let in_word = at > 0 && chars.get(at - 1).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    match chars.get(at) {
        Some('/') if next(1) == '/' => (at..chars.len()).find(|i| chars[*i] == '\n').unwrap_or(chars.len()),
        Some('/') if next(1) == '*' => block_comment_end(chars, at),
        Some('"') => quoted_end(chars, at + 1, '"'),
        Some('r') if !in_word && (next(1) == '"' || next(1) == '#') => raw_end(chars, at),
        Some('\'') if next(1) == '\\' => quoted_end(chars, at + 1, '\''),
        // Three places on there is no quote in a lifetime.
        Some('\'') if next(2) == '\'' => at + 3,
        _ => at + 1,
    }
}

fn block_comment_end(chars: &[char], begin: usize) -> usize {
    let (mut depth, mut at) = (0usize, begin);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') if depth == 1 => return at + 2,
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    chars.len()
}

fn quoted_end(chars: &[char], mut at: usize, quote: char) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], begin: usize) -> usize {
    let hashes = chars[begin + 1..].iter().take_while(|c| **c == '#').count();
    let open = begin + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        // A raw identifier.
        return begin + 1;
    }
    let closes = |i: &usize| chars[*i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    (open + 1..chars.len()).find(closes).map_or(chars.len(), |i| i + 1 + hashes)
}

/// A function as written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Line of its `fn`, from 1.
    pub(super) line: usize,
    /// From its `fn` to its closing brace.
    pub(super) lines: usize,
}

/// All functions with a body, those inside of others too.
pub(super) fn functions(text: &str) -> Vec<Function> {
    let code = code(text);
    let bytes = code.as_bytes();
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() || (at > 0 && is_word(bytes[at - 1])) {
            continue;
        }
        let Some(end) = body_end(bytes, at) else { continue };
        let newlines = |part: &[u8]| part.iter().filter(|b| **b == b'\n').count();
        found.push(Function { name, line: newlines(&bytes[..at]) + 1, lines: newlines(&bytes[at..end]) + 1 });
    }
    found
}

/// The place of the closing brace; `None` for a declaration without a body.
fn body_end(code: &[u8], begin: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0usize, 0usize);
    for (at, byte) in code.iter().enumerate().skip(begin) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b';' if brackets == 0 && braces == 0 => return None,
            b'{' => braces += 1,
            b'}' if braces == 1 => return Some(at),
            b'}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The code before the module of tests that closes a file.
pub(super) fn without_tests(code: &str) -> &str {
    let begin = code.find("#[cfg(test)]\nmod ").or_else(|| code.find("#[cfg(test)]\npub(crate) mod "));
    begin.map_or(code, |at| &code[..at])
}

#[test]
fn comments_strings_and_characters_are_blank() {
    let text = "a /* b /* c */ d */ e // f\n\"g\\\"h\" i 'j' '\\'' &'k l r#\"m \" n\"# o r\"p\" q\n\"r\ns\" t";
    let code = code(text);
    assert_eq!(code.lines().count(), text.lines().count());
    let words: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    assert_eq!(words, "aeikloqt", "{code}");
}

#[test]
fn functions_have_their_lengths() {
    let text = "fn one() {}\n// fn no() {}\ntrait T {\n    fn declared(&self);\n}\nasync fn two<const N: usize>(x: [u8; 4]) -> u8\nwhere\n    u8: Copy,\n{\n    let s = \"}\";\n    if true { 1 } else { 2 }\n}\n";
    let function = |name: &str, line, lines| Function { name: name.to_owned(), line, lines };
    assert_eq!(functions(text), [function("one", 1, 1), function("two", 6, 7)]);
}

#[test]
fn tests_are_cut_off() {
    assert_eq!(without_tests("fn a() {}\n#[cfg(test)]\nmod tests {\n}\n"), "fn a() {}\n");
}
