//! What may be lost: hints, sessions, one-time codes. Wiping it never changes an answer about money.

pub mod bus;
pub mod memory;
pub mod redis;

use futures_util::future::BoxFuture;

use crate::domain::calendar::Instant;

/// What a value is for. Each has room of its own, so that a flood of one pushes out none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// Cash of the last quote of a stay.
    Quote,
    /// Stays whose hospital was told that no filing covers them.
    ToldUnfiled,
    /// Page sessions.
    Session,
    /// One-time codes.
    Code,
    /// Counters and the like of pages.
    Other,
}

impl Space {
    pub const ALL: [Space; 5] = [Space::Quote, Space::ToldUnfiled, Space::Session, Space::Code, Space::Other];

    /// One word per space, for keys and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Space::Quote => "quote",
            Space::ToldUnfiled => "unfiled",
            Space::Session => "session",
            Space::Code => "code",
            Space::Other => "other",
        }
    }
}

/// Keys and values with an end. A cache that fails behaves as if it were empty.
pub trait Cache: Send + Sync + 'static {
    fn get<'a>(&'a self, space: Space, key: &'a str, now: Instant) -> BoxFuture<'a, Option<Vec<u8>>>;

    /// Replaces what was there. Gone at `until` at the latest.
    fn put<'a>(
        &'a self,
        space: Space,
        key: &'a str,
        value: Vec<u8>,
        now: Instant,
        until: Instant,
    ) -> BoxFuture<'a, ()>;

    /// How many times it was counted, this time included, since a first time whose `until` has not come. Of several callers
    /// each gets a number of its own.
    fn count<'a>(&'a self, space: Space, key: &'a str, now: Instant, until: Instant) -> BoxFuture<'a, u64>;

    /// Takes it out: of several callers at most one gets it.
    fn take<'a>(&'a self, space: Space, key: &'a str, now: Instant) -> BoxFuture<'a, Option<Vec<u8>>>;
}
