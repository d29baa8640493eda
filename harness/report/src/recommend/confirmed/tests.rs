use super::*;

fn over(value: f64, low: f64, high: f64) -> Interval {
    Interval { value: Some(value), low: Some(low), high: Some(high), rounds: 8, why_blank: None }
}

fn one(predicted: Interval, measured: Interval, holds: Option<bool>) -> Confirmation {
    let error = holds.map(|agrees| Miss { value: 0.1, interval: Some([-0.057, 0.32]), holds: Some(agrees) });
    Confirmation {
        part: Part::Store,
        measure: Measure::Time,
        predicted,
        measured,
        error,
        absolute: [Some(3e5), Some(2.5e5)],
        per_s: [[Some(1359.0), Some(1232.0)]; 2],
    }
}

fn page(all: &[Confirmation]) -> String {
    confirmation(all, "the 12 bytes of a|b").replace('\u{a0}', " ")
}

#[test]
fn both_ratios_have_their_interval_and_the_error_one_of_both() {
    let blank = Interval { why_blank: Some("no round ran to its end".to_owned()), ..Interval::default() };
    let page = page(&[one(over(0.33, 0.25, 0.5), over(0.3, 0.25, 0.35), Some(true)), one(over(0.33, 0.25, 0.5), blank, None)]);
    let row =
        "| session store | time | 0.33× [0.25, 0.50] | 0.30× [0.25, 0.35] | 8 / 8 | +10.0 % [-5.7, +32.0] | holds | 300 us | 250 us |";
    assert!(page.contains(row), "{page}");
    assert!(
        page.contains("no round ran to its end") && page.contains("too few rounds to say") && page.contains("the 12 bytes of a\\|b"),
        "{page}"
    );
    assert!(page.contains("in the run 1359/s for the recommended and 1232/s for the baseline, the same now."), "{page}");
    assert!(page.contains("What no interval of a store holds") && !page.contains("did not hold"), "{page}");
}

#[test]
fn a_disk_is_named_where_one_is_measured_and_another_rate_where_it_is_another() {
    let codec = Confirmation { part: Part::Rest, per_s: [[None; 2]; 2], ..one(over(0.3, 0.2, 0.4), over(0.3, 0.2, 0.4), Some(true)) };
    assert!(!page(std::slice::from_ref(&codec)).contains("disk") && !page(&[codec]).contains("a second"));
    let other = Confirmation {
        per_s: [[Some(1359.0), Some(1232.0)], [Some(300.0); 2]],
        ..one(over(0.3, 0.2, 0.4), over(0.3, 0.2, 0.4), Some(true))
    };
    assert!(page(&[other]).contains("now, at the same share of what the slower one can do on this payload, 300/s for both."));
}

#[test]
fn a_prediction_that_did_not_hold_is_told_with_what_is_left_of_it() {
    let said = |measured: Interval| page(&[one(over(0.5, 0.45, 0.55), measured, Some(false))]);
    let better = said(over(0.31, 0.3, 0.32));
    assert!(better.contains("| **does not hold** |"), "{better}");
    assert!(better.contains("**The prediction did not hold** for the session store: time (still below the baseline's). "), "{better}");
    assert!(said(over(0.99, 0.9, 1.1)).contains("time (not told apart from the baseline's)"));
    assert!(!said(over(1.2, 1.1, 1.3)).contains("did not hold"), "said more strongly");
}

#[test]
fn a_recommendation_that_lost_is_said_to_have_lost() {
    let said = |predicted: f64, [low, high]: [f64; 2]| {
        let one = one(over(predicted, predicted, predicted), over(f64::midpoint(low, high), low, high), Some(false));
        page(&[one]).contains("**Not confirmed**: the settings recommended for the session store need more time")
    };
    assert!(said(0.44, [1.03, 1.26]));
    assert!(!said(0.44, [0.95, 1.26]), "in doubt");
    assert!(!said(1.02, [1.01, 1.03]), "predicted to be no better");
}
