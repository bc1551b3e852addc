//! Owns the one thread that writes: it gathers what waits into one transaction, has it answered once the disk has it,
//! and keeps the write-ahead log bounded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use tokio::time::Instant as Stopwatch;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OptionalExtension as _;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use rusqlite::params;

use crate::domain::calendar::Instant;
use crate::ledger::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::event::Observer;
use crate::ledger::lane::Batches;
use crate::ledger::lane::Now;
use crate::ledger::lane::Standing;
use crate::ledger::lane::Waiting;
use crate::ledger::moved::Moved;
use crate::ledger::recent::Era;
use crate::ledger::recent::Recent;
use crate::ledger::seal::block;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sqlite::Memory;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::anchoring;
use crate::ledger::sqlite::checkpoint::Checkpointer;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::durable::NotDurable;
use crate::ledger::sqlite::durable::Syncer;
use crate::ledger::sqlite::job::Done;
use crate::ledger::sqlite::job::Job;
use crate::ledger::sqlite::reference;
use crate::ledger::sqlite::shared;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::watch::Header;
use crate::ledger::sqlite::whole;
use crate::ledger::sqlite::write;
use crate::ledger::sqlite::write::Moment;
use crate::ledger::sqlite::write::Written;

pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) settings: Settings,
    pub(super) now: Now,
    pub(super) lane: u32,
    /// Dropped before the file is closed, and with it only when all that waits has been told.
    _syncer: Syncer,
    db: Connection,
    memory: Arc<Memory>,
    standing: Standing,
    /// The lane's last block.
    chain: Hash,
    /// Of the records of the batch that is being written.
    leaves: Vec<Hash>,
    /// Pages in the write-ahead log after the last commit.
    log_pages: Arc<AtomicU32>,
    checkpointer: Checkpointer,
    /// Length of the log when the checkpointer began last.
    moved_at: u32,
}

/// Another writer has taken this lane over, or its row is gone.
#[derive(Debug, thiserror::Error)]
#[error("lane {0} is not this writer's any more: restart this node")]
struct LaneLost(u32);

/// A new lane: no other writer, of this or an earlier start, has its number. It begins at the highest floor.
pub(super) fn take_lane(db: &Connection) -> rusqlite::Result<u32> {
    const NUMBER: &str =
        "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'lanes'
         RETURNING CAST(value AS BIGINT)";
    const LANE: &str = "INSERT INTO lane (bucket, lane, epoch, sequence, last_ms, floor_ms)
         SELECT ?1, ?2, 1, 0, 0, COALESCE(MAX(floor_ms), 0) FROM lane";
    let all = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let lane = all.query_row(NUMBER, [], |row| row.get(0))?;
    all.execute(LANE, params![HOME, lane])?;
    all.commit()?;
    Ok(lane)
}

/// The bucket beside which every lane lies: a file has no shards.
const HOME: i64 = 0;

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        settings: Settings,
        now: Now,
        lane: u32,
        db: Connection,
        (memory, syncer): (Arc<Memory>, Syncer),
    ) -> Result<Writer, LedgerError> {
        let checkpointer = Checkpointer::start(path.clone(), &settings)?;
        let standing = Standing { last: Instant::default(), sequence: 0 };
        let mut writer = Writer {
            path,
            settings,
            now,
            lane,
            _syncer: syncer,
            db,
            memory,
            standing,
            chain: block::BEGINNING,
            leaves: Vec::new(),
            log_pages: Arc::default(),
            checkpointer,
            moved_at: 0,
        };
        writer.prepare_connection().map_err(storage("prepare to write"))?;
        Ok(writer)
    }

    /// Until every caller is gone.
    pub(super) fn run(mut self, mut batches: Batches<Job>) {
        while let Some(batch) = batches.gather() {
            let moved = self.take(batch);
            for waiting in batches.take_decided(|job| job.deed().is_some_and(|deed| moved.decides(deed))) {
                waiting.job.answer(Done::Deed(Written::Moved));
            }
            if self.memory.durable.broken().is_none() {
                self.bound_log();
            }
        }
    }

    /// Takes syncs and automatic checkpoints away from commits, and counts the pages that these would have moved.
    fn prepare_connection(&mut self) -> rusqlite::Result<()> {
        self.db.pragma_update(None, "synchronous", "NORMAL")?;
        let pages = Arc::clone(&self.log_pages);
        self.db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
            pages.store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
    }

    /// One transaction for the whole batch, answered once it is durable. When either fails, every caller is told that the
    /// outcome is unknown.
    fn take(&mut self, batch: Vec<Waiting<Job>>) -> Moved {
        if let Some(cause) = self.memory.durable.broken() {
            fail_all(batch, || undurable(&cause));
            return Moved::default();
        }
        let (begun, before) = (Stopwatch::now(), self.standing);
        match self.write_batch(&batch) {
            Ok((done, left)) => {
                let moved = moved_by(&batch, &done);
                self.memory.watch.set_ours(left.filter(|left| left.ours).map(|left| left.header));
                self.answer_once_durable(batch, done, left.map(|left| left.header), begun);
                moved
            }
            Err(cause) => {
                self.memory.watch.set_ours(None);
                self.memory.recent.forget();
                self.standing = before;
                self.recover(&cause);
                let cause = Arc::new(cause);
                tell_of_batch(&self.settings.observer, &batch, begun);
                fail_all(batch, || shared("commit", &cause));
                Moved::default()
            }
        }
    }

    /// Meanwhile the next batches can be written.
    fn answer_once_durable(
        &self,
        batch: Vec<Waiting<Job>>,
        done: Vec<Done>,
        header: Option<Header>,
        begun: Stopwatch,
    ) {
        let (memory, observer) = (Arc::clone(&self.memory), self.settings.observer.clone());
        let era = memory.recent.era();
        self.memory.durable.once(header, move |synced| {
            tell_of_batch(&observer, &batch, begun);
            match synced {
                Ok(()) => answer_all(batch, done, &memory.recent, era, &observer),
                Err(cause) => {
                    memory.recent.forget();
                    fail_all(batch, || undurable(&cause));
                }
            }
        });
        self.memory.durable.wait_for_the_disk();
    }

    /// A deed that the schema refuses, or whose facts have moved, is left out and the batch written again without it: each round leaves one out.
    /// With what our commit made of the log's index.
    fn write_batch(&mut self, batch: &[Waiting<Job>]) -> rusqlite::Result<(Vec<Done>, Option<Left>)> {
        let before = self.standing;
        let mut left_out = BTreeMap::new();
        loop {
            let mut at = 0;
            match self.write_once(batch, &left_out, &mut at) {
                Err(cause) if is_of_the_deed(&cause) && !left_out.contains_key(&at) => {
                    self.standing = before;
                    self.db.prepare_cached("ROLLBACK")?.execute([])?;
                    left_out.insert(at, Why::of(&cause));
                }
                written => return written,
            }
        }
    }

    /// `at` is the job that is being written.
    fn write_once(
        &mut self,
        batch: &[Waiting<Job>],
        left_out: &BTreeMap<usize, Why>,
        at: &mut usize,
    ) -> rusqlite::Result<(Vec<Done>, Option<Left>)> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        // Nobody else can write from here on, so that this is the last of the others.
        let before = self.memory.watch.header().ok();
        if before.is_none() || before != self.memory.watch.ours() {
            self.memory.recent.forget();
        }
        let changes = self.db.total_changes();
        let moment = self.moment()?;
        self.leaves.clear();
        let mut done = Vec::with_capacity(batch.len());
        for (place, waiting) in batch.iter().enumerate() {
            *at = place;
            done.push(match left_out.get(&place) {
                None => self.write_job(&waiting.job, moment)?,
                Some(Why::Stale) => Done::Deed(Written::Moved),
                Some(Why::Unfit(what)) => Done::Refused(what.clone()),
            });
        }
        let chain = self.seal()?;
        self.db.prepare_cached("COMMIT")?.execute([])?;
        self.chain = chain;
        let wrote = self.db.total_changes() != changes;
        let left = self.memory.watch.header().ok().map(|header| Left {
            header,
            ours: before.is_some_and(|before| header.is_left_by(&before, wrote)),
        });
        Ok((done, left))
    }

    /// Closes the block of what the batch has recorded, if it has recorded anything, and moves the lane on.
    fn seal(&self) -> rusqlite::Result<Hash> {
        const SQL: &str = "INSERT INTO block (bucket, lane, first_sequence, records, leaves, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        if self.leaves.is_empty() {
            return Ok(self.chain);
        }
        let first = self.standing.sequence + 1 - self.leaves.len() as u64;
        let header = block::Header::of(self.lane, first, &self.leaves, self.chain);
        let hash = header.hash();
        self.db.prepare_cached(SQL)?.execute(params![
            HOME,
            self.lane,
            whole(first),
            header.records,
            self.leaves.as_flattened(),
            hash
        ])?;
        self.move_lane(&hash)?;
        Ok(hash)
    }

    fn write_job(&mut self, job: &Job, moment: Moment) -> rusqlite::Result<Done> {
        match job {
            Job::Deed { deed, .. } => {
                write::write(&self.db, deed, moment, &mut self.standing, &mut self.leaves).map(Done::Deed)
            }
            Job::Reference { source, change, .. } => {
                let sequence = self.standing.next_place();
                let written = reference::write(&self.db, source, change, moment, sequence)?;
                self.leaves.push(written.leaf);
                Ok(Done::Reference(written.version))
            }
            Job::Floor { floor, .. } => {
                const SQL: &str = "UPDATE lane SET floor_ms = ?1 WHERE floor_ms < ?1";
                self.db.execute(SQL, [floor.0]).map(|_| Done::Floor)
            }
            Job::Anchor { signed, .. } => anchoring::insert(&self.db, signed).map(|()| Done::Anchor),
        }
    }

    fn moment(&self) -> rusqlite::Result<Moment> {
        const SQL: &str = "SELECT floor_ms FROM lane WHERE bucket = ?1 AND lane = ?2 AND epoch = 1";
        let floor =
            self.db.prepare_cached(SQL)?.query_row(params![HOME, self.lane], |row| row.get(0)).optional()?;
        let floor = floor.map(Instant).ok_or_else(|| self.lost())?;
        Ok(Moment { lane: self.lane, clock: (self.now)(), floor })
    }

    fn move_lane(&self, chain: &Hash) -> rusqlite::Result<()> {
        const SQL: &str = "UPDATE lane SET sequence = ?3, last_ms = ?4, chain = ?5
             WHERE bucket = ?1 AND lane = ?2 AND epoch = 1";
        let Standing { last, sequence } = self.standing;
        let moved =
            self.db.prepare_cached(SQL)?.execute(params![HOME, self.lane, whole(sequence), last.0, chain])?;
        if moved == 1 { Ok(()) } else { Err(self.lost()) }
    }

    fn lost(&self) -> rusqlite::Error {
        rusqlite::Error::ToSqlConversionFailure(Box::new(LaneLost(self.lane)))
    }

    /// Back to a state in which the next batch can be tried. After an error of the disk the connection is made anew,
    /// so that nothing in its memory is trusted.
    fn recover(&mut self, cause: &rusqlite::Error) {
        if !self.db.is_autocommit() {
            // What cannot be rolled back is dropped with its connection below.
            let rolled_back = self.db.execute_batch("ROLLBACK");
            if rolled_back.is_ok() && is_passing(cause) {
                return;
            }
        } else if is_passing(cause) {
            return;
        }
        if let Ok(fresh) = connection::reopen_writer(&self.path, &self.settings) {
            self.db = fresh;
            // Without it commits are slower and the log is bounded by SQLite's own automatic checkpoints.
            let _prepared = self.prepare_connection();
        }
    }

    /// The checkpointer moves pages while commits go on, so that few are left at any time. SQLite begins the log anew only
    /// when none is: at some length the few are moved here, between two commits. A log at its limit, which a reader holds or
    /// a slow disk makes, stops commits until as much of it has been moved as can be.
    fn bound_log(&mut self) {
        let pages = self.log_pages.load(Ordering::Relaxed);
        let Settings { wal_checkpoint_pages, wal_restart_pages, wal_limit_pages, .. } = self.settings;
        let long = pages >= wal_restart_pages;
        // Shorter than it was: it has been begun anew.
        let new = pages.checked_sub(self.moved_at).unwrap_or(pages);
        if pages >= wal_limit_pages || (long && self.checkpointer.take_finished()) {
            let _ = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        } else if (long || new >= wal_checkpoint_pages) && self.checkpointer.begin() {
            self.moved_at = pages;
        }
    }
}

/// The log's index after a commit.
#[derive(Clone, Copy)]
struct Left {
    header: Header,
    /// Nobody else has written since.
    ours: bool,
}

/// What the batch has moved.
fn moved_by(batch: &[Waiting<Job>], done: &[Done]) -> Moved {
    let mut moved = Moved::default();
    for (waiting, done) in batch.iter().zip(done) {
        if let (Job::Deed { deed, .. }, Done::Deed(Written::Recorded(place))) = (&waiting.job, done) {
            moved.take(deed, *place);
        }
    }
    moved
}

/// Why a deed is left out of its batch.
enum Why {
    Stale,
    Unfit(String),
}

impl Why {
    fn of(cause: &rusqlite::Error) -> Why {
        if write::is_stale(cause) { Why::Stale } else { Why::Unfit(cause.to_string()) }
    }
}

/// A row that the schema refuses, or that stands otherwise than the deed has read it.
fn is_of_the_deed(cause: &rusqlite::Error) -> bool {
    write::is_stale(cause) || cause.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// A full disk or another process's lock: the connection itself is sound.
fn is_passing(cause: &rusqlite::Error) -> bool {
    matches!(cause.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy))
}

/// What became of a whole batch is known and durable.
fn answer_all(batch: Vec<Waiting<Job>>, done: Vec<Done>, recent: &Recent, era: Era, observer: &Observer) {
    let remember = |(mut waiting, done): (Waiting<Job>, Done)| {
        if let (Job::Deed { deed, .. }, Done::Deed(Written::Recorded(place))) = (&mut waiting.job, &done)
            && let Some(after) = deed.after.take()
        {
            recent.wrote(era, after, place.version, place.at);
        }
        (waiting.job, done)
    };
    // Before anybody is answered: whoever knows of a deed finds it.
    let answers: Vec<_> = batch.into_iter().zip(done).map(remember).collect();
    for (job, done) in &answers {
        if let (Job::Anchor { before, .. }, Done::Anchor) = (job, done) {
            observer.tell(Event::Anchored { before: *before });
        }
    }
    answers.into_iter().for_each(|(job, done)| job.answer(done));
}

fn fail_all(batch: Vec<Waiting<Job>>, why: impl Fn() -> LedgerError) {
    batch.into_iter().for_each(|waiting| waiting.job.fail(&why));
}

fn undurable(cause: &NotDurable) -> LedgerError {
    storage("make a commit durable")(cause.clone())
}

fn tell_of_batch(observer: &Observer, batch: &[Waiting<Job>], begun: Stopwatch) {
    let deeds = batch.iter().filter(|waiting| waiting.job.deed().is_some()).count();
    if deeds > 0 {
        observer.tell(Event::Batch { deeds, took: begun.elapsed() });
    }
}
