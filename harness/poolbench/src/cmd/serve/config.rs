//! A server's file: found, read, and made a configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use coordinator::ConfigError;
use coordinator::mcp::ServeConfig;
use coordinator::monitor::alerts::{FIELDS, Rule};
use coordinator::monitor::http::parse_address;
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
    pub(super) monitor: Option<SocketAddr>,
    pub(super) rules: Vec<Rule>,
}

fn row((key, kind, default, doc): pool::SettingRow) -> SettingRow {
    SettingRow { key, kind, default, doc }
}

/// Every setting that a server's file may have.
pub(super) fn rows() -> Vec<SettingRow> {
    coordinator::mcp::settings().into_iter().map(row).collect()
}

/// Every key of an `[[alert]]`.
pub(super) fn alert_rows() -> Vec<SettingRow> {
    let name = ("name", "text", "", "name of the alert, which tells it from the others");
    std::iter::once(name).chain(FIELDS.iter().copied()).map(row).collect()
}

/// Reads what is to be served.
pub(super) fn read(args: &ServeArgs) -> Result<Configured> {
    let (name, text) = match &args.config {
        Some(path) => (path.display().to_string(), text_of(path)?),
        None => (EXAMPLE_NAME.to_owned(), EXAMPLE.to_owned()),
    };
    let mut configured = parse(&name, &text).map_err(|problems| refuse(&problems))?;
    if let Some(monitor) = &args.monitor {
        let address =
            parse_address(monitor).map_err(|why| Complaint::usage(format!("--monitor: {why}"), "try --monitor 127.0.0.1:9464"))?;
        configured.monitor = Some(address);
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
    let file = scenario::server(name, text, &rows(), &alert_rows())?;
    let mut problems = worker_kinds(&file, name);
    let serve = ServeConfig::from_settings(&file.values(), env!("CARGO_PKG_VERSION")).map_err(|e| placed(&file, name, &e));
    let address = file.settings.get("server.monitor").filter(|text| text.value != "none");
    let monitor = address.map(|text| parse_address(&text.value).map_err(|why| file.problem(name, "server.monitor", &why))).transpose();
    let rules = rules(&file, name).map_err(|found| problems.extend(found));
    match (serve, monitor, rules, problems.is_empty()) {
        (Ok(serve), Ok(monitor), Ok(rules), true) => Ok(Configured { serve, monitor, rules }),
        (serve, monitor, ..) => {
            problems.extend(serve.err());
            problems.extend(monitor.err());
            Err(problems)
        }
    }
}

/// The rules of every `[[alert]]`.
fn rules(file: &ServerFile, name: &str) -> Result<Vec<Rule>, Vec<Problem>> {
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for table in &file.alerts {
        let mut fields: BTreeMap<String, String> = table.values.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect();
        let Some(own) = fields.remove("name") else {
            problems.push(table.problem(name, "name", "an alert needs a name (expected such as name = \"queue-long\")"));
            continue;
        };
        match Rule::parse(&own, &fields) {
            Ok(rule) if rules.iter().any(|earlier: &Rule| earlier.name == rule.name) => {
                problems.push(table.problem(name, "name", "another alert has this name (expected names that differ)"));
            }
            Ok(rule) => rules.push(rule),
            Err(error) => problems.push(table.problem(name, &error.key, &error.why)),
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
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

fn refuse(problems: &[Problem]) -> anyhow::Error {
    let lines = problems.iter().map(ToString::to_string).collect();
    let help = "docs/SERVING.md explains every key, `poolbench serve --example` prints a configuration that works";
    Complaint { exit: Exit::Usage, lines, help: Some(help.to_owned()) }.into()
}
