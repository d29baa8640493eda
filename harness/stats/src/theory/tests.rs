use proptest::prelude::*;

use super::*;
use crate::recursion::Servers;
use crate::testkit::exponentials;

fn near(value: f64, expected: f64, relative: f64) {
    assert!((value / expected - 1.0).abs() <= relative, "{value} is not {expected}");
}

#[test]
fn erlang_b_and_c_are_those_of_the_tables() {
    // Erlang B: 1 erlang on 1, 2 and 3 servers by hand; and two rows of the usual traffic tables.
    near(erlang_b(1, 1.0).unwrap(), 0.5, 1e-12);
    near(erlang_b(2, 1.0).unwrap(), 0.2, 1e-12);
    near(erlang_b(3, 1.0).unwrap(), 1.0 / 16.0, 1e-12);
    near(erlang_b(10, 4.461).unwrap(), 0.010, 2e-3);
    near(erlang_b(5, 2.219).unwrap(), 0.050, 2e-3);
    // Erlang C: one server waits with rho; two with 2 rho^2 / (1 + rho); 0.2706 on 8 servers at 0.7.
    near(erlang_c(1, 0.7).unwrap(), 0.7, 1e-12);
    near(erlang_c(2, 1.6).unwrap(), 2.0 * 0.64 / 1.8, 1e-12);
    near(erlang_c(8, 5.6).unwrap(), 0.270_603, 1e-5);
}

#[test]
fn what_has_no_steady_state_has_no_figures() {
    for (arrivals, service, servers) in [(2.0, 1.0, 2), (3.0, 1.0, 2), (1.0, 1.0, 0), (0.0, 1.0, 1), (-1.0, 1.0, 1), (f64::NAN, 1.0, 1)] {
        assert_eq!(Mmc::new(arrivals, service, servers), None, "{arrivals} {service} {servers}");
        assert_eq!((cosmetatos(arrivals, service, servers), crommelin(arrivals, service, servers)), (None, None));
    }
    assert_eq!(pollaczek_khinchine(1.0, 1.0, 1.0), None);
    assert_eq!(pollaczek_khinchine(0.5, 1.0, 0.9), None, "a variance cannot be negative");
    assert_eq!(set_up_wait(0.5, 1.0, f64::INFINITY), None);
    assert_eq!((erlang_b(3, -0.1), erlang_b(3, f64::INFINITY)), (None, None));
    assert_eq!((Mmck::new(1.0, 1.0, 3, 2), Mmck::new(1.0, 1.0, 0, 2)), (None, None));
    let law = Mmc::new(1.0, 1.0, 2).unwrap();
    assert_eq!((law.wait_quantile(1.0), law.response_quantile(-0.1), law.response_quantile(f64::NAN)), (None, None, None));
}

#[test]
fn one_server_is_the_textbook() {
    // M/M/1 with rho 0.8 and S = 1: wait 4, response exponential with mean 5.
    let law = Mmc::new(0.8, 1.0, 1).unwrap();
    near(law.mean_wait(), 4.0, 1e-12);
    near(law.mean_response(), 5.0, 1e-12);
    near(law.wait_beyond(5.0), 0.8 * (-1.0f64).exp(), 1e-12);
    for p in [0.5, 0.95, 0.999] {
        near(law.response_quantile(p).unwrap(), -5.0 * (1.0f64 - p).ln(), 1e-9);
    }
    near(law.mean_wait(), pollaczek_khinchine(0.8, 1.0, 2.0).unwrap(), 1e-12);
    near(law.mean_wait() / 2.0, md1_wait(0.8, 1.0).unwrap(), 1e-12);
    near(md1_wait(0.8, 1.0).unwrap(), cosmetatos(0.8, 1.0, 1).unwrap(), 1e-12);
}

#[test]
fn constant_services_wait_as_crommelin_says_and_cosmetatos_nearly() {
    for rho in [0.1, 0.3, 0.5, 0.8, 0.95] {
        near(crommelin(rho, 1.0, 1).unwrap(), md1_wait(rho, 1.0).unwrap(), 1e-9);
        near(crommelin(2.0 * rho / 3.0, 3.0, 2).unwrap(), 3.0 * crommelin(2.0 * rho, 1.0, 2).unwrap(), 1e-9);
    }
    for servers in [2, 4, 8] {
        for rho in [0.5, 0.8, 0.95] {
            let load = rho * f64::from(servers);
            near(cosmetatos(load, 1.0, servers).unwrap(), crommelin(load, 1.0, servers).unwrap(), if servers > 4 { 0.012 } else { 0.006 });
        }
    }
    // What a simulation of ten million requests told them apart by.
    near(cosmetatos(1.2, 1.0, 4).unwrap() / crommelin(1.2, 1.0, 4).unwrap(), 1.0305, 1e-3);
}

#[test]
fn a_quantile_of_the_wait_is_0_for_those_who_do_not_wait() {
    let law = Mmc::new(1.0, 1.0, 2).unwrap();
    near(law.wait_probability(), 1.0 / 3.0, 1e-12);
    assert_eq!(law.wait_quantile(0.6), Some(0.0));
    near(law.wait_beyond(law.wait_quantile(0.99).unwrap()), 0.01, 1e-9);
}

#[test]
fn rates_that_meet_lose_no_digits() {
    // Two servers at 0.5: the line drains as fast as a service ends. The formula is 0 / 0 there.
    let exact = Mmc::new(1.0, 1.0, 2).unwrap();
    let t = 3.0f64;
    near(exact.response_beyond(t), (-t).exp() * (2.0 / 3.0 + (1.0 + t) / 3.0), 1e-12);
    for nudge in [1e-15, 1e-12, 1e-9] {
        near(Mmc::new(1.0 + nudge, 1.0, 2).unwrap().response_beyond(t), exact.response_beyond(t), 1e-8);
    }
}

#[test]
fn set_ups_wait_as_welch_says() {
    // By hand with lambda 0.5, S exponential with mean 1, I = 2 exactly: P-K gives 1, the set-up (4 + 2) / 4 = 1.5.
    near(welch(0.5, (1.0, 2.0), (2.0, 4.0)).unwrap(), 2.5, 1e-12);
    assert_eq!(set_up_wait(0.5, 0.0, 0.0), Some(0.0));
    // And by simulation: whoever finds the server idle brings a set-up of 2 s.
    let (mut random, mut arrival, mut free, mut sum) = (exponentials(3), 0.0f64, 0.0f64, 0.0);
    for _ in 0..400_000 {
        arrival += random.next().unwrap() / 0.5;
        let start = if free > arrival { free } else { arrival + 2.0 };
        sum += start - arrival;
        free = start + random.next().unwrap();
    }
    near(sum / 400_000.0, 2.5, 0.02);
}

#[test]
fn a_full_house_turns_away_as_erlang_says() {
    // Without waiting room it is Erlang's B, at any load; with much room and a light load it is M/M/c.
    for (servers, load) in [(1, 0.3), (4, 3.0), (10, 25.0)] {
        let law = Mmck::new(load, 1.0, servers, servers).unwrap();
        near(law.blocking(), erlang_b(servers, load).unwrap(), 1e-12);
        assert_eq!(law.mean_wait(), 0.0);
    }
    let roomy = Mmck::new(1.6, 1.0, 2, 500).unwrap();
    near(roomy.mean_wait(), Mmc::new(1.6, 1.0, 2).unwrap().mean_wait(), 1e-9);
    assert!(roomy.blocking() < 1e-40);
    // M/M/1/K in closed form: (1 - r) r^K / (1 - r^(K + 1)); at r = 1 all states are as likely.
    near(Mmck::new(2.0, 1.0, 1, 3).unwrap().blocking(), 8.0 / 15.0, 1e-12);
    let even = Mmck::new(1.0, 1.0, 1, 3).unwrap();
    near(even.blocking(), 0.25, 1e-12);
    near(even.mean_line(), 0.75, 1e-12);
    near(even.mean_wait(), 1.0, 1e-12);
    // What is admitted under overload is what the servers do.
    near(Mmck::new(1e9, 1.0, 2, 50).unwrap().admitted(), 2.0, 1e-6);
}

/// M/D/c by simulation, so that the approximation is judged by what it approximates.
#[test]
fn deterministic_services_are_within_two_percent_of_a_simulation() {
    for servers in [2, 8] {
        let (mut line, mut random, mut arrival, mut sum) = (Servers::new(servers).unwrap(), exponentials(5), 0.0, 0.0);
        let count = 600_000;
        for _ in 0..count {
            arrival += random.next().unwrap() * 1e9 / (0.8 * servers as f64);
            sum += (line.serve(arrival as u64, 1_000_000_000).start_ns - arrival as u64) as f64 / 1e9;
        }
        near(sum / f64::from(count), cosmetatos(0.8 * servers as f64, 1.0, servers as u32).unwrap(), 0.02);
    }
}

proptest! {
    /// A quantile of the response undoes its tail, from idle to nearly full.
    #[test]
    fn quantiles_invert_tails(rho in 0.01f64..0.99, servers in 1u32..64, p in 0.0f64..0.9999) {
        let law = Mmc::new(rho * f64::from(servers), 1.0, servers).unwrap();
        let t = law.response_quantile(p).unwrap();
        prop_assert!((law.response_beyond(t) - (1.0 - p)).abs() < 1e-9);
        prop_assert!(law.response_beyond(t * 1.01) <= law.response_beyond(t));
        // The mean is the area under the tail: by Little's law it must agree with the mean wait.
        let (step, mut area) = (law.mean_response() / 200.0, 0.0);
        for k in 0..8_000 {
            area += law.response_beyond((f64::from(k) + 0.5) * step) * step;
        }
        prop_assert!((area / law.mean_response() - 1.0).abs() < 1e-3, "{area} {}", law.mean_response());
    }

    /// More places turn fewer away, and more servers make fewer wait.
    #[test]
    fn more_room_is_better(load in 0.1f64..20.0, servers in 1u32..16, more in 1u32..40) {
        let blocking = |places| Mmck::new(load, 1.0, servers, places).unwrap().blocking();
        prop_assert!(blocking(servers + more) <= blocking(servers + more - 1) * (1.0 + 1e-12));
        let stable = load.floor() as u32 + servers;
        prop_assert!(erlang_c(stable + 1, load).unwrap() < erlang_c(stable, load).unwrap());
    }
}
