//! The child's side of a trial: JSON lines in, JSON lines out.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use model::protocol::{FromChild, PROTOCOL, ToChild};

use crate::trial::{Order, Trial};

/// Serves one trial on these streams; returns when the parent closes its end or the record is sent. Nothing else may be written to
/// `output`.
///
/// # Errors
/// When the parent's end is gone.
pub fn serve(input: impl BufRead, mut output: impl Write, build: &str) -> std::io::Result<()> {
    say(&mut output, &FromChild::Hello { protocol: PROTOCOL, build: build.to_owned() })?;
    let mut trial = None;
    for line in input.lines() {
        let answer = match serde_json::from_str::<ToChild>(&line?) {
            Ok(ToChild::Finish) => return say(&mut output, &finish(trial.take())),
            Ok(order) => obey(order, &mut trial),
            Err(why) => failed(format!("the parent said something unknown: {why}")),
        };
        say(&mut output, &answer)?;
        if matches!(answer, FromChild::Failed { .. }) {
            return Ok(());
        }
    }
    Ok(())
}

fn failed(why: impl Into<String>) -> FromChild {
    FromChild::Failed { why: why.into() }
}

fn say(output: &mut impl Write, what: &FromChild) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

fn obey(order: ToChild, trial: &mut Option<Trial>) -> FromChild {
    match (order, trial.as_mut()) {
        (ToChild::Prepare { case, round, kind, seed, dir, rate_per_s, monitor }, None) => {
            let order = Order { case: *case, round, kind, seed, rate_per_s, dir: PathBuf::from(dir), monitor };
            match Trial::prepare(order) {
                Ok(ready) => {
                    let fingerprint = ready.fingerprint();
                    *trial = Some(ready);
                    FromChild::Ready { fingerprint }
                }
                Err(why) => failed(why),
            }
        }
        (ToChild::Slice { id, seed, warmup_ns, length_ns, profiled }, Some(trial)) => {
            match trial.slice(seed, warmup_ns, length_ns, profiled) {
                Ok((finished, ok_per_s)) => FromChild::Result { id, finished, ok_per_s },
                Err(why) => failed(why),
            }
        }
        // Between slices nothing runs but the pool's own timers.
        (ToChild::Pause, Some(_)) => FromChild::Paused,
        (ToChild::Prepare { .. }, Some(_)) => failed("'prepare' was said twice"),
        (_, None) => failed("'prepare' must be said first"),
        (ToChild::Finish, Some(_)) => failed("'finish' is handled by its caller"),
    }
}

fn finish(trial: Option<Trial>) -> FromChild {
    let finished = trial.ok_or_else(|| "'prepare' must be said first".to_owned()).and_then(Trial::finish);
    match finished {
        Ok(finished) => FromChild::Record { record: Box::new(finished.record), folded: finished.folded },
        Err(why) => failed(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_comes_first_and_nonsense_gets_an_answer() {
        for (said, answer) in
            [("{}\n", "unknown"), ("{\"say\":\"pause\"}\n", "'prepare' must be said first"), ("{\"say\":\"finish\"}\n", "'prepare'")]
        {
            let mut out = Vec::new();
            serve(said.as_bytes(), &mut out, "test").unwrap();
            let lines: Vec<FromChild> = String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            assert!(matches!(lines[0], FromChild::Hello { protocol: PROTOCOL, .. }));
            assert!(matches!(&lines[1], FromChild::Failed { why } if why.contains(answer)), "{lines:?}");
        }
    }
}
