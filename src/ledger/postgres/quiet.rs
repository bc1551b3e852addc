//! Owns the connections for whatever may take its time. Each has a runtime of its own and blocks the thread that uses it,
//! so that no call that only looks up ever waits behind it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::Instant as Deadline;
use tokio_postgres::IsolationLevel;

use crate::ledger::LedgerError;
use crate::ledger::postgres::connection::Link;
use crate::ledger::postgres::connection::Target;
use crate::ledger::row::column;
use crate::ledger::sql::ANSWER_WAIT_MAX;
use crate::ledger::sql::Database;
use crate::ledger::sql::Postgres;
use crate::ledger::sql::Reader;
use crate::ledger::sql::wait;
use crate::ledger::storage;

type Read<T> = Result<T, LedgerError>;

/// A connection and what drives it.
pub(super) struct Line {
    link: Link,
    /// `None` once it is being dropped.
    runtime: Option<Runtime>,
    /// The longest wait for one answer.
    limit: Duration,
}

/// Wherever it is dropped, also by a task of another runtime.
impl Drop for Line {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Line {
    /// Blocks the thread, which must be one that may block.
    pub(super) fn open(target: &Target) -> Read<Line> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(storage("start to read"))?;
        let link = runtime.block_on(target.connect(""))?;
        Ok(Line { link, runtime: Some(runtime), limit: ANSWER_WAIT_MAX })
    }

    /// Waits no longer than that for one answer.
    pub(super) fn within(self, limit: Duration) -> Line {
        let mut line = self;
        line.limit = limit;
        line
    }

    /// The same, but a fail-over is waited for until then.
    fn open_by(target: &Target, deadline: Deadline) -> Read<Line> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(storage("start to read"))?;
        let link = runtime.block_on(target.connect_by("", deadline))?;
        Ok(Line { link, runtime: Some(runtime), limit: ANSWER_WAIT_MAX })
    }

    /// Reads as of one instant.
    pub(super) fn read<T>(&mut self, work: impl FnOnce(&Postgres<'_>) -> Read<T>) -> Read<T> {
        const WHAT: &str = "begin to read";
        let begun = self.link.client.build_transaction();
        let begun = begun.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let runtime = self.runtime.as_ref().expect(HELD);
        let begun = wait(runtime, self.limit, WHAT, begun.start())?;
        let db = Postgres::of(begun, runtime).within(self.limit);
        let found = work(&db)?;
        db.roll_back("end a reading")?;
        Ok(found)
    }

    /// Writes in one transaction, which is as if it had never begun unless `work` has succeeded.
    pub(super) fn write<T, E: From<LedgerError>>(
        &mut self,
        work: impl FnOnce(&Postgres<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.write_within(self.limit, work)
    }

    /// The same, for little work: its commit is confirmed within that time, or nobody knows of it.
    pub(super) fn write_within<T, E: From<LedgerError>>(
        &mut self,
        confirmed_within: Duration,
        work: impl FnOnce(&Postgres<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = self.link.client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let runtime = self.runtime.as_ref().expect(HELD);
        let begun = wait(runtime, self.limit, "begin to write", begun.start())?;
        let db = Postgres::of(begun, runtime).within(self.limit);
        let done = work(&db)?;
        db.commit_within(confirmed_within, "commit")?;
        Ok(done)
    }

    pub(super) fn run<T>(&mut self, work: impl AsyncFnOnce(&mut tokio_postgres::Client) -> T) -> T {
        self.runtime.as_ref().expect(HELD).block_on(work(&mut self.link.client))
    }
}

const HELD: &str = "a line has its runtime until it is dropped";

/// Slow questions at once, each on a line of its own. More wait, no longer than a call does.
const LINES_MAX: usize = 4;

/// The longest wait for one answer to a slow question.
const QUESTION_WAIT_MAX: Duration = Duration::from_secs(60);

/// Where slow questions are asked.
pub(super) struct Quiet {
    target: Target,
    pub(super) room: Semaphore,
    idle: Mutex<Vec<Line>>,
}

impl Quiet {
    pub(super) fn new(target: Target) -> Quiet {
        Quiet { target, room: Semaphore::new(LINES_MAX), idle: Mutex::default() }
    }

    /// Asks as of one instant, on a thread that may block. What breaks on a line that lay idle, perhaps for long, is asked
    /// once more on a fresh one, made by `deadline`: a question changes nothing.
    pub(super) fn ask<T>(&self, deadline: Deadline, question: impl Fn(&dyn Database) -> Read<T>) -> Read<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut line) = idle
            && let Ok(found) = line.read(|db| question(db))
        {
            self.keep(line);
            return Ok(found);
        }
        let mut line = Line::open_by(&self.target, deadline)?.within(QUESTION_WAIT_MAX);
        let found = line.read(|db| question(db))?;
        self.keep(line);
        Ok(found)
    }

    fn keep(&self, line: Line) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// A further line that sees the instant of another one's transaction, as long as that one is open.
pub(super) struct SameInstant {
    target: Target,
    snapshot: String,
}

impl SameInstant {
    pub(super) fn of(db: &dyn Database, target: &Target, count: usize) -> Read<Vec<SameInstant>> {
        let snapshot: String =
            db.the("share an instant", "SELECT pg_export_snapshot()", &[], |row| column(row, 0))?;
        let one = || SameInstant { target: target.clone(), snapshot: snapshot.clone() };
        Ok(std::iter::repeat_with(one).take(count).collect())
    }
}

impl Reader for SameInstant {
    fn read<T>(self, work: impl FnOnce(&dyn Database) -> Read<T>) -> Read<T> {
        Line::open(&self.target)?.read(|db| {
            // The server itself made this name of an instant.
            db.run("see an instant", &format!("SET TRANSACTION SNAPSHOT '{}'", self.snapshot), &[])?;
            work(db)
        })
    }
}
