//! Encoding and compression of a response alone.

use std::sync::Arc;

use coordinator::{Request, Response};
use pool::clock::Clock;
use pool::core::Outcome;
use pool::times::Phase;
use store::compress::{Config, Encoders};
use xxhash_rust::xxh3::xxh3_64;

use super::{Boxed, Opening, Target, blank, failed};

struct CodecTarget {
    config: Arc<Config>,
    encoders: Arc<Encoders>,
    clock: Arc<dyn Clock>,
}

pub(super) async fn open(opening: Opening) -> Result<Box<dyn Target>, String> {
    let encoders = Arc::new(Encoders::new(&opening.config.compress));
    Ok(Box::new(CodecTarget { config: Arc::new(opening.config.compress), encoders, clock: opening.deps.clock }))
}

impl Target for CodecTarget {
    fn call(&self, mut call: Request) -> Boxed<Response> {
        let (config, encoders, clock) = (Arc::clone(&self.config), Arc::clone(&self.encoders), Arc::clone(&self.clock));
        Box::pin(async move {
            call.times.turn(Phase::Admit, Phase::Compress, clock.now());
            let encoded = match config.choose(&call.accept, call.payload.len()) {
                Ok(codec) => encoders.encode(codec, &call.payload).map(|body| (codec, body)).map_err(|e| e.to_string()),
                Err(why) => Err(why.to_string()),
            };
            call.times.turn(Phase::Compress, Phase::Reply, clock.now());
            match encoded {
                Ok((codec, body)) => Response {
                    outcome: Outcome::Ok,
                    digest: Some(xxh3_64(&call.payload)),
                    codec,
                    encoded_bytes: call.payload.len(),
                    body,
                    ..blank(call.times)
                },
                Err(why) => failed(call.times, why),
            }
        })
    }

    fn is_right(&self, payload: &[u8], plain: &[u8]) -> bool {
        payload == plain
    }

    fn close(&self) -> Boxed<Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}
