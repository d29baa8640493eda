//! A program that gets the alert as JSON on stdin.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// How often a running hook is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A hook that runs; dropping it kills its whole group and reaps it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let (Ok(None), Some(group)) = (self.0.try_wait(), Pid::from_raw(self.0.id() as i32)) {
            // A group that is gone already is what we want.
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.0.wait();
        }
    }
}

/// Runs `program` in a process group of its own, without a shell; exit status 0 is success. Takes as long as it takes: the caller sets the
/// limit, and a run that is given up is killed. What it writes to stderr goes to ours.
///
/// # Errors
/// Why it did not succeed.
pub(super) async fn run(program: &Path, args: &[String], json: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    let child = command.spawn().map_err(|e| format!("cannot start '{}': {e}", program.display()))?;
    let mut running = Running(child);
    if let Some(mut stdin) = running.0.stdin.take() {
        // An alert is far smaller than a pipe, so this never waits; a program that does not read it is free to.
        let _ = stdin.write_all(json.as_bytes());
    }
    loop {
        match running.0.try_wait() {
            Ok(None) => tokio::time::sleep(LOOK).await,
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("'{}' ended with {status}", program.display())),
            Err(e) => return Err(format!("cannot wait for '{}': {e}", program.display())),
        }
    }
}
