//! The job `json-parse`.

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::BufReader;
use std::path::PathBuf;

use serde_json::Value;

use super::document::{Head, Headers, Packed, PackedRef, Session, SessionRaw, SessionRef};
use super::whole::whole;
use crate::{Batch, Contender, Job, Limit, Opening, Refusal, Way};

/// Parsing one document.
pub(crate) const PARSE: Job = Job {
    name: "json-parse",
    doc: "parse a document, and drop what came of it",
    cpu_bound: true,
    ways: &[
        way("serde-slice", "serde_json::from_slice into types", "", |o| typed(o, serde_slice)),
        way("serde-str", "serde_json::from_str into types: that the text is UTF-8 is known already", "", |o| typed(o, serde_str)),
        way("serde-borrowed", "the same, texts borrowed where nothing in them is escaped (Cow)", BORROWED, |o| typed(o, serde_borrowed)),
        way("serde-raw", "the same, bodies left as text (RawValue)", RAW, |o| typed(o, serde_raw)),
        way("serde-header", "the same, ids, roles and turns only, the rest skipped", "", |o| typed(o, serde_header)),
        way("serde-value", "serde_json::Value: a tree", "", |o| tree(o, serde_value)),
        way("serde-value-then-typed", "a tree, and types made of it", THEN_TYPED, |o| typed(o, serde_value_then_typed)),
        way("serde-reader-buffered", "serde_json::from_reader of a file behind a BufReader, into types", READER, |o| {
            typed(o, serde_reader_buffered)
        }),
        way("serde-reader", "serde_json::from_reader of the file itself, into types", READER_FILE, |o| typed(o, serde_reader)),
        way("simd-typed", "simd-json into types: a copy of the text, buffers kept", SIMD, |o| typed(o, simd_typed)),
        way("simd-typed-fresh", "the same with buffers of its own each time", SIMD_FRESH, |o| typed(o, simd_typed_fresh)),
        way("simd-value", "simd-json's borrowed tree: a copy of the text, buffers kept", SIMD, |o| tree(o, simd_value)),
        way("sonic-typed", "sonic-rs into types", SONIC, |o| typed(o, sonic_typed)),
        way("sonic-value", "sonic-rs' tree", SONIC, |o| tree(o, sonic_value)),
        way("postcard", "no JSON: the same types in postcard, owned", PACKED, |o| typed(o, postcard_owned)),
        way("postcard-borrowed", "no JSON: the same types in postcard, texts borrowed", PACKED, |o| typed(o, postcard_borrowed)),
    ],
};

const BORROWED: &str = "a &str field fails on any escaped text, and a Cow without #[serde(borrow)] always copies";
const RAW: &str = "what is left as text is parsed when it is needed after all, and its mistakes show only then";
const THEN_TYPED: &str = "the tree is built to be thrown away: parse into the types at once";
const READER: &str = "reading byte by byte through a reader takes two to three times as long: read the file whole, then from_str";
const READER_FILE: &str = "without a BufReader each byte is a system call: 200 times slower, and it looks innocent";
const SIMD: &str = "it writes into its text, so that it needs a copy; integers beyond 64 bits are refused that serde_json turns into floats; duplicate \
                    keys of a tree are all kept";
const SIMD_FRESH: &str = "fresh buffers are page faults: slower than serde_json on large documents";
const SONIC: &str = "deep nesting overflows its stack and ends the process: for documents of our own only; without -C target-cpu half of its trees' \
                     speed is lost";
const PACKED: &str = "not self-describing: a field more or less and old documents cannot be read";

const fn way(name: &'static str, doc: &'static str, trap: &'static str, open: fn(&Opening) -> Result<Box<dyn Contender>, Refusal>) -> Way {
    Way { name, doc, trap, open }
}

/// A document in every form that a way may want.
struct Input {
    text: String,
    packed: Vec<u8>,
    path: PathBuf,
}

/// Memory that is kept between documents.
#[derive(Default)]
struct Kept {
    copy: Vec<u8>,
    buffers: simd_json::Buffers,
}

/// What a way got out of a document, for comparison.
#[derive(Debug, PartialEq)]
enum Answer {
    Session(Session),
    Heads(Vec<Head>),
    Tree(Value),
}

/// Where the answer goes if somebody wants it.
type Look<'a> = Option<&'a mut Option<Answer>>;
type Parse = fn(&Input, &mut Kept, Look<'_>) -> Result<(), String>;

/// Keeps the compiler from leaving the work out, and tells the answer off the clock.
fn seen<T>(parsed: &T, look: Look<'_>, answer: impl FnOnce(&T) -> Result<Answer, String>) -> Result<(), String> {
    black_box(parsed);
    if let Some(look) = look {
        *look = Some(answer(parsed)?);
    }
    Ok(())
}

fn text(e: impl std::fmt::Display) -> String {
    e.to_string()
}

fn session(session: &Session) -> Result<Answer, String> {
    Ok(Answer::Session(session.clone()))
}

fn serde_slice(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Session = serde_json::from_slice(input.text.as_bytes()).map_err(text)?;
    seen(&parsed, look, session)
}

fn serde_str(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Session = serde_json::from_str(&input.text).map_err(text)?;
    seen(&parsed, look, session)
}

fn serde_borrowed(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: SessionRef<'_> = serde_json::from_str(&input.text).map_err(text)?;
    seen(&parsed, look, |parsed| Ok(Answer::Session(parsed.to_session())))
}

fn serde_raw(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: SessionRaw<'_> = serde_json::from_str(&input.text).map_err(text)?;
    seen(&parsed, look, |parsed| parsed.to_session().map(Answer::Session).map_err(text))
}

fn serde_header(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Headers<'_> = serde_json::from_str(&input.text).map_err(text)?;
    seen(&parsed, look, |parsed| Ok(Answer::Heads(parsed.heads())))
}

fn serde_value(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Value = serde_json::from_str(&input.text).map_err(text)?;
    seen(&parsed, look, |parsed| Ok(Answer::Tree(parsed.clone())))
}

fn serde_value_then_typed(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let tree: Value = serde_json::from_str(&input.text).map_err(text)?;
    let parsed: Session = serde_json::from_value(tree).map_err(text)?;
    seen(&parsed, look, session)
}

fn serde_reader_buffered(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Session = serde_json::from_reader(BufReader::new(File::open(&input.path).map_err(text)?)).map_err(text)?;
    seen(&parsed, look, session)
}

fn serde_reader(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Session = serde_json::from_reader(File::open(&input.path).map_err(text)?).map_err(text)?;
    seen(&parsed, look, session)
}

impl Kept {
    fn copy(&mut self, input: &Input) {
        self.copy.clear();
        self.copy.extend_from_slice(input.text.as_bytes());
    }
}

fn simd_typed(input: &Input, kept: &mut Kept, look: Look<'_>) -> Result<(), String> {
    kept.copy(input);
    let parsed: Session = simd_json::serde::from_slice_with_buffers(&mut kept.copy, &mut kept.buffers).map_err(text)?;
    seen(&parsed, look, session)
}

fn simd_typed_fresh(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let mut copy = input.text.as_bytes().to_vec();
    let parsed: Session = simd_json::serde::from_slice(&mut copy).map_err(text)?;
    seen(&parsed, look, session)
}

fn simd_value(input: &Input, kept: &mut Kept, look: Look<'_>) -> Result<(), String> {
    kept.copy(input);
    let parsed = simd_json::borrowed::to_value_with_buffers(&mut kept.copy, &mut kept.buffers).map_err(text)?;
    seen(&parsed, look, |parsed| serde_json::to_value(parsed).map(Answer::Tree).map_err(text))
}

fn sonic_typed(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Session = sonic_rs::from_str(&input.text).map_err(text)?;
    seen(&parsed, look, session)
}

fn sonic_value(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: sonic_rs::Value = sonic_rs::from_str(&input.text).map_err(text)?;
    seen(&parsed, look, |parsed| {
        let again = sonic_rs::to_string(parsed).map_err(text)?;
        serde_json::from_str(&again).map(Answer::Tree).map_err(text)
    })
}

fn postcard_owned(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: Packed = postcard::from_bytes(&input.packed).map_err(text)?;
    seen(&parsed, look, |parsed| Ok(Answer::Session(parsed.to_session())))
}

fn postcard_borrowed(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
    let parsed: PackedRef<'_> = postcard::from_bytes(&input.packed).map_err(text)?;
    seen(&parsed, look, |parsed| Ok(Answer::Session(parsed.to_session())))
}

/// The documents of an opening as whole JSON.
///
/// # Errors
/// Documents that are no JSON.
pub(super) fn texts(opening: &Opening) -> Result<Vec<String>, Refusal> {
    let one = |document: &Vec<u8>| {
        whole(document).ok_or_else(|| {
            let what = "the documents are no JSON, not even a cut one, or too small to hold anything whole";
            Refusal::Failed(format!("{what} (expected a load.payload of JSON, such as shape 'agent-session', of 512B or more)"))
        })
    };
    opening.documents.iter().map(one).collect()
}

/// The same as sessions.
///
/// # Errors
/// Documents that are no sessions.
pub(super) fn sessions(texts: &[String]) -> Result<Vec<Session>, Refusal> {
    let one = |text: &String| {
        serde_json::from_str(text).map_err(|why| {
            Refusal::Failed(format!("this way parses sessions (expected load.payload shape 'agent-session'; trees take any JSON): {why}"))
        })
    };
    texts.iter().map(one).collect()
}

/// Text that a batch parses, bytes: some 50 us of serde_json.
const BATCH_BYTES: usize = 48 << 10;

/// Operations of a batch over texts.
pub(super) fn per_batch(texts: &[String]) -> u32 {
    let longest = texts.iter().map(String::len).max().unwrap_or(1).max(1);
    u32::try_from(BATCH_BYTES / longest).unwrap_or(1).clamp(1, 256)
}

fn typed(opening: &Opening, parse: Parse) -> Result<Box<dyn Contender>, Refusal> {
    let texts = texts(opening)?;
    let sessions = sessions(&texts)?;
    let packed = sessions.iter().map(|s| postcard::to_allocvec(&s.packed())).collect::<Result<Vec<_>, _>>();
    let packed = packed.map_err(|e| Refusal::failed("cannot pack the documents", e))?;
    job(opening, parse, texts, packed)
}

fn tree(opening: &Opening, parse: Parse) -> Result<Box<dyn Contender>, Refusal> {
    job(opening, parse, texts(opening)?, Vec::new())
}

fn job(opening: &Opening, parse: Parse, texts: Vec<String>, packed: Vec<Vec<u8>>) -> Result<Box<dyn Contender>, Refusal> {
    let per_batch = per_batch(&texts);
    let mut packed = packed.into_iter();
    let mut inputs = Vec::with_capacity(texts.len());
    for (i, text) in texts.into_iter().enumerate() {
        let path = opening.dir.join(format!("document-{i}.json"));
        std::fs::write(&path, &text).map_err(|e| Refusal::failed("cannot write a document", e))?;
        inputs.push(Input { text, packed: packed.next().unwrap_or_default(), path });
    }
    Ok(Box::new(Parser { inputs, parse, per_batch, next: 0, kept: Kept::default() }))
}

struct Parser {
    inputs: Vec<Input>,
    parse: Parse,
    per_batch: u32,
    next: usize,
    kept: Kept,
}

impl Contender for Parser {
    fn batch(&mut self) -> Result<Batch, String> {
        let mut bytes = 0;
        for _ in 0..self.per_batch {
            let input = self.inputs.get(self.next).ok_or("there is no document")?;
            (self.parse)(input, &mut self.kept, None)?;
            bytes += input.text.len() as u64;
            self.next = (self.next + 1) % self.inputs.len();
        }
        Ok(Batch { operations: self.per_batch, bytes_in: bytes, bytes_out: 0 })
    }

    fn limit(&self) -> Option<Limit> {
        let bytes = self.inputs.iter().map(|i| i.text.len()).sum::<usize>() / self.inputs.len().max(1);
        Some(Limit::Memcpy(bytes as u64))
    }

    fn finish(mut self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        for (i, input) in self.inputs.iter().enumerate() {
            let mut answer = None;
            (self.parse)(input, &mut self.kept, Some(&mut answer))?;
            let answer = answer.ok_or_else(|| format!("nothing came of document {i}"))?;
            let right = match answer {
                Answer::Tree(tree) => serde_json::from_str::<Value>(&input.text).is_ok_and(|right| right == tree),
                Answer::Heads(heads) => serde_json::from_str::<Session>(&input.text).is_ok_and(|right| right.heads() == heads),
                Answer::Session(session) => serde_json::from_str::<Session>(&input.text).is_ok_and(|right| right == session),
            };
            if !right {
                return Err(format!("document {i} was parsed wrong: serde_json finds something else in it"));
            }
        }
        let bytes = self.inputs.iter().map(|i| i.text.len()).sum::<usize>() / self.inputs.len().max(1);
        let documents = format!("{} of {bytes} bytes in the mean, {} in a batch", self.inputs.len(), self.per_batch);
        Ok(BTreeMap::from([("documents".to_owned(), documents)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parser that forgets the last message: the mistake that the comparison is there for.
    fn forgetful(input: &Input, _: &mut Kept, look: Look<'_>) -> Result<(), String> {
        let mut parsed: Session = serde_json::from_str(&input.text).map_err(text)?;
        parsed.messages.pop();
        seen(&parsed, look, session)
    }

    #[test]
    fn a_wrong_answer_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let document = br#"{"messages":[{"role":"user","text":"a \"b\""},{"role":"tool","content":"c"}]}"#.to_vec();
        let opening = Opening { dir: dir.path().to_owned(), documents: vec![document], seed: 1, settings: BTreeMap::new() };
        for (parse, right) in [(serde_slice as Parse, true), (forgetful, false)] {
            let mut contender = typed(&opening, parse).unwrap();
            contender.batch().unwrap();
            assert_eq!(contender.finish().is_ok(), right);
        }
    }

    #[test]
    fn documents_that_are_no_sessions_are_refused_by_what_parses_sessions() {
        let dir = tempfile::tempdir().unwrap();
        let opening = |text: &str| Opening {
            dir: dir.path().to_owned(),
            documents: vec![text.as_bytes().to_vec()],
            seed: 1,
            settings: BTreeMap::new(),
        };
        let why = |refused: Result<Box<dyn Contender>, Refusal>| refused.err().unwrap().to_string();
        assert!(why(typed(&opening("[1,2,3]"), serde_str)).contains("agent-session"));
        assert!(why(tree(&opening("some prose that goes on"), serde_value)).contains("no JSON"));
        assert!(tree(&opening("[1,2,3,4,5,6,7,8"), serde_value).is_ok());
    }
}
