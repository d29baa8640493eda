use super::*;
use proptest::prelude::*;

#[test]
fn too_little_to_learn_from_is_said() {
    assert_eq!(train(&[b"0123456789"; 7], 4096), Err(TrainError::TooFew { found: 7 }));
    assert_eq!(train::<&[u8]>(&[], 4096), Err(TrainError::TooFew { found: 0 }));
    let why = train(&[b"0123456789"; 8], 16).unwrap_err();
    assert!(why.to_string().contains("8 samples"), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// The C library dies of a division by zero on some tiny sets of samples; none of them may reach it.
    #[test]
    fn no_samples_and_no_size_kill_the_trainer(samples in prop::collection::vec(prop::collection::vec(97u8..100, 0..24), 0..24), bytes in 0usize..3000) {
        let _ = train(&samples, bytes);
    }
}
