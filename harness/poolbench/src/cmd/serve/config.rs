//! A server's file: found, read, and made a configuration.

use std::path::Path;

use anyhow::Result;
use coordinator::ConfigError;
use coordinator::mcp::ServeConfig;
use model::SettingRow;
use scenario::{Problem, ServerFile};

use crate::args::ServeArgs;
use crate::exit::{Complaint, Exit};

/// Served without `--config`.
pub(super) const EXAMPLE: &str = include_str!("example.toml");
/// What its problems are called by: there are none unless a build is broken.
const EXAMPLE_NAME: &str = "the built-in configuration";

/// A file that can be served.
pub(super) struct Configured {
    pub(super) serve: ServeConfig,
}

/// Every key that a server's file may have.
pub(super) fn rows() -> Vec<SettingRow> {
    let row = |(key, kind, default, doc)| SettingRow { key, kind, default, doc };
    coordinator::mcp::settings().into_iter().map(row).collect()
}

/// Reads what is to be served.
pub(super) fn read(args: &ServeArgs) -> Result<Configured> {
    let (name, text) = match &args.config {
        Some(path) => (path.display().to_string(), text_of(path)?),
        None => (EXAMPLE_NAME.to_owned(), EXAMPLE.to_owned()),
    };
    let mut configured = parse(&name, &text).map_err(refuse)?;
    if let Some(monitor) = &args.monitor {
        configured.serve.monitor = Some(monitor.clone());
    }
    if let Some(log) = &args.log {
        configured.serve.log = log.clone();
    }
    Ok(configured)
}

fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| {
        Complaint::usage(format!("{}: cannot be read: {e}", path.display()), "give the configuration's path with --config, or none of it")
    })
}

fn parse(name: &str, text: &str) -> Result<Configured, Vec<Problem>> {
    let file = scenario::server(name, text, &rows())?;
    let mut problems = worker_kinds(&file, name);
    let serve = ServeConfig::from_settings(&file.values(), env!("CARGO_PKG_VERSION")).map_err(|e| placed(&file, name, &e));
    match (serve, problems.is_empty()) {
        (Ok(serve), true) => Ok(Configured { serve }),
        (Ok(_), false) => Err(problems),
        (Err(problem), _) => {
            problems.push(problem);
            Err(problems)
        }
    }
}

fn placed(file: &ServerFile, name: &str, error: &ConfigError) -> Problem {
    file.problem(name, &error.key, &error.why)
}

/// Kinds of worker that do not exist: the pool would say so only when it starts.
fn worker_kinds(file: &ServerFile, name: &str) -> Vec<Problem> {
    let kinds: Vec<&str> = pool::WORKERS.iter().map(|kind| kind.name()).collect();
    let unknown = file.settings.iter().filter(|(key, value)| key.ends_with(".worker") && !kinds.contains(&value.value.as_str()));
    let problem = |(key, value): (&String, &model::Located)| {
        file.problem(name, key, &format!("unknown worker kind '{}' (expected one of {})", value.value, kinds.join(", ")))
    };
    unknown.map(problem).collect()
}

fn refuse(problems: Vec<Problem>) -> anyhow::Error {
    let lines = problems.iter().map(ToString::to_string).collect();
    let help = "docs/SERVING.md explains every key, `poolbench serve --example` prints a configuration that works";
    Complaint { exit: Exit::Usage, lines, help: Some(help.to_owned()) }.into()
}
