//! What hospitals were told, when, and by which node.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::cluster::PATIENCE;

/// By node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Told that it is done.
    pub(crate) done: [usize; 2],
    /// Told to send the same message again.
    pub(crate) again: [usize; 2],
    /// Not told anything: the call broke off, or nobody was there.
    pub(crate) broken: [usize; 2],
}

impl Counts {
    pub(crate) fn done_in_all(&self) -> usize {
        self.done.iter().sum()
    }

    pub(crate) fn failed(&self) -> usize {
        self.again.iter().chain(&self.broken).sum()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [done, again, broken] = [self.done, self.again, self.broken].map(|both| both[0] + both[1]);
        write!(f, "{done} calls done, {again} told to come again, {broken} broken off")
    }
}

/// One try of a call.
#[derive(Clone, Copy, Debug)]
struct Told {
    node: usize,
    sent: Instant,
    at: Instant,
    done: bool,
}

pub(crate) struct Tally {
    counts: watch::Sender<Counts>,
    all: Mutex<Vec<Told>>,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally { counts: watch::Sender::new(Counts::default()), all: Mutex::default() }
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    pub(crate) fn tell(&self, node: usize, sent: Instant, done: bool, change: impl FnOnce(&mut Counts)) {
        self.all.lock().unwrap().push(Told { node, sent, at: Instant::now(), done });
        self.counts.send_modify(change);
    }

    /// Waits for something to have happened.
    pub(crate) async fn until(&self, what: &str, happened: impl FnMut(&Counts) -> bool) {
        let mut seen = self.counts.subscribe();
        let waited = timeout(PATIENCE, seen.wait_for(happened)).await.map(|found| found.is_ok());
        assert_eq!(waited, Ok(true), "never {what}: {}", self.counts());
    }

    /// Until each of these nodes has done so many calls more.
    pub(crate) async fn until_done(&self, nodes: &[usize], more: usize) {
        let before = self.counts();
        let enough = |now: &Counts| nodes.iter().all(|at| now.done[*at] >= before.done[*at] + more);
        self.until("done", enough).await;
    }

    /// Until each of these nodes has done a few calls that were sent after an instant; gives how long after it each did
    /// the first.
    pub(crate) async fn back_after(&self, nodes: &[usize], since: Instant) -> Vec<Duration> {
        const FEW: usize = 2;
        let took = |node: usize| {
            let all = self.all.lock().unwrap();
            let later = all.iter().rev().take_while(|told| told.at > since);
            let done = later.filter(|told| told.node == node && told.done && told.sent > since);
            done.map(|told| told.at - since).collect::<Vec<_>>()
        };
        self.until("back", |_| nodes.iter().all(|node| took(*node).len() >= FEW)).await;
        nodes.iter().filter_map(|node| took(*node).into_iter().min()).collect()
    }

    /// Calls that were sent before an instant and ended after it.
    pub(crate) fn under_way_at(&self, instant: Instant) -> usize {
        let all = self.all.lock().unwrap();
        all.iter().filter(|told| told.sent < instant && told.at > instant).count()
    }

    /// The longest that any call took that was sent after an instant.
    pub(crate) fn slowest_since(&self, since: Instant) -> Duration {
        let all = self.all.lock().unwrap();
        all.iter().filter(|told| told.sent >= since).map(|told| told.at - told.sent).max().unwrap_or_default()
    }
}
