//! Owns whether the server is there for this node, as its lanes and readers find it: one log line and one event for each
//! change, whoever saw it, and what errors are the outage that was told already.

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;
use tracing::warn;

use crate::ledger::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::event::Observer;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::is_away;
use crate::ledger::postgres::no_connection::NoServer;

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
    /// It has no connection to spare for us.
    Full,
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
    /// Commits wait for standbys, as far as was learned last.
    standbys: AtomicBool,
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
            standbys: AtomicBool::new(false),
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
    pub(super) fn unanswered(&self, asked: Instant, why: &(dyn Display + Sync)) {
        if !self.has_answered_since(asked) {
            self.trouble(Member::Readers, why);
        }
    }

    fn has_answered_since(&self, asked: Instant) -> bool {
        self.answered.load(Ordering::Relaxed) > self.stamp(asked)
    }

    /// Whether commits wait for standbys, as the server has just said.
    pub(super) fn standbys_are_awaited(&self, whether: bool) {
        self.standbys.store(whether, Ordering::Relaxed);
    }

    /// What a commit is told that was not confirmed within that time.
    pub(super) fn late_commit(&self, within: Duration) -> Fault {
        Fault::Unconfirmed { within, standbys: self.standbys.load(Ordering::Relaxed) }
    }

    /// A lane is sure of its server again.
    pub(super) fn mended(&self, lane: usize) {
        self.change(|seen| seen.lanes[lane] = None);
    }

    pub(super) fn trouble(&self, member: Member, why: &(dyn Display + Sync)) {
        self.is_in(member, State::Away, why);
    }

    pub(super) fn no_connection(&self, member: Member, why: &NoServer) {
        self.is_in(member, if why.is_full() { State::Full } else { State::Away }, why);
    }

    /// A lane's commit, sent then, was not confirmed in time. A server that waits for no standby and has answered nothing
    /// since is away.
    pub(super) fn unconfirmed(&self, lane: usize, sent: Instant, why: &Fault) {
        let waits = self.standbys.load(Ordering::Relaxed) || self.has_answered_since(sent);
        self.is_in(Member::Lane(lane), if waits { State::Unconfirmed } else { State::Away }, why);
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
            State::Full => {
                warn!(
                    server,
                    why,
                    "PostgreSQL is there and has no connection to spare: calls that need one are told to send the same message again; it is asked for one all the time, `lanes` and `readers` count from the next start"
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
        let worst = [State::Away, State::Unconfirmed, State::Full].into_iter().find_map(of);
        worst.map_or((State::There, String::new()), |trouble| (trouble.state, trouble.why.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ledger::postgres::fault::fault;

    /// An outage of two lanes, and whether the server was there at each change.
    fn watched() -> (Outage, Arc<Mutex<Vec<bool>>>) {
        let told: Arc<Mutex<Vec<bool>>> = Arc::default();
        let kept = Arc::clone(&told);
        let observer = Observer::new(move |event| {
            if let Event::Up(whether) = event {
                kept.lock().unwrap().push(whether);
            }
        });
        (Outage::new("db1.example:5432".into(), 2, observer), told)
    }

    const WHY: &str = "Connection refused";

    #[test]
    fn whoever_sees_it_it_is_told_once_and_over_when_nobody_sees_it_any_more() {
        let (outage, told) = watched();
        for member in [Member::Readers, Member::Lane(1), Member::Readers] {
            outage.trouble(member, &WHY);
        }
        outage.standbys_are_awaited(true);
        outage.unconfirmed(0, Instant::now(), &outage.late_commit(Duration::from_secs(5)));
        outage.answered(Instant::now());
        outage.mended(1);
        assert_eq!(*told.lock().unwrap(), [false], "a lane's commits are not confirmed yet");
        outage.mended(0);
        assert_eq!(*told.lock().unwrap(), [false, true]);
    }

    #[test]
    fn a_question_whose_neighbours_are_answered_is_no_outage_and_an_old_answer_ends_none() {
        let (outage, told) = watched();
        let (before, after) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        outage.answered(after);
        outage.unanswered(before, &Fault::Silent);
        assert!(told.lock().unwrap().is_empty(), "one connection alone is silent");
        outage.unanswered(after, &Fault::Silent);
        outage.answered(before);
        assert_eq!(*told.lock().unwrap(), [false]);
        outage.answered(after);
        assert_eq!(*told.lock().unwrap(), [false, true]);
    }

    #[test]
    fn standbys_are_blamed_where_commits_wait_for_them_and_else_the_server_is_away() {
        let (outage, _) = watched();
        let within = Duration::from_secs(2);
        let told = || outage.seen.lock().unwrap().told;
        let sent = Instant::now();
        assert!(!outage.late_commit(within).to_string().contains("synchronous_standby_names"));
        outage.unconfirmed(0, sent, &outage.late_commit(within));
        assert_eq!(told(), State::Away, "nothing was answered since");
        outage.mended(0);
        outage.answered(sent + Duration::from_secs(1));
        outage.unconfirmed(0, sent, &outage.late_commit(within));
        assert_eq!(told(), State::Unconfirmed, "questions are answered");
        outage.mended(0);
        outage.standbys_are_awaited(true);
        assert!(outage.late_commit(within).to_string().contains("synchronous_standby_names"));
        outage.unconfirmed(0, sent + within, &outage.late_commit(within));
        assert_eq!(told(), State::Unconfirmed);
    }

    #[test]
    fn what_is_no_part_of_a_told_outage_stays_an_error_of_its_own() {
        let (outage, _) = watched();
        let silent = || Err::<(), _>(fault("look up")(Fault::Silent));
        let full = || Err::<(), _>(LedgerError::Full { limit: 8 });
        let is_known = |outcome: Result<(), LedgerError>| outcome.unwrap_err().is_known_outage();
        assert!(!is_known(outage.mark(silent())), "nothing was told yet");
        outage.trouble(Member::Readers, &WHY);
        assert!(is_known(outage.mark(silent())));
        let rights = Fault::NoRights { user: "guest".into(), database: "banyan".into() };
        assert!(!is_known(outage.mark(Err(fault("make the schema")(rights)))));
        assert!(!is_known(outage.mark(full())));
        let told = outage.mark(silent()).unwrap_err();
        assert!(matches!(told, LedgerError::Storage { what: "look up", .. }));
    }
}
