//! What is served and how: the tables `[server]` and `[tools.NAME]`, as rows like all other settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pool::clock::Nanos;
use pool::core::ToolId;
use pool::{How, SettingRow};
use serde_json::{Map, Value};

use crate::config::{Config, ConfigError};

/// The front's own settings. Those of `[tools.NAME]` that are not here are the pool's `pool.tools.*`: see [`settings`].
pub const SERVER: &[SettingRow] = &[
    ("server.name", "text", "poolbench", "name that the server gives itself to its client"),
    (
        "server.session",
        "text",
        "connection",
        "what makes calls one session, served in order: `connection`, `argument:NAME`, `meta:KEY` (text in the call's arguments or _meta), or `none`",
    ),
    ("server.log", "choice error|warn|info|debug|trace", "info", "least severe lines that are logged on standard error"),
    ("server.monitor", "text", "none", "address of the monitor's HTTP endpoints, such as 127.0.0.1:9464; none for no monitor"),
    (
        "server.alert-log",
        "text",
        "none",
        "file that says what became of every alert, and from which undelivered ones are sent again; none for standard error",
    ),
    ("server.data", "text", "none", "directory in which sessions are kept; with none, none are"),
    ("server.line-max", "bytes", "4MiB", "longest message taken from the client; a longer one is refused"),
    ("tools.*.description", "text", "", "what the tool does, for the client's model"),
    ("tools.*.input-schema", "json", "{\"type\":\"object\"}", "JSON Schema of the tool's arguments, as a table or as JSON text"),
    (
        "tools.*.deadline",
        "duration",
        "none",
        "time from the call's arrival to its answer, after which it is `expired`; none for pool.deadline",
    ),
    (
        "tools.*.payload",
        "choice arguments|call",
        "arguments",
        "what the worker is given: the arguments, or {\"tool\": …, \"arguments\": …}",
    ),
    ("tools.*.service", "duration", "0ns", "time that our own worker spends on a call"),
    (
        "tools.*.service-argument",
        "text",
        "none",
        "argument of the call that says how many milliseconds our own worker spends on it, at most an hour",
    ),
    ("tools.*.work", "choice sleep|spin", "sleep", "how our own worker spends that time"),
];

/// Where the pool declares its settings of a tool.
const POOL_TOOLS: &str = "pool.tools.";
const NAME_MAX: usize = 64;

/// Every setting of a server: key, type, default, doc. The pool's `pool.tools.*` are written in `[tools.NAME]`.
pub fn settings() -> Vec<SettingRow> {
    let renamed = |row: &SettingRow| {
        let own = row.0.strip_prefix("pool.").filter(|_| row.0.starts_with(POOL_TOOLS));
        (own.unwrap_or(row.0), row.1, row.2, row.3)
    };
    SERVER.iter().copied().chain(crate::settings().map(renamed)).collect()
}

/// What makes calls one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRule {
    /// The client's connection.
    Connection,
    /// The text of this argument; a call without it has no session.
    Argument(String),
    /// The text at this key of the request's `_meta`; a call without it has no session.
    Meta(String),
    /// Nothing: calls have no session.
    None,
}

impl SessionRule {
    fn parse(text: &str) -> Option<Self> {
        match (text, text.split_once(':')) {
            ("connection", _) => Some(Self::Connection),
            ("none", _) => Some(Self::None),
            (_, Some(("argument", name))) if !name.is_empty() => Some(Self::Argument(name.to_owned())),
            (_, Some(("meta", key))) if !key.is_empty() => Some(Self::Meta(key.to_owned())),
            _ => None,
        }
    }
}

/// What the worker is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadRule {
    /// The arguments.
    Arguments,
    /// Name and arguments.
    Call,
}

/// How long our own worker is asked to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Always so long.
    Fixed(Nanos),
    /// As many milliseconds as this argument says.
    Argument(String),
}

/// A tool as clients see it.
#[derive(Clone, Debug)]
pub struct ToolFace {
    /// Its name.
    pub name: String,
    /// The pool's name for it.
    pub id: ToolId,
    /// What it does.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: Map<String, Value>,
    /// Time from arrival to answer.
    pub deadline_ns: Option<Nanos>,
    /// What the worker is given.
    pub payload: PayloadRule,
    /// How long our own worker takes.
    pub service: Service,
    /// How it spends that time.
    pub how: How,
}

/// A server as clients see it.
#[derive(Clone, Debug)]
pub struct Face {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its tools, by name.
    pub tools: Vec<ToolFace>,
    /// What makes calls one session.
    pub session: SessionRule,
    /// Longest line read, bytes.
    pub line_max: usize,
}

/// A whole server's configuration.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// The request path's.
    pub path: Config,
    /// What clients see.
    pub face: Face,
    /// Least severe lines logged.
    pub log: String,
    /// Where sessions are kept.
    pub data: Option<PathBuf>,
    /// Where deliveries of alerts are noted.
    pub alert_log: Option<PathBuf>,
}

impl ServeConfig {
    /// Reads canonical values (durations in ns, sizes in bytes, schemas as JSON); what is missing has its default.
    ///
    /// # Errors
    /// The first key with a value that cannot be, under the name that the file has for it.
    pub fn from_settings(values: &BTreeMap<String, String>, version: &str) -> Result<Self, ConfigError> {
        let read = Reader { values };
        let names = read.tool_names()?;
        let data = read.optional("server.data").map(PathBuf::from);
        let path = Config::from_settings(&read.for_path(data.is_some())?).map_err(|e| ConfigError { key: own_name(&e.key), ..e })?;
        let tools = names.iter().filter_map(|name| path.pool.tool(name).map(|id| read.tool(name, id))).collect::<Result<_, _>>()?;
        let rule = read.text("server.session");
        let session = SessionRule::parse(&rule).ok_or_else(|| {
            bad("server.session", format!("'{rule}' is no session rule (expected connection, argument:NAME, meta:KEY or none)"))
        })?;
        let line_max = usize::try_from(read.number("server.line-max")?).unwrap_or(usize::MAX);
        if line_max < 1024 {
            return Err(bad("server.line-max", format!("{line_max} bytes hold no call (expected at least 1KiB)")));
        }
        Ok(Self {
            face: Face { name: read.text("server.name"), version: version.to_owned(), tools, session, line_max },
            log: read.text("server.log"),
            alert_log: read.optional("server.alert-log").map(PathBuf::from),
            path,
            data,
        })
    }
}

fn bad(key: &str, why: String) -> ConfigError {
    ConfigError { key: key.to_owned(), why }
}

/// The pool's key as the file has it.
fn own_name(key: &str) -> String {
    match key.strip_prefix("pool.").filter(|_| key.starts_with(POOL_TOOLS)) {
        Some(own) => own.to_owned(),
        None => key.to_owned(),
    }
}

struct Reader<'a> {
    values: &'a BTreeMap<String, String>,
}

impl Reader<'_> {
    /// The names of `[tools.NAME]`, checked.
    fn tool_names(&self) -> Result<Vec<String>, ConfigError> {
        let mut names: Vec<String> =
            self.values.keys().filter_map(|key| key.strip_prefix("tools.")?.split('.').next()).map(str::to_owned).collect();
        names.dedup();
        let plain =
            |name: &str| (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        match names.iter().find(|name| !plain(name)) {
            Some(name) => Err(bad(
                &format!("tools.{name}"),
                format!("'{name}' is no tool's name (expected 1 to {NAME_MAX} of letters, digits, _ and -)"),
            )),
            None if names.is_empty() => Err(bad("tools", "there is no tool (expected a table [tools.NAME] for each)".to_owned())),
            None => Ok(names),
        }
    }

    /// What pool, store and path read. Without a directory nothing is kept, unless that is asked for.
    fn for_path(&self, keeps: bool) -> Result<BTreeMap<String, String>, ConfigError> {
        let kept = self.values.get("store.kind").map(String::as_str);
        if !keeps && kept.is_some_and(|kind| kind != "none") {
            return Err(bad("store.kind", "there is no directory for sessions (set server.data, or store.kind to none)".to_owned()));
        }
        let own = |key: &str| key.starts_with("server.") || SERVER.iter().any(|row| declares(row.0, key));
        let renamed = |key: &String| if key.starts_with("tools.") { format!("pool.{key}") } else { key.clone() };
        let mut values: BTreeMap<String, String> =
            self.values.iter().filter(|(key, _)| !own(key)).map(|(key, value)| (renamed(key), value.clone())).collect();
        if !keeps {
            values.insert("store.kind".to_owned(), "none".to_owned());
        }
        // A scenario may drive simulated workers; a server that nobody told otherwise has real ones.
        let divided = values.get("pool.dispatch").is_some_and(|dispatch| dispatch == "tiered");
        let used = |key: &str| if divided { key.ends_with(".worker") } else { key == "pool.shared.worker" };
        for row in crate::settings().filter(|row| used(row.0) && row.1 == "text") {
            values.entry(row.0.to_owned()).or_insert_with(|| "process".to_owned());
        }
        // The pool knows a tool by its settings; one that has none of the pool's own is a hot one.
        for name in self.tool_names()? {
            values.entry(format!("{POOL_TOOLS}{name}.tier")).or_insert_with(|| "hot".to_owned());
        }
        Ok(values)
    }

    fn text(&self, key: &str) -> String {
        let default = || SERVER.iter().find(|row| declares(row.0, key)).map_or("", |row| row.2).to_owned();
        self.values.get(key).cloned().unwrap_or_else(default)
    }

    fn optional(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| text != "none")
    }

    /// A canonical number; a default is written as people do.
    fn number(&self, key: &str) -> Result<u64, ConfigError> {
        match (self.values.get(key), key) {
            (Some(text), _) => text.parse().map_err(|_| bad(key, format!("'{text}' is not a whole number in range"))),
            (None, "server.line-max") => Ok(4 << 20),
            (None, _) => Ok(0),
        }
    }

    fn tool(&self, name: &str, id: ToolId) -> Result<ToolFace, ConfigError> {
        let key = |field: &str| format!("tools.{name}.{field}");
        let schema = key("input-schema");
        let input_schema = match serde_json::from_str(&self.text(&schema)) {
            Ok(Value::Object(object)) if object.get("type") == Some(&Value::from("object")) => object,
            Ok(_) => return Err(bad(&schema, "it is no schema of arguments (expected an object with type = \"object\")".to_owned())),
            Err(error) => return Err(bad(&schema, format!("it is not JSON: {error}"))),
        };
        let service = match self.optional(&key("service-argument")) {
            Some(argument) => Service::Argument(argument),
            None => Service::Fixed(self.number(&key("service"))?),
        };
        let deadline = key("deadline");
        let deadline_ns = self.optional(&deadline).map(|_| self.number(&deadline)).transpose()?;
        if deadline_ns == Some(0) {
            return Err(bad(&deadline, "0 would expire every call (expected a time, or none)".to_owned()));
        }
        Ok(ToolFace {
            name: name.to_owned(),
            id,
            description: self.text(&key("description")),
            input_schema,
            deadline_ns,
            payload: if self.text(&key("payload")) == "call" { PayloadRule::Call } else { PayloadRule::Arguments },
            service,
            how: if self.text(&key("work")) == "spin" { How::Spin } else { How::Sleep },
        })
    }
}

/// Whether a row's key, in which `*` is any one segment, is `key`.
fn declares(row: &str, key: &str) -> bool {
    let (mut a, mut b) = (row.split('.'), key.split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(x), Some(y)) if x == y => {}
            _ => return false,
        }
    }
}
