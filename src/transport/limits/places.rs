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
/// Work on a longer body takes the place of several: a long bill costs as much time and room as many short ones.
const BYTES_A_PLACE: usize = 8 * 1024;
/// So many of the largest pieces of work are done at a time at least.
const LARGE_MIN: usize = 8;

#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    all: usize,
    /// Places that are waited for.
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
    permit: OwnedSemaphorePermit,
    places: Arc<Places>,
    /// How long it was waited for.
    pub(super) waited: Duration,
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

    /// What a piece of work takes of them: a large one more than one, and never so many that a few large ones are all
    /// that is done.
    fn shares_of(&self, bytes: usize) -> usize {
        (bytes / BYTES_A_PLACE).clamp(1, (self.all / LARGE_MIN).max(1))
    }

    pub(super) fn taken(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }

    /// Whether who came now would wait in vain.
    pub(super) fn are_out_of_reach(&self) -> bool {
        self.free.available_permits() == 0 && self.is_too_long(self.waiting.load(Relaxed))
    }

    /// For work on so many bytes. `None` at once for who would wait in vain, and after `wait_max` where the pace has
    /// broken down meanwhile.
    pub(super) async fn take(self: &Arc<Places>, bytes: usize) -> Option<Place> {
        let shares = self.shares_of(bytes);
        // No more than there are places, which are no more than a semaphore holds.
        let permits = u32::try_from(shares).unwrap_or(1);
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(permits) {
            return Some(self.place(permit, Duration::ZERO));
        }
        let waiting = Waiting::join(self, shares);
        if self.is_too_long(waiting.before) {
            return None;
        }
        let asked = Instant::now();
        let free = Arc::clone(&self.free).acquire_many_owned(permits);
        let permit = timeout(self.wait_max, free).await.ok()?.ok()?;
        Some(self.place(permit, asked.elapsed()))
    }

    fn place(self: &Arc<Places>, permit: OwnedSemaphorePermit, waited: Duration) -> Place {
        Place { permit, places: Arc::clone(self), waited }
    }

    /// A line in which so many stand already.
    fn is_too_long(&self, before: usize) -> bool {
        before >= self.waiting_max || self.wait_of(before) > self.wait_max
    }

    fn wait_of(&self, before: usize) -> Duration {
        let turns = u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_micros(turns.saturating_mul(self.between_us.load(Relaxed)))
    }

    /// A place that nobody waited for: the pace of a storm that is over would turn away who could wait now.
    fn forget_a_little(&self) {
        let between = self.between_us.load(Relaxed);
        if between > 0 {
            self.between_us.store(between / 2, Relaxed);
        }
    }

    fn freed(&self, shares: u64) {
        if self.waiting.load(Relaxed) == 0 {
            self.forget_a_little();
            return self.since_us.store(0, Relaxed);
        }
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let since = self.since_us.load(Relaxed);
        if since == 0 {
            self.freed_since.store(0, Relaxed);
            return self.since_us.store(now, Relaxed);
        }
        let freed = self.freed_since.fetch_add(shares, Relaxed) + shares;
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
        self.places.freed(self.permit.num_permits() as u64);
    }
}

/// One who waits.
struct Waiting<'p> {
    places: &'p Places,
    /// How many places those wait for who came before.
    before: usize,
    shares: usize,
}

impl<'p> Waiting<'p> {
    fn join(places: &'p Places, shares: usize) -> Waiting<'p> {
        Waiting { places, before: places.waiting.fetch_add(shares, Relaxed), shares }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.places.waiting.fetch_sub(self.shares, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    use futures_util::FutureExt as _;

    const SOON: Duration = Duration::from_millis(250);

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_in_vain_is_told_at_once() {
        let places = Places::new(1, 100, SOON);
        // Places become free every 100 ms while somebody waits.
        let mut held = places.take(1).await.unwrap();
        for _ in 0..64 {
            let next = tokio::spawn({
                let places = Arc::clone(&places);
                async move { places.take(1).await.unwrap() }
            });
            tokio::time::advance(Duration::from_millis(100)).await;
            drop(held);
            held = next.await.unwrap();
        }
        let wait = |places: &Arc<Places>| {
            let places = Arc::clone(places);
            tokio::spawn(async move { places.take(1).await.is_some() })
        };
        let (first, second) = (wait(&places), wait(&places));
        tokio::task::yield_now().await;
        let asked = Instant::now();
        assert!(places.are_out_of_reach(), "a third would wait 300 ms");
        assert!(places.take(1).await.is_none());
        assert_eq!(asked.elapsed(), Duration::ZERO);
        drop(held);
        assert!(first.await.unwrap() && second.await.unwrap());
        assert_eq!(places.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn large_work_takes_several_places_and_the_largest_leaves_some() {
        let places = Places::new(32, 100, SOON);
        let long = places.take(3 * BYTES_A_PLACE).await.unwrap();
        let (short, longest) = (places.take(1).await.unwrap(), places.take(usize::MAX).await.unwrap());
        assert_eq!(places.taken(), 3 + 1 + 32 / LARGE_MIN);
        drop((long, short));
        assert_eq!(places.taken(), 32 / LARGE_MIN);
        drop(longest);
        assert_eq!(places.taken(), 0);
        // A machine with room for one piece of work does a large one too.
        assert!(Places::new(1, 1, SOON).take(usize::MAX).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_several_places_makes_the_line_longer_by_them() {
        let places = Places::new(8 * LARGE_MIN, 2, SOON);
        let held = places.take(usize::MAX).await.unwrap();
        let all = futures_util::future::join_all((1..LARGE_MIN).map(|_| places.take(usize::MAX))).await;
        let mut waiting = pin!(places.take(2 * BYTES_A_PLACE));
        assert!((&mut waiting).now_or_never().is_none());
        assert!(places.take(1).await.is_none(), "two places are waited for, and no more may be");
        drop(held);
        assert!(waiting.await.is_some());
        assert!(all.iter().all(Option::is_some));
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_of_a_storm_that_is_over_turns_nobody_away() {
        let places = Places::new(1, 100, SOON);
        // A storm of work that takes twice as long as anybody may wait.
        places.between_us.store(500_000, Relaxed);
        let held = places.take(1).await.unwrap();
        assert!(places.take(1).await.is_none());
        drop(held);
        for _ in 0..2 {
            drop(places.take(1).await.unwrap());
        }
        let held = places.take(1).await.unwrap();
        let mut next = pin!(places.take(1));
        assert!((&mut next).now_or_never().is_none(), "it waits");
        drop(held);
        assert!(next.await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_knows_how_long_it_was_waited_for() {
        let places = Places::new(1, 1, SOON);
        let first = places.take(1).await.unwrap();
        assert_eq!(first.waited, Duration::ZERO);
        let freed = async {
            tokio::time::sleep(SOON / 2).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(places.take(1), freed);
        assert_eq!(second.unwrap().waited, SOON / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_becomes_free_a_wait_ends() {
        let places = Places::new(1, 1, SOON);
        let _held = places.take(1).await.unwrap();
        let asked = Instant::now();
        let (first, second) = tokio::join!(places.take(1), places.take(1));
        assert!(first.is_none() && second.is_none());
        assert_eq!(asked.elapsed(), SOON);
    }
}
