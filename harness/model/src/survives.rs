//! What is asked of a gain: how much of it, measured alone, is left end to end.

use serde::{Deserialize, Serialize};

use crate::settings::Located;

/// One case of a scenario: a value of every axis, as `(short key, value)`.
pub type Pick = Vec<(String, String)>;

/// Two cases of one scenario: the better settings, and those that they are compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// Name of the scenario.
    pub scenario: String,
    /// The case whose settings are said to be better.
    pub of: Pick,
    /// The case that it is compared with.
    pub over: Pick,
}

/// A gain of settings in isolation, beside that of the same settings end to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survives {
    /// Which settings, with the place in the file.
    pub says: Located,
    /// The phase of a request in which the settings work, such as `persist`.
    pub phase: String,
    /// The cases end to end; the scenario is that of the file.
    pub whole: Sides,
    /// The cases in isolation: two contenders.
    pub isolated: Sides,
}
