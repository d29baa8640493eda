//! Crash experiments: what a store setting loses when its process is killed or the power fails.
//!
//! Two experiments drive the real store with one [`Subject`], a pair of settings that decides what a crash costs:
//!
//! - [`kills`]: a child process saves sessions and says which saves were acknowledged, until it is killed at a random moment.
//! - [`record`] and [`power_loss`]: the store runs once over a layer that records each operation on files by inode ([`Log`]); for many
//!   moments of the recording, states are made that the model of power loss ([`survive`]) permits.
//!
//! What is left is opened with the same store and compared with what was acknowledged ([`verify`], [`Tally`]). The class of a subject
//! follows from both. Nothing here reads a clock, prints, or knows of runs and reports.

mod choose;
mod disk;
mod error;
mod kill;
mod log;
mod power;
mod process;
mod record;
mod recorder;
mod subject;
pub mod survive;
mod tally;
mod verify;
mod vfs;
mod writer;

pub use choose::{Choice, Choose, Drawn, Fixed, Lagging, Odometer};
pub use disk::RecordingDisk;
pub use error::CrashError;
pub use kill::{Kills, kills, serve_writer};
pub use log::{Log, Node, Op};
pub use power::{Power, Sample, Verdicts, power_loss};
pub use record::{Recording, record};
pub use recorder::Recorder;
pub use subject::{SUBJECTS, Subject};
pub use survive::Filesystem;
pub use tally::{Class, Tally};
pub use verify::{Found, SessionFound, verify};
