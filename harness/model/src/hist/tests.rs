use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read_back_and_merging_loses_nothing(values in prop::collection::vec(0u64..10_000_000_000, 0..200), cut in 0usize..200) {
        let mut whole = Histogram::new();
        let (mut left, mut right) = (Histogram::new(), Histogram::new());
        for (i, v) in values.iter().enumerate() {
            whole.record(*v);
            if i < cut { left.record(*v) } else { right.record(*v) }
        }
        left.merge(&right);
        prop_assert_eq!(&left, &whole);
        let back = Histogram::from_base64(&whole.to_base64()).unwrap();
        prop_assert_eq!(back.spectrum(), whole.spectrum());
        prop_assert_eq!(back.to_base64(), whole.to_base64());
        for q in [0.0, 0.5, 0.99, 1.0] {
            prop_assert_eq!(back.quantile(q), whole.quantile(q));
        }
        prop_assert_eq!((back.count(), back.max(), back.mean()), (whole.count(), whole.max(), whole.mean()));
        // One that was read is recorded to and merged like any other.
        let mut twice = back.clone();
        twice.merge(&back);
        let mut again = whole.clone();
        again.merge(&whole);
        twice.record(17);
        again.record(17);
        prop_assert_eq!(twice, again);
    }
}

/// Values of every kind that a trial meets: 0, each magnitude up to the bound, around the bound, and far beyond it.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        1 => Just(0u64),
        8 => (0u32..42, 0u64..1 << 20).prop_map(|(shift, low)| (1u64 << shift) + (low & ((1 << shift) - 1))),
        1 => HIGHEST_NS - 3..HIGHEST_NS + 3,
        1 => HIGHEST_NS..1 << 43,
        1 => HIGHEST_NS..=u64::MAX,
        1 => Just(u64::MAX),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn shards_of_a_stream_merge_into_the_very_bytes_of_one_recording(
        stream in prop::collection::vec((value(), any::<prop::sample::Index>()), 0..120),
        order in Just((0..7usize).collect::<Vec<_>>()).prop_shuffle(),
        read_back in prop::collection::vec(any::<bool>(), 7),
    ) {
        let mut whole = Histogram::new();
        let mut shards = vec![Histogram::new(); order.len()];
        for (value, shard) in &stream {
            whole.record(*value);
            // The last shard stays empty.
            shards[shard.index(order.len() - 1)].record(*value);
        }
        let json = |h: &Histogram| serde_json::to_string(h).unwrap();
        for (shard, through_a_record) in shards.iter_mut().zip(read_back) {
            if through_a_record {
                *shard = serde_json::from_str(&json(shard)).unwrap();
            }
        }
        let mut merged = Histogram::new();
        order.iter().for_each(|place| merged.merge(&shards[*place]));
        prop_assert_eq!(merged.to_base64(), whole.to_base64());
        // Merged pairwise as well: a merge of merges.
        let (left, right) = order.split_at(3);
        let half = |places: &[usize]| places.iter().fold(Histogram::new(), |mut all, place| { all.merge(&shards[*place]); all });
        let mut halves = half(right);
        halves.merge(&half(left));
        prop_assert_eq!(halves.to_base64(), whole.to_base64());
        // And what is read back is written as it was.
        let again: Histogram = serde_json::from_str(&json(&merged)).unwrap();
        prop_assert_eq!(json(&again), json(&whole));
        prop_assert_eq!(again.hdr().max(), whole.hdr().max());
    }
}

#[test]
fn quantiles_are_within_a_thousandth_and_an_empty_one_has_none() {
    let mut h = Histogram::new();
    assert_eq!((h.quantile(0.5), h.max(), h.count()), (None, None, 0));
    (1..=1000u64).for_each(|i| h.record(i * 1000));
    let p99 = h.quantile(0.99).unwrap() as f64;
    assert!((p99 / 990_000.0 - 1.0).abs() < 0.001, "{p99}");
    assert_eq!(h.samples_beyond(0.99), 10);
}

#[test]
fn too_large_values_saturate_and_nonsense_is_refused() {
    let mut h = Histogram::new();
    h.record(u64::MAX);
    assert!(h.max().unwrap() >= HIGHEST_NS);
    let hour = h.to_base64();
    let mut above = Histogram::new();
    above.record(HIGHEST_NS + HIGHEST_NS / 10);
    assert_eq!(above.to_base64(), hour, "all that is too large is one value");
    assert_eq!(Histogram::from_base64(&hour).unwrap().max(), h.max());
    let mut long = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 10 * HIGHEST_NS, 3).unwrap();
    long.record(8 * HIGHEST_NS).unwrap();
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&long, &mut bytes).unwrap();
    assert!(Histogram::from_base64(&BASE64.encode(bytes)).unwrap_err().contains("above one hour"));
    assert!(Histogram::from_base64("!").is_err());
    assert!(Histogram::from_base64("AAAA").is_err());
}
