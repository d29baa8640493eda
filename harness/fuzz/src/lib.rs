//! What is fuzzed: each target is a function of any bytes that must come back.
//!
//! A target also asserts what must hold of its answer, so that the fuzzer finds wrong answers and not only panics. The corpus of each is
//! in `corpus/TARGET/`; `cargo test` runs it, `scripts/fuzz TARGET` begins with it.

use std::collections::BTreeMap;

use coordinator::mcp::ServeConfig;
use coordinator::monitor::alerts::{FIELDS, Rule};
use model::durability::Durability;
use model::plan::Size;
use model::{Record, SettingRow, Trace};
use pool::Config;
use pool::core::{Core, Event, RequestId, SessionKey, Submit, ToolId};
use pool::frames::{Decoder, Frame, encode_progress, encode_reply, encode_request, hello, signal};
use scenario::{Options, Selection, Source, expand};

/// A target's name, which is that of its corpus and of its fuzzer, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("frames", frames),
    ("pool_config", pool_config),
    ("scenario", scenario),
    ("trace", trace),
    ("server", server),
    ("record", record),
    ("durability", durability),
];

/// The frame decoder: frames do not depend on how the bytes were cut, and those that come out encode to the bytes that went in.
pub fn frames(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let (limit, cut) = if cut % 2 == 0 { (1 << 10, cut / 2) } else { (u32::MAX, cut / 2) };
    let (whole, at_once) = decoded(limit, &[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(cut).max(1)).collect();
    assert_eq!(decoded(limit, &pieces), (whole.clone(), at_once), "the frames depend on how the stream was cut");
    let mut again = Vec::new();
    for frame in &whole {
        match frame {
            Frame::Hello => again.extend_from_slice(&hello()),
            Frame::Request { id, work, progress_ms, payload } => encode_request(*id, *work, *progress_ms, payload, &mut again),
            Frame::Reply { id, begin, end, ok, body } => encode_reply(*id, *begin, *end, *ok, body, &mut again),
            Frame::Signal { signal: said, id } => again.extend_from_slice(&signal(*said, *id)),
            Frame::Progress { id, done, total, message } => match std::str::from_utf8(message) {
                Ok(message) => encode_progress(*id, *done, *total, message, &mut again),
                // What is no text is only ever shown, never sent again.
                Err(_) => return,
            },
        }
    }
    assert!(stream.starts_with(&again), "a frame does not encode to what it was decoded from");
}

/// The frames of a stream, and whether it went wrong.
fn decoded(limit: u32, pieces: &[&[u8]]) -> (Vec<Frame>, bool) {
    let mut decoder = Decoder::new(limit);
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.extend(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_frame(), Err(error), "an error does not last");
                    return (frames, true);
                }
            }
        }
    }
    (frames, false)
}

/// Lines `KEY = VALUE` as the pool's settings: a configuration that is accepted makes a core that can be used.
pub fn pool_config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    let settings: BTreeMap<String, String> = text.lines().filter_map(pair).collect();
    match Config::from_settings(&settings) {
        Ok(config) => first_steps(&config),
        Err(error) => assert!(error.to_string().contains("; "), "no remedy: {error}"),
    }
}

fn first_steps(config: &Config) {
    let (mut core, mut actions) = (Core::new(config), Vec::new());
    core.step(1, Event::Start, &mut actions);
    for id in 0..3u16 {
        let session = Some(SessionKey(u64::from(id % 2)));
        let submit = Submit { request: RequestId(id.into()), tool: ToolId(id), bytes: 100, session, deadline: None, cost: None };
        core.step(1 + u64::from(id), Event::Submit(submit), &mut actions);
    }
    core.step(u64::MAX, Event::Drain, &mut actions);
    let totals = core.totals();
    assert_eq!(totals.admitted, totals.finished.iter().sum::<u64>() + u64::from(totals.queued) + u64::from(totals.in_flight));
}

/// A scenario file with the real catalogue, and the preparation of the cases that it gives.
pub fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let sources = [Source { file: "any/file.toml".to_owned(), text: text.to_owned() }, beside()];
    let options = Options { size: Size::Smoke, seed: 1, rounds: None, max_cases: 64, virtual_time: false };
    match expand(&sources, &driver::catalogue(), &driver::kinds(), &Selection::default(), &options) {
        Ok(plan) => {
            // Either is an answer; what matters is that there is one.
            let _ = driver::prepare(&plan);
        }
        Err(problems) => assert!(!problems.is_empty(), "refused without a problem"),
    }
}

/// A trace that a scenario may name.
fn beside() -> Source {
    Source { file: "any/agents.trace".to_owned(), text: "0\n150000000\n290000000\n".to_owned() }
}

/// A file of arrivals: what is read can be written, and is then read as the same.
pub fn trace(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Trace::parse(text) {
        Ok(trace) => {
            assert_eq!(Trace::parse(&Trace::text(trace.offsets(), "any")), Ok(trace), "a trace changes when it is written and read");
        }
        Err(bad) => assert!(!bad.what.is_empty() && bad.line as usize <= text.lines().count(), "{bad}"),
    }
}

/// A server's file with its real rows: what is accepted is a configuration, or has an error with its remedy; so has every alert.
pub fn server(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let row = |(key, kind, default, doc): pool::SettingRow| SettingRow { key, kind, default, doc };
    let rows: Vec<SettingRow> = coordinator::mcp::settings().into_iter().map(row).collect();
    let name = ("name", "text", "", "its name");
    let alert: Vec<SettingRow> = std::iter::once(name).chain(FIELDS.iter().copied()).map(row).collect();
    match scenario::server("any.toml", text, &rows, &alert) {
        Ok(file) => {
            if let Err(error) = ServeConfig::from_settings(&file.values(), "0") {
                assert!(error.why.contains("; ") || error.why.contains("expected"), "no remedy: {}: {}", error.key, error.why);
            }
            for table in &file.alerts {
                let fields: BTreeMap<String, String> = table.values.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect();
                let _ = Rule::parse("any", &fields);
            }
        }
        Err(problems) => assert!(!problems.is_empty(), "refused without a problem"),
    }
}

/// A line of `records.jsonl`: what is read can be written, and is then read as the same.
pub fn record(data: &[u8]) {
    let Ok(record) = serde_json::from_slice::<Record>(data) else { return };
    let Ok(text) = serde_json::to_string(&record) else { return };
    match serde_json::from_str::<Record>(&text).map(|again| serde_json::to_string(&again)) {
        Ok(Ok(again)) => assert_eq!(again, text, "a record changes when it is written and read"),
        _ => unreachable!("a record that was written cannot be read: {text}"),
    }
}

/// A `durability.json`: what is read can be written, and is then read as the same.
pub fn durability(data: &[u8]) {
    let Ok(read) = Durability::parse(data) else { return };
    let Ok(text) = read.text() else { return };
    assert_eq!(Durability::parse(text.as_bytes()), Ok(read), "findings change when they are written and read");
}

#[cfg(test)]
mod tests;
