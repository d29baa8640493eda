//! Alert rules: watched, and told to hooks at least once.
//!
//! Everything here runs on one thread of its own. The pool and its callers know nothing of it: a rule reads the monitor, and a hook that
//! hangs holds up nobody but the later alerts of its own rule.

mod delivery;
mod exec;
mod log;
mod rule;
mod state;
mod webhook;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

pub use log::{Alert, LogTo};
pub use rule::{Compare, FIELDS, Hook, Rule};
pub use state::{Machine, Transition, Turn};
pub use webhook::Url;

use super::Monitor;
use delivery::{Line, Shared};
use log::{Did, Log, unix_ms};

/// How often rules are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Most rules.
pub const RULES_MAX: usize = 64;
/// How long hooks may still take when alerts are stopped.
const STOP_TIME: Duration = Duration::from_secs(5);

/// Ends of deliveries by name, in the order of [`Board::count`]'s argument.
pub const DELIVERIES: [&str; 4] = ["delivered", "failed", "gave-up", "left-out"];
const DELIVERED: usize = 0;
const FAILED: usize = 1;
const GAVE_UP: usize = 2;
const LEFT_OUT: usize = 3;

/// Why alerts cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two rules share a name.
    #[error("two alerts are named '{0}'; names are what tells them apart: rename one")]
    Twice(String),
    /// Too many rules.
    #[error("{0} alerts are more than {RULES_MAX}; keep those that somebody acts on")]
    TooMany(usize),
    /// The log cannot be used.
    #[error("the log of alerts cannot be used: {0}; choose a file that this user may write, alone")]
    Log(std::io::Error),
    /// No thread or no runtime.
    #[error("cannot start the alerts' thread: {0}; check this user's limits on threads and open files")]
    Thread(std::io::Error),
}

/// What the metrics show of alerts.
#[derive(Debug)]
pub struct Board {
    alerts: Vec<(String, AtomicBool)>,
    deliveries: [AtomicU64; DELIVERIES.len()],
}

impl Board {
    fn count(&self, end: usize) {
        self.deliveries[end].fetch_add(1, Ordering::Relaxed);
    }

    /// Each alert's name and whether it fires; ends of deliveries.
    pub(crate) fn read(&self) -> (Vec<(String, bool)>, [u64; DELIVERIES.len()]) {
        let alerts = self.alerts.iter().map(|(name, firing)| (name.clone(), firing.load(Ordering::Relaxed)));
        (alerts.collect(), std::array::from_fn(|i| self.deliveries[i].load(Ordering::Relaxed)))
    }
}

/// Rules that are being watched. Dropping it stops without waiting.
#[derive(Debug)]
pub struct Alerts {
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
    _thread: JoinHandle<()>,
}

impl Alerts {
    /// Looks at the rules once more, waits for deliveries at most five seconds, then kills hooks that still run. What was not delivered
    /// stays pending in the log.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // An error means that the thread has ended already.
        let _ = self.ended.await;
    }
}

/// Watches `rules` until stopped. What the log says is undelivered is delivered first.
///
/// # Errors
/// The rules or the log cannot be used.
pub fn start(rules: Vec<Rule>, monitor: Arc<Monitor>, log: LogTo) -> Result<Alerts, StartError> {
    if rules.len() > RULES_MAX {
        return Err(StartError::TooMany(rules.len()));
    }
    let mut names = BTreeSet::new();
    if let Some(rule) = rules.iter().find(|rule| !names.insert(&rule.name)) {
        return Err(StartError::Twice(rule.name.clone()));
    }
    let log = Log::open(log).map_err(StartError::Log)?;
    let machine = Machine::resumed(rules.iter().map(|rule| log.was_firing(&rule.name)));
    let alerts = rules.iter().enumerate().map(|(i, rule)| (rule.name.clone(), AtomicBool::new(machine.is_firing(i))));
    let board = Arc::new(Board { alerts: alerts.collect(), deliveries: Default::default() });
    monitor.show(Arc::clone(&board));
    let shared = Shared { log: Arc::new(Mutex::new(log)), board };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let (stop, stopped) = watch::channel(false);
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("alerts".into()).spawn(move || {
        runtime.block_on(Watch::new(rules, monitor, shared, machine).run(stopped));
        // Hooks that still run are dropped, and so killed, with their tasks; a name that is still being looked up is not waited for.
        runtime.shutdown_background();
        // Nobody waits for alerts that were dropped.
        let _ = end.send(());
    });
    Ok(Alerts { stop, ended, _thread: thread.map_err(StartError::Thread)? })
}

/// All that the thread works with.
struct Watch {
    rules: Vec<Rule>,
    /// The hooks of each rule.
    lines: Vec<Vec<Arc<Line>>>,
    monitor: Arc<Monitor>,
    shared: Shared,
    machine: Machine,
    /// Makes ids that no other process makes.
    born: String,
    made: u64,
}

impl Watch {
    fn new(rules: Vec<Rule>, monitor: Arc<Monitor>, shared: Shared, machine: Machine) -> Watch {
        let lines = rules.iter().map(|rule| rule.hooks.iter().map(|hook| Line::new(rule, hook, shared.clone())).collect()).collect();
        let born = format!("{:x}-{:x}", unix_ms(), std::process::id());
        Watch { rules, lines, monitor, shared, machine, born, made: 0 }
    }

    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let busy = Arc::new(AtomicUsize::new(0));
        self.take_up_again();
        for line in self.lines.iter().flatten() {
            let (line, busy) = (Arc::clone(line), Arc::clone(&busy));
            busy.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                line.run(|idle| {
                    if idle {
                        busy.fetch_sub(1, Ordering::Relaxed)
                    } else {
                        busy.fetch_add(1, Ordering::Relaxed)
                    };
                })
                .await;
            });
        }
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => break,
                _ = looks.tick() => self.look(),
            }
        }
        self.look();
        let quiet = async {
            // A hook that was just given work counts as busy only once its task has run.
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if busy.load(Ordering::Relaxed) == 0 {
                    break;
                }
            }
        };
        // What is not delivered by then stays pending in the log.
        let _ = tokio::time::timeout(STOP_TIME, quiet).await;
    }

    /// Delivers what an earlier process could not.
    fn take_up_again(&self) {
        let undelivered = self.shared.log().undelivered();
        for (hook, alert) in undelivered {
            let rule = self.rules.iter().position(|rule| rule.name == alert.alert);
            match rule.and_then(|rule| self.lines[rule].iter().find(|line| line.name == hook)) {
                Some(line) => line.push(alert),
                None => {
                    let why = Some("no rule has this hook any more".to_owned());
                    // A log that cannot be written must not keep alerts from their hooks.
                    let _ = self.shared.log().note(Did::LeftOut, &hook, &alert, None, why);
                }
            }
        }
    }

    fn look(&mut self) {
        let (rules, machine) = (&self.rules, &mut self.machine);
        let turns = self.monitor.between(|between| {
            let values: Vec<_> = rules.iter().map(|rule| between.read(rule.row, rule.part)).collect();
            machine.step(between.now.at, rules, &values)
        });
        for Transition { rule: index, turn, value } in turns {
            let rule = &self.rules[index];
            self.shared.board.alerts[index].1.store(turn == Turn::Firing, Ordering::Relaxed);
            self.made += 1;
            let alert = Alert {
                id: format!("{}-{}", self.born, self.made),
                alert: rule.name.clone(),
                state: turn,
                severity: rule.severity.clone(),
                condition: rule.condition(),
                value,
                at_unix_ms: unix_ms(),
            };
            if rule.hooks.is_empty() {
                // Nobody is told, but the log and the metrics know.
                let _ = self.shared.log().note(Did::State, "", &alert, None, None);
            }
            self.lines[index].iter().for_each(|line| line.push(alert.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
