//! Owns group commit: a bounded queue, batches in which a person occurs once, and the time of what is recorded.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use tokio::time::Instant as Stopwatch;

use crate::domain::calendar::Instant;

/// Work that comes within this time of the last commit says that more is about to come. A quiet lane waits for nothing.
const BUSY: Duration = Duration::from_millis(2);
/// How long the first deeds of a busy lane wait for company: a commit costs the disk as much for two deeds as for one.
const COMPANY_WAIT: Duration = Duration::from_millis(1);
/// So many deeds need not wait any more.
const COMPANY: usize = 16;

/// The wall clock, given by whoever opens the ledger.
pub type Now = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A queue at its limit, or a writer that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotQueued {
    Full { limit: usize },
    Stopped,
}

/// The callers' end.
#[derive(Debug)]
pub struct Queue<T> {
    sender: mpsc::Sender<Waiting<T>>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

/// A job in the queue. Its place is free again when it is dropped.
#[derive(Debug)]
pub struct Waiting<T> {
    pub job: T,
    _place: Place,
}

#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The writer's end.
#[derive(Debug)]
pub struct Batches<T> {
    receiver: Receiver<Waiting<T>>,
    /// Taken from the queue, kept for a later batch because its person is in this one.
    later: VecDeque<Waiting<T>>,
    batch_max: usize,
}

/// What may not meet its like in one batch.
pub trait Alone {
    type Key: Eq + Hash;

    fn key(&self) -> Option<Self::Key>;
}

/// A queue for at most `limit` jobs, waiting and being written, gathered into batches of at most `batch_max`.
pub fn queue<T>(limit: usize, batch_max: usize) -> (Queue<T>, Batches<T>) {
    let (sender, receiver) = mpsc::channel();
    let queue = Queue { sender, waiting: Arc::default(), limit };
    (queue, Batches { receiver, later: VecDeque::new(), batch_max: batch_max.max(1) })
}

/// Another hand on the same end: the writer goes on until all of them are gone.
impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue { sender: self.sender.clone(), waiting: Arc::clone(&self.waiting), limit: self.limit }
    }
}

impl<T> Queue<T> {
    pub fn push(&self, job: T) -> Result<(), NotQueued> {
        let full = NotQueued::Full { limit: self.limit };
        let free = |waiting: usize| (waiting < self.limit).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).map_err(|_| full)?;
        let place = Place(Arc::clone(&self.waiting));
        self.sender.send(Waiting { job, _place: place }).map_err(|_| NotQueued::Stopped)
    }
}

impl<T: Alone> Batches<T> {
    /// Waits for work and takes all of it that fits. `None` when every caller is gone and nothing waits.
    pub fn gather(&mut self) -> Option<Vec<Waiting<T>>> {
        self.gather_from(|jobs| jobs.recv().map(Some).ok())
    }

    /// The same, but no longer than that; then there is nothing in it.
    pub fn gather_within(&mut self, limit: Duration) -> Option<Vec<Waiting<T>>> {
        self.gather_from(|jobs| match jobs.recv_timeout(limit) {
            Ok(job) => Some(Some(job)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        })
    }

    fn gather_from(
        &mut self,
        first: impl FnOnce(&Receiver<Waiting<T>>) -> Option<Option<Waiting<T>>>,
    ) -> Option<Vec<Waiting<T>>> {
        let asked = Stopwatch::now();
        let mut batch = Vec::new();
        let mut persons = HashSet::new();
        let passed_over = std::mem::take(&mut self.later);
        for waiting in passed_over {
            self.place(waiting, &mut batch, &mut persons);
        }
        if batch.is_empty()
            && let Some(first) = first(&self.receiver)?
        {
            self.place(first, &mut batch, &mut persons);
        }
        while batch.len() < self.batch_max {
            let Ok(waiting) = self.receiver.try_recv() else { break };
            self.place(waiting, &mut batch, &mut persons);
        }
        if !batch.is_empty() && asked.elapsed() < BUSY {
            self.wait_for_company(&mut batch, &mut persons);
        }
        Some(batch)
    }

    fn wait_for_company(&mut self, batch: &mut Vec<Waiting<T>>, persons: &mut HashSet<T::Key>) {
        let until = Stopwatch::now() + COMPANY_WAIT;
        while batch.len() < COMPANY.min(self.batch_max) {
            let left = until.saturating_duration_since(Stopwatch::now());
            let Ok(waiting) = self.receiver.recv_timeout(left) else { return };
            self.place(waiting, batch, persons);
        }
    }

    /// Takes out of the waiting jobs those that the last batch has decided already.
    pub fn take_decided(&mut self, decided: impl Fn(&T) -> bool) -> Vec<Waiting<T>> {
        let waiting = std::mem::take(&mut self.later);
        let (out, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|waiting| decided(&waiting.job));
        self.later = later.into();
        out
    }

    fn place(&mut self, waiting: Waiting<T>, batch: &mut Vec<Waiting<T>>, persons: &mut HashSet<T::Key>) {
        let room = batch.len() < self.batch_max;
        let alone = room && waiting.job.key().is_none_or(|key| persons.insert(key));
        if alone {
            batch.push(waiting);
        } else {
            self.later.push_back(waiting);
        }
    }
}

/// Where a lane stands: the last time it gave and how many records it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub last: Instant,
    pub sequence: u64,
}

impl Standing {
    /// Place and time of the next record: never before the clock, the lane's last, the person's last, or the floor.
    pub fn stamp(&mut self, clock: Instant, floor: Instant, person_last: Instant) -> Instant {
        self.last = self.last.max(clock).max(floor).max(person_last);
        self.sequence += 1;
        self.last
    }

    /// Place of the next record that belongs to no person and needs no time of its own.
    pub fn next_place(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Alone for (u8, char) {
        type Key = char;

        fn key(&self) -> Option<char> {
            (self.1 != '-').then_some(self.1)
        }
    }

    fn batch(batches: &mut Batches<(u8, char)>) -> Vec<u8> {
        batches.gather().unwrap().into_iter().map(|waiting| waiting.job.0).collect()
    }

    #[test]
    fn a_person_occurs_once_in_a_batch_and_keeps_her_turn() {
        let (queue, mut batches) = queue(10, 3);
        for job in [(1, 'a'), (2, 'a'), (3, 'b'), (4, '-'), (5, 'a'), (6, '-'), (7, 'b')] {
            queue.push(job).unwrap();
        }
        assert_eq!(batch(&mut batches), [1, 3, 4]);
        assert_eq!(batch(&mut batches), [2, 6, 7]);
        assert!(batches.take_decided(|job| job.1 == 'b').is_empty());
        assert_eq!(batch(&mut batches), [5]);
        queue.push((8, 'a')).unwrap();
        assert_eq!(batch(&mut batches), [8]);
        drop(queue);
        assert!(batches.gather().is_none());
    }

    #[test]
    fn what_is_decided_leaves_the_queue_and_the_rest_keeps_its_turn() {
        let (queue, mut batches) = queue(10, 8);
        for job in [(1, 'a'), (2, 'a'), (3, 'a'), (4, 'a')] {
            queue.push(job).unwrap();
        }
        assert_eq!(batch(&mut batches), [1]);
        let decided = batches.take_decided(|job| job.0 % 2 == 1);
        assert_eq!(decided.iter().map(|waiting| waiting.job.0).collect::<Vec<_>>(), [3]);
        assert_eq!(batch(&mut batches), [2]);
        assert_eq!(batch(&mut batches), [4]);
    }

    #[test]
    fn a_writer_that_waits_only_a_while_gets_nothing_then_what_came_and_then_the_end() {
        let (queue, mut batches) = queue(10, 3);
        let soon = Duration::from_millis(1);
        assert!(batches.gather_within(soon).unwrap().is_empty());
        queue.push((1, 'a')).unwrap();
        assert_eq!(batches.gather_within(soon).unwrap().len(), 1);
        drop(queue);
        assert!(batches.gather_within(soon).is_none());
    }

    #[test]
    fn a_full_queue_refuses_until_a_job_is_done() {
        let (queue, mut batches) = queue(2, 8);
        queue.push((1, 'a')).unwrap();
        queue.push((2, 'a')).unwrap();
        assert_eq!(queue.push((3, 'b')), Err(NotQueued::Full { limit: 2 }));
        let first = batches.gather().unwrap();
        assert_eq!(queue.push((3, 'b')), Err(NotQueued::Full { limit: 2 }));
        drop(first);
        assert_eq!(queue.push((3, 'b')), Ok(()));
        drop(batches);
        assert_eq!(queue.push((4, 'b')), Err(NotQueued::Stopped));
    }

    #[test]
    fn time_never_runs_back_in_a_lane_nor_for_a_person() {
        let mut lane = Standing { last: Instant(5), sequence: 0 };
        let table = [(3, 0, 0, 5), (7, 0, 0, 7), (6, 9, 0, 9), (6, 0, 11, 11), (10, 9, 2, 11)];
        for (clock, floor, person, at) in table {
            assert_eq!(lane.stamp(Instant(clock), Instant(floor), Instant(person)), Instant(at));
        }
        assert_eq!(lane.sequence, 5);
    }
}
