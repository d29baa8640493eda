//! Findings of many crashes, counted, and the class that follows.

use store::config::Kind;

use crate::verify::{Found, SessionFound};
use crate::writer::{self, SESSIONS};

/// What a crash may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// No acknowledged write is lost.
    Durable,
    /// What is there is whole, but acknowledged writes may be lost.
    Consistent,
    /// What is there may be damaged.
    Unsafe,
}

/// Counts over crashes. A crash counts once in each of the fields that it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Crashes looked at.
    pub crashes: u64,
    /// Those after which an acknowledged write was gone.
    pub losing: u64,
    /// Most acknowledged writes gone after one.
    pub lost_max: u64,
    /// Acknowledged writes gone, over all.
    pub lost_sum: u64,
    /// Those that left a session without a byte.
    pub empty: u64,
    /// Those that left a session that was never written so.
    pub torn: u64,
    /// Those after which SQLite's integrity check fails, or sessions are not of one point in time in a store that promises transactions.
    pub damaged: u64,
    /// Those after which the store does not open.
    pub refused: u64,
    /// The first damage seen, in words.
    pub first: Option<String>,
}

impl Tally {
    /// Counts what was found after a crash before which write `acknowledged` was the last acknowledged and `begun` the last begun.
    pub fn add(&mut self, kind: Kind, found: &Found, begun: u64, acknowledged: u64) {
        self.crashes += 1;
        if let Some(why) = &found.refused {
            self.refused += 1;
            self.note(format!("it does not open: {why}"));
            self.lose(acknowledged);
            return;
        }
        let torn = found.sessions.iter().find_map(|session| match session {
            SessionFound::Torn(why) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = torn {
            self.torn += 1;
            self.note(why);
        }
        if found.sessions.contains(&SessionFound::Empty) {
            self.empty += 1;
            self.note("a session's file is empty".to_owned());
        }
        let mixed = || out_of_order(kind, &found.sessions, begun);
        if let Some(why) = found.damage.clone().or_else(mixed) {
            self.damaged += 1;
            self.note(why);
        }
        let lost = (0..).zip(&found.sessions).map(|(index, session)| {
            let due = writer::version_of(index, acknowledged);
            due.saturating_sub(if let SessionFound::Whole(version) = session { *version } else { 0 })
        });
        self.lose(lost.sum());
    }

    /// The class that these findings permit.
    pub fn class(&self) -> Class {
        if self.empty + self.torn + self.damaged + self.refused > 0 {
            Class::Unsafe
        } else if self.losing > 0 {
            Class::Consistent
        } else {
            Class::Durable
        }
    }

    /// Acknowledged writes gone per crash, on average.
    pub fn lost_mean(&self) -> f64 {
        self.lost_sum as f64 / self.crashes.max(1) as f64
    }

    fn lose(&mut self, lost: u64) {
        self.losing += u64::from(lost > 0);
        self.lost_max = self.lost_max.max(lost);
        self.lost_sum += lost;
    }

    fn note(&mut self, why: String) {
        self.first.get_or_insert(why);
    }
}

/// What could not have been at any one point in time: a write that had not begun, and, in a store with transactions, a later write without
/// an earlier one.
fn out_of_order(kind: Kind, sessions: &[SessionFound], begun: u64) -> Option<String> {
    let versions: Vec<u64> = sessions
        .iter()
        .map(|session| match session {
            SessionFound::Whole(version) => Some(*version),
            SessionFound::Missing => Some(0),
            SessionFound::Empty | SessionFound::Torn(_) => None,
        })
        .collect::<Option<_>>()?;
    let newest = (0..).zip(&versions).filter(|(_, version)| **version > 0).map(|(index, version)| writer::write_of(index, *version)).max();
    let newest = newest.unwrap_or(0);
    if newest > begun {
        return Some(format!("write {newest} is there, and only {begun} had begun"));
    }
    let expected: Vec<u64> = (0..SESSIONS).map(|index| writer::version_of(index, newest)).collect();
    (kind == Kind::Sqlite && versions != expected).then(|| format!("versions {versions:?} were never there together"))
}

#[cfg(test)]
mod tests;
