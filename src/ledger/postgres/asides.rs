//! Owns the connections for whatever reads many rows: each is one caller's alone, for one transaction that sees one
//! instant, waited for on a thread that may block.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::Instant as Deadline;
use tokio::time::timeout_at;
use tokio_postgres::IsolationLevel;

use crate::ledger::LedgerError;
use crate::ledger::postgres::connection::Link;
use crate::ledger::postgres::connection::Target;
use crate::ledger::sql;
use crate::ledger::sql::Database;
use crate::ledger::storage;

/// Connections at once. More questions wait, no longer than their time.
const AT_ONCE_MAX: usize = 4;

#[derive(Clone)]
pub(super) struct Asides {
    target: Target,
    room: Arc<Semaphore>,
    /// Connections that nobody uses at the moment.
    idle: Arc<Mutex<Vec<Link>>>,
}

impl Asides {
    pub(super) fn new(target: Target) -> Asides {
        Asides { target, room: Arc::new(Semaphore::new(AT_ONCE_MAX)), idle: Arc::default() }
    }

    /// Reads as of one instant. The deadline is for the beginning; how long it takes depends on how much there is.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&dyn Database) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (place, mut link) = self.begin(deadline).await?;
        let (runtime, idle) = (Handle::current(), Arc::clone(&self.idle));
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let begun = link.client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
            let begun = runtime.block_on(begun.read_only(true).start()).map_err(storage("begin to read"))?;
            let done = work(&sql::Postgres::of(begun, runtime));
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(link);
            done
        });
        done.await.unwrap_or_else(|broken| Err(storage("finish a read")(broken)))
    }

    /// A connection that answers: one that broke while it was idle is made anew.
    async fn begin(&self, deadline: Deadline) -> Result<(OwnedSemaphorePermit, Link), LedgerError> {
        let room = Arc::clone(&self.room).acquire_owned();
        let place = timeout_at(deadline, room).await.map_err(storage("read in time"))?;
        let place = place.map_err(storage("read"))?;
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(link) = idle else { break };
            let answers = timeout_at(deadline, link.client.check_connection()).await;
            if answers.is_ok_and(|answer| answer.is_ok()) {
                return Ok((place, link));
            }
        }
        Ok((place, self.target.connect_by("-c jit=off", deadline).await?))
    }
}
