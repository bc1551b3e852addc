//! Owns what the tables that lie in the order of time hold, messages and settlements, to be compared with what the records
//! make. They are read once, all of them, into a fingerprint a bucket, and into memory only where that differs.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::hash::Hash;
use std::hash::RandomState;

use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::ledger::LedgerError;
use crate::ledger::books::seals::Fault;
use crate::ledger::books::settlement;
use crate::ledger::books::tables::rows;
use crate::ledger::books::tables::table;
use crate::ledger::key;
use crate::ledger::replay::MessageRow;
use crate::ledger::row::Row;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::parsed;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

type Read<T> = Result<T, LedgerError>;

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

/// The messages and settlements of one bucket, each by its key.
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

    /// Adds a row with its key, as records make it.
    pub(super) fn add<K: Hash, V: Hash>(&self, to: &mut Fingerprint, row: &(K, V)) {
        to.take(&self.hash, row);
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
