//! What the monitor adds to a request, alone and with another thread at the same counters.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use coordinator::Response;
use coordinator::monitor::Counters;
use criterion::Criterion;
use pool::core::{Affinity, Outcome, Placement, Tier};
use pool::times::{Phase, RequestTimes};
use store::compress::Codec;

use crate::Failure;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Failure> {
    let settings = BTreeMap::from([("pool.tools.echo.tier".to_owned(), "hot".to_owned())]);
    let counters = Counters::new(&pool::Config::from_settings(&settings)?);
    let mut group = criterion.benchmark_group("monitor");
    // As the pool alone stamps them, and as the whole path with a session does.
    for (name, phases) in [("count-4-phases", &Phase::ALL[4..8]), ("count-11-phases", &Phase::ALL[..11])] {
        let response = response(phases);
        group.bench_function(name, |b| b.iter(|| counters.enter().leave(black_box(&response))));
    }
    let response = response(&Phase::ALL[..11]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                counters.enter().leave(black_box(&response));
            }
        });
        group.bench_function("count-11-phases-contended", |b| b.iter(|| counters.enter().leave(black_box(&response))));
        done.store(true, Ordering::Relaxed);
    });
    group.finish();
    Ok(())
}

/// An `ok` answer whose phases took different times.
fn response(phases: &[Phase]) -> Response {
    let (mut times, mut at) = (RequestTimes::default(), 1_000);
    for phase in phases {
        times.begin(*phase, at);
        at += 900 << (*phase as u32);
        times.end(*phase, at);
    }
    let placement = Placement { predicted: Tier::Hot, served: Some(Tier::Hot), worker: None, attempts: 1, affinity: Affinity::Hit };
    Response {
        outcome: Outcome::Ok,
        placement: Some(placement),
        retry_after: None,
        request: None,
        error: None,
        digest: None,
        codec: Codec::Identity,
        body: Bytes::new(),
        encoded_bytes: 0,
        saved_bytes: 0,
        times,
    }
}
