//! Owns the second reading of a file: each entry is held against the ledger and, when it is meant, recorded. One thread
//! reads, several workers keep many entries in flight, so that the ledger's batches are full.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::PoisonError;

use futures_util::StreamExt as _;
use futures_util::TryStreamExt as _;
use futures_util::stream;
use tokio::sync::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::command::import::check::Marked;
use crate::command::import::check::bar;
use crate::command::import::failed::Failed;
use crate::command::import::places::Moved;
use crate::command::import::places::Places;
use crate::command::import::report::Tally;
use crate::protocol::files::sheet::Said;
use crate::service::import::apply::Done;
use crate::service::import::apply::Importer;
use crate::service::import::apply::Outcome;
use crate::service::import::differences::Difference;
use crate::service::import::incoming::Incoming;

/// Entries that are handed to a worker at once.
const CHUNK: usize = 2048;
/// Chunks read ahead.
const CHUNKS_AHEAD: usize = 8;
/// Tasks that work; each has as many entries in flight as follows.
const WORKERS: usize = 4;
const IN_FLIGHT_EACH: usize = 1024;

/// Whether entries are only compared, or recorded too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Plan,
    Apply,
}

/// A checked file and where it goes.
pub struct Sweep {
    pub file: Marked,
    pub places: Arc<Places>,
    /// How many entries the check counted.
    pub entries: u64,
    pub importer: Importer,
    pub progress: bool,
}

/// What the workers share.
struct Shared {
    chunks: Mutex<mpsc::Receiver<Vec<Said>>>,
    importer: Importer,
    mode: Mode,
    list: Option<List>,
    bar: indicatif::ProgressBar,
}

/// The file into which every difference is written.
struct List {
    path: PathBuf,
    writer: StdMutex<csv::Writer<File>>,
}

impl Sweep {
    /// Goes through the file once.
    ///
    /// # Errors
    /// When the ledger fails, or the file is no longer the one that was checked. What was recorded stands.
    pub async fn run(&self, mode: Mode, differences: Option<&Path>) -> Result<Tally, Failed> {
        let moved = || Failed::FileMoved { path: self.file.path.clone() };
        if !self.file.is_same() {
            return Err(moved());
        }
        let cannot = |cause| Failed::File { path: self.file.path.clone(), cause };
        let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let (places, file) = (Arc::clone(&self.places), self.file.file.try_clone().map_err(cannot)?);
        let reading = tokio::task::spawn_blocking(move || read(&places, &file, &sender));
        let what = if mode == Mode::Apply { "applying" } else { "comparing" };
        let shared = Arc::new(Shared {
            chunks: Mutex::new(chunks),
            importer: self.importer.clone(),
            mode,
            list: differences.map(List::create).transpose()?,
            bar: bar(self.entries, self.progress, what),
        });
        // Dropped with this future, so that an import which is given up leaves nobody working.
        let mut workers = JoinSet::new();
        (0..WORKERS).for_each(|_| {
            workers.spawn(work(Arc::clone(&shared)));
        });
        let (mut tally, mut failed) = (Tally::default(), None);
        while let Some(worker) = workers.join_next().await {
            match worker.map_err(|_| Failed::Broken).flatten() {
                Ok(part) => tally.merge(part),
                Err(cause) => failed = Some(cause),
            }
        }
        shared.bar.finish_and_clear();
        if let Some(cause) = failed {
            return Err(cause);
        }
        let read = reading.await.map_err(|_| Failed::Broken)?;
        if read.is_err() || !self.file.is_same() {
            return Err(moved());
        }
        if let Some(list) = &shared.list {
            list.finish()?;
        }
        Ok(tally)
    }
}

/// Reads the file into the channel, in the order of the ledger.
fn read(places: &Places, file: &File, sender: &mpsc::Sender<Vec<Said>>) -> Result<(), Moved> {
    for group in places.groups(CHUNK) {
        if sender.blocking_send(group.read(file)?).is_err() {
            break; // the workers have stopped: their reason is told
        }
    }
    Ok(())
}

async fn work(shared: Arc<Shared>) -> Result<Tally, Failed> {
    let mut tally = Tally::default();
    loop {
        let chunk = shared.chunks.lock().await.recv().await;
        let Some(chunk) = chunk else { return Ok(tally) };
        let length = chunk.len() as u64;
        let done = work_off(&shared, chunk, &mut tally).await;
        if let Err(cause) = done {
            shared.chunks.lock().await.close();
            return Err(cause);
        }
        shared.bar.inc(length);
    }
}

async fn work_off(shared: &Shared, chunk: Vec<Said>, tally: &mut Tally) -> Result<(), Failed> {
    let persons = by_person(chunk);
    let outcomes = stream::iter(persons).map(|entries| shared.one_person(entries));
    let mut outcomes = std::pin::pin!(outcomes.buffer_unordered(IN_FLIGHT_EACH));
    while let Some(of_person) = outcomes.try_next().await? {
        for (said, Done { outcome, other_holder }) in of_person {
            if let Some(other) = other_holder {
                tally.warn_of_certificate(said.line, &other);
            }
            if let (Some(list), Outcome::Changed(differences)) = (&shared.list, &outcome) {
                list.write(&said.what, differences)?;
            }
            tally.take(&said, outcome);
        }
    }
    Ok(())
}

/// What one person has stands together: it is worked off in its order, since each deed moves her version on.
fn by_person(chunk: Vec<Said>) -> Vec<Vec<Said>> {
    let mut persons: Vec<Vec<Said>> = Vec::new();
    for said in chunk {
        match persons.last_mut() {
            Some(entries) if entries[0].what.person() == said.what.person() => entries.push(said),
            Some(_) | None => persons.push(vec![said]),
        }
    }
    persons
}

impl Shared {
    async fn one_person(&self, entries: Vec<Said>) -> Result<Vec<(Said, Done)>, Failed> {
        let mut done = Vec::with_capacity(entries.len());
        for said in entries {
            let outcome = match self.mode {
                Mode::Plan => self.importer.plan(&said.what).await,
                Mode::Apply => self.importer.apply(&said.what).await,
            };
            done.push((said, outcome.map_err(Failed::Import)?));
        }
        Ok(done)
    }
}

impl List {
    fn create(path: &Path) -> Result<List, Failed> {
        let cannot = |cause| Failed::Differences { path: path.to_owned(), cause };
        let file = File::create(path).map_err(cannot)?;
        let mut writer = csv::Writer::from_writer(file);
        let header = ["poolarea_no", "psn_no", "field", "before", "after"];
        writer.write_record(header).map_err(|cause| cannot(cause.into()))?;
        Ok(List { path: path.to_owned(), writer: StdMutex::new(writer) })
    }

    fn write(&self, what: &Incoming, differences: &[Difference]) -> Result<(), Failed> {
        let Some(person) = what.person() else { return Ok(()) };
        let pool = person.pool.to_string();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for Difference { field, before, after } in differences {
            let row = [&pool, person.number(), field, before, after];
            writer.write_record(row).map_err(|cause| self.cannot(cause.into()))?;
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), Failed> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.flush().and_then(|()| writer.get_ref().flush()).map_err(|cause| self.cannot(cause))
    }

    fn cannot(&self, cause: std::io::Error) -> Failed {
        Failed::Differences { path: self.path.clone(), cause }
    }
}
