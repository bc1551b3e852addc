//! Owns the places for work that is done at a time, and who may wait for one: only who will get it soon, by the pace at
//! which places have become free of late. The others are told at once, when that is worth most to them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio::time::timeout;

/// How long places that become free are counted before the pace is reckoned anew: work that is committed together ends
/// together, so that the time between two of them says nothing; and a disk that holds everything up for a moment has not
/// become slower.
const STRETCH_US: u64 = 250_000;

#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    all: usize,
    waiting: AtomicUsize,
    waiting_max: usize,
    wait_max: Duration,
    began: Instant,
    /// From when on somebody has waited without a break and places are counted, microseconds since `began`; 0: nobody waits.
    since_us: AtomicU64,
    freed_since: AtomicU64,
    /// Between two places that became free while somebody waited, on the average. 0: not known yet.
    between_us: AtomicU64,
}

/// Free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    places: Arc<Places>,
}

impl Places {
    pub(super) fn new(count: usize, waiting_max: usize, wait_max: Duration) -> Arc<Places> {
        let all = count.min(Semaphore::MAX_PERMITS);
        Arc::new(Places {
            free: Arc::new(Semaphore::new(all)),
            all,
            waiting: AtomicUsize::new(0),
            waiting_max,
            wait_max,
            began: Instant::now(),
            since_us: AtomicU64::new(0),
            freed_since: AtomicU64::new(0),
            between_us: AtomicU64::new(0),
        })
    }

    pub(super) fn taken(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }

    /// Whether who came now would wait in vain.
    pub(super) fn are_out_of_reach(&self) -> bool {
        self.free.available_permits() == 0 && self.is_too_long(self.waiting.load(Relaxed))
    }

    /// `None` at once for who would wait in vain, and after `wait_max` where the pace has broken down meanwhile.
    pub(super) async fn take(self: &Arc<Places>) -> Option<Place> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(self.place(permit));
        }
        let waiting = Waiting::join(self);
        if self.is_too_long(waiting.before) {
            return None;
        }
        let permit = timeout(self.wait_max, Arc::clone(&self.free).acquire_owned()).await.ok()?.ok()?;
        Some(self.place(permit))
    }

    fn place(self: &Arc<Places>, permit: OwnedSemaphorePermit) -> Place {
        Place { _permit: permit, places: Arc::clone(self) }
    }

    /// A line in which so many stand already.
    fn is_too_long(&self, before: usize) -> bool {
        before >= self.waiting_max || self.wait_of(before) > self.wait_max
    }

    fn wait_of(&self, before: usize) -> Duration {
        let turns = u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_micros(turns.saturating_mul(self.between_us.load(Relaxed)))
    }

    fn freed(&self) {
        if self.waiting.load(Relaxed) == 0 {
            return self.since_us.store(0, Relaxed);
        }
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let since = self.since_us.load(Relaxed);
        if since == 0 {
            self.freed_since.store(0, Relaxed);
            return self.since_us.store(now, Relaxed);
        }
        let freed = self.freed_since.fetch_add(1, Relaxed) + 1;
        let took = now.saturating_sub(since);
        let new = took >= STRETCH_US && self.since_us.compare_exchange(since, now, Relaxed, Relaxed).is_ok();
        if new {
            self.freed_since.store(0, Relaxed);
            let (before, newest) = (self.between_us.load(Relaxed), took / freed);
            let between = if before == 0 { newest } else { u64::midpoint(before, newest) };
            self.between_us.store(between, Relaxed);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.freed();
    }
}

/// One who waits.
struct Waiting<'p> {
    places: &'p Places,
    /// How many came before.
    before: usize,
}

impl<'p> Waiting<'p> {
    fn join(places: &'p Places) -> Waiting<'p> {
        Waiting { places, before: places.waiting.fetch_add(1, Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.places.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(250);

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_in_vain_is_told_at_once() {
        let places = Places::new(1, 100, SOON);
        // Places become free every 100 ms while somebody waits.
        let mut held = places.take().await.unwrap();
        for _ in 0..64 {
            let next = tokio::spawn({
                let places = Arc::clone(&places);
                async move { places.take().await.unwrap() }
            });
            tokio::time::advance(Duration::from_millis(100)).await;
            drop(held);
            held = next.await.unwrap();
        }
        let wait = |places: &Arc<Places>| {
            let places = Arc::clone(places);
            tokio::spawn(async move { places.take().await.is_some() })
        };
        let (first, second) = (wait(&places), wait(&places));
        tokio::task::yield_now().await;
        let asked = Instant::now();
        assert!(places.are_out_of_reach(), "a third would wait 300 ms");
        assert!(places.take().await.is_none());
        assert_eq!(asked.elapsed(), Duration::ZERO);
        drop(held);
        assert!(first.await.unwrap() && second.await.unwrap());
        assert_eq!(places.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_becomes_free_a_wait_ends() {
        let places = Places::new(1, 1, SOON);
        let _held = places.take().await.unwrap();
        let asked = Instant::now();
        let (first, second) = tokio::join!(places.take(), places.take());
        assert!(first.is_none() && second.is_none());
        assert_eq!(asked.elapsed(), SOON);
    }
}
