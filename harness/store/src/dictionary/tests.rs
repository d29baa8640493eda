use super::*;
use proptest::prelude::*;

#[test]
fn too_little_to_learn_from_is_said() {
    assert_eq!(train(&[b"0123456789"; 7], 4096), Err(TrainError::TooFew { found: 7 }));
    assert_eq!(train::<&[u8]>(&[], 4096), Err(TrainError::TooFew { found: 0 }));
    let why = train(&[b"0123456789"; 8], 16).unwrap_err();
    assert!(why.to_string().contains("8 samples"), "{why}");
}

/// Some 4 KiB of words, which differ from one number to the next.
fn sample(n: u64) -> Vec<u8> {
    let words = ["session", "result", "error", "between", "function", "returned", "queue", "worker", "latency", "buffer", "index", "first"];
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        words[(state >> 40) as usize % words.len()]
    };
    (0..25).flat_map(|_| format!("{{\"role\":\"tool\",\"content\":\"{}\"}},", [0; 16].map(|_| word()).join(" ")).into_bytes()).collect()
}

#[test]
fn a_longer_search_makes_smaller_frames_that_need_nothing_new_to_be_read() {
    let samples: Vec<_> = (0..400).map(sample).collect();
    let dictionary = train(&samples, 64 << 10).unwrap();
    let plain = sample(1000);
    let mut small = Vec::new();
    let mut context = Small::open(Some(&dictionary)).unwrap();
    context.encode(&plain, &mut small).unwrap();
    assert!(context.bytes() > dictionary.len());
    let fast = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap().compress(&plain).unwrap();
    assert!(small.len() < fast.len(), "{} bytes and {}", small.len(), fast.len());
    let mut reader = zstd::bulk::Decompressor::with_dictionary(&dictionary).unwrap();
    assert_eq!(reader.decompress(&small, plain.len()).unwrap(), plain);
    // Without a dictionary, and nothing at all.
    let contexts = small::Contexts::default();
    for plain in [plain.as_slice(), b""] {
        let frame = contexts.pack(None, plain).unwrap();
        assert_eq!(zstd::bulk::decompress(&frame, plain.len()).unwrap(), plain);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// The C library dies of a division by zero on some tiny sets of samples; none of them may reach it.
    #[test]
    fn no_samples_and_no_size_kill_the_trainer(samples in prop::collection::vec(prop::collection::vec(97u8..100, 0..24), 0..24), bytes in 0usize..3000) {
        let _ = train(&samples, bytes);
    }
}
