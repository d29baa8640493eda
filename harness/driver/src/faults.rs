//! What goes wrong on purpose, and when.

use std::collections::BTreeMap;

use model::plan::Kind;
use model::settings::Located;
use model::units;
use pool::core::SlotId;
use pool::{DisturbTarget, Disturbance};

use crate::prepare::Problem;

/// A kind of fault: its row in [`FAULTS`].
pub struct FaultKind {
    /// Name in scenario files.
    pub name: &'static str,
    /// Its parameters.
    pub params: &'static [&'static str],
    /// What happens.
    pub doc: &'static str,
}

/// All kinds.
pub const FAULTS: &[FaultKind] = &[
    FaultKind { name: "kill", params: &["target", "at", "every", "count"], doc: "SIGKILL to a worker (an in-process one is aborted)" },
    FaultKind {
        name: "stall",
        params: &["slot", "at", "for"],
        doc: "SIGSTOP and later SIGCONT (an in-process worker's service takes that much longer)",
    },
];

/// More would be a load of its own.
const COUNT_MAX: u64 = 10_000;

/// A fault with its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which worker.
    pub target: DisturbTarget,
    /// What is done to it.
    pub what: Disturbance,
    /// When, ns after the window's begin.
    pub times_ns: Vec<u64>,
}

/// The parameters of one fault.
struct Params<'a> {
    kind: &'a Located,
    with: &'a BTreeMap<String, Located>,
}

impl Params<'_> {
    fn needed(&self, name: &str) -> Result<&Located, Problem> {
        self.with.get(name).ok_or_else(|| Problem::at(self.kind, format!("a fault of kind '{}' needs '{name}'", self.kind.value)))
    }

    fn duration(&self, name: &str) -> Result<u64, Problem> {
        let value = self.needed(name)?;
        units::parse_duration(&value.value).map_err(|why| Problem::at(value, why))
    }

    /// A duration, or a share of the window such as `25%`, which holds at both sizes.
    fn moment(&self, name: &str, window_ns: u64) -> Result<u64, Problem> {
        let value = self.needed(name)?;
        match value.value.strip_suffix('%') {
            Some(_) => {
                let share = units::parse_share(&value.value).map_err(|why| Problem::at(value, why))?;
                Ok((share * window_ns as f64) as u64)
            }
            None => self.duration(name),
        }
    }

    fn count(&self, name: &str, default: u64, max: u64) -> Result<u64, Problem> {
        let Some(value) = self.with.get(name) else { return Ok(default) };
        let bad = || Problem::at(value, format!("'{}' is not a valid '{name}' (expected a whole number up to {max})", value.value));
        value.value.parse().ok().filter(|n| *n <= max).ok_or_else(bad)
    }
}

impl Fault {
    /// Reads a fault of a load whose window is `window_ns` long.
    ///
    /// # Errors
    /// An unknown kind, a parameter that is missing or wrong, or a time beyond the window.
    pub fn parse(fault: &Kind, window_ns: u64) -> Result<Fault, Problem> {
        let params = Params { kind: &fault.kind, with: &fault.with };
        let read = match fault.kind.value.as_str() {
            "kill" => kill(&params, window_ns),
            "stall" => Ok(Fault {
                target: DisturbTarget::Slot(SlotId(params.count("slot", 0, u64::from(u16::MAX))? as u16)),
                what: Disturbance::Stall(params.duration("for")?),
                times_ns: vec![params.moment("at", window_ns)?],
            }),
            other => Err(Problem::unknown(&fault.kind, "kind of fault", other, FAULTS.iter().map(|f| f.name))),
        }?;
        // It would never strike, and a scenario that proves nothing would pass.
        match read.times_ns.iter().max() {
            Some(last) if *last >= window_ns => {
                let (at, window) = (units::show_ns(*last as f64), units::show_ns(window_ns as f64));
                Err(Problem::at(
                    &fault.kind,
                    format!(
                        "a fault at {at} is not within the window of {window} (expected shares such as '25%', or a longer load.length)"
                    ),
                ))
            }
            _ => Ok(read),
        }
    }
}

fn kill(params: &Params, window_ns: u64) -> Result<Fault, Problem> {
    let target = params.needed("target")?;
    let target = match target.value.as_str() {
        "busy" => DisturbTarget::AnyBusy,
        "ready" => DisturbTarget::AnyReady,
        other => return Err(Problem::unknown(target, "target of a kill", other, ["busy", "ready"].into_iter())),
    };
    let (at, count) = (params.moment("at", window_ns)?, params.count("count", 1, COUNT_MAX)?);
    let every = if count > 1 { params.moment("every", window_ns)? } else { 0 };
    Ok(Fault { target, what: Disturbance::Kill, times_ns: (0..count).map(|i| at.saturating_add(i.saturating_mul(every))).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: &str, with: &[(&str, &str)]) -> Kind {
        let at = |text: &str| Located::new(text, "pool/x.toml", 9);
        Kind { kind: at(kind), with: with.iter().map(|(k, v)| ((*k).to_owned(), at(v))).collect() }
    }

    #[test]
    fn a_kill_repeats_and_a_stall_does_not() {
        let kill =
            Fault::parse(&fault("kill", &[("target", "busy"), ("at", "25%"), ("every", "100ms"), ("count", "3")]), 4_000_000_000).unwrap();
        assert_eq!(kill.times_ns, [1_000_000_000, 1_100_000_000, 1_200_000_000]);
        let stall = Fault::parse(&fault("stall", &[("at", "3s"), ("for", "1s")]), 4_000_000_000).unwrap();
        assert_eq!((stall.what, stall.times_ns), (Disturbance::Stall(1_000_000_000), vec![3_000_000_000]));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (kind, with, says) in [
            ("kil", vec![], "'kill'"),
            ("kill", vec![("at", "1s")], "'target'"),
            ("kill", vec![("target", "bussy"), ("at", "1s")], "'busy'"),
            ("kill", vec![("target", "busy"), ("at", "soon")], "duration"),
            ("kill", vec![("target", "busy"), ("at", "1s"), ("every", "1s"), ("count", "99999")], "10000"),
            ("stall", vec![("at", "1s")], "'for'"),
            ("stall", vec![("at", "9s"), ("for", "1s")], "not within the window of 9.00 s"),
            ("kill", vec![("target", "busy"), ("at", "10%"), ("every", "20%"), ("count", "6")], "9.90 s is not within"),
            ("kill", vec![("target", "busy"), ("at", "1e30%"), ("every", "1h"), ("count", "9")], "not within"),
        ] {
            let error = Fault::parse(&fault(kind, &with), 9_000_000_000).unwrap_err().to_string();
            assert!(error.starts_with("pool/x.toml:9: ") && error.contains(says), "{error}");
        }
    }
}
