//! Owns what the tables that lie by bucket hold of some buckets, in memory, to be compared with what the records make:
//! persons and stays.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;

use crate::domain::calendar::Instant;
use crate::domain::ids::Bucket;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::ledger::LedgerError;
use crate::ledger::books::seals::Fault;
use crate::ledger::codec;
use crate::ledger::row::Row;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::misread;
use crate::ledger::row::text;
use crate::ledger::sql::Database;
use crate::ledger::sql::Value;
use crate::ledger::sql::values;

type Read<T> = Result<T, LedgerError>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PersonRow {
    pub(super) version: u64,
    pub(super) last_at: Instant,
    pub(super) state: PersonState,
    /// The ciphertext of her personal data.
    pub(super) hidden: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StayRow {
    pub(super) person: String,
    pub(super) version: u64,
    pub(super) state: StayState,
}

/// Each row by its key. What a comparison takes out is met; the rest is left over.
pub(super) struct Tables {
    pub(super) persons: HashMap<(Bucket, String), PersonRow>,
    pub(super) stays: HashMap<(Bucket, String), StayRow>,
}

impl Tables {
    /// A row that cannot be read is a fault like any other.
    pub(super) fn read(
        db: &dyn Database,
        buckets: &RangeInclusive<u16>,
        faults: &mut Vec<Fault>,
    ) -> Read<Tables> {
        const PERSONS: &str = "SELECT bucket, person, version, last_ms, state, private FROM person
             WHERE bucket BETWEEN ?1 AND ?2 AND state IS NOT NULL";
        const STAYS: &str =
            "SELECT bucket, stay, person, version, state FROM stay WHERE bucket BETWEEN ?1 AND ?2";
        let within = values![*buckets.start(), *buckets.end()];
        Ok(Tables {
            persons: table(db, (PERSONS, within), person, faults)?,
            stays: table(db, (STAYS, within), stay, faults)?,
        })
    }

    /// Tables, and how many of their rows nothing has taken out.
    pub(super) fn left(&self) -> [(&'static str, usize); 2] {
        [("person", self.persons.len()), ("stay", self.stays.len())]
    }
}

/// All rows, each by its key. One that cannot be read is a fault.
pub(super) fn table<K: Hash + Eq, V>(
    db: &dyn Database,
    asked: (&str, &[Value<'_>]),
    read: fn(&dyn Row) -> Read<(K, V)>,
    faults: &mut Vec<Fault>,
) -> Read<HashMap<K, V>> {
    let mut all = HashMap::new();
    rows(db, asked, read, faults, |(key, value)| drop(all.insert(key, value)))?;
    Ok(all)
}

/// Each row. One that cannot be read is a fault.
pub(super) fn rows<K, V>(
    db: &dyn Database,
    (sql, values): (&str, &[Value<'_>]),
    read: fn(&dyn Row) -> Read<(K, V)>,
    faults: &mut Vec<Fault>,
    mut take: impl FnMut((K, V)),
) -> Read<()> {
    db.each("read a table to compare", sql, values, |row| {
        match read(row) {
            Ok(row) => take(row),
            Err(LedgerError::Damaged { at, what }) => {
                let whose = row.text(1).ok().flatten().unwrap_or_default();
                faults.push(Fault::of_tables(format!("{whose}: {at}: {what}")));
            }
            Err(other) => return Err(other),
        }
        Ok(())
    })
}

fn person(row: &dyn Row) -> Read<((Bucket, String), PersonRow)> {
    let (version, last_at) = (column(row, 2)?, Instant(column(row, 3)?));
    let kept = PersonRow { version, last_at, state: decoded(row, 4)?, hidden: column(row, 5)? };
    Ok(((bucket(row, 0)?, column(row, 1)?), kept))
}

fn stay(row: &dyn Row) -> Read<((Bucket, String), StayRow)> {
    let kept = StayRow { person: column(row, 2)?, version: column(row, 3)?, state: decoded(row, 4)? };
    Ok(((bucket(row, 0)?, column(row, 1)?), kept))
}

fn decoded<T: DeserializeOwned>(row: &dyn Row, at: usize) -> Read<T> {
    codec::decode("state", text(row, at)?).map_err(|cause| misread(row, &cause))
}
