use super::*;

fn mark(at: Nanos) -> Mark {
    Mark {
        at,
        received: at,
        outcomes: [[0; 8]; 4],
        affinity: [0; 5],
        predictions: [[0; 3]; 3],
        latencies: [[0; BUCKETS]; 3],
        busy_ns: [0; PARTITIONS],
        existing_ns: [0; PARTITIONS],
        spawns: 0,
        deaths: 0,
        redispatches: 0,
        fallbacks: 0,
    }
}

#[test]
fn the_window_begins_as_long_ago_as_it_is_long_or_a_tenth_more() {
    let mut window = Window::new(1_000);
    let since: Vec<Nanos> = (1..=500).map(|i| i * 10).map(|at| at - window.since(&mark(at)).at).collect();
    assert!(since.iter().skip(110).all(|length| (1_000..=1_100).contains(length)), "{since:?}");
    assert!(window.marks.len() <= 12, "{}", window.marks.len());
    assert_eq!(window.since(&mark(9_000_000)).at, 4_910, "nobody looked for long: since the last that was kept");
}

#[test]
fn the_first_mark_is_its_own_window() {
    assert_eq!(Window::new(1_000).since(&mark(77)).at, 77);
    assert_eq!(Window::new(0).since(&mark(77)).at, 77, "a window without length is not divided by");
}

#[test]
fn residencies_are_in_the_order_of_their_enum() {
    assert!(RESIDENCIES.iter().enumerate().all(|(i, residency)| *residency as usize == i));
}

#[test]
fn an_outcome_is_counted_for_its_tier_and_for_all() {
    let mut mark = mark(0);
    mark.outcomes[1][Outcome::Shed as usize] = 3;
    mark.outcomes[NO_TIER][Outcome::Shed as usize] = 2;
    mark.received = 9;
    assert_eq!(mark.ended(Some(Tier::Warm), &[Outcome::Shed, Outcome::Ok]), 3);
    assert_eq!((mark.ended(None, &[Outcome::Shed]), mark.ended(Some(Tier::Hot), &Outcome::ALL)), (5, 0));
    assert_eq!(mark.in_flight(), 4);
}
