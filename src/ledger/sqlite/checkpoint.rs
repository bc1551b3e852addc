//! Owns the thread that moves the write-ahead log into the file while commits go on, so that no commit waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::storage;

#[derive(Debug)]
pub(super) struct Checkpointer {
    /// Room for one wish: a second one while it works changes nothing.
    wishes: mpsc::SyncSender<()>,
    finished: Arc<AtomicBool>,
}

impl Checkpointer {
    pub(super) fn start(path: PathBuf, settings: &Settings) -> Result<Checkpointer, LedgerError> {
        let db = connection::reopen_writer(&path, settings).map_err(storage("open for checkpoints"))?;
        let (wishes, received) = mpsc::sync_channel(1);
        let finished = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&finished);
        std::thread::Builder::new()
            .name("ledger-checkpoint".into())
            .spawn(move || run(&db, &received, &tell))
            .map_err(storage("start its checkpointer"))?;
        Ok(Checkpointer { wishes, finished })
    }

    pub(super) fn begin(&self) {
        // A full channel means that it is at work already, which is all that is wished.
        let _at_work = self.wishes.try_send(());
    }

    /// Whether a checkpoint ended since this was asked last.
    pub(super) fn take_finished(&self) -> bool {
        self.finished.swap(false, Ordering::Relaxed)
    }
}

/// A checkpoint that fails is tried again with the next wish; the log's limit holds meanwhile.
fn run(db: &Connection, wishes: &mpsc::Receiver<()>, finished: &AtomicBool) {
    while wishes.recv().is_ok() {
        let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        finished.store(true, Ordering::Relaxed);
    }
}
