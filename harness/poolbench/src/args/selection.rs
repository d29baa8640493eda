//! Which cases are meant.

use std::path::PathBuf;

use clap::Args;
use scenario::{Pick, Selection};

/// Which cases.
#[derive(Args, Debug, Default)]
pub(crate) struct SelectionArgs {
    /// Select cases whose id matches; with -F the last match wins
    #[arg(short, long, value_name = "REGEX")]
    filter: Vec<String>,
    /// Leave out cases whose id matches
    #[arg(short = 'F', long, value_name = "REGEX")]
    exclude: Vec<String>,
    /// Set a value in every scenario that can have it, such as store.kind=sqlite; an axis is left with this one value
    #[arg(short, long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Read scenarios from this directory instead of the standard ones
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Option<PathBuf>,
    /// Filters in the order typed
    #[arg(skip)]
    picks: Vec<Pick>,
}

impl SelectionArgs {
    /// The standard cases whose id matches.
    pub(crate) fn only(filter: &str) -> Self {
        Self { picks: vec![Pick::Include(filter.to_owned())], ..Self::default() }
    }

    /// The same with a value set, as by `-s KEY=VALUE`.
    pub(crate) fn with(mut self, set: &str) -> Self {
        self.set.push(set.to_owned());
        self
    }

    /// The selection for `scenario::expand`; `None` with the bad text if a `-s` has no `=`.
    pub(crate) fn selection(&self, each_value_once: bool) -> Result<Selection, String> {
        let set =
            self.set.iter().map(|s| s.split_once('=').map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned())).ok_or_else(|| s.clone()));
        Ok(Selection {
            filters: self.picks.clone(),
            set: set.collect::<Result<_, _>>()?,
            // A check leaves nothing out.
            suite_only: self.picks.is_empty() && !each_value_once,
            each_value_once,
        })
    }

    /// Puts filters in the order typed, which clap keeps apart by flag.
    pub(super) fn keep_order(&mut self, matches: &clap::ArgMatches) {
        let places = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
        let included = places("filter").into_iter().zip(self.filter.iter().cloned().map(Pick::Include));
        let excluded = places("exclude").into_iter().zip(self.exclude.iter().cloned().map(Pick::Exclude));
        let mut picks: Vec<(usize, Pick)> = included.chain(excluded).collect();
        picks.sort_by_key(|(place, _)| *place);
        self.picks = picks.into_iter().map(|(_, pick)| pick).collect();
    }
}
