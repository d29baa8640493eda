use super::*;
use crate::compress::{CODECS, decode};
use std::sync::Arc;

#[test]
fn the_pool_serves_many_threads_and_keeps_few_encoders() {
    let pool = Arc::new(Encoders::new(&Config::default()));
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                for round in 0..20 {
                    let body = vec![n as u8; 1000 * n + round];
                    let codec = CODECS[round % CODECS.len()].codec;
                    assert_eq!(decode(codec, &pool.encode(codec, &body).unwrap(), 1 << 20).unwrap(), body);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let kept = pool.idle().len();
    assert!((1..=pool.keep).contains(&kept), "{kept} of {}", pool.keep);
}
