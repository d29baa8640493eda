//! The frame codec: a request into bytes, bytes into a frame, beside a copy of the payload alone.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use pool::frames::{Decoder, encode_request};
use pool::{How, Work};

const WORK: Work = Work::new(1_000, How::Spin);
const LIMIT: u32 = 1 << 20;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frames");
    for size in [132, 64 * 1024] {
        group.throughput(Throughput::Bytes(size as u64));
        let payload = vec![7; size];
        let mut out = Vec::new();
        group.bench_function(BenchmarkId::new("memcpy", size), |b| {
            b.iter(|| {
                out.clear();
                out.extend_from_slice(black_box(&payload));
                black_box(&mut out);
            });
        });
        group.bench_function(BenchmarkId::new("encode", size), |b| {
            b.iter(|| {
                out.clear();
                encode_request(black_box(1), WORK, 0, black_box(&payload), &mut out);
                black_box(&mut out);
            });
        });
        let mut frame = Vec::new();
        encode_request(1, WORK, 0, &payload, &mut frame);
        let mut decoder = Decoder::new(LIMIT);
        group.bench_function(BenchmarkId::new("decode", size), |b| {
            b.iter(|| {
                decoder.extend(black_box(&frame));
                decoder.next_frame()
            });
        });
    }
}
