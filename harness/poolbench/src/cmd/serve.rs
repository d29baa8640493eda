//! `poolbench serve`: an MCP server on standard input and output.

mod config;
mod log;
mod streams;
mod watch;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use coordinator::mcp::{ServeConfig, Service, SessionRule};
use coordinator::{Coordinator, OpenError};
use pool::clock::MonotonicClock;
use pool::{Deps, Echo, Spawner, WorkerCommand};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch as latest;

use crate::args::ServeArgs;
use crate::exit::{Complaint, Exit};
use crate::progress::print_result;

use config::Configured;
use watch::Watch;

/// Serves until the client is gone or a signal asks for the end.
pub(super) fn serve(args: &ServeArgs) -> Result<Exit> {
    if args.example {
        print_result(config::EXAMPLE)?;
        return Ok(Exit::Done);
    }
    if args.keys {
        print_result(&keys())?;
        return Ok(Exit::Done);
    }
    let configured = config::read(args)?;
    if args.check {
        print_result(&described(&configured))?;
        return Ok(Exit::Done);
    }
    // Dropped last, so that every line is written.
    let _log = log::start(&configured.serve.log).context("starting the log's thread")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let ended = runtime.block_on(run(configured));
    // A read of a terminal cannot be called off; it ends with the process.
    runtime.shutdown_background();
    ended.map(|()| Exit::Done)
}

/// A line per key.
fn keys() -> String {
    let line = |key: &str, row: &model::SettingRow| format!("{key:<32} {:<40} {:<18} {}\n", row.kind, row.default, row.doc);
    let alert = config::alert_rows().iter().map(|row| line(&format!("alert.{}", row.key), row)).collect::<String>();
    config::rows().iter().map(|row| line(row.key, row)).collect::<String>() + &alert
}

async fn run(configured: Configured) -> Result<()> {
    let Configured { serve: ServeConfig { path, face, data, alert_log, .. }, monitor, rules } = configured;
    let mut signals = Signals::new()?;
    let drain = path.pool.drain_timeout_ns.map_or(Duration::MAX, Duration::from_nanos);
    let dir = data.unwrap_or_else(std::env::temp_dir);
    let deps = deps(path.worker_command.clone())?;
    let coordinator = tokio::select! {
        opened = Coordinator::open(path, deps, &dir) => opened.map_err(|e| unopened(&e))?,
        // Nothing was admitted yet; the pool that starts is closed by being dropped.
        () = signals.end() => return Ok(()),
    };
    let watched = Watch::start(&coordinator, monitor, rules, alert_log);
    let watched = match watched {
        Ok(watched) => watched,
        Err(error) => {
            let _ = coordinator.close().await;
            return Err(error);
        }
    };
    tracing::info!(tools = face.tools.len(), session = ?face.session, "serving");
    let (stop, stopped) = latest::channel(false);
    let watching = tokio::spawn(signals.watch(stop, coordinator.clone()));
    let ended = coordinator::mcp::serve(&coordinator, face, (streams::input(), streams::output()), stopped, drain).await;
    if let Err(why) = &ended {
        tracing::warn!("the client could not be served: {why}");
    }
    let deaths = coordinator.close().await.context("closing the session store")?;
    watching.abort();
    watched.stop().await;
    tracing::info!(workers = deaths.len(), "all workers are closed; done");
    Ok(())
}

fn deps(command: Option<WorkerCommand>) -> Result<Deps> {
    let worker_command = match command {
        Some(command) => command,
        None => WorkerCommand { program: std::env::current_exe().context("finding this program's own file")?, args: vec!["worker".into()] },
    };
    let seed = u64::from(std::process::id());
    Ok(Deps {
        clock: Arc::new(MonotonicClock),
        seed,
        handler: Arc::new(Echo),
        worker_command,
        spawner: Spawner::start().context("starting the spawning thread")?,
        log: None,
    })
}

fn unopened(error: &OpenError) -> anyhow::Error {
    let help = match error {
        OpenError::Pool(_) => "check worker.command, or serve this program's own workers without it; docs/SERVING.md says more",
        OpenError::Store(_) => "check server.data, or serve without it to keep no sessions",
    };
    Complaint::system(error.to_string(), help)
}

/// The signals that a server hears.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("listening for signals");
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())?, hup: listen(SignalKind::hangup())? })
    }

    /// The next one that asks for the end.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }

    /// The first asks for the end, the second is the end.
    async fn watch(mut self, stop: latest::Sender<bool>, coordinator: Coordinator) {
        loop {
            tokio::select! {
                _ = self.hup.recv() => {
                    tracing::info!("replacing the workers one by one");
                    let pool = coordinator.pool().clone();
                    tokio::spawn(async move {
                        let whole = pool.reload().await;
                        tracing::info!(whole, "the workers are replaced");
                    });
                }
                () = async { tokio::select! { _ = self.term.recv() => {}, _ = self.int.recv() => {} } } => {
                    if stop.send_replace(true) {
                        // The workers go with this process.
                        std::process::exit(Exit::Interrupted as i32);
                    }
                    tracing::info!("ending: what is in flight is finished, nothing new is taken");
                }
            }
        }
    }
}

/// What would be served, for people.
fn described(configured: &Configured) -> String {
    let Configured { serve, monitor, rules } = configured;
    let face = &serve.face;
    let session = match &face.session {
        SessionRule::Connection => "each client is one session, served in order".to_owned(),
        SessionRule::Argument(name) => format!("the argument '{name}' names the session"),
        SessionRule::Meta(key) => format!("_meta's '{key}' names the session"),
        SessionRule::None => "none".to_owned(),
    };
    let mut out = format!("server   {} {}\nsessions {session}\n", face.name, face.version);
    let _ = writeln!(out, "kept     {}", serve.data.as_ref().map_or("nowhere".to_owned(), |dir| dir.display().to_string()));
    let _ = writeln!(out, "monitor  {}", monitor.map_or("none".to_owned(), |address| address.to_string()));
    let _ = writeln!(out, "alerts   {}", rules.len());
    let command = serve.path.worker_command.as_ref();
    let _ = writeln!(out, "workers  {}", command.map_or("this program's own".to_owned(), |c| c.program.display().to_string()));
    let pool = &serve.path.pool;
    let tiers = pool::core::Tier::ALL.map(|tier| (tier.name(), &pool.tiers[tier as usize]));
    let shared = [("shared", &pool.shared)];
    for (name, config) in if pool.dispatch == pool::Dispatch::Shared { &shared[..] } else { &tiers[..] } {
        let _ = match config.max {
            0 => writeln!(out, "{name:<8} none"),
            max => writeln!(out, "{name:<8} {} to {max} {} workers", config.min_ready, config.worker),
        };
    }
    for tool in &face.tools {
        let own = &serve.path.pool.tools[usize::from(tool.id.0)];
        let replayable = if own.replayable { ", replayable" } else { "" };
        let deadline = tool.deadline_ns.map_or(String::new(), |ns| format!(", within {}", model::units::show_ns(ns as f64)));
        let service = match &tool.service {
            Service::Argument(name) => format!(", '{name}' ms of service"),
            Service::Fixed(0) => String::new(),
            Service::Fixed(ns) => format!(", {} of service", model::units::show_ns(*ns as f64)),
        };
        let _ = writeln!(out, "tool     {} ({}{replayable}{deadline}{service}): {}", tool.name, own.tier.name(), tool.description);
    }
    out
}
