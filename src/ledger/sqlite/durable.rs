//! Owns what of the file is known to be on the disk, and the thread that sees to it.
//!
//! A commit writes to the log and does not wait for the disk, so that the next can be written while the disk takes it.
//! Whoever tells anybody what the file holds therefore asks here first: a deed is answered, and what was read is told,
//! only after a sync of the log that began when it was all there. That covers what other processes wrote as well.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::ledger::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::event::Observer;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::watch::Header;
use crate::ledger::sqlite::watch::Watch;
use crate::ledger::sqlite::watch::beside;

/// Commits that may wait for the next sync while one is under way. More would make batches smaller, fewer leave a
/// processor idle.
const AHEAD_MAX: usize = 1;

/// How the log is brought to the disk.
pub(super) type SyncLog = Box<dyn FnMut() -> io::Result<()> + Send>;

/// What happens once something is durable, or when nobody knows whether it will ever be.
type Then = Box<dyn FnOnce(Result<(), NotDurable>) + Send>;

/// The disk refused once. Whether it has what it was given before, nobody can tell from then on: Linux takes such pages
/// for written, and the next sync would say so.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the disk has not taken the log, so this node commits nothing and tells nothing new; ask by message key whether a \
     deed stands, look after the disk, then restart this node"
)]
pub(super) struct NotDurable(#[source] Arc<io::Error>);

pub(super) struct Durable {
    watch: Arc<Watch>,
    observer: Observer,
    state: Mutex<Standing>,
    /// Rung whenever tickets come, are taken, or all is over.
    bell: Condvar,
}

#[derive(Default)]
struct Standing {
    /// As the log's index was before the last sync began.
    known: Option<Header>,
    tickets: Vec<Ticket>,
    broken: Option<NotDurable>,
    ended: bool,
}

/// Somebody who waits until the disk has what the log holds now.
struct Ticket {
    /// As the log's index was when he came, where that is known.
    header: Option<Header>,
    then: Then,
}

/// The thread. What waits is still brought to the disk when this is dropped.
pub(super) struct Syncer {
    durable: Arc<Durable>,
    thread: Option<JoinHandle<()>>,
}

/// The write-ahead log of a file.
pub(super) fn log_of(path: &Path) -> io::Result<File> {
    File::open(beside(path, "-wal"))
}

/// For whoever only reads a file and tells what he read: brings to the disk what others have written.
///
/// # Errors
/// `Storage` when the disk does not take it.
pub(super) fn sync_log(path: &Path) -> Result<(), LedgerError> {
    let synced = match log_of(path) {
        Ok(log) => log.sync_data(),
        // Everything is in the file itself, and was made durable there before the log was given up.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(cause),
    };
    synced.map_err(storage("make durable what was read"))
}

impl Durable {
    pub(super) fn new(watch: Arc<Watch>, observer: Observer) -> Arc<Durable> {
        Arc::new(Durable { watch, observer, state: Mutex::default(), bell: Condvar::new() })
    }

    /// Starts the thread, which syncs for all that wait at once.
    pub(super) fn start(self: &Arc<Durable>, sync: SyncLog) -> io::Result<Syncer> {
        let durable = Arc::clone(self);
        let thread =
            std::thread::Builder::new().name("ledger-sync".into()).spawn(move || durable.run(sync))?;
        Ok(Syncer { durable: Arc::clone(self), thread: Some(thread) })
    }

    /// Whether the disk has all that can be read now.
    pub(super) fn has_all(&self) -> bool {
        let known = self.state().known;
        known.is_some() && known == self.watch.header().ok()
    }

    /// Returns when the disk has all that can be read now.
    ///
    /// # Errors
    /// `Storage` when it does not take it.
    pub(super) async fn reached(&self) -> Result<(), LedgerError> {
        const WHAT: &str = "make durable what was read";
        if self.has_all() {
            return Ok(());
        }
        let (told, hears) = oneshot::channel();
        self.once(self.watch.header().ok(), move |synced| drop(told.send(synced)));
        hears.await.map_err(storage(WHAT))?.map_err(storage(WHAT))
    }

    /// Does that once the disk has what the log's index said then; not at all when the ledger is being closed.
    pub(super) fn once(
        &self,
        header: Option<Header>,
        then: impl FnOnce(Result<(), NotDurable>) + Send + 'static,
    ) {
        let mut state = self.state();
        if !state.ended {
            state.tickets.push(Ticket { header, then: Box::new(then) });
        }
        drop(state);
        self.bell.notify_all();
    }

    /// Returns when no more than [`AHEAD_MAX`] wait: whoever writes is never further ahead of the disk than that.
    pub(super) fn wait_for_the_disk(&self) {
        let busy = |state: &mut Standing| state.tickets.len() > AHEAD_MAX && !state.ended;
        drop(self.bell.wait_while(self.state(), busy).unwrap_or_else(PoisonError::into_inner));
    }

    /// Why nothing may be committed any more.
    pub(super) fn broken(&self) -> Option<NotDurable> {
        self.state().broken.clone()
    }

    fn run(&self, mut sync: SyncLog) {
        let over = Over(self);
        while let Some((tickets, known)) = self.take() {
            // What is there before the sync begins is on the disk when it ends.
            let covered = self.watch.header().ok();
            let (reached, waiting): (Vec<_>, Vec<_>) =
                tickets.into_iter().partition(|ticket| known.is_some() && ticket.header == known);
            reached.into_iter().for_each(|ticket| (ticket.then)(Ok(())));
            if waiting.is_empty() {
                continue;
            }
            let synced = match self.broken() {
                Some(before) => Err(before),
                None => sync().map_err(|cause| {
                    self.observer.tell(Event::Up(false));
                    NotDurable(Arc::new(cause))
                }),
            };
            let mut state = self.state();
            match &synced {
                Ok(()) => state.known = covered,
                Err(cause) => state.broken = Some(cause.clone()),
            }
            drop(state);
            waiting.into_iter().for_each(|ticket| (ticket.then)(synced.clone()));
        }
        drop(over);
    }

    /// All that waits, with what is known to be durable. `None` when nothing waits and nothing will.
    fn take(&self) -> Option<(Vec<Ticket>, Option<Header>)> {
        let idle = |state: &mut Standing| state.tickets.is_empty() && !state.ended;
        let mut state = self.bell.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
        let tickets = std::mem::take(&mut state.tickets);
        let known = state.known;
        drop(state);
        self.bell.notify_all();
        (!tickets.is_empty()).then_some((tickets, known))
    }

    fn end(&self) {
        self.state().ended = true;
        self.bell.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, Standing> {
        // Each change of it is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// However the thread ends, nobody waits for it any more.
struct Over<'d>(&'d Durable);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.end();
        if std::thread::panicking() {
            let cause = io::Error::other("the thread that syncs it is gone");
            self.0.state().broken = Some(NotDurable(Arc::new(cause)));
            self.0.observer.tell(Event::Up(false));
        }
        self.0.state().tickets.clear();
        self.0.bell.notify_all();
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.durable.end();
        // One that panicked has told so on its own thread.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering;
    use std::sync::mpsc;

    use futures_util::FutureExt as _;
    use rusqlite::Connection;

    use crate::domain::calendar::Instant;
    use crate::ledger::Ledger as _;
    use crate::ledger::secrets::Secrets;
    use crate::ledger::sqlite::Settings;
    use crate::ledger::sqlite::SqliteLedger;

    const BEGIN: Instant = Instant(1_795_480_200_000);

    /// A disk that takes the log, or does not come to it, or refuses it.
    #[derive(Clone)]
    struct Disk(Arc<(Mutex<State>, Condvar)>);

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum State {
        Sound,
        Slow,
        Failing,
    }

    impl Disk {
        fn slow() -> Disk {
            Disk(Arc::new((Mutex::new(State::Slow), Condvar::new())))
        }

        fn becomes(&self, state: State) {
            *self.0.0.lock().unwrap() = state;
            self.0.1.notify_all();
        }

        fn of(&self, log: File) -> SyncLog {
            let disk = self.clone();
            Box::new(move || {
                let (state, changed) = &*disk.0;
                let slow = |state: &mut State| *state == State::Slow;
                match *changed.wait_while(state.lock().unwrap(), slow).unwrap() {
                    State::Failing => Err(io::Error::other("gone")),
                    State::Sound | State::Slow => log.sync_data(),
                }
            })
        }
    }

    /// A file with a log, and somebody who writes to it.
    struct Kept {
        _folder: tempfile::TempDir,
        db: Connection,
        durable: Arc<Durable>,
        syncer: Syncer,
        disk: Disk,
    }

    impl Kept {
        fn new() -> Kept {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger.db");
            let db = Connection::open(&path).unwrap();
            db.pragma_update(None, "journal_mode", "WAL").unwrap();
            db.execute_batch("CREATE TABLE t (x)").unwrap();
            let durable = Durable::new(Arc::new(Watch::open(&path).unwrap()), Observer::default());
            let disk = Disk::slow();
            let syncer = durable.start(disk.of(log_of(&path).unwrap())).unwrap();
            Kept { _folder: folder, db, durable, syncer, disk }
        }

        /// Commits, and gives where it is told once that is durable.
        fn commit(&self) -> mpsc::Receiver<Result<(), NotDurable>> {
            self.db.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            let (told, hears) = mpsc::channel();
            self.durable.once(self.durable.watch.header().ok(), move |synced| told.send(synced).unwrap());
            hears
        }
    }

    #[tokio::test]
    async fn nothing_is_told_before_the_disk_has_it_and_then_everything_at_once() {
        let kept = Kept::new();
        let first = kept.commit();
        assert!(!kept.durable.has_all());
        let reading = kept.durable.reached();
        tokio::pin!(reading);
        assert!((&mut reading).now_or_never().is_none());
        assert!(first.try_recv().is_err());
        kept.disk.becomes(State::Sound);
        first.recv().unwrap().unwrap();
        reading.await.unwrap();
        assert!(kept.durable.has_all());
        kept.durable.reached().await.unwrap();
    }

    #[tokio::test]
    async fn what_somebody_else_wrote_is_brought_to_the_disk_before_it_is_told() {
        let kept = Kept::new();
        kept.disk.becomes(State::Sound);
        kept.commit().recv().unwrap().unwrap();
        let other = Connection::open(kept.db.path().unwrap()).unwrap();
        other.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        assert!(!kept.durable.has_all());
        kept.durable.reached().await.unwrap();
        assert!(kept.durable.has_all());
    }

    #[tokio::test]
    async fn after_one_refusal_of_the_disk_nothing_is_ever_called_durable() {
        let kept = Kept::new();
        kept.disk.becomes(State::Failing);
        assert!(kept.commit().recv().unwrap().is_err());
        // It would take this one, and say nothing of the first.
        kept.disk.becomes(State::Sound);
        assert!(kept.commit().recv().unwrap().is_err());
        let told = kept.durable.reached().await.unwrap_err();
        let LedgerError::Storage { cause, .. } = &told else { panic!("{told:?}") };
        assert!(cause.to_string().contains("restart this node"), "{cause}");
        assert!(kept.durable.broken().is_some() && !kept.durable.has_all());
    }

    #[tokio::test]
    async fn a_ledger_answers_and_tells_what_the_disk_has_and_stops_when_it_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::make_in(folder.path(), BEGIN).unwrap();
        let disk = Disk::slow();
        let there = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&there);
        let observer = Observer::new(move |event| {
            if let Event::Up(up) = event {
                seen.store(up, Ordering::SeqCst);
            }
        });
        let ledger = SqliteLedger::open_synced(
            &folder.path().join("ledger.db"),
            Settings { observer, ..Settings::default() },
            secrets,
            Arc::new(|| BEGIN),
            |log| disk.of(log),
        )
        .unwrap();
        let raise = |hours: i64| ledger.raise_floor(Instant(BEGIN.0 + hours * 3_600_000));
        let (mut deed, mut question) = (raise(1), ledger.reference_version());
        assert!((&mut deed).now_or_never().is_none() && (&mut question).now_or_never().is_none());
        disk.becomes(State::Sound);
        deed.await.unwrap();
        assert_eq!(question.await.unwrap(), 0);
        assert!(there.load(Ordering::SeqCst));
        disk.becomes(State::Failing);
        let told = raise(2).await;
        assert!(matches!(told, Err(LedgerError::Storage { .. })), "{told:?}");
        assert!(!there.load(Ordering::SeqCst));
        disk.becomes(State::Sound);
        assert!(raise(3).await.is_err() && ledger.reference_version().await.is_err());
    }

    #[test]
    fn what_waits_is_brought_to_the_disk_before_the_end_and_nothing_waits_after_it() {
        let kept = Kept::new();
        let waiting = kept.commit();
        kept.disk.becomes(State::Sound);
        drop(kept.syncer);
        waiting.recv().unwrap().unwrap();
        let (told, hears) = mpsc::channel();
        kept.durable.once(None, move |synced| told.send(synced.is_ok()).unwrap());
        kept.durable.wait_for_the_disk();
        assert!(hears.recv().is_err(), "the ledger is closed");
    }
}
