//! Owns the end: stop accepting, finish what is in flight, then close.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How far the end has come. Only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Open,
    /// No new connection, no further request on an open one.
    Draining,
    /// The deadline has passed: drop everything.
    Cut,
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy at the deadline and were cut; their clients must ask what became of the request.
    pub cut: usize,
}

/// The switch that ends a listener's connections.
#[derive(Debug)]
pub(crate) struct Drain {
    stage: watch::Sender<Stage>,
    connections: Arc<AtomicUsize>,
}

impl Drain {
    pub(crate) fn new() -> Drain {
        Drain { stage: watch::Sender::new(Stage::Open), connections: Arc::default() }
    }

    /// For the accept loop, which makes from it one for each connection.
    pub(crate) fn watch(&self) -> Watch {
        Watch { stage: self.stage.subscribe(), connections: Arc::clone(&self.connections), counted: false }
    }

    /// Returns when every holder of a [`Watch`] has let go of it; those that have not `within` the time are cut.
    pub(crate) async fn finish(&self, within: Duration) -> Drained {
        self.go_to(Stage::Draining);
        if timeout(within, self.stage.closed()).await.is_ok() {
            return Drained { cut: 0 };
        }
        let cut = self.connections.load(SeqCst);
        self.go_to(Stage::Cut);
        self.stage.closed().await;
        Drained { cut }
    }

    fn go_to(&self, stage: Stage) {
        self.stage.send_if_modified(|current| {
            let forward = stage > *current;
            *current = stage.max(*current);
            forward
        });
    }
}

/// One holder's view of the switch.
#[derive(Debug)]
pub(crate) struct Watch {
    stage: watch::Receiver<Stage>,
    connections: Arc<AtomicUsize>,
    counted: bool,
}

impl Watch {
    /// For one connection, counted until dropped.
    pub(crate) fn for_connection(&self) -> Watch {
        self.connections.fetch_add(1, SeqCst);
        Watch { stage: self.stage.clone(), connections: Arc::clone(&self.connections), counted: true }
    }

    /// The next stage. A switch that is gone without a drain counts as a cut: nobody is left to serve.
    pub(crate) async fn changed(&mut self) -> Stage {
        match self.stage.changed().await {
            Ok(()) => *self.stage.borrow_and_update(),
            Err(_) => Stage::Cut,
        }
    }

    /// Returns once the end has begun, also when that was before the call.
    pub(crate) async fn begun(&mut self) {
        // An error is a switch that is gone: the end as well.
        let _ = self.stage.wait_for(|stage| *stage > Stage::Open).await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.counted {
            self.connections.fetch_sub(1, SeqCst);
        }
    }
}
