use super::*;

#[test]
fn a_median_is_the_middle_or_between_the_middle_two() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median(&[f64::NAN]), None);
    assert_eq!(median(&[]), None);
}

#[test]
fn a_geometric_mean_multiplies_and_refuses_zero() {
    let mean = geometric_mean(&[2.0, 8.0]).unwrap();
    assert!((mean - 4.0).abs() < 1e-12, "{mean}");
    assert_eq!(geometric_mean(&[7.3]), Some(7.3));
    assert_eq!(geometric_mean(&[1.0, 0.0]), None);
    assert_eq!(geometric_mean(&[]), None);
}

#[test]
fn the_t_table_falls_towards_the_normal() {
    let points: Vec<f64> = (1..200).map(|d| t95(d).unwrap()).collect();
    assert!(points.windows(2).all(|w| w[1] <= w[0]));
    assert_eq!((t95(0), t95(4)), (None, Some(2.776)));
}

#[test]
fn an_interval_matches_a_textbook_one() {
    // Logs 0.1, 0.2, 0.3: mean 0.2, s 0.1, t(2) 4.303, half 0.248434.
    let (low, high) = ratio_interval(&[0.1, 0.2, 0.3]).unwrap();
    assert!((low.ln() - -0.048_434).abs() < 1e-5, "{low}");
    assert!((high.ln() - 0.448_434).abs() < 1e-5, "{high}");
    assert_eq!(ratio_interval(&[0.1]), None);
    assert_eq!(ratio_interval(&[]), None);
}

#[test]
fn quotients_refuse_nothing_as_the_divisor() {
    assert_eq!(quotient(1.0, 0.0), None);
    assert_eq!(share(0, 0), None);
    assert_eq!(share(1, 4), Some(0.25));
}
