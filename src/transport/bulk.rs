//! Owns the threads on which requests with a large body are worked on.
//!
//! Reading a long bill takes a thread for milliseconds. On the threads of the sockets all others would wait behind it:
//! small requests, answers that are ready, and those who only have to be told that there is no room.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::OnceLock;

use tokio::runtime::Builder;
use tokio::runtime::Handle;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Started with the first large request: most listeners never get one.
#[derive(Debug, Default)]
pub(crate) struct Bulk(OnceLock<Option<Runtime>>);

/// The work panicked, or its threads are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl Bulk {
    /// Works on one of the threads; who waits no longer ends the work where it waits next. What the work begins beside itself
    /// is the caller's runtime's: a connection that others use too is not driven by these threads.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failed> {
        let mut one = JoinSet::new();
        let work = lent_to(Handle::current(), work);
        match self.0.get_or_init(|| start().ok()) {
            Some(runtime) => one.spawn_on(work, runtime.handle()),
            // A system that gives no more threads: everybody waits a little longer.
            None => one.spawn(work),
        };
        one.join_next().await.and_then(Result::ok).ok_or(Failed)
    }
}

/// Whoever polls it, what it spawns, waits for or opens belongs to that runtime.
async fn lent_to<T>(home: Handle, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _home = home.enter();
        work.as_mut().poll(context)
    })
    .await
}

/// As many threads as there are processors.
fn start() -> io::Result<Runtime> {
    Builder::new_multi_thread().thread_name("bulk").on_thread_start(stand_back).build()
}

/// Where all processors have work, others come before this thread and those that it starts: a long bill that takes a little
/// longer is noticed less than a refusal or a short answer that does. A tenth of a processor's time is left to it all the
/// same: with less, it may be put off while it holds a lock for a moment that others wait for.
pub(crate) fn stand_back() {
    const NICER_BY: i32 = 10;
    // Of this thread alone, as Linux has it. Where it may not be, they share evenly.
    let _evenly = rustix::process::nice(NICER_BY);
}

impl Drop for Bulk {
    fn drop(&mut self) {
        // Without waiting: this may be a thread that must not.
        if let Some(runtime) = self.0.take().flatten() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    use rustix::process::getpriority_process;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn large_work_leaves_the_thread_of_the_sockets_free_and_a_panic_stays_its_own() {
        let bulk = Bulk::default();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let here = thread::current().id();
        let slow = bulk.work(async move {
            gone.recv().unwrap();
            thread::current().id()
        });
        let other = async move {
            go.send(()).unwrap();
        };
        let (there, ()) = tokio::join!(slow, other);
        assert_ne!(there.unwrap(), here);
        assert_eq!(bulk.work(async { panic!("of no interest") }).await, Err::<(), _>(Failed));
        assert_eq!(bulk.work(async { 1 }).await, Ok(1));
    }

    #[tokio::test]
    async fn what_large_work_begins_beside_itself_is_not_left_to_its_threads() {
        let here = thread::current().id();
        let begun = async { tokio::spawn(async { thread::current().id() }).await.unwrap() };
        assert_eq!(Bulk::default().work(begun).await, Ok(here));
        let waits =
            async { tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await };
        assert!(Bulk::default().work(waits).await.unwrap().is_err(), "the caller's clock is its own");
    }

    #[tokio::test]
    async fn large_work_stands_back_where_processors_are_scarce() {
        let here = getpriority_process(None).unwrap();
        let there = Bulk::default().work(async { getpriority_process(None).unwrap() }).await.unwrap();
        assert_eq!(there, (here + 10).min(19));
        assert_eq!(getpriority_process(None).unwrap(), here, "nobody else does");
    }

    #[test]
    fn who_stands_back_does_so_with_all_that_follows() {
        let priority = || getpriority_process(None).unwrap();
        let before = priority();
        let follower = move || {
            stand_back();
            thread::spawn(priority).join().unwrap()
        };
        assert_eq!(thread::spawn(follower).join().unwrap(), (before + 10).min(19));
        assert_eq!(priority(), before, "nobody else does");
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_dropped() {
        let bulk = Bulk::default();
        let (held, dropped) = oneshot::channel::<()>();
        let work = bulk.work(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        assert!(tokio::time::timeout(Duration::from_millis(1), work).await.is_err());
        assert!(dropped.await.is_err());
    }
}
