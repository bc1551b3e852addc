//! Where time and new identifiers come in.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::domain::calendar::Instant;
use crate::domain::digits::Digits;
use crate::domain::ids::Bucket;

/// The wall clock. Tests put a clock of their own in its place.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Instant;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Instant {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Instant(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Characters of an identifier.
const LENGTH: usize = 30;

/// Makes identifiers: the time to the millisecond, the lane, a sequence, three digits of the bucket. Exactly 30
/// characters, unlike those of every other node and of every earlier start, since each start takes a new lane. Time comes
/// first, so that what is kept by its id lies in the order in which it came.
#[derive(Debug)]
pub(crate) struct Ids {
    lane: u32,
    last: Mutex<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    sequence: u64,
}

impl Ids {
    pub(crate) fn new(lane: u32) -> Self {
        Self { lane, last: Mutex::new(Last { at: Instant(0), sequence: 0 }) }
    }

    pub(crate) fn next(&self, bucket: Bucket, now: Instant) -> String {
        let Last { at, sequence } = self.advance(now);
        let mut id = String::with_capacity(LENGTH);
        id.push_str(Digits::<12>::of(at.moment().number().unsigned_abs()).as_str());
        id.push_str(Digits::<3>::of(at.millisecond().into()).as_str());
        id.push_str(Digits::<7>::in_base(self.lane.into(), 36).as_str());
        id.push_str(Digits::<5>::in_base(sequence, 36).as_str());
        id.push_str(Digits::<3>::in_base(bucket.get().into(), 16).as_str());
        id
    }

    /// Time never goes back here and the sequence starts anew with each millisecond, so no pair comes twice.
    fn advance(&self, now: Instant) -> Last {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = if now > last.at {
            Last { at: now, sequence: 0 }
        } else {
            Last { at: last.at, sequence: last.sequence + 1 }
        };
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_bucket_and_time_and_never_repeat() {
        let ids = Ids::new(u32::MAX);
        let bucket = Bucket::new(0xA7F).unwrap();
        let now = Instant(1_767_196_800_123);
        let first = ids.next(bucket, now);
        assert_eq!(first, "2601010000001231Z141Z300000A7F");
        assert_eq!(first.len(), 30);
        assert_eq!(ids.next(bucket, now), "2601010000001231Z141Z300001A7F");
        let back = ids.next(bucket, Instant(now.0 - 5_000));
        assert_eq!(back, "2601010000001231Z141Z300002A7F", "a clock that goes back repeats nothing");
        assert_eq!(Bucket::of_id(&first), Some(bucket));
        assert_ne!(Ids::new(7).next(bucket, now), Ids::new(8).next(bucket, now));
    }
}
