//! Owns what the tables beside the log hold, to be compared with what the records make. Persons and stays of some
//! buckets lie together and are read into memory. Messages and settlements lie in the order in which they came: they are
//! read once, all of them, into a fingerprint a bucket, and into memory only where that differs.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::hash::Hash;
use std::hash::RandomState;
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
use crate::ledger::key;
use crate::ledger::replay::MessageRow;
use crate::ledger::row::Row;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::misread;
use crate::ledger::row::parsed;
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
#[derive(Default)]
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
             WHERE bucket BETWEEN ?1 AND ?2";
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

const MESSAGES: &str =
    "SELECT bucket, person, turned_msgid, institution, infno, version, undone_by, fence, recipe, content
     FROM message";

fn settlements() -> String {
    format!("SELECT bucket, setl_id, {} FROM settlement", settlement::COLUMNS)
}

/// By bucket, person and key.
pub(super) type MessageAt = (Bucket, String, MessageKey);
/// By bucket, month and id.
pub(super) type SettlementAt = (Bucket, i64, String);

/// The messages and settlements of one bucket, each by its key, as [`Tables`] has the others.
#[derive(Default)]
pub(super) struct Appended {
    pub(super) messages: HashMap<MessageAt, MessageRow>,
    pub(super) settlements: HashMap<SettlementAt, settlement::Columns>,
}

impl Appended {
    /// Reads all rows of all buckets to find these. Those that cannot be read are left out: whoever read the
    /// fingerprints was told of them.
    pub(super) fn read(db: &dyn Database, bucket: Bucket) -> Read<Appended> {
        let (messages, settlements) =
            (format!("{MESSAGES} WHERE bucket = ?1"), format!("{} WHERE bucket = ?1", settlements()));
        let (within, told) = (values![bucket.get()], &mut Vec::new());
        Ok(Appended {
            messages: table(db, (&messages, within), message, told)?,
            settlements: table(db, (&settlements, within), settled, told)?,
        })
    }

    /// Tables, and how many of their rows nothing has taken out.
    pub(super) fn left(&self) -> [(&'static str, usize); 2] {
        [("message", self.messages.len()), ("settlement", self.settlements.len())]
    }
}

/// The sum of the hashes of some rows, in whatever order they come. Equal heaps have equal fingerprints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

/// How rows are hashed in one run: with a key of its own, so that nobody can make rows that go unseen.
#[derive(Default)]
pub(super) struct Fingerprints {
    hash: RandomState,
    /// Of what the tables hold of each bucket.
    kept: Vec<Fingerprint>,
}

impl Fingerprints {
    /// A row that cannot be read is a fault like any other.
    pub(super) fn read(db: &dyn Database, faults: &mut Vec<Fault>) -> Read<Fingerprints> {
        let hash = RandomState::new();
        let mut kept = vec![Fingerprint::default(); Bucket::COUNT.into()];
        rows(db, (MESSAGES, &[]), message, faults, |row| kept[place(row.0.0)].take(&hash, &row))?;
        rows(db, (&settlements(), &[]), settled, faults, |row| kept[place(row.0.0)].take(&hash, &row))?;
        Ok(Fingerprints { hash, kept })
    }

    pub(super) fn kept(&self, bucket: Bucket) -> Fingerprint {
        self.kept[place(bucket)]
    }

    pub(super) fn message(&self, to: &mut Fingerprint, at: &MessageAt, row: &MessageRow) {
        to.take(&self.hash, &(at, row));
    }

    pub(super) fn settlement(&self, to: &mut Fingerprint, at: &SettlementAt, row: &settlement::Columns) {
        to.take(&self.hash, &(at, row));
    }
}

impl Fingerprint {
    fn take(&mut self, hash: &RandomState, row: &impl Hash) {
        self.0 = self.0.wrapping_add(hash.hash_one(row));
    }
}

fn place(bucket: Bucket) -> usize {
    bucket.get().into()
}

fn table<K: Hash + Eq, V>(
    db: &dyn Database,
    asked: (&str, &[Value<'_>]),
    read: fn(&dyn Row) -> Read<(K, V)>,
    faults: &mut Vec<Fault>,
) -> Read<HashMap<K, V>> {
    let mut all = HashMap::new();
    rows(db, asked, read, faults, |(key, value)| drop(all.insert(key, value)))?;
    Ok(all)
}

fn rows<K, V>(
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

fn message(row: &dyn Row) -> Read<(MessageAt, MessageRow)> {
    let key = MessageKey {
        message: parsed(row, 2, |text| MessageId::parse(&key::unturned(text)))?,
        institution: parsed(row, 3, InstitutionCode::parse)?,
        transaction: column(row, 4)?,
    };
    let content = ContentHash { recipe: column(row, 8)?, digest: column(row, 9)? };
    let (version, undone_by, fence) = (column(row, 5)?, column(row, 6)?, column(row, 7)?);
    let kept = MessageRow { version, undone_by, fence, content };
    Ok(((bucket(row, 0)?, column(row, 1)?, key), kept))
}

fn settled(row: &dyn Row) -> Read<(SettlementAt, settlement::Columns)> {
    let kept = settlement::Columns::kept(row, 2)?;
    Ok(((bucket(row, 0)?, kept.month(), column(row, 1)?), kept))
}

fn decoded<T: DeserializeOwned>(row: &dyn Row, at: usize) -> Read<T> {
    codec::decode("state", text(row, at)?).map_err(|cause| misread(row, &cause))
}
