//! Variants compared class by class, as data.

use serde::Serialize;

/// A value with its interval over rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Interval {
    /// Median over rounds.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval over rounds; `None` with fewer than two rounds.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Rounds that it rests on.
    pub rounds: u32,
    /// Why there is no value.
    pub why_blank: Option<String>,
}

/// The variants of a scenario at one combination of its other axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassTable {
    /// `(short key, value)` of the other axes.
    pub at: Vec<(String, String)>,
    /// One per variant, in axis order.
    pub rows: Vec<ClassRow>,
}

/// One variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassRow {
    /// The variant's name.
    pub variant: String,
    /// One per figure of a request's class, in the order of [`crate::classes::FIGURES`].
    pub cells: Vec<ClassCell>,
}

/// One figure of a variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassCell {
    /// `mean`, `hot p50`, ….
    pub figure: String,
    /// The figure, ns.
    pub ns: Interval,
    /// By the first variant's figure of the same rounds; `None` for the first itself.
    pub ratio: Option<Interval>,
}
