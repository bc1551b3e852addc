//! Owns the thread that moves the write-ahead log into the file while commits go on, a little at a time: SQLite has all
//! that was moved made durable at once, and behind much of it the next commit's own few pages would queue up.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::storage;

#[derive(Debug)]
pub(super) struct Checkpointer {
    /// The thread ends when this is gone.
    wishes: Option<mpsc::Sender<()>>,
    stage: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
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
        let thread = std::thread::Builder::new()
            .name("ledger-checkpoint".into())
            .spawn(move || run(&db, &received, &tell))
            .map_err(storage("start its checkpointer"))?;
        Ok(Checkpointer { wishes: Some(wishes), stage, thread: Some(thread) })
    }

    /// Whether it was at rest. One that is at work is left to it.
    pub(super) fn begin(&self) -> bool {
        let from = |stage| self.moves_on(stage, stage::AT_WORK);
        let at_rest = from(stage::NONE) || from(stage::FINISHED);
        if at_rest {
            // The thread lives as long as this end does.
            let _begun = self.wishes.as_ref().map(|wishes| wishes.send(()));
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

/// Its connection may be the last one, which moves the rest of the log into the file and takes the log away: whoever has
/// closed the ledger finds it closed.
impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.wishes.take());
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

/// A checkpoint that fails is tried again with the next wish; the log's limit holds meanwhile.
fn run(db: &Connection, wishes: &mpsc::Receiver<()>, stage: &AtomicU8) {
    while wishes.recv().is_ok() {
        let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        stage.store(stage::FINISHED, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::domain::calendar::Instant;
    use crate::ledger::Ledger as _;
    use crate::ledger::secrets::Secrets;
    use crate::ledger::sqlite::Settings;
    use crate::ledger::sqlite::SqliteLedger;

    const BEGIN: Instant = Instant(1_795_480_200_000);

    #[tokio::test]
    async fn a_ledger_that_was_closed_has_no_log_left_even_when_a_checkpoint_was_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        // Every commit asks for a checkpoint.
        let settings = Settings { wal_checkpoint_pages: 1, ..Settings::default() };
        let secrets = Secrets::make_in(folder.path(), BEGIN).unwrap();
        for start in 0..20 {
            let (settings, secrets) = (settings.clone(), secrets.clone());
            let ledger = SqliteLedger::open(&path, settings, secrets, Arc::new(|| BEGIN)).unwrap();
            ledger.raise_floor(Instant(BEGIN.0 + start)).await.unwrap();
            drop(ledger);
            assert!(!folder.path().join("ledger.db-wal").exists(), "start {start}");
        }
    }
}
