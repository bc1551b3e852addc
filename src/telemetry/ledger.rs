//! Owns the numbers of the ledger: what became of deeds, how batches are written, what broke, how long records wait for
//! their anchor, and how far this node's clock is behind the others'.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

use metrics::Counter;
use metrics::Gauge;
use metrics::Histogram;
use metrics::Unit;
use metrics::counter;
use metrics::describe_counter;
use metrics::describe_gauge;
use metrics::describe_histogram;
use metrics::gauge;
use metrics::histogram;

use crate::ledger::event::Event;
use crate::ledger::event::Found;
use crate::ledger::event::Observer;

const UP: &str = "banyan_ledger_up";
const COMMITS: &str = "banyan_ledger_commits_total";
pub(super) const COMMIT_SECONDS: &str = "banyan_ledger_commit_seconds";
const WAITING: &str = "banyan_ledger_waiting";
const WAITING_MAX: &str = "banyan_ledger_waiting_max";
pub(super) const BATCH_DEEDS: &str = "banyan_ledger_batch_deeds";
pub(super) const BATCH_SECONDS: &str = "banyan_ledger_batch_seconds";
const LOST: &str = "banyan_ledger_connections_lost_total";
const DOUBTS: &str = "banyan_ledger_doubts_total";
const UNANCHORED: &str = "banyan_ledger_unanchored_seconds";
const BEHIND: &str = "banyan_clock_behind_seconds";

/// Upper ends of a batch's size.
pub(super) const DEEDS_BUCKETS: [f64; 12] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];

pub(super) fn describe() {
    describe_gauge!(UP, "1 while the ledger answers and, in PostgreSQL, confirms commits, else 0");
    describe_counter!(COMMITS, "Deeds given to the ledger, by what became of them");
    describe_histogram!(
        COMMIT_SECONDS,
        Unit::Seconds,
        "From a deed's being given to the ledger to its answer"
    );
    describe_gauge!(WAITING, "Deeds that wait to be written or are being written");
    describe_gauge!(WAITING_MAX, "How many may; one more is shed");
    describe_histogram!(BATCH_DEEDS, "Deeds in one transaction");
    describe_histogram!(BATCH_SECONDS, Unit::Seconds, "One transaction, with its tries");
    describe_counter!(LOST, "Connections that broke or were closed because no answer came in time");
    describe_counter!(DOUBTS, "Batches of which nobody knew whether they were committed, by what was found");
    describe_gauge!(
        UNANCHORED,
        Unit::Seconds,
        "How long the oldest record of this node waits for its anchor"
    );
    describe_gauge!(
        BEHIND,
        Unit::Seconds,
        "How far a record's time was before this node's clock, at most since the last look"
    );
}

/// What became of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Recorded,
    /// Its facts had moved: it is decided again.
    Moved,
    /// The queue was full, or the ledger was stopping: nothing was begun.
    Shed,
    /// A fault of ours: refused by the schema.
    Unfit,
    /// Nobody knows: the caller sends the same message again.
    Unknown,
}

/// The numbers of one ledger.
#[derive(Clone)]
pub struct LedgerMeter(Arc<Parts>);

struct Parts {
    up: Gauge,
    /// Whether it answered the question of the last second, and whether it tells that its server is there.
    answers: AtomicBool,
    there: AtomicBool,
    recorded: Counter,
    moved: Counter,
    shed: Counter,
    unfit: Counter,
    unknown: Counter,
    seconds: Histogram,
    waiting: Gauge,
    batch_deeds: Histogram,
    batch_seconds: Histogram,
    lost: Counter,
    doubt_recorded: Counter,
    doubt_not_recorded: Counter,
    doubt_nothing: Counter,
    unanchored: Gauge,
    behind: Gauge,
    begun: Instant,
    /// Milliseconds since `begun`, plus one; 0 when every record is anchored.
    oldest: AtomicU64,
    newest: AtomicU64,
    behind_ms: AtomicI64,
}

impl LedgerMeter {
    /// `waiting_max`: deeds that may wait in all lanes.
    #[expect(clippy::cast_precision_loss, reason = "a limit far below what a float holds")]
    pub fn new(waiting_max: usize) -> LedgerMeter {
        gauge!(WAITING_MAX).set(waiting_max as f64);
        let fate = |outcome: &'static str| counter!(COMMITS, "outcome" => outcome);
        let doubt = |found: Found| counter!(DOUBTS, "found" => found.name());
        LedgerMeter(Arc::new(Parts {
            up: gauge!(UP),
            answers: AtomicBool::new(false),
            there: AtomicBool::new(true),
            recorded: fate("recorded"),
            moved: fate("moved"),
            shed: fate("shed"),
            unfit: fate("unfit"),
            unknown: fate("unknown"),
            seconds: histogram!(COMMIT_SECONDS),
            waiting: gauge!(WAITING),
            batch_deeds: histogram!(BATCH_DEEDS),
            batch_seconds: histogram!(BATCH_SECONDS),
            lost: counter!(LOST),
            doubt_recorded: doubt(Found::Recorded),
            doubt_not_recorded: doubt(Found::NotRecorded),
            doubt_nothing: doubt(Found::Nothing),
            unanchored: gauge!(UNANCHORED),
            behind: gauge!(BEHIND),
            begun: Instant::now(),
            oldest: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            behind_ms: AtomicI64::new(0),
        }))
    }

    /// To be given to the ledger when it is opened.
    pub fn observer(&self) -> Observer {
        let meter = self.clone();
        Observer::new(move |event| meter.see(event))
    }

    pub fn answers(&self, whether: bool) {
        self.0.answers.store(whether, Ordering::SeqCst);
        self.show_up();
    }

    fn show_up(&self) {
        let up = self.0.answers.load(Ordering::SeqCst) && self.0.there.load(Ordering::SeqCst);
        self.0.up.set(if up { 1.0 } else { 0.0 });
    }

    /// A deed waits until what this gives is dropped.
    pub fn wait(&self) -> Waiting<'_> {
        self.0.waiting.increment(1);
        Waiting { meter: self, since: Instant::now() }
    }

    /// A deed was recorded with a time that was so far before this node's clock (negative: after it).
    pub fn recorded(&self, ahead_ms: i64) {
        let now = self.stamp(Instant::now());
        self.0.newest.store(now, Ordering::Relaxed);
        let _there = self.0.oldest.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        if ahead_ms > 0 {
            self.0.behind_ms.fetch_max(ahead_ms, Ordering::Relaxed);
        }
    }

    /// Brings the gauges that are measured between two looks up to date.
    pub fn look(&self) {
        let oldest = self.0.oldest.load(Ordering::Relaxed);
        let waits = if oldest == 0 { 0 } else { self.stamp(Instant::now()).saturating_sub(oldest) };
        self.0.unanchored.set(Duration::from_millis(waits).as_secs_f64());
        let behind = self.0.behind_ms.swap(0, Ordering::Relaxed).unsigned_abs();
        self.0.behind.set(Duration::from_millis(behind).as_secs_f64());
    }

    fn see(&self, event: Event) {
        let parts = &self.0;
        match event {
            #[expect(clippy::cast_precision_loss, reason = "a batch is far smaller than what a float holds")]
            Event::Batch { deeds, took } => {
                parts.batch_deeds.record(deeds as f64);
                parts.batch_seconds.record(took.as_secs_f64());
            }
            Event::LineLost => parts.lost.increment(1),
            Event::Up(whether) => {
                parts.there.store(whether, Ordering::SeqCst);
                self.show_up();
            }
            Event::Doubt(Found::Recorded) => parts.doubt_recorded.increment(1),
            Event::Doubt(Found::NotRecorded) => parts.doubt_not_recorded.increment(1),
            Event::Doubt(Found::Nothing) => parts.doubt_nothing.increment(1),
            Event::Anchored { before } => {
                let before = self.stamp(before);
                let all = parts.newest.load(Ordering::Relaxed) <= before;
                parts.oldest.store(if all { 0 } else { before }, Ordering::Relaxed);
            }
        }
    }

    fn stamp(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.0.begun).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX - 1) + 1
    }
}

/// A deed at the ledger.
pub struct Waiting<'m> {
    meter: &'m LedgerMeter,
    since: Instant,
}

impl Waiting<'_> {
    pub fn ended(self, fate: Fate) {
        let parts = &self.meter.0;
        match fate {
            Fate::Recorded => &parts.recorded,
            Fate::Moved => &parts.moved,
            Fate::Shed => &parts.shed,
            Fate::Unfit => &parts.unfit,
            Fate::Unknown => &parts.unknown,
        }
        .increment(1);
        parts.seconds.record(self.since.elapsed().as_secs_f64());
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.meter.0.waiting.decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_after_an_anchor_was_begun_still_waits_for_the_next() {
        let meter = LedgerMeter::new(8);
        let oldest = || meter.0.oldest.load(Ordering::Relaxed);
        assert_eq!(oldest(), 0);
        meter.recorded(0);
        assert!(oldest() > 0);
        let begun = meter.0.begun;
        meter.0.newest.store(5_000, Ordering::Relaxed);
        meter.see(Event::Anchored { before: begun + Duration::from_millis(2_999) });
        assert_eq!(oldest(), 3_000);
        meter.see(Event::Anchored { before: begun + Duration::from_secs(5) });
        assert_eq!(oldest(), 0);
    }

    #[test]
    fn the_clock_is_as_far_behind_as_the_worst_record_since_the_last_look() {
        let meter = LedgerMeter::new(8);
        [-40, 7, 3].into_iter().for_each(|ahead| meter.recorded(ahead));
        assert_eq!(meter.0.behind_ms.load(Ordering::Relaxed), 7);
        meter.look();
        assert_eq!(meter.0.behind_ms.load(Ordering::Relaxed), 0);
    }
}
