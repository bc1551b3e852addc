//! Owns a limit that holds for all nodes together, without asking anybody in most calls.
//!
//! A node leases requests in batches and gives them out itself; the next batch is asked for beside the calls, when half
//! a batch is left. Who finds nothing left is let in on credit of one batch while the answer is on its way: what was given
//! on credit is told with the next question and counted then. Only a burst beyond lease and credit waits for the
//! answer.
//!
//! So within any `t` seconds `n` nodes let in at most `burst + per_second · t + n · batch` requests of a key, and in the long run
//! exactly `per_second`. What was leased and not used within `LEASE` is lost: at most one and a half batches of a
//! node at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::transport::limits::Shed;
use crate::transport::limits::Why;

/// Leased requests that were not used for so long are another node's again.
const LEASE: Duration = Duration::from_secs(1);
/// After an answer that did not come, nobody is asked for so long.
const UNASKED: Duration = Duration::from_millis(200);
/// Parts of a burst that one node leases at a time.
const BATCHES_OF_A_BURST: u32 = 32;
const BATCHES_OF_A_SECOND: u32 = 10;
const BATCH_MAX: u32 = 64;

/// Counts requests of all nodes. Answers within a bounded time.
pub trait Lessor: Send + Sync + 'static {
    /// Whether it can be asked now. While not, each node's own limits are all there is.
    fn is_there(&self) -> bool;

    /// Counts what was spent already, and gives some of what is wanted. `None`: it did not answer.
    fn lease<'a>(&'a self, key: &'a str, spent: u32, wanted: u32) -> BoxFuture<'a, Option<Lease>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub granted: u32,
    /// When nothing is granted: sooner is in vain.
    pub retry_after_ms: u64,
}

/// What one node knows of the limit of all.
pub(super) struct Shared {
    lessor: Arc<dyn Lessor>,
    batch: u32,
    keys_max: usize,
    purses: Mutex<HashMap<Box<str>, Arc<Purse>>>,
}

/// A key's lease on this node.
#[derive(Default)]
struct Purse {
    state: Mutex<State>,
    answered: Notify,
}

#[derive(Default)]
struct State {
    /// Requests that may still be let in; below zero are those let in on credit.
    left: i64,
    /// Last time something was leased or given out.
    used_at: Option<Instant>,
    /// Requests that wait for the answer that is on its way.
    waiting: u32,
    asking: bool,
    refused_until: Option<Instant>,
    unasked_until: Option<Instant>,
}

/// A question on its way. However it ends, whoever waits for the answer goes on.
struct Asking {
    purse: Arc<Purse>,
    spent: u32,
    lease: Option<Lease>,
}

impl Asking {
    fn hear(&mut self, lease: Option<Lease>) {
        self.lease = lease;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.purse.lock().answered(self.lease, self.spent, Instant::now());
        self.purse.answered.notify_waiters();
    }
}

enum Verdict {
    /// With a question to be asked beside the call, for so many spent.
    Admitted(Option<u32>),
    Refused(Shed),
    Wait(Option<u32>),
}

impl Shared {
    pub(super) fn new(lessor: Arc<dyn Lessor>, per_second: u32, burst: u32, keys_max: usize) -> Shared {
        let batch = (burst / BATCHES_OF_A_BURST).min(per_second / BATCHES_OF_A_SECOND).clamp(1, BATCH_MAX);
        Shared { lessor, batch, keys_max, purses: Mutex::default() }
    }

    /// Counts one request of `key`. Waits only for an answer that is on its way already, which comes in bounded time.
    pub(super) async fn count(&self, key: &str) -> Result<(), Shed> {
        if !self.lessor.is_there() {
            return Ok(());
        }
        let Some(purse) = self.purse(key) else { return Ok(()) };
        loop {
            let answered = {
                let mut state = purse.lock();
                match state.take(Instant::now(), self.batch) {
                    Verdict::Admitted(spent) => {
                        drop(state);
                        self.ask(key, &purse, spent);
                        return Ok(());
                    }
                    Verdict::Refused(shed) => return Err(shed),
                    Verdict::Wait(spent) => {
                        // Heard before the state is let go: no answer can come between.
                        let mut answered = Box::pin(purse.answered.notified());
                        answered.as_mut().enable();
                        drop(state);
                        self.ask(key, &purse, spent);
                        answered
                    }
                }
            };
            answered.await;
        }
    }

    /// Asks beside the call, if there is something to ask.
    fn ask(&self, key: &str, purse: &Arc<Purse>, spent: Option<u32>) {
        let Some(spent) = spent else { return };
        let (lessor, key, batch) = (Arc::clone(&self.lessor), key.to_owned(), self.batch);
        let mut asking = Asking { purse: Arc::clone(purse), spent, lease: None };
        tokio::spawn(async move {
            let wanted = batch + asking.purse.lock().waiting;
            asking.hear(lessor.lease(&key, spent, wanted).await);
        });
    }

    /// `None`: more keys than are remembered; they are limited by each node alone.
    fn purse(&self, key: &str) -> Option<Arc<Purse>> {
        let mut purses = lock(&self.purses);
        if let Some(purse) = purses.get(key) {
            return Some(Arc::clone(purse));
        }
        if purses.len() >= self.keys_max {
            let now = Instant::now();
            purses.retain(|_, purse| !purse.lock().is_idle(now));
            if purses.len() >= self.keys_max {
                return None;
            }
        }
        let purse = Arc::<Purse>::default();
        purses.insert(key.into(), Arc::clone(&purse));
        Some(purse)
    }
}

impl Purse {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Numbers are whole at every instant: a panic elsewhere harms none.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn take(&mut self, now: Instant, batch: u32) -> Verdict {
        let batch = i64::from(batch);
        if self.unasked_until.is_some_and(|until| now < until) {
            return Verdict::Admitted(None);
        }
        if let Some(until) = self.refused_until.filter(|until| now < *until) {
            let wait = until.saturating_duration_since(now);
            return Verdict::Refused(Shed { retry_after_ms: super::whole_ms(wait), why: Why::Rate });
        }
        if self.left > 0 && self.used_at.is_some_and(|at| now.saturating_duration_since(at) > LEASE) {
            self.left = 0;
        }
        if self.left <= -batch {
            self.waiting += 1;
            return Verdict::Wait(self.question());
        }
        self.left -= 1;
        self.used_at = Some(now);
        Verdict::Admitted(if self.left <= batch / 2 { self.question() } else { None })
    }

    /// What to ask, when nobody asks already.
    fn question(&mut self) -> Option<u32> {
        let spent = u32::try_from(self.left.min(0).unsigned_abs()).unwrap_or(u32::MAX);
        (!core::mem::replace(&mut self.asking, true)).then_some(spent)
    }

    fn answered(&mut self, lease: Option<Lease>, spent: u32, now: Instant) {
        self.asking = false;
        self.waiting = 0; // who still waits will say so again
        let Some(lease) = lease else {
            // Nobody counts: debts are forgotten, and who waits goes on under this node's own limits.
            self.left = 0;
            self.unasked_until = Some(now + UNASKED);
            return;
        };
        self.left += i64::from(spent) + i64::from(lease.granted);
        self.used_at = Some(now);
        let wait = Duration::from_millis(lease.retry_after_ms);
        self.refused_until = (lease.granted == 0 && self.left <= 0).then(|| now + wait);
    }

    /// Nothing of worth would be forgotten.
    fn is_idle(&self, now: Instant) -> bool {
        let unused = self.used_at.is_none_or(|at| now.saturating_duration_since(at) > LEASE);
        unused && !self.asking && self.left >= 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::AtomicI64;
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering::SeqCst;

    /// A share that never grows again.
    struct Till {
        left: AtomicI64,
        asked: AtomicU32,
        is_there: AtomicBool,
        answers: AtomicBool,
    }

    impl Till {
        fn with(left: i64) -> Arc<Till> {
            let (left, asked) = (AtomicI64::new(left), AtomicU32::new(0));
            Arc::new(Till { left, asked, is_there: true.into(), answers: true.into() })
        }
    }

    impl Lessor for Till {
        fn is_there(&self) -> bool {
            self.is_there.load(SeqCst)
        }

        fn lease<'a>(&'a self, _key: &'a str, spent: u32, wanted: u32) -> BoxFuture<'a, Option<Lease>> {
            Box::pin(async move {
                self.asked.fetch_add(1, SeqCst);
                tokio::task::yield_now().await;
                if !self.answers.load(SeqCst) {
                    return None;
                }
                let left = self.left.fetch_sub(i64::from(spent), SeqCst) - i64::from(spent);
                let granted = u32::try_from(left.clamp(0, i64::from(wanted))).unwrap();
                self.left.fetch_sub(i64::from(granted), SeqCst);
                Some(Lease { granted, retry_after_ms: 60_000 })
            })
        }
    }

    fn node(till: &Arc<Till>) -> Arc<Shared> {
        Arc::new(Shared::new(Arc::clone(till) as Arc<dyn Lessor>, 100, 320, 8))
    }

    async fn admitted(node: &Shared, calls: u32) -> u32 {
        let mut admitted = 0;
        for _ in 0..calls {
            admitted += u32::from(node.count("H1").await.is_ok());
        }
        admitted
    }

    #[tokio::test]
    async fn most_calls_ask_nobody() {
        let till = Till::with(1_000);
        assert_eq!(admitted(&node(&till), 500).await, 500);
        let asked = till.asked.load(SeqCst);
        assert!((40..=60).contains(&asked), "a batch is ten requests: {asked} questions");
    }

    #[tokio::test]
    async fn nodes_together_let_in_their_share_and_a_batch_each_at_most() {
        let till = Till::with(320);
        let nodes = [node(&till), node(&till), node(&till)];
        let mut all = 0;
        for _ in 0..300 {
            for node in &nodes {
                all += admitted(node, 1).await;
            }
        }
        assert!((320 - 3 * 15..=320 + 3 * 10).contains(&all), "{all} were let in");
    }

    #[tokio::test]
    async fn a_burst_waits_for_the_answer_and_is_not_refused() {
        let (till, calls) = (Till::with(320), 300);
        let node = node(&till);
        let burst = (0..calls).map(|_| {
            let node = Arc::clone(&node);
            async move { node.count("H1").await.is_ok() }
        });
        let answers = futures_util::future::join_all(burst).await;
        assert_eq!(answers.iter().filter(|ok| **ok).count(), calls);
        assert!(till.asked.load(SeqCst) < 10, "those who wait are asked for together");
    }

    #[tokio::test]
    async fn a_refusal_says_when_to_come_back_and_asks_nobody_until_then() {
        let till = Till::with(0);
        let node = node(&till);
        assert!(admitted(&node, 100).await <= 10, "credit is one batch");
        let asked = till.asked.load(SeqCst);
        let shed = node.count("H1").await.unwrap_err();
        assert!(shed.why == Why::Rate && (50_000..=60_000).contains(&shed.retry_after_ms), "{shed:?}");
        assert_eq!(till.asked.load(SeqCst), asked);
    }

    #[tokio::test]
    async fn without_an_answer_nobody_is_held_back() {
        let till = Till::with(0);
        till.answers.store(false, SeqCst);
        assert_eq!(admitted(&node(&till), 200).await, 200);
        assert!(till.asked.load(SeqCst) < 5, "a lessor that does not answer is left alone for a while");
        till.is_there.store(false, SeqCst);
        let asked = till.asked.load(SeqCst);
        assert_eq!(admitted(&node(&till), 200).await, 200);
        assert_eq!(till.asked.load(SeqCst), asked);
    }
}
