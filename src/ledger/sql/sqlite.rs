//! Owns the seam to SQLite.

use std::ops::ControlFlow;

use rusqlite::Connection;
use rusqlite::ToSql;
use rusqlite::params_from_iter;
use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef;

use crate::ledger::LedgerError;
use crate::ledger::row::column;
use crate::ledger::sql::Database;
use crate::ledger::sql::Reader;
use crate::ledger::sql::Take;
use crate::ledger::sql::Value;
use crate::ledger::storage;
use crate::ledger::whole;

type Read<T> = Result<T, LedgerError>;

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Nothing => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

/// Rows come one by one of themselves.
impl Database for Connection {
    fn each_until(&self, what: &'static str, sql: &str, values: &[Value<'_>], take: Take<'_>) -> Read<()> {
        let failed = || storage(what);
        let mut statement = self.prepare_cached(sql).map_err(failed())?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            if let ControlFlow::Break(()) = take(row)? {
                break;
            }
        }
        Ok(())
    }

    fn few_until(&self, what: &'static str, sql: &str, values: &[Value<'_>], take: Take<'_>) -> Read<()> {
        self.each_until(what, sql, values, take)
    }

    fn run(&self, what: &'static str, sql: &str, values: &[Value<'_>]) -> Read<u64> {
        let mut statement = self.prepare_cached(sql).map_err(storage(what))?;
        let changed = statement.execute(params_from_iter(values)).map_err(storage(what))?;
        Ok(changed as u64)
    }

    fn rows_at_once(&self) -> usize {
        1
    }

    fn place_records(&self) -> Read<()> {
        const SQL: &str = "INSERT INTO person (bucket, person, record_version, record_place)
             SELECT bucket, person, version, record_place FROM record ORDER BY bucket, person, version";
        self.run("place the records", SQL, &[]).map(|_| ())
    }

    /// Places begin with 1 and have no gaps: as many as were met must be held, and the newest must be of that number.
    fn misplaced(&self, met: u64) -> Read<Vec<String>> {
        const FIRST: &str = "SELECT COALESCE(MIN(record_place), 1) FROM record";
        const NEWEST: &str = "SELECT COALESCE(MAX(record_place), 0) FROM record";
        const HELD: &str = "SELECT COUNT(record_place) FROM person";
        let (db, met) = (self as &dyn Database, whole(met));
        let ask = |sql: &str| db.the("count the places of records", sql, &[], |row| column::<i64>(row, 0));
        let (first, newest, held) = (ask(FIRST)?, ask(NEWEST)?, ask(HELD)?);
        let mut faults = Vec::new();
        if first < 1 {
            faults.push(format!(
                "a record stands at place {first} of the file, where none can: it was moved or added"
            ));
        }
        if held > met {
            faults.push(format!(
                "{} places of persons lead to no record: it was taken away or moved",
                held - met
            ));
        }
        if newest > met {
            faults.push(format!(
                "{} places of the file, which ends at {newest}, are held by no person: what stands there was never sealed, \
                 or can be come by no more",
                newest - met
            ));
        }
        Ok(faults)
    }
}

/// It has begun to read already.
impl Reader for Connection {
    fn read<T>(self, work: impl FnOnce(&dyn Database) -> Read<T>) -> Read<T> {
        work(&self)
    }
}
