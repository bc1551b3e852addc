//! Owns when and how anchors are made: a thread that signs once a second what the lanes have recorded meanwhile, and
//! once more when the ledger is closed, so that no answer ever waits for a signature.

use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::time::Instant as Moment;

use rusqlite::Connection;
use rusqlite::TransactionBehavior;

use crate::ledger::LedgerError;
use crate::ledger::books::anchors;
use crate::ledger::event::Event;
use crate::ledger::lane::Now;
use crate::ledger::lane::Queue;
use crate::ledger::seal::anchor::ANCHOR_EVERY_MS;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::sqlite::File;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::job::Job;
use crate::ledger::sqlite::of_the_file;
use crate::ledger::sqlite::read::snapshot;
use crate::ledger::storage;

/// The thread that makes them.
pub(super) struct Anchorer {
    /// Dropped when the ledger is closed.
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Anchorer {
    pub(super) fn start(file: Arc<File>, queue: Queue<Job>, now: Now) -> std::io::Result<Anchorer> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("ledger-anchor".into())
            .spawn(move || run(&file, &queue, &now, &stopped))?;
        Ok(Anchorer { stop, thread })
    }

    pub(super) fn end(self) {
        drop(self.stop);
        // A thread that panicked has told so itself; the anchor at the close covers what it left.
        let _ended = self.thread.join();
    }
}

/// What cannot be anchored now is part of the next anchor.
fn run(file: &File, queue: &Queue<Job>, now: &Now, stopped: &mpsc::Receiver<()>) {
    let every = Duration::from_millis(ANCHOR_EVERY_MS);
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(every) {
        let before = Moment::now();
        let composed = file.read(|db, secrets| snapshot(db, |db| anchors::compose(db, &secrets.keys, now())));
        match composed {
            Ok(Some(signed)) => {
                let _full = queue.push(Job::Anchor { signed: Box::new(signed), before });
            }
            Ok(None) => file.settings.observer.tell(Event::Anchored { before }),
            Err(_) => {}
        }
    }
}

/// The anchor at the close, by itself: the writer has ended.
pub(super) fn finish(file: &File, now: &Now) -> Result<(), LedgerError> {
    let mut db =
        connection::reopen_writer(&file.path, &file.settings).map_err(storage("open for the last anchor"))?;
    let failed = || storage("write the last anchor");
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
    if let Some(signed) = anchors::compose(&*all, &file.secrets.keys, now())? {
        anchors::insert(&*all, &signed)?;
    }
    all.commit().map_err(failed())
}

/// Writes an anchor inside the writer's own transaction.
pub(super) fn insert(db: &Connection, signed: &Signed) -> rusqlite::Result<()> {
    anchors::insert(db, signed).map(|_| ()).map_err(of_the_file)
}
