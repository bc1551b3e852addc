//! Owns two questions that a handler asks before it works: has this caller had its share, and can we take more now?
//!
//! The answer to "no" is written by whoever asked, in the format that its party reads.

mod places;
pub mod shared;

use governor::DefaultKeyedRateLimiter;
use governor::Quota;
use governor::RateLimiter;
use governor::clock::Clock;
use governor::clock::DefaultClock;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::transport::limits::places::Place;
use crate::transport::limits::places::Places;
use crate::transport::limits::shared::Lessor;
use crate::transport::limits::shared::Shared;

/// Keys that found the table full share this many entries.
const SHARED_ENTRIES: u64 = 64;

/// How much one caller, and all of them together, may ask for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Requests per second and key, in the long run.
    pub per_second: NonZeroU32,
    /// Requests that one key may send at once after a pause.
    pub burst: NonZeroU32,
    /// Keys remembered at a time, at least 2.
    pub keys_max: usize,
    /// Requests worked on at a time, all keys together; one of many bytes counts several times.
    pub in_flight_max: usize,
    /// Requests waiting for their turn, counted likewise; one more is shed at once.
    pub waiting_max: usize,
    /// How long a request may wait for its turn. One that would not get it by then is shed at once.
    pub wait_max: Duration,
    /// What a shed request is told to wait, milliseconds.
    pub busy_retry_after_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            per_second: const { NonZeroU32::new(200).expect("not zero") },
            burst: const { NonZeroU32::new(400).expect("not zero") },
            keys_max: 65_536,
            in_flight_max: 256,
            waiting_max: 8_192,
            wait_max: Duration::from_secs(2),
            busy_retry_after_ms: 1000,
        }
    }
}

/// Leave to work. Gives the place back when dropped.
#[derive(Debug)]
#[must_use = "the place is free again as soon as this is dropped"]
pub struct Permit {
    place: Place,
}

impl Permit {
    /// How long its turn was waited for.
    pub fn waited(&self) -> Duration {
        self.place.waited
    }
}

/// Refused before anything was done, so the same request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shed {
    /// Sooner is in vain.
    pub retry_after_ms: u64,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// This key has had its share.
    Rate,
    /// All places are taken and too many wait, or the wait was too long.
    Busy,
}

impl Why {
    /// One word per reason, for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Why::Rate => "rate",
            Why::Busy => "busy",
        }
    }
}

/// The counters of one face.
pub struct Limits {
    settings: Settings,
    /// By hash and not by text: a look-up then makes nothing. Seeded by chance, so nobody can aim at another's entry.
    rates: DefaultKeyedRateLimiter<u64>,
    clock: DefaultClock,
    hashing: RandomState,
    since_sweep: AtomicUsize,
    table_full: AtomicBool,
    places: Arc<Places>,
    /// Where several nodes hold one limit together.
    shared: Option<Shared>,
}

impl Limits {
    pub fn new(settings: Settings) -> Limits {
        let quota = Quota::per_second(settings.per_second).allow_burst(settings.burst);
        Limits {
            rates: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            hashing: RandomState::new(),
            since_sweep: AtomicUsize::new(0),
            table_full: AtomicBool::new(false),
            places: Places::new(settings.in_flight_max, settings.waiting_max, settings.wait_max),
            shared: None,
            settings,
        }
    }

    /// The same limits for this node alone and, with the lessor's word, for all nodes together.
    #[must_use]
    pub fn shared_by(self, lessor: Arc<dyn Lessor>) -> Limits {
        let Settings { per_second, burst, keys_max, .. } = self.settings;
        Limits { shared: Some(Shared::new(lessor, per_second.get(), burst.get(), keys_max)), ..self }
    }

    /// Counts one request of `key`, and waits a bounded while for a place.
    pub async fn admit(&self, key: &str) -> Result<Permit, Shed> {
        self.count(key)?;
        self.place(0).await
    }

    /// Counts one request of `key` without taking a place: for what costs nearly nothing, a sign-in attempt for one.
    pub fn count(&self, key: &str) -> Result<(), Shed> {
        self.rates.check_key(&self.entry(key)).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            Shed { retry_after_ms: whole_ms(wait), why: Why::Rate }
        })
    }

    /// Counts one request of `key` here and, where nodes share the limit, among those of all nodes.
    pub async fn count_everywhere(&self, key: &str) -> Result<(), Shed> {
        self.count(key)?;
        match &self.shared {
            None => Ok(()),
            Some(shared) => shared.count(key).await,
        }
    }

    /// Requests being worked on.
    pub fn in_flight(&self) -> usize {
        self.places.taken()
    }

    /// Waits a bounded while for a place to work on so many bytes, whoever asks: for a caller who is not known before
    /// work has begun.
    pub async fn place(&self, bytes: usize) -> Result<Permit, Shed> {
        self.places.take(bytes).await.map(|place| Permit { place }).ok_or(self.busy())
    }

    /// What who would wait for a place in vain is told, whoever asks.
    pub fn full(&self) -> Option<Shed> {
        self.places.are_out_of_reach().then(|| self.busy())
    }

    /// What who finds no room is told.
    pub fn busy(&self) -> Shed {
        Shed { retry_after_ms: self.settings.busy_retry_after_ms, why: Why::Busy }
    }

    fn entry(&self, key: &str) -> u64 {
        if self.since_sweep.fetch_add(1, Relaxed) >= self.settings.keys_max / 2 {
            self.sweep();
        }
        let hash = self.hashing.hash_one(key);
        if self.table_full.load(Relaxed) { hash % SHARED_ENTRIES } else { hash }
    }

    /// Forgets keys whose share is whole again. A sweep comes before half of `keys_max` can have been added, and more
    /// than half left over means a flood of made-up keys: until the next sweep they share a few entries.
    fn sweep(&self) {
        self.since_sweep.store(0, Relaxed);
        self.rates.retain_recent();
        self.table_full.store(self.rates.len() > self.settings.keys_max / 2, Relaxed);
    }
}

/// Rounded up, so that who waits this long is not refused again.
fn whole_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}
