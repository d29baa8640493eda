//! Floors: what a round trip costs without a pool, so that the pool's own price can be told from it in the same run.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use coordinator::{Request, Response};
use pool::clock::Clock;
use pool::core::Outcome;
use pool::frames::{Decoder, Frame, encode_request};
use pool::times::Phase;
use pool::{Echo, Handler};
use tokio::sync::{mpsc, oneshot};

use super::{Boxed, Opened, Opening, Target, blank, failed};

type Job = (Bytes, oneshot::Sender<Bytes>);

/// A bare tokio mpsc to a task that echoes, and a oneshot back.
struct Channel {
    jobs: mpsc::Sender<Job>,
    clock: Arc<dyn Clock>,
}

pub(super) async fn open_channel(opening: Opening) -> Opened {
    let (jobs, mut inbox) = mpsc::channel::<Job>(64);
    tokio::spawn(async move {
        while let Some((payload, reply)) = inbox.recv().await {
            // A caller that went away wants no answer.
            let _ = reply.send(Echo.handle(&payload).unwrap_or_default());
        }
    });
    Ok(Box::new(Channel { jobs, clock: opening.deps.clock }))
}

/// Whether `plain` is an echo of `payload` behind its digest.
pub(super) fn is_echo(payload: &[u8], plain: &[u8]) -> bool {
    plain.split_first_chunk::<8>().is_some_and(|(_, text)| text == payload)
}

fn answered(mut call: Request, body: Bytes, at: pool::clock::Nanos) -> Response {
    call.times.turn(Phase::Dispatch, Phase::Reply, at);
    let digest = body.split_first_chunk::<8>().map(|(digest, _)| u64::from_le_bytes(*digest));
    Response { outcome: Outcome::Ok, digest, encoded_bytes: body.len(), body, ..blank(call.times) }
}

impl Target for Channel {
    fn call(&self, mut call: Request) -> Boxed<Response> {
        let (jobs, clock) = (self.jobs.clone(), Arc::clone(&self.clock));
        Box::pin(async move {
            call.times.turn(Phase::Admit, Phase::Dispatch, clock.now());
            let (sender, receiver) = oneshot::channel();
            let payload = std::mem::take(&mut call.payload);
            match (jobs.send((payload, sender)).await, receiver.await) {
                (Ok(()), Ok(body)) => answered(call, body, clock.now()),
                _ => failed(call.times, "the echoing task is gone"),
            }
        })
    }

    fn is_right(&self, payload: &[u8], plain: &[u8]) -> bool {
        is_echo(payload, plain)
    }

    fn close(&self) -> Boxed<Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// A worker process at the end of two pipes, written and read by blocking calls of the caller itself.
struct Pipe {
    ends: Arc<Mutex<Option<Ends>>>,
    clock: Arc<dyn Clock>,
}

struct Ends {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    decoder: Decoder,
    /// Kept: to clear so much anew for each read would cost a microsecond, and a floor must not.
    chunk: Vec<u8>,
    next_id: u64,
}

pub(super) async fn open_pipe(opening: Opening) -> Opened {
    let command = &opening.deps.worker_command;
    let mut child = Command::new(&command.program)
        .args(&command.args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start the worker '{}': {e}; check worker.command", command.program.display()))?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the worker has no pipes".to_owned());
    };
    let frame_max = u32::try_from(opening.config.pool.frame_max).unwrap_or(u32::MAX);
    let mut ends = Ends { child, stdin, stdout, decoder: Decoder::new(frame_max), chunk: vec![0; 64 << 10], next_id: 1 };
    match ends.read() {
        Ok(Frame::Hello) => Ok(Box::new(Pipe { ends: Arc::new(Mutex::new(Some(ends))), clock: opening.deps.clock })),
        Ok(_) => Err("the worker's first frame is no hello".to_owned()),
        Err(why) => Err(why),
    }
}

impl Ends {
    fn read(&mut self) -> Result<Frame, String> {
        loop {
            if let Some(frame) = self.decoder.next_frame().map_err(|e| e.to_string())? {
                return Ok(frame);
            }
            match self.stdout.read(&mut self.chunk).map_err(|e| format!("the worker's pipe: {e}"))? {
                0 => return Err("the worker ended".to_owned()),
                n => self.decoder.extend(&self.chunk[..n]),
            }
        }
    }

    fn round_trip(&mut self, call: &Request) -> Result<Bytes, String> {
        let mut frame = Vec::with_capacity(call.payload.len() + 64);
        encode_request(self.next_id, call.work, 0, &call.payload, &mut frame);
        self.next_id += 1;
        self.stdin.write_all(&frame).map_err(|e| format!("the worker's pipe: {e}"))?;
        match self.read()? {
            Frame::Reply { body, .. } => Ok(body),
            _ => Err("the worker sent no reply".to_owned()),
        }
    }
}

impl Target for Pipe {
    fn call(&self, mut call: Request) -> Boxed<Response> {
        let (ends, clock) = (Arc::clone(&self.ends), Arc::clone(&self.clock));
        Box::pin(async move {
            call.times.turn(Phase::Admit, Phase::Dispatch, clock.now());
            // One caller at a time, on purpose: this is the floor of one request in flight.
            let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
            let reply = ends.as_mut().ok_or_else(|| "the worker was closed".to_owned()).and_then(|ends| ends.round_trip(&call));
            match reply {
                Ok(body) => answered(call, body, clock.now()),
                Err(why) => failed(call.times, why),
            }
        })
    }

    fn is_right(&self, payload: &[u8], plain: &[u8]) -> bool {
        is_echo(payload, plain)
    }

    fn close(&self) -> Boxed<Result<(), String>> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let Some(Ends { mut child, stdin, stdout, .. }) = ends else { return Ok(()) };
            // End of input ends the worker.
            drop((stdin, stdout));
            child.wait().map(drop).map_err(|e| format!("waiting for the worker: {e}"))
        })
    }
}
