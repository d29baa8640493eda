//! Progress on stderr: a live line on a terminal, one plain line per trial elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::Record;
use model::record::{Status, TrialKind};
use model::units::show_ns;

/// Shows how far a run is.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    total: usize,
    done: usize,
}

impl Progress {
    /// Progress of `total` trials.
    pub(crate) fn new(total: usize, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(4));
            if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {wide_msg} {eta} left") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, quiet, total, done: 0 }
    }

    /// A message of the program, above the live line.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None if !self.quiet => eprint_line(line),
            None => {}
        }
    }

    /// A trial begins.
    pub(crate) fn begin(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// A trial has ended after `took`.
    pub(crate) fn end(&mut self, record: &Record, took: Duration, again: bool) {
        self.done += 1;
        let note = if again { "  (the host held up the generator: once more at the end)" } else { "" };
        let line = format!("{:>3}/{} {}  {:.1} s{note}", self.done, self.total, describe(record), took.as_secs_f64());
        if again {
            self.total += 1;
            self.bar.iter().for_each(|bar| bar.set_length(self.total as u64));
        }
        match &self.bar {
            Some(bar) => {
                if record.status != Status::Measured {
                    bar.println(&line);
                }
                bar.inc(1);
            }
            None if !self.quiet => eprint_line(&line),
            None => {}
        }
    }

    /// Takes the live line away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Prints the result on stdout; a reader that has seen enough changes nothing about how the run ends.
pub(crate) fn print_result(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(gone) if gone.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints a line on stderr; a closed stderr stops nobody.
pub(crate) fn eprint_line(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// `1 trial`, `2 trials`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn describe(record: &Record) -> String {
    let kind = match record.kind {
        TrialKind::Calibration => "calibration".to_owned(),
        TrialKind::Measured => format!("round {}", record.round),
        TrialKind::Profiled => "profile".to_owned(),
    };
    let figures = match &record.status {
        Status::Failed { why } => format!("FAILED: {why}"),
        Status::TimedOut { after_ns } => format!("TIMED OUT after {}", show_ns(*after_ns as f64)),
        Status::Measured => {
            let at =
                |q| record.histograms.get("response").and_then(|h| h.quantile(q)).map_or_else(|| "-".to_owned(), |ns| show_ns(ns as f64));
            let ok = record.outcomes.get("ok").copied().unwrap_or(0);
            format!("ok {ok} of {}  p50 {}  p99 {}", record.counts.finished, at(0.5), at(0.99))
        }
    };
    format!("{}  {kind}  {figures}", record.case)
}
