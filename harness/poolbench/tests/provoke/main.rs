//! Every brand provoked for real: the program runs under a hog, a quota, a stopped pacer, a lost record, and must say so; left alone, it must not.
//!
//! A binary of its own, since cargo runs test binaries one after the other: its hogs would spoil what other tests measure. Its own tests go one at a
//! time (`run::alone`).

#[cfg(test)]
mod disturb;
#[cfg(test)]
mod generator;
#[cfg(test)]
mod hog;
#[cfg(test)]
mod host;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod load;
#[cfg(test)]
mod quota;
#[cfg(test)]
mod run;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the other integration binary, which uses all of it")]
#[path = "../it/support.rs"]
mod support;
