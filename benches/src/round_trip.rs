//! One request in flight, there and back: what the pool adds to its floor.
//!
//! `function` stands beside a bare channel pair (mpsc there, oneshot back), `process` beside a bare pipe to the same worker program
//! (blocking write and read of the same frames).
#![expect(clippy::expect_used, reason = "criterion's closures return no error; a benchmark that cannot run stops the run")]

use std::collections::BTreeMap;
use std::env;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use pool::clock::MonotonicClock;
use pool::core::{Outcome, ToolId};
use pool::frames::{HELLO_SIZE, REPLY_HEAD, encode_request};
use pool::times::RequestTimes;
use pool::{Config, Deps, Echo, Handler, How, Job, Pool, Spawner, Work, WorkerCommand};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use crate::{Failure, WORKER};

/// Bytes there. Back come 8 more, the digest.
const PAYLOAD: usize = 132;
const NOTHING: Work = Work::new(0, How::Spin);

pub(crate) fn bench(criterion: &mut Criterion) {
    measure(criterion, "channels", Channels::start);
    measure(criterion, "pool-function", || Pooled::start("function"));
    measure(criterion, "pipe", Pipe::start);
    measure(criterion, "pool-process", || Pooled::start("process"));
}

/// Something that takes a request there and back.
trait Trip {
    /// Time of `n` round trips, one after the other.
    fn times(&mut self, n: u64) -> Result<Duration, Failure>;
}

/// Starts the trip only if the benchmark is selected, and ends it before the next one.
fn measure<T: Trip>(criterion: &mut Criterion, name: &str, start: impl Fn() -> Result<T, Failure>) {
    let mut trip = None;
    let mut group = criterion.benchmark_group("round-trip");
    group.measurement_time(Duration::from_secs(3));
    group.bench_function(name, |b| {
        let trip = trip.get_or_insert_with(|| start().expect("the round trip starts"));
        b.iter_custom(|n| trip.times(n).expect("the round trip is served"));
    });
}

fn runtime() -> Result<Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// A task behind a channel, which answers as a `function` worker does.
struct Channels {
    runtime: Runtime,
    tasks: mpsc::Sender<(Bytes, oneshot::Sender<Bytes>)>,
}

impl Channels {
    fn start() -> Result<Self, Failure> {
        let runtime = runtime()?;
        let (tasks, mut queue) = mpsc::channel::<(Bytes, oneshot::Sender<Bytes>)>(16);
        runtime.spawn(async move {
            while let Some((payload, reply)) = queue.recv().await {
                let _ = reply.send(Echo.handle(&payload).unwrap_or_default());
            }
        });
        Ok(Channels { runtime, tasks })
    }
}

impl Trip for Channels {
    fn times(&mut self, n: u64) -> Result<Duration, Failure> {
        let tasks = self.tasks.clone();
        self.runtime.block_on(self.runtime.spawn(async move {
            let payload = Bytes::from(vec![7; PAYLOAD]);
            let begin = Instant::now();
            for _ in 0..n {
                let (sender, receiver) = oneshot::channel();
                tasks.send((payload.clone(), sender)).await?;
                receiver.await?;
            }
            Ok(begin.elapsed())
        }))?
    }
}

/// A pool of one worker.
struct Pooled {
    runtime: Runtime,
    pool: Pool,
}

impl Pooled {
    fn start(kind: &str) -> Result<Self, Failure> {
        let settings = [
            ("pool.dispatch", "tiered"),
            ("pool.hot.worker", kind),
            ("pool.hot.min-ready", "1"),
            ("pool.hot.spares", "0"),
            ("pool.hot.max", "1"),
            ("pool.warm.max", "0"),
            ("pool.cold.max", "0"),
            ("pool.tools.echo.tier", "hot"),
        ];
        let settings: BTreeMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let deps = Deps {
            clock: Arc::new(MonotonicClock),
            seed: 1,
            handler: Arc::new(Echo),
            worker_command: WorkerCommand { program: env::current_exe()?, args: vec![WORKER.into()] },
            spawner: Spawner::start()?,
            log: None,
        };
        let runtime = runtime()?;
        let pool = runtime.block_on(Pool::start(Config::from_settings(&settings)?, deps))?;
        Ok(Pooled { runtime, pool })
    }
}

impl Trip for Pooled {
    fn times(&mut self, n: u64) -> Result<Duration, Failure> {
        let pool = self.pool.clone();
        self.runtime.block_on(self.runtime.spawn(async move {
            let payload = Bytes::from(vec![7; PAYLOAD]);
            let begin = Instant::now();
            for _ in 0..n {
                let (payload, times) = (payload.clone(), RequestTimes::default());
                let job = Job { tool: ToolId(0), session: None, deadline: None, work: NOTHING, payload, times, cost: None, progress: None };
                let reply = pool.call(job).await;
                if reply.outcome != Outcome::Ok {
                    return Err(format!("{}: {}", reply.outcome.name(), reply.error.unwrap_or_default()).into());
                }
            }
            Ok(begin.elapsed())
        }))?
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        // Closes and reaps the worker.
        self.runtime.block_on(self.pool.drain());
    }
}

/// A worker process on two pipes, without a pool.
struct Pipe {
    child: Child,
    to: Option<ChildStdin>,
    from: ChildStdout,
}

impl Pipe {
    fn start() -> Result<Self, Failure> {
        let mut child = Command::new(env::current_exe()?).arg(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take().ok_or("the child has no stdout")?);
        let mut pipe = Pipe { child, to, from };
        pipe.from.read_exact(&mut [0; HELLO_SIZE])?;
        Ok(pipe)
    }
}

impl Trip for Pipe {
    fn times(&mut self, n: u64) -> Result<Duration, Failure> {
        let to = self.to.as_mut().ok_or("the child has no stdin")?;
        let (mut request, mut reply) = (Vec::new(), [0; REPLY_HEAD + 8 + PAYLOAD]);
        let begin = Instant::now();
        for id in 0..n {
            request.clear();
            encode_request(id, NOTHING, 0, &[7; PAYLOAD], &mut request);
            to.write_all(&request)?;
            self.from.read_exact(&mut reply)?;
        }
        Ok(begin.elapsed())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // The end of its input is the worker's end.
        self.to = None;
        let _ = self.child.wait();
    }
}
