//! Owns when and how anchors are made: a thread that signs once a second what the lanes have recorded meanwhile, and
//! once more when the ledger is closed, so that no answer ever waits for a signature.

use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::TransactionBehavior;
use rusqlite::params;

use crate::domain::calendar::Instant;
use crate::ledger::LedgerError;
use crate::ledger::lane::Now;
use crate::ledger::lane::Queue;
use crate::ledger::seal::anchor;
use crate::ledger::seal::anchor::ANCHOR_EVERY_MS;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sqlite::File;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::read::snapshot;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::ledger::sqlite::writer::Job;
use crate::vault::key_store::KeyStore;

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
        let composed = file.read(|db, secrets| snapshot(db, |db| compose(db, &secrets.keys, now())));
        if let Ok(Some(signed)) = composed {
            let _full = queue.push(Job::Anchor { signed: Box::new(signed) });
        }
    }
}

/// The anchor at the close, by itself: the writer has ended.
pub(super) fn finish(file: &File, now: &Now) -> Result<(), LedgerError> {
    let mut db =
        connection::reopen_writer(&file.path, &file.settings).map_err(storage("open for the last anchor"))?;
    let failed = || storage("write the last anchor");
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
    if let Some(signed) = compose(&all, &file.secrets.keys, now())? {
        insert(&all, &signed).map_err(failed())?;
    }
    all.commit().map_err(failed())
}

/// Signs every block that no anchor covers. `None` when there is none.
fn compose(db: &Connection, keys: &KeyStore, now: Instant) -> Result<Option<Signed>, LedgerError> {
    let gathered = gather(db).map_err(storage("read what is to be anchored"))?;
    let Some(Gathered { number, previous, stretches, blocks }) = gathered else { return Ok(None) };
    let key = keys.signing_key();
    let root = Anchor::root_of(&blocks);
    let anchor = Anchor { number, at_ms: now.0, previous, stretches, root, key: key.id().to_owned() };
    let signature = key.sign(&anchor.hash());
    Ok(Some(Signed { anchor, signature }))
}

struct Gathered {
    number: u64,
    previous: Hash,
    stretches: Vec<Stretch>,
    blocks: Vec<Hash>,
}

fn gather(db: &Connection) -> rusqlite::Result<Option<Gathered>> {
    const LANES: &str =
        "SELECT lane, (SELECT MAX(last_sequence) FROM anchored a WHERE a.lane = l.lane) AS covered
         FROM lane l WHERE sequence > COALESCE(covered, 0) ORDER BY lane";
    const BLOCKS: &str = "SELECT first_sequence, records, hash FROM block
         WHERE bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0)
           AND lane = ?1 AND first_sequence > ?2 ORDER BY first_sequence";
    let (mut stretches, mut blocks) = (Vec::new(), Vec::new());
    let mut lanes = db.prepare_cached(LANES)?;
    let mut lanes = lanes.query([])?;
    while let Some(row) = lanes.next()? {
        let (lane, covered): (u32, Option<i64>) = (row.get(0)?, row.get(1)?);
        let mut stretch: Option<Stretch> = None;
        let mut found = db.prepare_cached(BLOCKS)?;
        let mut found = found.query(params![lane, covered.unwrap_or(0)])?;
        while let Some(row) = found.next()? {
            let (first, records) = (row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, u32>(1)?);
            blocks.push(row.get(2)?);
            let begun = stretch.map_or((first, 0), |stretch| (stretch.first, stretch.blocks));
            let last = first + u64::from(records) - 1;
            stretch = Some(Stretch { lane, first: begun.0, last, blocks: begun.1 + 1 });
        }
        stretches.extend(stretch);
    }
    if stretches.is_empty() {
        return Ok(None);
    }
    let last = last(db)?;
    let (number, previous) = last.map_or((1, anchor::BEGINNING), |last| (last.number + 1, last.hash()));
    Ok(Some(Gathered { number, previous, stretches, blocks }))
}

/// The newest anchor.
pub(super) fn last(db: &Connection) -> rusqlite::Result<Option<Anchor>> {
    let number: Option<i64> = db.query_row("SELECT MAX(number) FROM anchor", [], |row| row.get(0))?;
    number
        .map(|number| read(db, number.unsigned_abs()))
        .transpose()
        .map(|found| found.flatten().map(|s| s.anchor))
}

/// An anchor as it is kept.
pub(super) fn read(db: &Connection, number: u64) -> rusqlite::Result<Option<Signed>> {
    const SQL: &str = "SELECT at_ms, previous, root, signing_key, signature FROM anchor WHERE number = ?1";
    const STRETCHES: &str = "SELECT lane, first_sequence, last_sequence, blocks FROM anchored
         WHERE anchor = ?1 ORDER BY lane";
    let mut found = db.prepare_cached(STRETCHES)?;
    let stretches = found
        .query_map([whole(number)], |row| {
            Ok(Stretch {
                lane: row.get(0)?,
                first: row.get::<_, i64>(1)?.unsigned_abs(),
                last: row.get::<_, i64>(2)?.unsigned_abs(),
                blocks: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    db.prepare_cached(SQL)?
        .query_row([whole(number)], |row| {
            let (at_ms, previous, root, key) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let anchor = Anchor { number, at_ms, previous, stretches, root, key };
            Ok(Signed { anchor, signature: row.get(4)? })
        })
        .optional()
}

/// Writes an anchor inside the running transaction, unless another process has written one since it was composed: then
/// the next one covers what this one would have.
pub(super) fn insert(db: &Connection, signed: &Signed) -> rusqlite::Result<()> {
    const ANCHOR: &str = "INSERT INTO anchor (number, at_ms, previous, root, signing_key, signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const STRETCH: &str = "INSERT INTO anchored (lane, last_sequence, first_sequence, blocks, anchor)
         VALUES (?1, ?2, ?3, ?4, ?5)";
    let Signed { anchor, signature } = signed;
    let newest: Option<i64> =
        db.prepare_cached("SELECT MAX(number) FROM anchor")?.query_row([], |row| row.get(0))?;
    if newest.unwrap_or(0) + 1 != whole(anchor.number) {
        return Ok(());
    }
    db.prepare_cached(ANCHOR)?.execute(params![
        whole(anchor.number),
        anchor.at_ms,
        anchor.previous,
        anchor.root,
        anchor.key,
        signature
    ])?;
    for stretch in &anchor.stretches {
        db.prepare_cached(STRETCH)?.execute(params![
            stretch.lane,
            whole(stretch.last),
            whole(stretch.first),
            stretch.blocks,
            whole(anchor.number)
        ])?;
    }
    Ok(())
}
