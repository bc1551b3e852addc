//! Owns the seam to whatever database holds the book, for all that may take its time: one text of a statement, with
//! `?1` for its first value, and rows given one by one, so that nothing is held whole.
//!
//! What every call waits for (look-up and commit) does not go through here: each database has its own way for that.

mod bulk;
mod postgres;
mod sqlite;

use std::ops::ControlFlow;

use crate::ledger::LedgerError;
use crate::ledger::row::Row;
use crate::ledger::whole;

pub(super) use crate::ledger::sql::bulk::Bulk;
pub(super) use crate::ledger::sql::postgres::ANSWER_WAIT_MAX;
pub(super) use crate::ledger::sql::postgres::Postgres;
pub(super) use crate::ledger::sql::postgres::wait;

type Read<T> = Result<T, LedgerError>;

/// A value of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'v> {
    Nothing,
    Int(i64),
    Text(&'v str),
    Bytes(&'v [u8]),
}

macro_rules! from_whole {
    ($($whole:ty),*) => {$(
        impl From<$whole> for Value<'_> {
            fn from(value: $whole) -> Self {
                Value::Int(value.into())
            }
        }
    )*};
}
from_whole!(bool, u8, u16, u32, i32, i64);

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        Value::Int(whole(value))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Value::Text(value)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(value: &'v String) -> Self {
        Value::Text(value)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(value: &'v [u8]) -> Self {
        Value::Bytes(value)
    }
}

impl<'v, const N: usize> From<&'v [u8; N]> for Value<'v> {
    fn from(value: &'v [u8; N]) -> Self {
        Value::Bytes(value)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Nothing, Into::into)
    }
}

/// The values of a statement, each as what it is.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::ledger::sql::Value::from($value)),*] };
}
pub(super) use values;

/// Takes a row; breaks when it has seen enough.
pub(super) type Take<'t> = &'t mut dyn FnMut(&dyn Row) -> Read<ControlFlow<()>>;

/// A connection that sees one instant, or writes one transaction. `what` says what could not be done when it fails.
pub(super) trait Database {
    /// Gives rows page by page, however many there are. Other statements may be asked meanwhile.
    fn each_until(&self, what: &'static str, sql: &str, values: &[Value<'_>], take: Take<'_>) -> Read<()>;

    /// The same for a few rows, all fetched at once: the quickest way.
    fn few_until(&self, what: &'static str, sql: &str, values: &[Value<'_>], take: Take<'_>) -> Read<()>;

    /// Gives how many rows were changed.
    fn run(&self, what: &'static str, sql: &str, values: &[Value<'_>]) -> Read<u64>;

    /// Rows that one statement had best insert: a round trip is worth many, a call in this process none.
    fn rows_at_once(&self) -> usize;

    /// Makes what `record_of` comes by records with, after these were filled in; most databases have a key for it.
    fn place_records(&self) -> Read<()> {
        Ok(())
    }

    /// What is wrong with that where so many records were met through it, each at a place of its own.
    fn misplaced(&self, _met: u64) -> Read<Vec<String>> {
        Ok(Vec::new())
    }
}

impl dyn Database + '_ {
    /// Every row, page by page.
    pub(super) fn each(
        &self,
        what: &'static str,
        sql: &str,
        values: &[Value<'_>],
        mut take: impl FnMut(&dyn Row) -> Read<()>,
    ) -> Read<()> {
        self.each_until(what, sql, values, &mut |row| take(row).map(ControlFlow::Continue))
    }

    /// Every row of a few.
    pub(super) fn few<T>(
        &self,
        what: &'static str,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut all = Vec::new();
        self.few_until(what, sql, values, &mut |row| {
            all.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        what: &'static str,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Read<T>,
    ) -> Read<Option<T>> {
        let mut first = None;
        self.few_until(what, sql, values, &mut |row| {
            first = Some(read(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// A row that every state of the tables gives: of counts and the like.
    pub(super) fn the<T>(
        &self,
        what: &'static str,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Read<T>,
    ) -> Read<T> {
        let found = self.one(what, sql, values, read)?;
        found.ok_or_else(|| crate::ledger::row::damaged(what, "the database gave no row"))
    }
}

/// Gives a worker its own connection; all of a kind see the same instant.
pub(super) trait Reader: Send {
    fn read<T>(self, work: impl FnOnce(&dyn Database) -> Read<T>) -> Read<T>;
}
