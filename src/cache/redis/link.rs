//! Owns the one connection of a node to Redis, and the breaker before it: is Redis there, and what if not.
//!
//! Calls never connect and never wait for a connection: they use the one that is open, or are told at once that there is
//! none. One task connects, probes, and connects again with pauses that grow and are never the same on two nodes. A broken
//! connection opens the breaker at once, [`TIMEOUTS_MAX`] calls in a row without an answer do too, so a Redis that is slow
//! costs a few time limits and not one in each call.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::PushInfo;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use tokio::time::error::Elapsed;
use tokio::time::interval;
use tokio::time::sleep;
use tokio::time::timeout;
use tracing::info;
use tracing::warn;

use crate::cache::redis::connect::Connected;
use crate::cache::redis::connect::Connector;
use crate::cache::redis::event::Event;
use crate::cache::redis::event::Lost;
use crate::cache::redis::event::Observer;
use crate::vault::random_id;

/// Calls in a row without an answer after which Redis is taken for gone.
const TIMEOUTS_MAX: u32 = 3;
/// Calls that wait for an answer at a time; one more goes on without Redis.
const IN_FLIGHT_MAX: usize = 512;
const PROBE_EVERY: Duration = Duration::from_secs(1);
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A connection that held so long makes the next pause the first again.
const STEADY: Duration = Duration::from_secs(5);

/// What is done on each connection. Whoever does it keeps to time limits: a connection has none of its own.
pub(super) trait Resident: Send + Sync + 'static {
    /// Before calls may use it.
    fn prepare(&self, connection: MultiplexedConnection) -> impl Future<Output = Result<(), NotDone>> + Send;

    /// Something that Redis told unasked.
    fn hear(&self, told: PushInfo);

    /// From time to time while a connection holds.
    fn tidy(&self, connection: MultiplexedConnection) -> impl Future<Output = ()> + Send;
}

/// Why a connection could not be made ready.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotDone {
    #[error("it does not answer in time")]
    Late(#[from] Elapsed),
    #[error(transparent)]
    Refused(#[from] RedisError),
}

pub(super) struct Link {
    connector: Connector,
    open: ArcSwapOption<Open>,
    trouble: Notify,
    places: Semaphore,
    answer_within: Duration,
    observer: Observer,
    /// What was told last, to the log and to whoever counts.
    told: Mutex<Option<State>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Down,
}

struct Open {
    connected: Connected,
    timeouts: AtomicU32,
}

impl Link {
    pub(super) fn new(connector: Connector, answer_within: Duration, observer: Observer) -> Link {
        Link {
            connector,
            open: ArcSwapOption::empty(),
            trouble: Notify::new(),
            places: Semaphore::new(IN_FLIGHT_MAX),
            answer_within,
            observer,
            told: Mutex::new(None),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.open.load().is_some()
    }

    pub(super) fn observe(&self, event: Event) {
        (self.observer)(event);
    }

    /// Asks within the time limit. `None`: there is no Redis now, and whoever asks goes on without.
    pub(super) async fn ask<T, F>(&self, ask: impl FnOnce(MultiplexedConnection) -> F) -> Option<T>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let open = self.open.load_full()?;
        let Ok(_place) = self.places.try_acquire() else {
            self.observe(Event::Lost(Lost::Crowded));
            return None;
        };
        let asked = timeout(self.answer_within, ask(open.connected.connection.clone())).await;
        match asked {
            Ok(Ok(answer)) => {
                open.timeouts.store(0, Ordering::Relaxed);
                return Some(answer);
            }
            Ok(Err(cause)) if is_about_one_key(&cause) => self.observe(Event::Lost(Lost::Refused)),
            Ok(Err(cause)) => {
                self.observe(Event::Lost(Lost::Broken));
                self.close(&open, &cause);
            }
            Err(_) => {
                self.observe(Event::Lost(Lost::Late));
                if open.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS_MAX {
                    self.close(&open, &"it does not answer in time");
                }
            }
        }
        None
    }

    /// Of several callers that saw it fail, one closes it and tells.
    fn close(&self, open: &Arc<Open>, why: &dyn core::fmt::Display) {
        let before = self.open.compare_and_swap(open, None);
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, open)) {
            self.say_down(why);
            self.trouble.notify_one();
        }
    }

    fn say_down(&self, why: &dyn core::fmt::Display) {
        if self.is_news(State::Down) {
            self.observe(Event::Up(false));
            warn!(%why, "there is no Redis: sessions and hints stay on this node, limits hold for each node alone");
        }
    }

    fn is_news(&self, now: State) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.replace(now) != Some(now)
    }

    /// Connects, and connects again, for as long as it is polled. `first` is told when the first try has ended.
    pub(super) async fn keep(self: Arc<Self>, prepare: Arc<impl Resident>, first: Arc<Notify>) {
        let mut pause = PAUSE_FIRST;
        loop {
            match self.connect(&prepare).await {
                Ok(open) => {
                    let since = Instant::now();
                    first.notify_one();
                    self.watch(&open, &*prepare).await;
                    if since.elapsed() >= STEADY {
                        pause = PAUSE_FIRST;
                    }
                }
                Err(why) => {
                    self.say_down(&why);
                    first.notify_one();
                }
            }
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn connect(&self, prepare: &Arc<impl Resident>) -> Result<Arc<Open>, String> {
        let hearing = Arc::clone(prepare);
        let connected = self.connector.connect(move |told| hearing.hear(told)).await?;
        let address = connected.address.clone();
        // One that connects in time and then answers later than calls wait would come and go, each time cost some calls
        // their wait, and take with it what this node had kept.
        let probed = timeout(self.answer_within, self.connector.probe(&connected.connection)).await;
        let probed = probed.map_err(NotDone::from).and_then(|answer| answer.map_err(NotDone::from));
        probed.map_err(|cause| format!("{address}: {cause}"))?;
        let prepared = prepare.prepare(connected.connection.clone()).await;
        prepared.map_err(|cause| format!("{address}: {cause}"))?;
        let open = Arc::new(Open { connected, timeouts: AtomicU32::new(0) });
        self.open.store(Some(Arc::clone(&open)));
        if self.is_news(State::Up) {
            self.observe(Event::Up(true));
            info!(%address, "Redis is there");
        }
        Ok(open)
    }

    /// Returns when the connection is of no more use.
    async fn watch(&self, open: &Arc<Open>, prepare: &impl Resident) {
        let mut probes = interval(PROBE_EVERY);
        probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let is_open = || self.open.load().as_ref().is_some_and(|now| Arc::ptr_eq(now, open));
        while is_open() {
            tokio::select! {
                () = self.trouble.notified() => {}
                _ = probes.tick() => self.probe(open, prepare).await,
            }
        }
    }

    /// An idle connection that is broken, or leads to a server that has become a replica, is found by this.
    async fn probe(&self, open: &Arc<Open>, prepare: &impl Resident) {
        let connection = &open.connected.connection;
        match timeout(self.answer_within, self.connector.probe(connection)).await {
            Ok(Ok(())) => prepare.tidy(connection.clone()).await,
            Ok(Err(cause)) => self.close(open, &cause),
            Err(_) => self.close(open, &"it does not answer in time"),
        }
    }
}

/// Between half of it and the whole: nodes that lost Redis together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let [chance, ..] = random_id();
    pause / 2 + pause * u32::from(chance) / 512
}

/// Whether another call may well succeed on the same connection: a key of another type, an answer of a strange form.
fn is_about_one_key(cause: &RedisError) -> bool {
    match cause.kind() {
        redis::ErrorKind::UnexpectedReturnType => true,
        _ => matches!(cause.code(), Some("WRONGTYPE" | "ERR")),
    }
}
