//! The keys outside the catalogue that `[matrix]` and `-s` may set.

use model::Located;

use crate::wire::{Sizes, Wire, WireMix};

/// One such key.
struct Path {
    key: &'static str,
    /// Whether cases may differ in it; what sets the size of a run may not.
    axis: bool,
    set: fn(&mut Wire, Located),
}

/// The axis whose values are names of `[variants]`.
pub(crate) const VARIANT: &str = "variant";

const PATHS: &[Path] = &[
    Path { key: VARIANT, axis: true, set: |w, v| set_variant(w, &v) },
    Path { key: "target", axis: true, set: |w, v| w.target = Some(v) },
    Path { key: "load.accept", axis: true, set: |w, v| w.load.accept = Some(v) },
    Path { key: "load.arrivals.kind", axis: true, set: |w, v| w.load.arrivals.kind = Some(v) },
    Path { key: "load.arrivals.rate", axis: true, set: |w, v| drop(w.load.arrivals.with.insert("rate".to_owned(), v)) },
    Path { key: "load.arrivals.speed", axis: true, set: |w, v| drop(w.load.arrivals.with.insert("speed".to_owned(), v)) },
    Path { key: "load.clients", axis: true, set: set_clients },
    Path { key: "load.deadline", axis: true, set: |w, v| each(w, &v, |m| &mut m.deadline) },
    Path { key: "load.payload.shape", axis: true, set: |w, v| each(w, &v, |m| &mut m.shape) },
    Path { key: "load.payload.size", axis: true, set: |w, v| each(w, &v, |m| &mut m.size) },
    Path { key: "load.service", axis: true, set: |w, v| each(w, &v, |m| &mut m.service) },
    Path { key: "load.sessions.count", axis: true, set: |w, v| w.load.session_count = Some(v) },
    Path { key: "load.sessions.popularity", axis: true, set: |w, v| w.load.popularity = Some(v) },
    Path { key: "load.time-scale", axis: true, set: |w, v| w.load.time_scale = Some(v) },
    Path { key: "load.work", axis: true, set: |w, v| each(w, &v, |m| &mut m.work) },
    Path { key: "load.length", axis: false, set: |w, v| w.load.length = both(v) },
    Path { key: "load.rounds", axis: false, set: |w, v| w.load.rounds = both(v) },
    Path { key: "load.timeout", axis: false, set: |w, v| w.load.timeout = Some(v) },
    Path { key: "load.warmup", axis: false, set: |w, v| w.load.warmup = both(v) },
];

/// The keys that may be an axis.
pub(crate) fn axes() -> Vec<&'static str> {
    PATHS.iter().filter(|p| p.axis).map(|p| p.key).collect()
}

/// The keys that `-s` may set.
pub(crate) fn all() -> Vec<&'static str> {
    PATHS.iter().map(|p| p.key).collect()
}

/// Sets `key`: one of ours, else a setting.
pub(crate) fn set(wire: &mut Wire, key: &str, value: Located) {
    match PATHS.iter().find(|p| p.key == key) {
        Some(path) => (path.set)(wire, value),
        None => drop(wire.settings.insert(key.to_owned(), value)),
    }
}

fn both(value: Located) -> Sizes {
    Sizes { smoke: Some(value.clone()), full: Some(value) }
}

fn each(wire: &mut Wire, value: &Located, field: fn(&mut WireMix) -> &mut Option<Located>) {
    for mix in &mut wire.load.mix {
        *field(mix) = Some(value.clone());
    }
}

/// Sets all that the variant of that name sets; a name that the scenario lacks is reported where cases are made.
fn set_variant(wire: &mut Wire, value: &Located) {
    let set = wire.variants.iter().find(|variant| variant.name == value.value).map(|variant| variant.set.clone());
    for (key, value) in set.unwrap_or_default() {
        self::set(wire, &key, value);
    }
}

/// A closed loop names its clients among the parameters of its arrivals; the later word holds for both.
fn set_clients(wire: &mut Wire, value: Located) {
    wire.load.arrivals.with.remove("clients");
    wire.load.clients = Some(value);
}
