//! What became of a call, as the client is told it.

use std::borrow::Cow;

use pool::core::Outcome;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, ErrorCode, ErrorData, MetaObject};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Response;

/// JSON-RPC's code for an error of the server; `data.reason` says which.
const SERVER_ERROR: ErrorCode = ErrorCode(-32000);
/// Where a result's `_meta` holds what the pool knows of it.
pub(super) const META: &str = "poolbench";

/// The response document, as far as clients are told of it.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    session: Option<Cow<'a, str>>,
    turn: Option<u64>,
    #[serde(borrow)]
    result: Cow<'a, str>,
}

/// A result for what the tool said, right or wrong, and a typed error for all that kept it from saying anything.
pub(super) fn of(response: &Response) -> Result<CallToolResponse, ErrorData> {
    match response.outcome {
        Outcome::Ok => good(response),
        Outcome::ToolError => {
            let said = response.error.clone().unwrap_or_default();
            Ok(with_meta(CallToolResult::error(vec![ContentBlock::text(said)]), meta(response)))
        }
        _ => Err(error(response)),
    }
}

fn good(response: &Response) -> Result<CallToolResponse, ErrorData> {
    let document: Document<'_> = serde_json::from_slice(&response.body).map_err(|e| {
        ErrorData::internal_error(format!("the response document is damaged: {e}; this is a defect, please report it"), None)
    })?;
    let mut meta = meta(response);
    if let Some(session) = document.session {
        meta.insert("session".to_owned(), Value::from(session.into_owned()));
    }
    if let Some(turn) = document.turn {
        meta.insert("turn".to_owned(), Value::from(turn));
    }
    Ok(with_meta(CallToolResult::success(vec![ContentBlock::text(document.result)]), meta))
}

/// Where it was served.
fn meta(response: &Response) -> Map<String, Value> {
    let mut meta = Map::new();
    if let Some(placement) = &response.placement {
        if let Some(tier) = placement.served {
            meta.insert("tier".to_owned(), Value::from(tier.name()));
        }
        if let Some(worker) = placement.worker {
            meta.insert("worker".to_owned(), json!({ "slot": worker.slot.0, "generation": worker.generation }));
        }
    }
    meta
}

fn with_meta(mut result: CallToolResult, meta: Map<String, Value>) -> CallToolResponse {
    if !meta.is_empty() {
        let mut all = MetaObject::default();
        all.insert(META.to_owned(), Value::Object(meta));
        result.meta = Some(all);
    }
    result.into()
}

/// The typed error: `data.reason` is the outcome's name, with what a caller can act on beside it.
fn error(response: &Response) -> ErrorData {
    let mut data = meta(response);
    data.insert("reason".to_owned(), Value::from(response.outcome.name()));
    match response.outcome {
        Outcome::Shed => {
            let retry_after_ms = response.retry_after.map_or(1, |ns| ns.div_ceil(1_000_000).max(1));
            data.insert("retry_after_ms".to_owned(), Value::from(retry_after_ms));
        }
        Outcome::OutcomeUnknown => {
            // It was written to a worker and not answered, or answered and not kept: only such requests end so.
            data.insert("phase".to_owned(), Value::from(if response.digest.is_some() { "answered" } else { "written" }));
            let exit = response.error.as_deref().and_then(|e| e.strip_prefix("worker died: "));
            data.extend(exit.map(|exit| ("exit".to_owned(), Value::from(exit))));
        }
        _ => {}
    }
    let said = response.error.as_deref().filter(|said| *said != response.outcome.name());
    ErrorData::new(SERVER_ERROR, Cow::Owned(sentence(response, said)), Some(Value::Object(data)))
}

/// What happened, and what to do about it.
fn sentence(response: &Response, said: Option<&str>) -> String {
    let (what, remedy) = match response.outcome {
        Outcome::Shed => ("the pool is full", "try again after data.retry_after_ms"),
        Outcome::OutcomeUnknown if response.digest.is_some() => {
            ("the tool ran, and its answer could not be kept", "mend what is named; call again only if running it twice does no harm")
        }
        Outcome::OutcomeUnknown => ("the worker died in the middle of the call", "it may have run; call again only if that does no harm"),
        Outcome::SessionLost => ("the session was lost with its worker", "begin another one"),
        Outcome::Expired => ("the call's deadline passed", "call again, or allow the tool more time"),
        Outcome::Cancelled => ("the call was cancelled", "call again if it is still wanted"),
        _ => ("the call could not be served and had no effect", "call again; if it stays so, see the server's log"),
    };
    match said {
        Some(said) => format!("{what} ({said}); {remedy}"),
        None => format!("{what}; {remedy}"),
    }
}

/// For a call that came too late or took too long: the server is ending.
pub(super) fn ending() -> ErrorData {
    let data = json!({ "reason": Outcome::Shed.name(), "retry_after_ms": 1000 });
    ErrorData::new(SERVER_ERROR, Cow::Borrowed("the server is shutting down; call another one, or this one once it is back"), Some(data))
}

/// For a call that was running when the drain ran out of time.
pub(super) fn cut_off() -> ErrorData {
    let data = json!({ "reason": Outcome::OutcomeUnknown.name(), "phase": "drain" });
    ErrorData::new(
        SERVER_ERROR,
        Cow::Borrowed("the server ended before the call did; it may have run, call again only if that does no harm"),
        Some(data),
    )
}
