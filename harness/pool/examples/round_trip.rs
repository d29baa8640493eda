//! What the pool adds to a round trip, one request in flight: `cargo run --release --example round_trip`.
//!
//! Prints p50 and p99 in microseconds: a bare channel pair against `simulated` and `function`, a bare pipe against
//! `process`. The worker is the example beside this one, so build both first (`cargo build --release --examples`).
#![expect(clippy::print_stdout, reason = "its output is the result")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use pool::clock::MonotonicClock;
use pool::core::ToolId;
use pool::frames::{Decoder, encode_request};
use pool::times::RequestTimes;
use pool::{Config, Deps, Echo, Handler, How, Job, Pool, Spawner, Work, WorkerCommand};
use tokio::sync::{mpsc, oneshot};

const ROUNDS: usize = 20_000;
const WARM_UP: usize = 2_000;
const PAYLOAD: usize = 132;
const NOTHING: Work = Work { ns: 0, how: How::Spin };

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for _ in 0..3 {
        show("bare pipe", bare_pipe()?);
        show("bare channels", runtime.block_on(async { tokio::spawn(bare_channels()).await })??);
        for kind in ["simulated", "function", "process"] {
            show(kind, runtime.block_on(async { tokio::spawn(pooled(kind)).await })??);
        }
    }
    Ok(())
}

fn show(name: &str, mut ns: Vec<u64>) {
    ns.drain(..WARM_UP);
    ns.sort_unstable();
    let us = |quantile: f64| ns[(ns.len() as f64 * quantile) as usize] as f64 / 1e3;
    println!("{name:14} p50 {:7.2} us   p99 {:7.2} us", us(0.5), us(0.99));
}

fn worker() -> Outcome<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("worker"))
}

fn bare_pipe() -> Outcome<Vec<u64>> {
    let mut child = Command::new(worker()?).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut to, mut from) = (child.stdin.take().ok_or("no stdin")?, child.stdout.take().ok_or("no stdout")?);
    let (mut decoder, mut chunk, mut frame) = (Decoder::new(1 << 20), [0; 4096], Vec::new());
    let mut times = Vec::with_capacity(ROUNDS);
    for id in 0..=ROUNDS as u64 {
        let begin = Instant::now();
        if id > 0 {
            frame.clear();
            encode_request(id, NOTHING, &[7; PAYLOAD], &mut frame);
            to.write_all(&frame)?;
        }
        while decoder.next_frame()?.is_none() {
            let n = from.read(&mut chunk)?;
            decoder.extend(&chunk[..n]);
        }
        times.push(begin.elapsed().as_nanos() as u64);
    }
    drop(to);
    child.wait()?;
    Ok(times)
}

async fn bare_channels() -> Outcome<Vec<u64>> {
    let (tasks, mut queue) = mpsc::channel::<(Bytes, oneshot::Sender<Bytes>)>(16);
    tokio::spawn(async move {
        while let Some((payload, reply)) = queue.recv().await {
            let _ = reply.send(Echo.handle(&payload).unwrap_or_default());
        }
    });
    let payload = Bytes::from(vec![7; PAYLOAD]);
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let (sender, receiver) = oneshot::channel();
        tasks.send((payload.clone(), sender)).await?;
        receiver.await?;
        times.push(begin.elapsed().as_nanos() as u64);
    }
    Ok(times)
}

async fn pooled(kind: &str) -> Outcome<Vec<u64>> {
    let settings = [("pool.hot.worker", kind), ("pool.hot.min-ready", "1"), ("pool.hot.max", "1"), ("pool.tools.echo.tier", "hot")];
    let settings: BTreeMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let deps = Deps {
        clock: Arc::new(MonotonicClock),
        seed: 1,
        handler: Arc::new(Echo),
        worker_command: WorkerCommand { program: worker()?, args: Vec::new() },
        spawner: Spawner::start()?,
        log: None,
    };
    let pool = Pool::start(Config::from_settings(&settings)?, deps).await?;
    let payload = Bytes::from(vec![7; PAYLOAD]);
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let job =
            Job { tool: ToolId(0), session: None, deadline: None, work: NOTHING, payload: payload.clone(), times: RequestTimes::default() };
        let reply = pool.call(job).await;
        times.push(begin.elapsed().as_nanos() as u64);
        if let Some(error) = reply.error {
            return Err(error.into());
        }
    }
    pool.drain().await;
    Ok(times)
}
