//! One hook of one rule: its queue, and the task that empties it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;

use super::Board;
use super::log::{Alert, Did, Log, OPEN_MAX};
use super::rule::{Hook, Rule};
use super::{DELIVERED, FAILED, GAVE_UP, LEFT_OUT, exec};

/// Alerts that may wait for one hook: what an earlier process left, and then as many.
const WAITING_MAX: usize = 2 * OPEN_MAX;
/// Longest time between two tries.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// What all hooks share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) log: Arc<Mutex<Log>>,
    pub(super) board: Arc<Board>,
}

impl Shared {
    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, did: Did, hook: &Line, alert: &Alert, attempt: Option<u32>, why: Option<String>) {
        // A log that cannot be written must not keep the alert from its hook.
        let _ = self.log().note(did, hook.name, alert, attempt, why);
    }
}

/// The queue before one hook.
pub(super) struct Line {
    rule: Rule,
    hook: Hook,
    /// `exec` or `webhook`: a rule has at most one of each.
    pub(super) name: &'static str,
    waiting: Mutex<VecDeque<Alert>>,
    more: Notify,
    shared: Shared,
}

/// What the hook gets.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    alert: &'a Alert,
    /// From 1; a hook may see the same id twice.
    attempt: u32,
}

impl Line {
    pub(super) fn new(rule: &Rule, hook: &Hook, shared: Shared) -> Arc<Line> {
        let name = match hook {
            Hook::Exec(..) => "exec",
            Hook::Webhook(_) => "webhook",
        };
        let (waiting, more) = (Mutex::default(), Notify::new());
        Arc::new(Line { rule: rule.clone(), hook: hook.clone(), name, waiting, more, shared })
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Alert>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an alert at the end, noted as pending first.
    pub(super) fn push(&self, alert: Alert) {
        self.shared.note(Did::Pending, self, &alert, None, None);
        let mut waiting = self.waiting();
        // Where deliveries are limited, what came and went while nobody was told is not worth telling.
        let pairs = self.rule.rate_limit_ns > 0 || waiting.len() >= WAITING_MAX;
        match waiting.pop_back() {
            Some(last) if pairs && last.state != alert.state => {
                drop(waiting);
                for alert in [&last, &alert] {
                    self.leave_out(alert, "it came and went within the rate limit");
                }
                return;
            }
            last => waiting.extend(last),
        }
        if waiting.len() >= WAITING_MAX {
            drop(waiting);
            return self.leave_out(&alert, "too many wait for this hook");
        }
        waiting.push_back(alert);
        drop(waiting);
        self.more.notify_one();
    }

    fn leave_out(&self, alert: &Alert, why: &str) {
        self.shared.board.count(LEFT_OUT);
        self.shared.note(Did::LeftOut, self, alert, None, Some(why.to_owned()));
    }

    /// Delivers one after the other, for ever; calls `idle` whenever nothing waits.
    pub(super) async fn run(&self, idle: impl Fn(bool)) {
        loop {
            let next = self.waiting().pop_front();
            let Some(alert) = next else {
                idle(true);
                self.more.notified().await;
                idle(false);
                continue;
            };
            self.deliver(&alert).await;
            tokio::time::sleep(Duration::from_nanos(self.rule.rate_limit_ns)).await;
        }
    }

    async fn deliver(&self, alert: &Alert) {
        let mut pause = Duration::from_nanos(self.rule.backoff_ns).min(BACKOFF_MAX);
        for attempt in 1..=self.rule.retries + 1 {
            let Err(why) = self.attempt(alert, attempt).await else {
                self.shared.board.count(DELIVERED);
                return self.shared.note(Did::Delivered, self, alert, Some(attempt), None);
            };
            self.shared.board.count(FAILED);
            self.shared.note(Did::Failed, self, alert, Some(attempt), Some(why));
            if attempt <= self.rule.retries {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF_MAX);
            }
        }
        self.shared.board.count(GAVE_UP);
        self.shared.note(Did::GaveUp, self, alert, None, None);
    }

    async fn attempt(&self, alert: &Alert, attempt: u32) -> Result<(), String> {
        let json = serde_json::to_string(&Told { alert, attempt }).map_err(|e| e.to_string())? + "\n";
        let limit = Duration::from_nanos(self.rule.timeout_ns);
        let told = async {
            match &self.hook {
                Hook::Exec(program, args) => exec::run(program, args, &json).await,
                Hook::Webhook(url) => url.post(json.clone()).await,
            }
        };
        tokio::time::timeout(limit, told).await.unwrap_or_else(|_| Err(format!("not done within {limit:?}; it was given up")))
    }
}
