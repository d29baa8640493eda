//! Counting a latency, beside counting in a plain array.

use std::hint::black_box;

use criterion::Criterion;
use model::Histogram;

use crate::prose::Lcg;

/// Distinct values, a power of two: enough that no branch or cache line learns them.
const VALUES: usize = 1 << 14;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("histogram");
    let values = latencies();
    let mut counts = vec![0_u64; 1 << 12];
    let mut next = 0;
    group.bench_function("array", |b| {
        b.iter(|| {
            next = (next + 1) % VALUES;
            counts[(values[next] >> 16) as usize % (1 << 12)] += 1;
            black_box(&mut counts);
        });
    });
    let mut histogram = Histogram::new();
    group.bench_function("record", |b| {
        b.iter(|| {
            next = (next + 1) % VALUES;
            histogram.record(values[next]);
            black_box(&mut histogram);
        });
    });
}

/// Latencies from 16 us to 268 ms, each power of two as likely as another.
fn latencies() -> Vec<u64> {
    let mut random = Lcg::new(1);
    (0..VALUES).map(|_| (1 << (14 + random.below(14))) + u64::from(random.below(1 << 14))).collect()
}
