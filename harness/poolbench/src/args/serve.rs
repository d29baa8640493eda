//! `serve`.

use std::path::PathBuf;

use clap::Args;

/// `serve`.
#[derive(Args, Debug)]
#[command(after_long_help = SERVING)]
pub(crate) struct ServeArgs {
    /// What to serve and how; without it, the tools `echo` and `wait` on worker processes of this program
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Serve health and metrics over HTTP, such as 127.0.0.1:9464; in place of server.monitor
    #[arg(short, long, value_name = "ADDR")]
    pub(crate) monitor: Option<String>,
    /// Least severe lines logged on stderr; in place of server.log
    #[arg(long, value_name = "LEVEL", value_parser = ["error", "warn", "info", "debug", "trace"])]
    pub(crate) log: Option<String>,
    /// Check the configuration, print what would be served, and stop
    #[arg(long)]
    pub(crate) check: bool,
    /// Print the configuration that is served without --config, to begin one's own with
    #[arg(long, conflicts_with_all = ["config", "check"])]
    pub(crate) example: bool,
    /// Print the keys that a configuration may have, with types and defaults
    #[arg(long, conflicts_with_all = ["config", "check", "example"])]
    pub(crate) keys: bool,
}

const SERVING: &str = "\
It ends with code 0 when stdin ends, and on SIGTERM or SIGINT once what is in flight is answered. A second signal
ends it at once. SIGHUP replaces the workers one by one.";
