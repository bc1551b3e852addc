//! Owns the proof that every table is the fold of its records: the records are folded once more, person by person,
//! and each row is compared with what stands.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Debug;

use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use crate::domain::calendar::Instant;
use crate::domain::ids::Bucket;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::state::Folded;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::domain::state::Told;
use crate::ledger::LedgerError;
use crate::ledger::codec;
use crate::ledger::effect;
use crate::ledger::effect::SettlementRow;
use crate::ledger::key;
use crate::ledger::prepared;
use crate::ledger::sqlite::read::RECORD;
use crate::ledger::sqlite::read::amounts;
use crate::ledger::sqlite::read::bucket;
use crate::ledger::sqlite::read::column;
use crate::ledger::sqlite::read::kept_record;
use crate::ledger::sqlite::read::number;
use crate::ledger::sqlite::read::snapshot;
use crate::ledger::sqlite::read::text;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::vault::lookup::LookupKey;

type Read<T> = Result<T, LedgerError>;

/// What differs, at most `limit` sentences.
pub(super) fn check(db: &Connection, lookup: &LookupKey, limit: usize) -> Read<Vec<String>> {
    snapshot(db, |db| {
        let mut check = Check { db, lookup, limit, faults: Vec::new(), rows: Rows::default() };
        check.persons()?;
        check.left_over()?;
        Ok(check.faults)
    })
}

struct Check<'a> {
    db: &'a Connection,
    lookup: &'a LookupKey,
    limit: usize,
    faults: Vec<String>,
    rows: Rows,
}

/// How many rows the records make: a table that has more holds rows that no record made.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rows {
    person: i64,
    stay: i64,
    message: i64,
    settlement: i64,
    credential: i64,
}

/// One person as her records make her.
struct Replayed {
    bucket: Bucket,
    person: String,
    version: u64,
    last_at: Instant,
    state: PersonState,
    private: PersonPrivate,
    stays: BTreeMap<StayId, (u64, StayState)>,
    messages: BTreeMap<MessageKey, MessageRow>,
    settlements: Vec<(SettlementRow, u64, Instant, Option<StayId>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MessageRow {
    version: u64,
    undone_by: u64,
    fence: bool,
    content: ContentHash,
}

impl Check<'_> {
    /// Every person who has records, in the order of the primary key.
    fn persons(&mut self) -> Read<()> {
        let db = self.db;
        let sql = format!("SELECT {RECORD}, bucket FROM record ORDER BY bucket, person, version");
        let failed = || storage("read all records");
        let mut statement = db.prepare(&sql).map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        let mut current: Option<Replayed> = None;
        let mut lanes = BTreeSet::new();
        while let Some(row) = rows.next().map_err(failed())? {
            if self.faults.len() >= self.limit {
                return Ok(());
            }
            let (record, bucket) = (kept_record(row)?, bucket(row, 16)?);
            if !lanes.insert((column::<i64>(row, 14)?, column::<i64>(row, 15)?)) {
                self.tell(&record.person, "a place in a lane is taken twice");
            }
            let person = key::person_text(&record.person);
            if current.as_ref().is_none_or(|replayed| replayed.person != person) {
                let next = self.begin(bucket, person, &record);
                self.finish(current.replace(next))?;
            }
            let keyed = column(row, 13)?;
            let broken = current.as_mut().and_then(|replayed| replayed.take(&record, keyed).err());
            if let Some(broken) = broken {
                self.tell(&record.person, &format!("record {}: {broken}", record.version));
            }
        }
        self.finish(current)
    }

    fn begin(&mut self, bucket: Bucket, person: String, first: &Record) -> Replayed {
        if key::bucket_of(self.lookup, &first.person) != bucket {
            self.tell(&first.person, "lies in the wrong bucket");
        }
        Replayed {
            bucket,
            person,
            version: 0,
            last_at: Instant::default(),
            state: PersonState::default(),
            private: PersonPrivate::default(),
            stays: BTreeMap::new(),
            messages: BTreeMap::new(),
            settlements: Vec::new(),
        }
    }

    fn finish(&mut self, replayed: Option<Replayed>) -> Read<()> {
        let Some(replayed) = replayed else { return Ok(()) };
        self.compare_person(&replayed)?;
        for (id, (version, state)) in &replayed.stays {
            self.compare_stay(&replayed, id, *version, state)?;
        }
        for (key, row) in &replayed.messages {
            self.compare_message(&replayed, key, row)?;
        }
        for (row, version, at, stay) in &replayed.settlements {
            self.compare_settlement(&replayed, row, *version, *at, stay.as_ref())?;
        }
        self.compare_credentials(&replayed)
    }

    fn compare_person(&mut self, replayed: &Replayed) -> Read<()> {
        const SQL: &str =
            "SELECT version, last_ms, state, private FROM person WHERE bucket = ?1 AND person = ?2";
        self.rows.person += 1;
        let key = params![replayed.bucket.get(), replayed.person];
        let kept = self.one(SQL, key, |row| {
            Ok((number(row, 0)?, Instant(column(row, 1)?), decoded(row, 2)?, decoded(row, 3)?))
        })?;
        let folded = (replayed.version, replayed.last_at, replayed.state.clone(), replayed.private.clone());
        self.same(replayed, "her row", &Some(folded), &kept);
        Ok(())
    }

    fn compare_stay(
        &mut self,
        replayed: &Replayed,
        id: &StayId,
        version: u64,
        state: &StayState,
    ) -> Read<()> {
        const SQL: &str = "SELECT person, version, state FROM stay WHERE bucket = ?1 AND stay = ?2";
        self.rows.stay += 1;
        let kept = self.one(SQL, params![replayed.bucket.get(), id.as_str()], |row| {
            Ok((column(row, 0)?, number(row, 1)?, decoded(row, 2)?))
        })?;
        let folded = Some((replayed.person.clone(), version, state.clone()));
        self.same(replayed, &format!("stay {id}"), &folded, &kept);
        Ok(())
    }

    fn compare_message(&mut self, replayed: &Replayed, key: &MessageKey, row: &MessageRow) -> Read<()> {
        const SQL: &str = "SELECT person, version, undone_by, fence, recipe, content FROM message
             WHERE bucket = ?1 AND msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?5";
        self.rows.message += 1;
        let (message, institution) = (key.message.as_str(), key.institution.as_str());
        let asked = params![replayed.bucket.get(), message, institution, key.transaction, replayed.person];
        let kept = self.one(SQL, asked, |row| {
            let content = ContentHash { recipe: column(row, 4)?, digest: column(row, 5)? };
            let (version, undone_by, fence) = (number(row, 1)?, number(row, 2)?, column(row, 3)?);
            Ok((column::<String>(row, 0)?, MessageRow { version, undone_by, fence, content }))
        })?;
        self.same(replayed, &format!("message {message}"), &Some((replayed.person.clone(), *row)), &kept);
        Ok(())
    }

    fn compare_settlement(
        &mut self,
        replayed: &Replayed,
        row: &SettlementRow,
        version: u64,
        at: Instant,
        stay: Option<&StayId>,
    ) -> Read<()> {
        self.rows.settlement += 1;
        let month = at.day().month().number();
        let asked = params![replayed.bucket.get(), row.id.as_str(), month];
        let kept = self.one(SETTLEMENT, asked, kept_settlement)?;
        let words = [
            Some(replayed.person.clone()),
            Some(row.kind.word().into()),
            row.original.as_ref().map(ToString::to_string),
            stay.map(ToString::to_string),
            Some(row.institution.to_string()),
            Some(row.scheme.to_string()),
        ];
        let numbers = [
            whole(version),
            i64::from(row.care_pool.0),
            i64::from(row.insured_pool.0),
            i64::from(row.year.0),
            i64::from(month),
            at.0,
        ];
        let folded = Some((words, numbers, amounts(&row.breakdown)));
        self.same(replayed, &format!("settlement {}", row.id), &folded, &kept);
        Ok(())
    }

    fn compare_credentials(&mut self, replayed: &Replayed) -> Read<()> {
        const SQL: &str = "SELECT 1 FROM credential WHERE bucket = ?1 AND hash = ?2 AND person = ?3";
        for (bucket, hash) in prepared::hashes(self.lookup, &replayed.private) {
            self.rows.credential += 1;
            let asked = params![bucket.get(), hash, replayed.person];
            let kept = self.one(SQL, asked, |row| column::<i64>(row, 0))?;
            self.same(replayed, "a credential", &Some(1), &kept);
        }
        Ok(())
    }

    /// Rows that no record made.
    fn left_over(&mut self) -> Read<()> {
        if self.faults.len() >= self.limit {
            return Ok(());
        }
        let count = |table: &str| {
            let counted = self.db.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0));
            counted.map_err(storage("count rows"))
        };
        let kept = Rows {
            person: count("person")?,
            stay: count("stay")?,
            message: count("message")?,
            settlement: count("settlement")?,
            credential: count("credential")?,
        };
        if kept != self.rows {
            self.faults.push(format!("the records make {:?}, the tables hold {kept:?}", self.rows));
        }
        Ok(())
    }

    fn one<T>(
        &self,
        sql: &str,
        asked: &[&dyn rusqlite::ToSql],
        read: impl FnOnce(&Row<'_>) -> Read<T>,
    ) -> Read<Option<T>> {
        let failed = || storage("read a row to compare");
        let mut statement = self.db.prepare_cached(sql).map_err(failed())?;
        let mut rows = statement.query(asked).map_err(failed())?;
        rows.next().map_err(failed())?.map(read).transpose()
    }

    fn same<T: PartialEq + Debug>(&mut self, replayed: &Replayed, what: &str, folded: &T, kept: &T) {
        if folded != kept {
            let person = key::person_of(&replayed.person);
            self.faults.push(format!("{person:?}: {what} is {kept:?}, its records make {folded:?}"));
        }
    }

    fn tell(&mut self, person: &impl Debug, what: &str) {
        self.faults.push(format!("{person:?}: {what}"));
    }
}

const SETTLEMENT: &str = "SELECT person, kind, original, stay, institution, scheme,
         version, care_pool, insured_pool, benefit_year, setl_month, at_ms,
         medfee, hifp, hifob, hifmi, hifes, cvlserv, maf, hifdm, oth, fund, hospital_part, person_part,
         account, mutual_aid, cash
     FROM settlement WHERE bucket = ?1 AND setl_id = ?2 AND setl_month = ?3";

type KeptSettlement = ([Option<String>; 6], [i64; 6], [Fen; 15]);

fn kept_settlement(row: &Row<'_>) -> Read<KeptSettlement> {
    let (mut words, mut numbers, mut amounts) = ([const { None }; 6], [0; 6], [Fen::ZERO; 15]);
    for (at, word) in words.iter_mut().enumerate() {
        *word = column(row, at)?;
    }
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = column(row, 6 + at)?;
    }
    for (at, amount) in amounts.iter_mut().enumerate() {
        *amount = Fen(column(row, 12 + at)?);
    }
    Ok((words, numbers, amounts))
}

fn decoded<T: serde::de::DeserializeOwned>(row: &Row<'_>, at: usize) -> Read<T> {
    let damaged = |cause: codec::CodecError| LedgerError::Damaged {
        at: "a row to compare".into(),
        what: cause.to_string(),
    };
    codec::decode("state", text(row, at)?).map_err(damaged)
}

/// Why a record cannot follow the ones before it.
#[derive(Debug, thiserror::Error)]
enum OutOfPlace {
    #[error("follows version {0}")]
    Version(u64),
    #[error("moves its stay from version {0}")]
    StayVersion(u64),
    #[error("goes back in time")]
    Time,
    #[error("binds a message that is bound already")]
    Message,
    #[error(transparent)]
    Unfit(#[from] effect::Unfit),
}

impl Replayed {
    fn take(&mut self, record: &Record, keyed: bool) -> Result<(), OutOfPlace> {
        if record.version != self.version + 1 {
            return Err(OutOfPlace::Version(self.version));
        }
        if record.at < self.last_at {
            return Err(OutOfPlace::Time);
        }
        (self.version, self.last_at) = (record.version, record.at);
        let effect = self.fold(record)?;
        if let Some(known) = prepared::registered(&record.body, &record.private) {
            self.private = known.clone();
        }
        if keyed {
            self.bind(record.meta.key.clone(), record, false)?;
        }
        if let Some(key) = effect.fences {
            self.bind(key, record, true)?;
        }
        self.turn(&effect.undoes, effect.restores.as_ref());
        let stay = record.stay.as_ref().map(|(id, _)| id.clone());
        self.settlements.extend(effect.settlement.map(|row| (row, record.version, record.at, stay)));
        Ok(())
    }

    fn fold(&mut self, record: &Record) -> Result<effect::Effect, OutOfPlace> {
        let stay = record.stay.as_ref();
        let before = stay.and_then(|(id, _)| self.stays.remove(id));
        let stay_version = before.as_ref().map_or(0, |(version, _)| *version);
        let told = Told {
            version: record.version,
            key: &record.meta.key,
            received_at: record.meta.received_at,
            stay: stay.map(|(id, _)| id),
        };
        let mut folded =
            Folded { person: std::mem::take(&mut self.state), stay: before.map(|(_, state)| state) };
        let effect = effect::take(&mut folded, told, &record.body)?;
        self.state = folded.person;
        if let (Some((id, version)), Some(state)) = (stay, folded.stay) {
            if *version != stay_version + 1 {
                return Err(OutOfPlace::StayVersion(stay_version));
            }
            self.stays.insert(id.clone(), (*version, state));
        }
        Ok(effect)
    }

    fn bind(&mut self, key: MessageKey, record: &Record, fence: bool) -> Result<(), OutOfPlace> {
        let row = MessageRow { version: record.version, undone_by: 0, fence, content: record.meta.content };
        let bound = self.messages.insert(key, row);
        if bound.is_none() { Ok(()) } else { Err(OutOfPlace::Message) }
    }

    fn turn(&mut self, undoes: &[MessageKey], restores: Option<&MessageKey>) {
        for key in undoes {
            if let Some(row) = self.messages.get_mut(key).filter(|row| row.undone_by == 0 && !row.fence) {
                row.undone_by = self.version;
            }
        }
        if let Some(row) = restores.and_then(|key| self.messages.get_mut(key)) {
            row.undone_by = 0;
        }
    }
}
