//! A session on its way to the store and to the client: JSON both ways and compression, beside a copy of the same bytes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use store::compress::{Codec, Config, Encoder};
use store::{Message, Role, Session, SessionId, json};

use crate::Failure;
use crate::prose::{Lcg, prose};

/// Bytes of prose in one message.
const MESSAGE: usize = 400;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("session");
    for (label, size) in [("4KiB", 4 << 10), ("64KiB", 64 << 10)] {
        let session = session(size)?;
        let body = json::encode(&session)?;
        json::decode(&body, session.id())?;
        group.throughput(Throughput::Bytes(body.len() as u64));
        let mut copy = Vec::new();
        group.bench_function(BenchmarkId::new("memcpy", label), |b| {
            b.iter(|| {
                copy.clear();
                copy.extend_from_slice(black_box(&body));
                black_box(&mut copy);
            });
        });
        group.bench_function(BenchmarkId::new("json-encode", label), |b| b.iter(|| json::encode(black_box(&session))));
        group.bench_function(BenchmarkId::new("json-decode", label), |b| b.iter(|| json::decode(black_box(&body), session.id())));
        let mut encoder = Encoder::new(&Config { gzip_level: 6, zstd_level: 3, ..Config::default() });
        for (name, codec) in [("identity", Codec::Identity), ("gzip-6", Codec::Gzip), ("zstd-3", Codec::Zstd)] {
            group.bench_function(BenchmarkId::new(name, label), |b| b.iter(|| encoder.encode(codec, black_box(&body))));
        }
    }
    Ok(())
}

/// A session whose document is `size` bytes long, or up to one message longer.
fn session(size: usize) -> Result<Session, Failure> {
    let mut session = Session::new(SessionId::try_from("bench")?);
    let mut random = Lcg::new(1);
    while json::encode(&session)?.len() < size {
        let turn = session.turns();
        let role = if turn.is_multiple_of(2) { Role::User } else { Role::Tool };
        let digest = u64::from(random.below(u32::MAX)) << 32 | turn;
        session.record_turn(Message { role, tool: "summarise".into(), digest, text: prose(&mut random, MESSAGE) }, usize::MAX);
    }
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_its_size_and_survives_every_path() {
        for size in [4 << 10, 64 << 10] {
            let session = session(size).unwrap();
            let body = json::encode(&session).unwrap();
            assert!((size..size + 1_024).contains(&body.len()), "{}", body.len());
            assert_eq!(json::decode(&body, session.id()).unwrap(), session);
            let mut encoder = Encoder::new(&Config::default());
            for codec in [Codec::Gzip, Codec::Zstd] {
                let small = encoder.encode(codec, &body).unwrap();
                assert!(small.len() * 3 < body.len() * 2, "{codec:?}: {} of {}", small.len(), body.len());
            }
        }
    }
}
