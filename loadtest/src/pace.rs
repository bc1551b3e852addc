//! Owns when each call shall be sent: at once, or at moments drawn beforehand.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::plan::Arrivals;

#[expect(clippy::disallowed_methods, reason = "a loader measures real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Hands out the moments at which journeys shall begin, in their order.
#[derive(Clone, Debug)]
pub struct Pace {
    due: Option<Due>,
}

#[derive(Clone, Debug)]
struct Due {
    began: Instant,
    moments: Arc<[Duration]>,
    /// One permit for each moment that has come.
    come: Arc<Semaphore>,
}

impl Pace {
    /// Begins now.
    pub fn begin(arrivals: Arrivals, journeys: usize) -> Pace {
        match arrivals {
            Arrivals::Saturating => Pace { due: None },
            Arrivals::PerSecond(rate) => Pace::at(moments(rate, journeys)),
        }
    }

    /// Begins now; the moments are counted from here and never go back.
    pub fn at(moments: Vec<Duration>) -> Pace {
        let due = Due { began: now(), moments: moments.into(), come: Arc::new(Semaphore::new(0)) };
        let ticking = due.clone();
        // A thread that sleeps is exact to some 50 µs; the runtime's timers only to a millisecond.
        std::thread::spawn(move || ticking.tick());
        Pace { due: Some(due) }
    }

    /// Waits for the moment of the next journey.
    pub async fn wait(&self) {
        if let Some(due) = &self.due
            && let Ok(permit) = due.come.acquire().await
        {
            permit.forget();
        }
    }

    /// How long after the beginning journey `at` should have been sent.
    pub fn due(&self, at: usize) -> Duration {
        self.due.as_ref().and_then(|due| due.moments.get(at)).copied().unwrap_or_default()
    }

    /// When journey `at` should have been sent: now, or its moment, however long ago.
    pub fn intended(&self, at: usize) -> Instant {
        match &self.due {
            None => now(),
            Some(due) => due.began + due.moments.get(at).copied().unwrap_or_default(),
        }
    }
}

impl Due {
    fn tick(&self) {
        for moment in self.moments.iter() {
            let left = (self.began + *moment).saturating_duration_since(now());
            if !left.is_zero() {
                std::thread::sleep(left);
            }
            self.come.add_permits(1);
        }
        // Whoever waits for more learns that there are none.
        self.come.close();
    }
}

/// Arrivals of many who do not know of each other: the gaps are exponential. The same every time.
pub fn moments(rate: u32, journeys: usize) -> Vec<Duration> {
    let mean = 1.0 / f64::from(rate.max(1));
    let mut chance = Chance::default();
    let gaps = (0..journeys).map(move |_| -mean * (1.0 - chance.uniform()).ln());
    let sums = gaps.scan(0.0, |sum, gap| {
        *sum += gap;
        Some(*sum)
    });
    sums.map(Duration::from_secs_f64).collect()
}

/// A xorshift sequence, the same every time.
#[derive(Debug)]
pub struct Chance(u64);

impl Default for Chance {
    fn default() -> Chance {
        Chance(0x9E37_79B9_7F4A_7C15)
    }
}

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 32).unwrap_or(0)
    }

    /// Between 0 and 1.
    fn uniform(&mut self) -> f64 {
        f64::from(self.next()) / (f64::from(u32::MAX) + 1.0)
    }

    /// Any order of them.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() as usize % (last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_at_the_rate_and_never_go_back() {
        let moments = moments(1_000, 20_000);
        assert!(moments.is_sorted());
        let last = moments.last().copied().unwrap_or_default().as_secs_f64();
        assert!((19.0..21.0).contains(&last), "20,000 at 1,000 a second took {last} s");
    }
}
