//! Process kill: a real child saves sessions until it is killed, at a random moment, and what it has acknowledged must be there.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{ChildStdout, Command};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use store::Store;
use tokio::runtime::Runtime;

use crate::error::CrashError;
use crate::process::Victim;
use crate::subject::Subject;
use crate::tally::Tally;
use crate::verify::verify;
use crate::writer::Writer;

/// Writes after which a writer that nobody kills ends by itself.
const WRITES_MAX: u64 = 200_000;
/// How long a writer may take to open its store.
const OPENING: Duration = Duration::from_secs(60);
/// Longest life of a writer after its store is open.
const LIFE_US: u64 = 20_000;
/// Longest life of one that may be killed while it opens its store.
const BIRTH_US: u64 = 15_000;
/// One in so many kills falls into the opening.
const BIRTHS: u32 = 5;

/// What kills cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kills {
    /// Findings over all kills.
    pub tally: Tally,
    /// Acknowledged writes, over all kills.
    pub acknowledged: u64,
    /// Kills before the first acknowledged write.
    pub early: u64,
}

/// The writer's end: opens the store of `subject` in `dir` and writes until it is killed. Says 0 when the store is open, then the number of
/// each write once it is acknowledged, as 8 bytes, little-endian.
///
/// # Errors
/// What the store or the pipe refused.
pub fn serve_writer(subject: Subject, dir: &Path, seed: u64, mut out: impl Write) -> Result<(), CrashError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(CrashError::system("start the runtime"))?;
    let mut say =
        |number: u64| out.write_all(&number.to_le_bytes()).and_then(|()| out.flush()).map_err(CrashError::system("report a write"));
    runtime.block_on(async {
        let store = Store::open(&subject.config(), dir).await?;
        say(0)?;
        let mut writer = Writer::new(seed)?;
        for _ in 0..WRITES_MAX {
            say(writer.write(&store).await?)?;
        }
        Ok(())
    })
}

/// Starts a writer `count` times, each in a fresh directory below `scratch`, kills it and judges what is left. `start` gives the command that
/// ends in [`serve_writer`] with this directory and seed.
///
/// # Errors
/// Where a writer cannot be started, or fails before it is killed.
pub fn kills(
    runtime: &Runtime,
    subject: Subject,
    start: &dyn Fn(&Path, u64) -> Command,
    scratch: &Path,
    count: u32,
    seed: u64,
) -> Result<Kills, CrashError> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut kills = Kills::default();
    for number in 0..count {
        let dir = tempfile::Builder::new().prefix("kill-").tempdir_in(scratch).map_err(CrashError::system("make a directory"))?;
        let seed = rng.random();
        let moment = if number % BIRTHS == 0 {
            Moment::AfterStart(Duration::from_micros(rng.random_range(0..BIRTH_US)))
        } else {
            Moment::AfterOpening(Duration::from_micros(rng.random_range(0..LIFE_US)))
        };
        let acknowledged = one(start(dir.path(), seed), moment)?;
        kills.acknowledged += acknowledged;
        kills.early += u64::from(acknowledged == 0);
        let found = verify(runtime, subject, dir.path(), seed)?;
        // The next write may have been under way, or done and not yet reported.
        kills.tally.add(subject.kind(), &found, acknowledged + 1, acknowledged);
    }
    Ok(kills)
}

/// When a writer is killed.
#[derive(Clone, Copy)]
enum Moment {
    AfterStart(Duration),
    AfterOpening(Duration),
}

/// One life; the last write that was acknowledged.
fn one(command: Command, moment: Moment) -> Result<u64, CrashError> {
    let mut victim = Victim::start(command).map_err(CrashError::system("start a writer"))?;
    let stdout = victim.stdout().ok_or_else(|| CrashError::Writer("it has no stdout".to_owned()))?;
    let (opened, opening) = sync_channel(1);
    let reader = listen(stdout, opened);
    let mut hung = false;
    match moment {
        Moment::AfterStart(life) => std::thread::sleep(life),
        Moment::AfterOpening(life) => match opening.recv_timeout(OPENING) {
            Ok(()) => std::thread::sleep(life),
            // Its last words say why.
            Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => hung = true,
        },
    }
    let (status, words) = victim.kill().map_err(CrashError::system("reap a writer"))?;
    let acknowledged = reader.join().map_err(|_| CrashError::Writer("its reader panicked".to_owned()))?;
    if hung {
        return Err(CrashError::Writer(format!("it did not open its store within {} s", OPENING.as_secs())));
    }
    match status.code() {
        None | Some(0) => Ok(acknowledged),
        Some(code) => Err(CrashError::Writer(format!("it ended with code {code}: {words}"))),
    }
}

/// Reads what a writer says until its end; the last number. A number that was cut off was not said.
fn listen(mut stdout: ChildStdout, opened: SyncSender<()>) -> JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut last = 0;
        let mut number = [0; 8];
        while stdout.read_exact(&mut number).is_ok() {
            last = u64::from_le_bytes(number);
            if last == 0 {
                // Nobody waits for it where the kill falls into the opening.
                let _ = opened.try_send(());
            }
        }
        last
    })
}
