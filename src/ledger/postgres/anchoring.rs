//! Owns when a node makes anchors: about once a second one of the nodes does, whichever comes first, and each does once
//! more when it is closed. Two never make the same: the number of an anchor is its key.

use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::time::Instant as Moment;

use crate::ledger::LedgerError;
use crate::ledger::books::anchors;
use crate::ledger::event::Event;
use crate::ledger::event::Observer;
use crate::ledger::lane::Now;
use crate::ledger::postgres::connection::Target;
use crate::ledger::postgres::quiet::Line;
use crate::ledger::seal::anchor::ANCHOR_EVERY_MS;
use crate::ledger::sql::Database;
use crate::vault::key_store::KeyStore;

/// Looks within the time of an anchor whether another node has made one.
const LOOKS: u32 = 4;

/// A server that is silent for so long is given up, so that nothing waits for an anchor at the close.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// The thread that makes them.
pub(super) struct Anchorer {
    /// Dropped when the ledger is closed.
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Anchorer {
    pub(super) fn start(
        target: Target,
        keys: Arc<KeyStore>,
        now: Now,
        observer: Observer,
    ) -> std::io::Result<Anchorer> {
        let (stop, stopped) = mpsc::channel();
        let anchors = Anchors { target, keys, now, observer, line: None };
        let thread =
            std::thread::Builder::new().name("ledger-anchor".into()).spawn(move || anchors.run(&stopped))?;
        Ok(Anchorer { stop, thread })
    }

    /// After the lanes: what they have written last is anchored, if the server can be reached. What is not is the tail
    /// that another node anchors, or the next start of this one.
    pub(super) fn end(self) {
        drop(self.stop);
        // A thread that panicked has told so itself.
        let _ended = self.thread.join();
    }
}

struct Anchors {
    target: Target,
    keys: Arc<KeyStore>,
    now: Now,
    observer: Observer,
    line: Option<Line>,
}

impl Anchors {
    fn run(mut self, stopped: &mpsc::Receiver<()>) {
        let look = Duration::from_millis(ANCHOR_EVERY_MS) / LOOKS;
        let (mut newest, mut unchanged) = (0, 0);
        let mut looked = Moment::now();
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(look) {
            // What fails now is part of the next anchor.
            let Ok(found) = self.newest() else { continue };
            if found != newest {
                // Another node's, made since our last look: it covers what was there then.
                self.observer.tell(Event::Anchored { before: looked });
            }
            unchanged = if found == newest { unchanged + 1 } else { 0 };
            (newest, looked) = (found, Moment::now());
            // By the count of our own looks: another node's clock may be wrong.
            if unchanged >= LOOKS {
                let _failed = self.make();
                unchanged = 0;
            }
        }
        let _tail = self.make();
    }

    fn newest(&mut self) -> Result<u64, LedgerError> {
        self.on_a_line(|line, _| line.read(|db| anchors::newest(db)))
    }

    /// Signs what no anchor covers. Composed and written as of one instant: whoever is second is refused by the server.
    fn make(&mut self) -> Result<(), LedgerError> {
        let before = Moment::now();
        let whole = self.on_a_line(|line, anchors| {
            line.write(|db| {
                let db: &dyn Database = db;
                let composed = anchors::compose(db, &anchors.keys, (anchors.now)())?;
                composed.map_or(Ok(true), |signed| anchors::insert(db, &signed))
            })
        })?;
        if whole {
            self.observer.tell(Event::Anchored { before });
        }
        Ok(())
    }

    /// A line that fails is given up, and the next look opens another.
    fn on_a_line<T>(
        &mut self,
        work: impl FnOnce(&mut Line, &Anchors) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => Line::open(&self.target)?.within(ANSWER_WAIT),
        };
        let done = work(&mut line, self)?;
        self.line = Some(line);
        Ok(done)
    }
}
