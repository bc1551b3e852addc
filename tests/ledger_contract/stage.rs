//! Owns what a test of the suite stands on: a ledger and its clock, whatever database is behind.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use banyan::domain::calendar::Instant;
use banyan::ledger::Ledger;
use banyan::ledger::lane::Now;

/// 2026-11-24 08:30 in China.
pub(crate) const BEGIN: Instant = Instant(1_795_480_200_000);

pub(crate) struct Stage {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) backend: Box<dyn Backend>,
}

/// A database that can be left and come back to.
pub(crate) trait Backend: Send + Sync {
    fn open(&self, now: Now) -> Arc<dyn Ledger>;
}

impl Stage {
    pub(crate) fn new(backend: impl Backend + 'static) -> Stage {
        let clock = Arc::new(AtomicI64::new(BEGIN.0));
        let ledger = backend.open(reading(&clock));
        Stage { ledger, clock, backend: Box::new(backend) }
    }

    /// The node ends and another begins on the same database.
    pub(crate) fn restarted(self) -> Stage {
        let Stage { ledger, clock, backend } = self;
        assert_eq!(Arc::strong_count(&ledger), 1, "someone still holds the node that ends");
        drop(ledger);
        Stage { ledger: backend.open(reading(&clock)), clock, backend }
    }

    /// Another node on the same database, at the same time.
    pub(crate) fn further_node(&self) -> Arc<dyn Ledger> {
        self.backend.open(reading(&self.clock))
    }

    pub(crate) fn now(&self) -> Instant {
        Instant(self.clock.load(Ordering::Relaxed))
    }

    pub(crate) fn set_clock(&self, at: Instant) {
        self.clock.store(at.0, Ordering::Relaxed);
    }
}

fn reading(clock: &Arc<AtomicI64>) -> Now {
    let clock = Arc::clone(clock);
    Arc::new(move || Instant(clock.load(Ordering::Relaxed)))
}
