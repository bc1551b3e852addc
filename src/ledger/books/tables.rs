//! Owns what the tables beside the log hold of some buckets, in memory, to be compared with what the records make.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;

use crate::domain::calendar::Instant;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::ledger::LedgerError;
use crate::ledger::books::seals::Fault;
use crate::ledger::books::settlement;
use crate::ledger::codec;
use crate::ledger::replay::MessageRow;
use crate::ledger::row::Row;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::misread;
use crate::ledger::row::parsed;
use crate::ledger::row::text;
use crate::ledger::sql::Database;
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
#[derive(Default)]
pub(super) struct Tables {
    pub(super) persons: HashMap<(Bucket, String), PersonRow>,
    pub(super) stays: HashMap<(Bucket, String), StayRow>,
    pub(super) messages: HashMap<(Bucket, String, MessageKey), MessageRow>,
    /// By bucket, month and id.
    pub(super) settlements: HashMap<(Bucket, i64, String), settlement::Columns>,
}

impl Tables {
    /// A row that cannot be read is a fault like any other.
    pub(super) fn read(
        db: &dyn Database,
        buckets: &RangeInclusive<u16>,
        faults: &mut Vec<Fault>,
    ) -> Read<Tables> {
        const WITHIN: &str = "WHERE bucket BETWEEN ?1 AND ?2";
        let mut of = Reading { db, buckets, faults };
        let persons = format!("SELECT bucket, person, version, last_ms, state, private FROM person {WITHIN}");
        let stays = format!("SELECT bucket, stay, person, version, state FROM stay {WITHIN}");
        let messages = format!(
            "SELECT bucket, person, msgid, institution, infno, version, undone_by, fence, recipe, content
             FROM message {WITHIN}"
        );
        let settlements = format!("SELECT bucket, setl_id, {} FROM settlement {WITHIN}", settlement::COLUMNS);
        Ok(Tables {
            persons: of.table(&persons, person)?,
            stays: of.table(&stays, stay)?,
            messages: of.table(&messages, message)?,
            settlements: of.table(&settlements, settled)?,
        })
    }

    /// Tables, and how many of their rows nothing has taken out.
    pub(super) fn left(&self) -> [(&'static str, usize); 4] {
        [
            ("person", self.persons.len()),
            ("stay", self.stays.len()),
            ("message", self.messages.len()),
            ("settlement", self.settlements.len()),
        ]
    }
}

struct Reading<'r> {
    db: &'r dyn Database,
    buckets: &'r RangeInclusive<u16>,
    faults: &'r mut Vec<Fault>,
}

impl Reading<'_> {
    fn table<K: Hash + Eq, V>(
        &mut self,
        sql: &str,
        read: fn(&dyn Row) -> Read<(K, V)>,
    ) -> Read<HashMap<K, V>> {
        let mut all = HashMap::new();
        let within = values![*self.buckets.start(), *self.buckets.end()];
        let faults = &mut *self.faults;
        self.db.each("read a table to compare", sql, within, |row| {
            match read(row) {
                Ok((key, value)) => drop(all.insert(key, value)),
                Err(LedgerError::Damaged { at, what }) => {
                    let whose = row.text(1).ok().flatten().unwrap_or_default();
                    faults.push(Fault::of_tables(format!("{whose}: {at}: {what}")));
                }
                Err(other) => return Err(other),
            }
            Ok(())
        })?;
        Ok(all)
    }
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

fn message(row: &dyn Row) -> Read<((Bucket, String, MessageKey), MessageRow)> {
    let key = MessageKey {
        message: parsed(row, 2, MessageId::parse)?,
        institution: parsed(row, 3, InstitutionCode::parse)?,
        transaction: column(row, 4)?,
    };
    let content = ContentHash { recipe: column(row, 8)?, digest: column(row, 9)? };
    let (version, undone_by, fence) = (column(row, 5)?, column(row, 6)?, column(row, 7)?);
    let kept = MessageRow { version, undone_by, fence, content };
    Ok(((bucket(row, 0)?, column(row, 1)?, key), kept))
}

fn settled(row: &dyn Row) -> Read<((Bucket, i64, String), settlement::Columns)> {
    let kept = settlement::Columns::kept(row, 2)?;
    Ok(((bucket(row, 0)?, kept.month(), column(row, 1)?), kept))
}

fn decoded<T: DeserializeOwned>(row: &dyn Row, at: usize) -> Read<T> {
    codec::decode("state", text(row, at)?).map_err(|cause| misread(row, &cause))
}
