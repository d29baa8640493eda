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
    let mut long = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 10 * HIGHEST_NS, 3).unwrap();
    long.record(8 * HIGHEST_NS).unwrap();
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&long, &mut bytes).unwrap();
    assert!(Histogram::from_base64(&BASE64.encode(bytes)).unwrap_err().contains("above one hour"));
    assert!(Histogram::from_base64("!").is_err());
    assert!(Histogram::from_base64("AAAA").is_err());
}
