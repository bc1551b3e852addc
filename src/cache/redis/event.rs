//! Owns what a node's use of Redis tells whoever counts.

use std::sync::Arc;

use crate::cache::Space;

/// Given each event as it happens; must not wait.
pub type Observer = Arc<dyn Fn(Event) + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Whether there is Redis from now on.
    Up(bool),
    /// A call to Redis that came to nothing.
    Lost(Lost),
    /// Something was done without Redis, on this node alone.
    FellBack(Use),
}

/// Why a call came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// No answer within the time limit.
    Late,
    /// The connection broke, or the server takes no writes.
    Broken,
    /// The server refuses this one call, or answers in a form that means nothing.
    Refused,
    /// Too many calls wait already.
    Crowded,
}

impl Lost {
    /// One word per reason, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Lost::Late => "late",
            Lost::Broken => "broken",
            Lost::Refused => "refused",
            Lost::Crowded => "crowded",
        }
    }
}

/// What Redis is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Entry(Space),
    Limit,
    Bus,
}

impl Use {
    pub fn name(self) -> &'static str {
        match self {
            Use::Entry(space) => space.name(),
            Use::Limit => "limit",
            Use::Bus => "bus",
        }
    }
}
