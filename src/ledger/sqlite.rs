//! Owns the embedded ledger: one SQLite file, one thread that writes in batches, a pool of connections that read.
//!
//! Look-ups of a few rows run where they are called: they come from memory, and a hand-over to another thread costs
//! more than they do. Whatever reads many rows goes to a thread that may block. Several processes may share a file:
//! each takes the write lock for one batch at a time and waits for it a bounded time.

mod anchoring;
pub mod backup;
mod checkpoint;
mod connection;
mod durable;
mod job;
mod month;
mod read;
mod reference;
pub mod restore;
mod verify;
mod watch;
mod write;
mod writer;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread::JoinHandle;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::ledger::ClearingRow;
use crate::ledger::Committed;
use crate::ledger::Deed;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::Receipted;
use crate::ledger::ReferenceChange;
use crate::ledger::ReferenceRows;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::Witness;
use crate::ledger::books;
use crate::ledger::books::anchors;
use crate::ledger::books::questions;
use crate::ledger::books::receipts;
use crate::ledger::credential::Credential;
use crate::ledger::event::Observer;
use crate::ledger::key;
use crate::ledger::lane;
use crate::ledger::lane::NotQueued;
use crate::ledger::lane::Now;
use crate::ledger::lane::Queue;
use crate::ledger::prepared;
use crate::ledger::recent;
use crate::ledger::recent::Recent;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::anchoring::Anchorer;
use crate::ledger::sqlite::durable::Durable;
use crate::ledger::sqlite::durable::SyncLog;
use crate::ledger::sqlite::job::Job;
use crate::ledger::sqlite::watch::Watch;
use crate::ledger::sqlite::write::Written;
use crate::ledger::sqlite::writer::Writer;
use crate::ledger::storage;
use crate::ledger::whole;

/// The limits of the embedded ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Deeds waiting or being written; one more is shed.
    pub queue_limit: usize,
    /// Deeds in one transaction.
    pub batch_max: usize,
    /// How long a batch waits for another process's batch.
    pub busy_timeout_ms: u64,
    /// So many new pages in the write-ahead log are moved into the file together, beside the commits. Many at once are
    /// less work, but the disk is then busy with them for as long as commits wait.
    pub wal_checkpoint_pages: u32,
    /// From this length on the log is begun anew, for which commits wait some milliseconds.
    pub wal_restart_pages: u32,
    /// At this length commits wait until it has been moved.
    pub wal_limit_pages: u32,
    /// What it does not hold comes from the system's own cache. At the end of a commit that split a page SQLite walks
    /// through as many places as it has pages, so that a very large one costs more than it saves.
    pub writer_cache_kib: i64,
    /// What is kept in memory ready for decisions.
    pub recent: recent::Limits,
    /// Of each reader.
    pub reader_cache_kib: i64,
    /// Decided when the file is made. That of the system's own blocks: of a smaller page the disk gets a whole block all
    /// the same when it is moved out of the log. A settlement costs more with 1,024, 2,048, 8,192 and 16,384 alike.
    pub page_bytes: i64,
    /// The file may not grow beyond this: `None` leaves it to the disk.
    pub pages_max: Option<u32>,
    /// Is told what happens.
    pub observer: Observer,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            queue_limit: 8192,
            batch_max: 256,
            busy_timeout_ms: 5_000,
            wal_checkpoint_pages: 128,
            wal_restart_pages: 65_536,
            wal_limit_pages: 131_072,
            writer_cache_kib: 16_384,
            recent: recent::Limits::default(),
            reader_cache_kib: 8_192,
            page_bytes: 4_096,
            pages_max: None,
            observer: Observer::default(),
        }
    }
}

/// A ledger in one file.
pub struct SqliteLedger {
    file: Arc<File>,
    /// `None` once it is being closed, and where it is only read.
    queue: Option<Queue<Job>>,
    writer: Option<JoinHandle<()>>,
    anchorer: Option<Anchorer>,
    now: Now,
    lane: u32,
}

/// What was read and written of late, and how we know that it still stands.
struct Memory {
    recent: Recent,
    watch: Arc<Watch>,
    durable: Arc<Durable>,
}

/// What reads share.
struct File {
    path: PathBuf,
    settings: Settings,
    secrets: Secrets,
    /// `None` where the file is only read: others write it, and often.
    memory: Option<Arc<Memory>>,
    /// Connections that nobody uses at the moment; never more than were used at once.
    idle: Mutex<Vec<Connection>>,
}

impl SqliteLedger {
    /// Opens the file, makes it where there is none, empties the log that an earlier process has left, and takes a new lane.
    /// Reads nothing of what it holds.
    ///
    /// # Errors
    /// `Newer`, `OtherKey` or `Damaged` when the file is not one to write into; `Storage` when it cannot be used.
    pub fn open(
        path: &Path,
        settings: Settings,
        secrets: Secrets,
        now: Now,
    ) -> Result<SqliteLedger, LedgerError> {
        SqliteLedger::open_synced(path, settings, secrets, now, |log| Box::new(move || log.sync_data()))
    }

    /// `by`: how the log is brought to the disk.
    fn open_synced(
        path: &Path,
        settings: Settings,
        secrets: Secrets,
        now: Now,
        by: impl FnOnce(std::fs::File) -> SyncLog,
    ) -> Result<SqliteLedger, LedgerError> {
        let db = connection::open_writer(path, &settings, &secrets.lookup)?;
        connection::empty_log(&db, &settings).map_err(storage("empty its log"))?;
        let lane = writer::take_lane(&db).map_err(storage("take a lane"))?;
        let (queue, batches) = lane::queue(settings.queue_limit, settings.batch_max);
        let watch = Arc::new(Watch::open(path).map_err(storage("watch for other writers"))?);
        let durable = Durable::new(Arc::clone(&watch), settings.observer.clone());
        let log = durable::log_of(path).map_err(storage("open its log"))?;
        let syncer = durable.start(by(log)).map_err(storage("start what makes its log durable"))?;
        let memory = Arc::new(Memory { recent: Recent::new(settings.recent), watch, durable });
        let written = (Arc::clone(&memory), syncer);
        let writer = Writer::new(path.to_owned(), settings.clone(), Arc::clone(&now), lane, db, written)?;
        let writer = std::thread::Builder::new()
            .name("ledger-writer".into())
            .spawn(move || writer.run(batches))
            .map_err(storage("start its writer"))?;
        let (path, memory, idle) = (path.to_owned(), Some(memory), Mutex::default());
        let file = Arc::new(File { path, settings, secrets, memory, idle });
        let anchorer = Anchorer::start(Arc::clone(&file), queue.clone(), Arc::clone(&now))
            .map_err(storage("start its anchors"))?;
        let (queue, writer, anchorer) = (Some(queue), Some(writer), Some(anchorer));
        Ok(SqliteLedger { file, queue, writer, anchorer, now, lane })
    }

    /// Opens a file that is there, to read it and nothing else: reports beside a running gateway. Every deed is refused
    /// with `Stopping`.
    ///
    /// # Errors
    /// As `open`; `Storage` also when there is no such file.
    pub fn open_to_read(
        path: &Path,
        settings: Settings,
        secrets: Secrets,
    ) -> Result<SqliteLedger, LedgerError> {
        let db = connection::open_as_it_stands(path, &settings, &secrets.lookup)?;
        let idle = Mutex::new(vec![db]);
        let file = Arc::new(File { path: path.to_owned(), settings, secrets, memory: None, idle });
        let now: Now = Arc::new(Instant::default);
        Ok(SqliteLedger { file, queue: None, writer: None, anchorer: None, now, lane: 0 })
    }

    fn push<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, LedgerError>>) -> Job,
    ) -> Result<oneshot::Receiver<Result<T, LedgerError>>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(LedgerError::Stopping)?;
        queue.push(job(reply)).map_err(|refused| match refused {
            NotQueued::Full { limit } => LedgerError::Full { limit },
            NotQueued::Stopped => LedgerError::Stopping,
        })?;
        Ok(answer)
    }

    /// Runs a read of many rows on a thread that may block.
    fn aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Secrets) -> Result<T, LedgerError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, LedgerError>> {
        let file = Arc::clone(&self.file);
        async move {
            let done = tokio::task::spawn_blocking(move || file.read(read)).await;
            self.file.told(done.unwrap_or_else(|broken| Err(storage("finish a read")(broken)))).await
        }
        .boxed()
    }

    /// Runs a read of a few rows here and now.
    fn here<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Secrets) -> Result<T, LedgerError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, LedgerError>> {
        async move { self.file.told(self.file.read(read)).await }.boxed()
    }
}

/// Verifies a file, live or a copy, without becoming one of its nodes.
///
/// # Errors
/// `Storage` when there is no such file or it cannot be read; what is wrong in it is in [`Verified::faults`].
pub fn verify_file(
    path: &Path,
    settings: &Settings,
    secrets: &Secrets,
    wish: &Verify,
) -> Result<Verified, LedgerError> {
    at_rest(path)?;
    drop(connection::open_as_it_stands(path, settings, &secrets.lookup)?);
    let verified = verify::verify(path, settings, secrets, wish)?;
    durable::sync_log(path).map(|()| verified)
}

/// The newest anchor of a file, to be kept elsewhere.
///
/// # Errors
/// `Storage` when there is no such file or it cannot be read.
pub fn head_of(path: &Path, settings: &Settings) -> Result<Option<Witness>, LedgerError> {
    at_rest(path)?;
    let db = connection::open_of_this_version(path, settings)?;
    let last = anchors::last(&db)?;
    durable::sync_log(path)?;
    Ok(last.map(|anchor| Witness { number: anchor.number, hash: anchor.hash() }))
}

/// The receipt of a settlement in a file.
///
/// # Errors
/// `Storage` when there is no such file or it cannot be read.
pub fn receipt_of(path: &Path, settings: &Settings, id: &SettlementId) -> Result<Receipted, LedgerError> {
    at_rest(path)?;
    let db = connection::open_of_this_version(path, settings)?;
    let receipt = read::snapshot(&db, |db| receipts::receipt(db, id))?;
    durable::sync_log(path).map(|()| receipt)
}

/// A file must be there already: reading makes none.
fn at_rest(path: &Path) -> Result<(), LedgerError> {
    std::fs::metadata(path).map(|_| ()).map_err(storage("find its file"))
}

/// Everything that was queued is written and anchored before the file is closed.
impl Drop for SqliteLedger {
    fn drop(&mut self) {
        self.anchorer.take().into_iter().for_each(Anchorer::end);
        drop(self.queue.take());
        let Some(writer) = self.writer.take() else { return };
        // A writer that panicked has told so on its own thread.
        let _ended = writer.join();
        let refused = self.file.memory.as_ref().is_some_and(|memory| memory.durable.broken().is_some());
        if !refused {
            // What could not be anchored is the tail that the next start anchors.
            let _anchored = anchoring::finish(&self.file, &self.now);
        }
    }
}

impl File {
    /// From memory where that still stands, else from the file.
    async fn look_up(&self, wanted: &LookUp) -> Result<Found, LedgerError> {
        let look = |db: &Connection, secrets: &Secrets| read::look_up(db, secrets, wanted);
        let Some(memory) = &self.memory else {
            return self.told(self.read(look)).await;
        };
        // A message that may have been done before is in the file alone.
        let ours = memory.watch.is_ours();
        if ours
            && (wanted.key.is_none() || wanted.remembered)
            && let Some(found) = memory.recent.found(&self.secrets.lookup, wanted)
        {
            return Ok(found);
        }
        let mark = if ours { memory.recent.mark_for(&self.secrets.lookup, &wanted.who) } else { None };
        let found = self.read(look)?;
        // For a deed and nothing else: its own commit is durable after what it was decided on.
        let by_its_deed = wanted.remembered && found.tells_no_message();
        if !by_its_deed {
            self.durable().await?;
        }
        if let (Some(mark), Some(facts)) = (mark, &found.facts)
            && (!by_its_deed || memory.durable.has_all())
        {
            memory.recent.keep(mark, facts);
        }
        Ok(found)
    }

    /// What was read, once the disk has it.
    async fn told<T>(&self, read: Result<T, LedgerError>) -> Result<T, LedgerError> {
        let found = read?;
        self.durable().await.map(|()| found)
    }

    /// Returns when the disk has all that could be read until now: nothing else may be told.
    async fn durable(&self) -> Result<(), LedgerError> {
        match &self.memory {
            Some(memory) => memory.durable.reached().await,
            None => durable::sync_log(&self.path),
        }
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection, &Secrets) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match idle {
            Some(db) => db,
            None => connection::open_reader(&self.path, &self.settings).map_err(storage("open to read"))?,
        };
        let found = read(&db, &self.secrets);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        found
    }
}

impl Ledger for SqliteLedger {
    fn look_up(&self, wanted: LookUp) -> BoxFuture<'_, Result<Found, LedgerError>> {
        async move { self.file.look_up(&wanted).await }.boxed()
    }

    fn commit(&self, facts: Facts, deed: Deed) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        async move {
            let person = facts.key.clone();
            let ready = Box::new(prepared::prepare(&self.file.secrets, facts, &deed, (self.now)())?);
            let stay_version = ready.stay.as_ref().map(|stay| stay.version + 1);
            let answer = self.push(|reply| Job::Deed { deed: ready, reply })?;
            let written = answer.await.map_err(storage("learn what became of a commit"))??;
            Ok(match written {
                Written::Moved => Committed::FactsMoved,
                Written::Recorded(place) => {
                    Committed::Recorded(Arc::new(prepared::recorded(person, deed, stay_version, place)))
                }
            })
        }
        .boxed()
    }

    fn find_persons(&self, credential: Credential) -> BoxFuture<'_, Result<Vec<PersonKey>, LedgerError>> {
        self.here(move |db, secrets| questions::find_persons(db, secrets, &credential))
    }

    fn records(
        &self,
        person: &PersonKey,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Record>>, LedgerError>> {
        let person = person.clone();
        self.aside(move |db, secrets| {
            questions::records(db, secrets, key::bucket_of(&secrets.lookup, &person), &person, from, limit)
        })
    }

    fn settlement(&self, id: &SettlementId) -> BoxFuture<'_, Result<Option<Arc<Record>>, LedgerError>> {
        let id = id.clone();
        self.here(move |db, secrets| questions::settlement(db, secrets, &id))
    }

    fn receipt(&self, id: &SettlementId) -> BoxFuture<'_, Result<Receipted, LedgerError>> {
        let id = id.clone();
        self.aside(move |db, _| read::snapshot(db, |db| receipts::receipt(db, &id)))
    }

    fn trace(
        &self,
        message: &MessageId,
        institution: Option<&InstitutionCode>,
    ) -> BoxFuture<'_, Result<Vec<(MessageKey, Message)>, LedgerError>> {
        let (message, institution) = (message.clone(), institution.cloned());
        self.aside(move |db, secrets| {
            read::snapshot(db, |db| questions::trace(db, secrets, &message, institution.as_ref()))
        })
    }

    fn month(
        &self,
        month: Month,
        after: Option<&SettlementId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ClearingRow>, LedgerError>> {
        let after = after.cloned();
        self.aside(move |db, _| month::month(db, month, after.as_ref(), limit))
    }

    fn reference(&self) -> BoxFuture<'_, Result<ReferenceRows, LedgerError>> {
        self.aside(|db, _| read::snapshot(db, |db| books::reference::read(db)))
    }

    fn reference_version(&self) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.here(|db, _| books::reference::version(db))
    }

    fn record_reference(
        &self,
        source: String,
        change: ReferenceChange,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        async move {
            let answer = self.push(|reply| Job::Reference { source, change, reply })?;
            answer.await.map_err(storage("learn what became of a change"))?
        }
        .boxed()
    }

    fn raise_floor(&self, floor: Instant) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move {
            let answer = self.push(|reply| Job::Floor { floor, reply })?;
            answer.await.map_err(storage("learn what became of a floor"))?
        }
        .boxed()
    }

    fn verify(&self, wish: Verify) -> BoxFuture<'_, Result<Verified, LedgerError>> {
        let file = Arc::clone(&self.file);
        async move {
            let verified = tokio::task::spawn_blocking(move || {
                verify::verify(&file.path, &file.settings, &file.secrets, &wish)
            });
            let verified = verified.await.unwrap_or_else(|broken| Err(storage("finish to verify")(broken)));
            self.file.told(verified).await
        }
        .boxed()
    }

    fn forget_recent(&self) {
        self.file.memory.iter().for_each(|memory| memory.recent.forget());
    }

    fn remembers(&self) -> bool {
        true
    }

    fn bucket(&self, person: &PersonKey) -> Bucket {
        key::bucket_of(&self.file.secrets.lookup, person)
    }

    fn lane(&self) -> u32 {
        self.lane
    }
}

/// What the file said, for the writer, which tells by it what became of a batch.
fn of_the_file(cause: LedgerError) -> rusqlite::Error {
    match cause {
        LedgerError::Storage { what, cause } => match cause.downcast::<rusqlite::Error>() {
            Ok(of_the_file) => *of_the_file,
            Err(cause) => unkept(LedgerError::Storage { what, cause }),
        },
        other => unkept(other),
    }
}

fn unkept(cause: LedgerError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(cause))
}

/// The one cause of a failed batch, told to each of its callers.
fn shared(what: &'static str, cause: &Arc<rusqlite::Error>) -> LedgerError {
    LedgerError::Storage { what, cause: Box::new(BatchFailed(Arc::clone(cause))) }
}

#[derive(Debug, thiserror::Error)]
#[error("a whole batch failed; ask by message key whether the deed stands")]
struct BatchFailed(#[source] Arc<rusqlite::Error>);
