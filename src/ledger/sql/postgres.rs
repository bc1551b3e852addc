//! Owns the seam to PostgreSQL: one transaction on one connection, with a runtime of its own to wait on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use bytes::BytesMut;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::Portal;
use tokio_postgres::Statement;
use tokio_postgres::Transaction;
use tokio_postgres::types::IsNull;
use tokio_postgres::types::ToSql;
use tokio_postgres::types::Type;

use crate::ledger::LedgerError;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::fault::server;
use crate::ledger::postgres::standbys;
use crate::ledger::sql::Database;
use crate::ledger::sql::Take;
use crate::ledger::sql::Value;

type Read<T> = Result<T, LedgerError>;

/// Rows fetched at once: bounds memory on both sides.
const PAGE_ROWS: i32 = 1_000;

/// Rows of one insert: their values stay far below what a statement may have.
const ROWS_AT_ONCE: usize = 64;

/// The longest wait for one answer of the server, unless a shorter one is set. A count over a nation's records may take minutes.
pub(in crate::ledger) const ANSWER_WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// A running transaction.
pub(in crate::ledger) struct Postgres<'c> {
    transaction: Transaction<'c>,
    runtime: &'c Runtime,
    /// The longest wait for one answer.
    limit: Duration,
    /// By their texts; there are some dozens.
    statements: RefCell<HashMap<String, Statement>>,
}

impl<'c> Postgres<'c> {
    /// The runtime is the connection's.
    pub(in crate::ledger) fn of(transaction: Transaction<'c>, runtime: &'c Runtime) -> Postgres<'c> {
        Postgres { transaction, runtime, limit: ANSWER_WAIT_MAX, statements: RefCell::default() }
    }

    /// Waits no longer than that for one answer.
    pub(in crate::ledger) fn within(self, limit: Duration) -> Postgres<'c> {
        Postgres { limit, ..self }
    }

    pub(in crate::ledger) fn commit(self, what: &'static str) -> Read<()> {
        let limit = self.limit;
        self.commit_within(limit, what)
    }

    /// The same, with another limit: one that waits for a standby that is not there ends.
    pub(in crate::ledger) fn commit_within(self, limit: Duration, what: &'static str) -> Read<()> {
        let standbys = self.wait(what, standbys::are_awaited(&self.transaction))?;
        let unconfirmed = |_| fault(what)(Fault::Unconfirmed { within: limit, standbys });
        let committed = self.runtime.block_on(async { timeout(limit, self.transaction.commit()).await });
        committed.map_err(unconfirmed)?.map_err(server(what))
    }

    /// Ends it now: one that is only dropped is open until its connection is used again.
    pub(in crate::ledger) fn roll_back(self, what: &'static str) -> Read<()> {
        wait(self.runtime, self.limit, what, self.transaction.rollback())
    }

    fn wait<T>(
        &self,
        what: &'static str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Read<T> {
        wait(self.runtime, self.limit, what, answer)
    }

    fn statement(&self, what: &'static str, sql: &str) -> Read<Statement> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.wait(what, self.transaction.prepare(&sql.replace('?', "$")))?;
        self.statements.borrow_mut().insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }

    /// Opens a statement whose rows are taken by [`Postgres::page`] as they are wanted.
    pub(in crate::ledger) fn open(
        &self,
        what: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Read<Portal> {
        let statement = self.statement(what, sql)?;
        self.wait(what, self.transaction.bind_raw(&statement, values))
    }

    /// The next rows; fewer than a page at the end.
    pub(in crate::ledger) fn page(
        &self,
        what: &'static str,
        portal: &Portal,
    ) -> Read<Vec<tokio_postgres::Row>> {
        self.wait(what, self.transaction.query_portal(portal, PAGE_ROWS))
    }
}

/// Waits on a connection's own runtime, but not for ever.
pub(in crate::ledger) fn wait<T>(
    runtime: &Runtime,
    limit: Duration,
    what: &'static str,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Read<T> {
    let answered = runtime.block_on(async { timeout(limit, answer).await });
    answered.map_err(|_| fault(what)(Fault::SilentFor(limit)))?.map_err(server(what))
}

impl Database for Postgres<'_> {
    fn each_until(&self, what: &'static str, sql: &str, values: &[Value<'_>], take: Take<'_>) -> Read<()> {
        let portal = self.open(what, sql, values)?;
        loop {
            let page = self.page(what, &portal)?;
            for row in &page {
                if let ControlFlow::Break(()) = take(row)? {
                    return Ok(());
                }
            }
            if page.len() < PAGE_ROWS.unsigned_abs() as usize {
                return Ok(());
            }
        }
    }

    fn few_until(&self, what: &'static str, sql: &str, values: &[Value<'_>], take: Take<'_>) -> Read<()> {
        let statement = self.statement(what, sql)?;
        let values: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self.wait(what, self.transaction.query(&statement, &values))?;
        for row in &rows {
            if let ControlFlow::Break(()) = take(row)? {
                break;
            }
        }
        Ok(())
    }

    fn run(&self, what: &'static str, sql: &str, values: &[Value<'_>]) -> Read<u64> {
        let statement = self.statement(what, sql)?;
        let values: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.wait(what, self.transaction.execute(&statement, &values))
    }

    fn rows_at_once(&self) -> usize {
        ROWS_AT_ONCE
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Nothing => Ok(IsNull::Yes),
            Value::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Value::Text(value) if *ty == Type::TEXT => value.to_sql(ty, out),
            Value::Bytes(value) if *ty == Type::BYTEA => value.to_sql(ty, out),
            other => Err(format!("a column of type {ty} was given {other:?}").into()),
        }
    }

    /// Each value knows what it is.
    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}
