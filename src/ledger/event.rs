//! Owns what a ledger tells whoever counts: how it writes, what broke, and how long records wait for their anchor.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A lane has written what waited, or has failed to.
    Batch { deeds: usize, took: Duration },
    /// A connection broke and is closed, or is closed because an answer did not come in time.
    LineLost,
    /// Whether the server is there, from now on. Of a ledger in a file: its disk has refused the log, for good.
    Up(bool),
    /// What became of a batch of which nobody knew whether it had been committed.
    Doubt(Found),
    /// Whatever was committed before that instant is anchored, by this node or another.
    Anchored { before: Instant },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Recorded,
    NotRecorded,
    /// Not learned in time: callers were told to send the same message again.
    Nothing,
}

impl Found {
    /// One word each, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Found::Recorded => "recorded",
            Found::NotRecorded => "not_recorded",
            Found::Nothing => "nothing",
        }
    }
}

/// Given each event as it happens; must not wait. By default nobody is told.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<dyn Fn(Event) + Send + Sync>>);

impl Observer {
    pub fn new(observe: impl Fn(Event) + Send + Sync + 'static) -> Observer {
        Observer(Some(Arc::new(observe)))
    }

    pub(in crate::ledger) fn tell(&self, event: Event) {
        if let Some(observe) = &self.0 {
            observe(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer" } else { "nobody" })
    }
}

/// Who is told is no part of where a ledger is: settings that differ in nothing else are the same.
impl PartialEq for Observer {
    fn eq(&self, _: &Observer) -> bool {
        true
    }
}

impl Eq for Observer {}
