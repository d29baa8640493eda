//! Rates that vary: the rate over time relative to a reference rate, its integral, and the inverse of that.
//!
//! An inhomogeneous Poisson process with cumulative rate L is a Poisson process of rate 1 read through L's inverse (time rescaling), so arrivals
//! come in order, none is thrown away, and sent gaps can be put back through L and tested for being exponential.
//!
//! Nothing here calls the platform's mathematics but the square root, which IEEE 754 fixes to the last bit: sine and cosine are a series of
//! our own, so that the same seed gives the same times on any machine.

/// Steps after which the search for a time is over: halving alone finds a ns in the longest period of an hour in 42.
const STEPS: usize = 64;
/// A time is found when it is known this well, ns.
const PRECISE: f64 = 1e-3;

/// A stretch of time over which the rate goes straight from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    /// Its length, ns.
    pub len: f64,
    /// Relative rate at its begin.
    pub from: f64,
    /// Relative rate at its end.
    pub to: f64,
}

impl Piece {
    /// Integral of the relative rate over the first `x` ns.
    fn area_until(&self, x: f64) -> f64 {
        let slope = if self.len > 0.0 { (self.to - self.from) / self.len } else { 0.0 };
        (self.from + slope * x / 2.0) * x
    }

    fn area(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.len
    }

    /// After how many ns the integral is `area`: the root of a quadratic, in the form that does not cancel.
    fn time_of(&self, area: f64) -> f64 {
        let slope = if self.len > 0.0 { (self.to - self.from) / self.len } else { 0.0 };
        let root = (self.from * self.from + 2.0 * slope * area).max(0.0).sqrt();
        if self.from + root > 0.0 { 2.0 * area / (self.from + root) } else { 0.0 }
    }
}

/// A rate over time relative to a reference rate of 1; times in ns from the slice's begin.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Pieces one after the other; what comes after them has the last one's final rate.
    Once(Vec<Piece>),
    /// Pieces over and over.
    Periodic(Vec<Piece>),
    /// 1 + amplitude * sin(2 pi t / period).
    Sine {
        /// 0 to 1.
        amplitude: f64,
        /// ns.
        period: f64,
    },
}

impl Shape {
    /// Integral of the relative rate until `t`, in ns of the reference rate.
    pub(super) fn cumulative(&self, t: f64) -> f64 {
        match self {
            Shape::Once(pieces) => {
                let (area, rest) = before(pieces, t);
                area + rest * pieces.last().map_or(0.0, |last| last.to)
            }
            Shape::Periodic(pieces) => {
                let (period, area) = (length(pieces), area(pieces));
                let whole = (t / period).floor();
                whole * area + before(pieces, t - whole * period).0
            }
            Shape::Sine { amplitude, period } => {
                let whole = (t / period).floor();
                whole * period + wave(*amplitude, *period, t - whole * period)
            }
        }
    }

    /// The time at which [`Shape::cumulative`] is `target`; infinite where it never is.
    pub(super) fn inverse(&self, target: f64) -> f64 {
        match self {
            Shape::Once(pieces) => {
                let last = pieces.last().map_or(0.0, |last| last.to);
                let (t, rest) = within(pieces, target);
                if rest <= 0.0 { t } else { t + rest / last }
            }
            Shape::Periodic(pieces) => {
                let (period, area) = (length(pieces), area(pieces));
                let whole = (target / area).floor();
                whole * period + within(pieces, target - whole * area).0
            }
            Shape::Sine { amplitude, period } => {
                let whole = (target / period).floor();
                whole * period + unwave(*amplitude, *period, target - whole * period)
            }
        }
    }
}

fn length(pieces: &[Piece]) -> f64 {
    pieces.iter().map(|piece| piece.len).sum()
}

fn area(pieces: &[Piece]) -> f64 {
    pieces.iter().map(Piece::area).sum()
}

/// The integral until `t` or the end of the pieces, and what of `t` lies beyond them.
fn before(pieces: &[Piece], t: f64) -> (f64, f64) {
    let (mut area, mut rest) = (0.0, t);
    for piece in pieces {
        if rest <= piece.len {
            return (area + piece.area_until(rest), 0.0);
        }
        area += piece.area();
        rest -= piece.len;
    }
    (area, rest)
}

/// The time at which the integral is `target` or the pieces end, and what of the target lies beyond them.
fn within(pieces: &[Piece], target: f64) -> (f64, f64) {
    let (mut t, mut rest) = (0.0, target);
    for piece in pieces {
        let area = piece.area();
        if rest < area {
            return (t + piece.time_of(rest).min(piece.len), 0.0);
        }
        t += piece.len;
        rest -= area;
    }
    (t, rest)
}

/// Integral of `1 + amplitude * sin(2 pi x / period)` from 0 to `x`.
fn wave(amplitude: f64, period: f64, x: f64) -> f64 {
    x + amplitude * period / std::f64::consts::TAU * (1.0 - sin_of_turns(x / period + 0.25))
}

/// The inverse of [`wave`] within the first period: Newton's steps, halving where one would leave the bracket.
fn unwave(amplitude: f64, period: f64, target: f64) -> f64 {
    let (mut low, mut high, mut x) = (0.0, period, target);
    for _ in 0..STEPS {
        let over = wave(amplitude, period, x) - target;
        if over > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let rate = 1.0 + amplitude * sin_of_turns(x / period);
        let newton = x - over / rate;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - x).abs() < PRECISE {
            return next;
        }
        x = next;
    }
    x
}

/// sin(2 pi `turns`), by its Taylor series on a quarter turn either side of 0: within 1e-15.
fn sin_of_turns(turns: f64) -> f64 {
    let u = turns - (turns + 0.5).floor();
    // Mirrored into the quarter turns, where the series is short.
    let u = if u > 0.25 {
        0.5 - u
    } else if u < -0.25 {
        -0.5 - u
    } else {
        u
    };
    let x = u * std::f64::consts::TAU;
    let square = x * x;
    // x - x^3/3! + x^5/5! - ..., innermost bracket first.
    let series = (1..=11).rev().fold(1.0, |inner, k| {
        let k = f64::from(k);
        1.0 - square / (2.0 * k * (2.0 * k + 1.0)) * inner
    });
    x * series
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sine_is_the_sine() {
        for i in -4000..4000 {
            let turns = f64::from(i) / 1000.0;
            assert!((sin_of_turns(turns) - (turns * std::f64::consts::TAU).sin()).abs() < 1e-13, "{turns}");
        }
    }

    fn shapes() -> impl Strategy<Value = Shape> {
        let piece = (1e3..1e9, 0.01..5.0, 0.01..5.0).prop_map(|(len, from, to)| Piece { len, from, to });
        let pieces = prop::collection::vec(piece, 1..6);
        let silent = (1e3..1e9, 1e3..1e9)
            .prop_map(|(on, off)| Shape::Periodic(vec![Piece { len: on, from: 3.0, to: 3.0 }, Piece { len: off, from: 0.0, to: 0.0 }]));
        prop_oneof![
            pieces.clone().prop_map(Shape::Once),
            pieces.prop_map(Shape::Periodic),
            silent,
            (0.0..=1.0, 1e4..1e9).prop_map(|(amplitude, period)| Shape::Sine { amplitude, period }),
        ]
    }

    proptest! {
        #[test]
        fn the_inverse_undoes_the_integral(shape in shapes(), target in 0.0..1e10) {
            let t = shape.inverse(target);
            prop_assert!(t.is_finite() && t >= 0.0);
            // Where the rate is near 0 the time is loose, but the integral is not.
            let back = shape.cumulative(t);
            prop_assert!((back - target).abs() <= 0.01 + 1e-9 * target, "{back} for {target} at {t}");
        }

        #[test]
        fn the_integral_grows_with_the_rate(shape in shapes(), at in 0.0..1e10, step in 1.0..1e6) {
            let (before, after) = (shape.cumulative(at), shape.cumulative(at + step));
            prop_assert!(after >= before - 1e-3);
            prop_assert!(after - before <= 5.0 * step + 1e-3, "no rate is above 5");
        }
    }
}
