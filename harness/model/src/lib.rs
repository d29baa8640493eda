//! Vocabulary: ids, units, plan, child protocol, record, histogram, run directory.
//!
//! Plain data and its encodings; nothing here measures, judges or prints.

pub mod claim;
pub mod durability;
pub mod facts;
pub mod hist;
mod kinds;
pub mod plan;
pub mod protocol;
pub mod record;
pub mod renumber;
pub mod rundir;
pub mod settings;
pub mod survives;
pub mod trace;
pub mod units;

pub use claim::Claim;
pub use hist::Histogram;
pub use kinds::KnownKinds;
pub use plan::{Case, Plan};
pub use record::Record;
pub use settings::{Located, SettingRow};
pub use trace::Trace;
