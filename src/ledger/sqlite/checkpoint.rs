//! Owns the thread that moves the write-ahead log into the file while commits go on, a little at a time: SQLite has all
//! that was moved made durable at once, and behind much of it the next commit's own few pages would queue up.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::storage;

#[derive(Debug)]
pub(super) struct Checkpointer {
    /// The thread ends with the other end of this.
    wishes: mpsc::Sender<()>,
    stage: Arc<AtomicU8>,
}

/// How far a checkpoint is: the writer begins it and takes note of its end, the thread does what lies between.
mod stage {
    pub(super) const NONE: u8 = 0;
    pub(super) const AT_WORK: u8 = 1;
    pub(super) const FINISHED: u8 = 2;
}

impl Checkpointer {
    pub(super) fn start(path: PathBuf, settings: &Settings) -> Result<Checkpointer, LedgerError> {
        let db = connection::reopen_writer(&path, settings).map_err(storage("open for checkpoints"))?;
        let (wishes, received) = mpsc::channel();
        let stage = Arc::new(AtomicU8::new(stage::NONE));
        let tell = Arc::clone(&stage);
        std::thread::Builder::new()
            .name("ledger-checkpoint".into())
            .spawn(move || run(&db, &received, &tell))
            .map_err(storage("start its checkpointer"))?;
        Ok(Checkpointer { wishes, stage })
    }

    /// Whether it was at rest. One that is at work is left to it.
    pub(super) fn begin(&self) -> bool {
        let from = |stage| self.moves_on(stage, stage::AT_WORK);
        let at_rest = from(stage::NONE) || from(stage::FINISHED);
        if at_rest {
            // The thread lives as long as this end does.
            let _begun = self.wishes.send(());
        }
        at_rest
    }

    /// Whether a checkpoint ended since this was asked last.
    pub(super) fn take_finished(&self) -> bool {
        self.moves_on(stage::FINISHED, stage::NONE)
    }

    fn moves_on(&self, from: u8, to: u8) -> bool {
        self.stage.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// A checkpoint that fails is tried again with the next wish; the log's limit holds meanwhile.
fn run(db: &Connection, wishes: &mpsc::Receiver<()>, stage: &AtomicU8) {
    while wishes.recv().is_ok() {
        let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        stage.store(stage::FINISHED, Ordering::Release);
    }
}
