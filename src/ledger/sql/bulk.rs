//! Owns how many rows are written into one table: as many in a statement as the database likes.

use std::fmt::Write as _;

use crate::ledger::LedgerError;
use crate::ledger::sql::Database;
use crate::ledger::sql::Value;

type Read<T> = Result<T, LedgerError>;

/// Rows of one table on their way. Those that are left are written by [`Bulk::end`].
pub(in crate::ledger) struct Bulk<'d> {
    db: &'d dyn Database,
    /// `INSERT INTO t (a, b)`
    insert: String,
    columns: usize,
    /// Whether a row that is there already is no fault.
    repeats: bool,
    waiting: Vec<Owned>,
}

enum Owned {
    Nothing,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl<'d> Bulk<'d> {
    pub(in crate::ledger) fn into(db: &'d dyn Database, table: &str, columns: &str) -> Bulk<'d> {
        let insert = format!("INSERT INTO {table} ({columns})");
        Bulk { db, insert, columns: columns.split(',').count(), repeats: false, waiting: Vec::new() }
    }

    pub(in crate::ledger) fn with_repeats(self) -> Bulk<'d> {
        Bulk { repeats: true, ..self }
    }

    pub(in crate::ledger) fn put(&mut self, row: &[Value<'_>]) -> Read<()> {
        if self.db.rows_at_once() == 1 {
            return self.write(row);
        }
        self.waiting.extend(row.iter().map(Owned::of));
        if self.waiting.len() >= self.db.rows_at_once() * self.columns { self.flush() } else { Ok(()) }
    }

    pub(in crate::ledger) fn end(mut self) -> Read<()> {
        self.flush()
    }

    fn flush(&mut self) -> Read<()> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        self.write(&waiting.iter().map(Owned::value).collect::<Vec<_>>())
    }

    fn write(&self, values: &[Value<'_>]) -> Read<()> {
        let mut sql = format!("{} VALUES ", self.insert);
        for at in 0..values.len() {
            let separator = match at {
                0 => "(",
                at if at % self.columns == 0 => "), (",
                _ => ", ",
            };
            // Writing into a text cannot fail.
            let _written = write!(sql, "{separator}?{}", at + 1);
        }
        sql.push(')');
        if self.repeats {
            sql.push_str(" ON CONFLICT DO NOTHING");
        }
        self.db.run("write a table", &sql, values).map(|_| ())
    }
}

impl Owned {
    fn of(value: &Value<'_>) -> Owned {
        match value {
            Value::Nothing => Owned::Nothing,
            Value::Int(value) => Owned::Int(*value),
            Value::Text(value) => Owned::Text((*value).to_owned()),
            Value::Bytes(value) => Owned::Bytes(value.to_vec()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Owned::Nothing => Value::Nothing,
            Owned::Int(value) => Value::Int(*value),
            Owned::Text(value) => Value::Text(value),
            Owned::Bytes(value) => Value::Bytes(value),
        }
    }
}
