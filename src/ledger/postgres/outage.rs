//! Owns whether the server is there for this node, as its lanes and readers find it: one log line and one event for each
//! change, whoever saw it, and what errors are the outage that was told already.

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

use tracing::info;
use tracing::warn;

use crate::ledger::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::event::Observer;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::is_away;

/// Who found it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Readers,
    Lane(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    There,
    /// Questions are answered, commits are not confirmed.
    Unconfirmed,
    Away,
}

pub(super) struct Outage {
    server: String,
    observer: Observer,
    begun: Instant,
    seen: Mutex<Seen>,
    /// Read without the lock: some member is in trouble, and that was told.
    told: AtomicBool,
    readers_in_trouble: AtomicBool,
    /// When the latest of the questions that were answered was asked: microseconds since `begun`.
    answered: AtomicU64,
    /// Calls that it has cost.
    calls: AtomicU64,
}

struct Seen {
    readers: Option<Trouble>,
    lanes: Vec<Option<Trouble>>,
    told: State,
    since: Instant,
}

#[derive(Clone, Debug)]
struct Trouble {
    state: State,
    why: String,
    seen: Instant,
}

impl Outage {
    pub(super) fn new(server: String, lanes: usize, observer: Observer) -> Outage {
        let begun = Instant::now();
        let seen = Seen { readers: None, lanes: vec![None; lanes], told: State::There, since: begun };
        Outage {
            server,
            observer,
            begun,
            seen: Mutex::new(seen),
            told: AtomicBool::new(false),
            readers_in_trouble: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        }
    }

    /// A connection is closed that broke, or on which an answer did not come in time.
    pub(super) fn line_lost(&self) {
        self.observer.tell(Event::LineLost);
    }

    /// A question that was asked then was answered.
    pub(super) fn answered(&self, asked: Instant) {
        self.answered.fetch_max(self.stamp(asked), Ordering::Relaxed);
        if self.readers_in_trouble.load(Ordering::Relaxed) {
            self.change(|seen| {
                // What was asked before the trouble says nothing of after it.
                if seen.readers.as_ref().is_some_and(|trouble| trouble.seen <= asked) {
                    seen.readers = None;
                }
            });
        }
    }

    /// A question that was asked then was not answered in time. It is the connection's own trouble where one that was
    /// asked later was answered.
    pub(super) fn unanswered(&self, asked: Instant) {
        if self.answered.load(Ordering::Relaxed) <= self.stamp(asked) {
            self.trouble(Member::Readers, &Fault::Silent);
        }
    }

    /// A lane is sure of its server again.
    pub(super) fn mended(&self, lane: usize) {
        self.change(|seen| seen.lanes[lane] = None);
    }

    pub(super) fn trouble(&self, member: Member, why: &(dyn Display + Sync)) {
        self.is_in(member, State::Away, why);
    }

    /// A lane's commit was not confirmed in time.
    pub(super) fn unconfirmed(&self, lane: usize, why: &Fault) {
        self.is_in(Member::Lane(lane), State::Unconfirmed, why);
    }

    fn is_in(&self, member: Member, state: State, why: &(dyn Display + Sync)) {
        let trouble = Some(Trouble { state, why: why.to_string(), seen: Instant::now() });
        self.change(|seen| match member {
            Member::Readers => seen.readers = trouble,
            Member::Lane(lane) => seen.lanes[lane] = trouble,
        });
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut seen);
        self.readers_in_trouble.store(seen.readers.is_some(), Ordering::Relaxed);
        let (now, why) = seen.now();
        let before = seen.told;
        // What is worse than what was told is no news: commits are not confirmed by a server that is away either.
        if now == before || (now, before) == (State::Away, State::Unconfirmed) {
            return;
        }
        seen.told = now;
        self.told.store(now != State::There, Ordering::Relaxed);
        let server = &self.server;
        match now {
            State::There => {
                self.observer.tell(Event::Up(true));
                let (away_ms, calls) =
                    (seen.since.elapsed().as_millis(), self.calls.swap(0, Ordering::Relaxed));
                info!(
                    server,
                    away_ms, calls, "PostgreSQL is there again: calls are answered and deeds are written"
                );
            }
            State::Away => {
                warn!(
                    server,
                    why,
                    "PostgreSQL is away: calls are told to send the same message again; it is looked for all the time, nothing has to be restarted"
                );
            }
            State::Unconfirmed => {
                warn!(
                    server,
                    why,
                    "PostgreSQL does not confirm commits: deeds are told to be sent again as the same message, reading goes on"
                );
            }
        }
        if before == State::There {
            seen.since = Instant::now();
            self.observer.tell(Event::Up(false));
        }
    }

    /// Marks what is no news: an error of the outage that was told. Anything else stays as it is.
    pub(super) fn mark<T>(&self, outcome: Result<T, LedgerError>) -> Result<T, LedgerError> {
        outcome.map_err(|cause| {
            if !self.told.load(Ordering::Relaxed) || !is_away(&cause) {
                return cause;
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
            cause.told_already()
        })
    }

    fn stamp(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.begun).as_micros()).unwrap_or(u64::MAX)
    }
}

impl Seen {
    /// The state that follows from what its members have found, and why.
    fn now(&self) -> (State, String) {
        let all = || self.readers.iter().chain(self.lanes.iter().flatten());
        let of = |state| all().find(|trouble| trouble.state == state);
        let worst = of(State::Away).or_else(|| of(State::Unconfirmed));
        worst.map_or((State::There, String::new()), |trouble| (trouble.state, trouble.why.clone()))
    }
}
