//! Owns the proof that a part of the tables is the fold of its records, and its records are what was sealed: they are
//! folded once more, person by person, and each row is compared with what stands.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use crate::domain::calendar::Instant;
use crate::domain::ids::Bucket;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::state::StayState;
use crate::ledger::LedgerError;
use crate::ledger::Verify;
use crate::ledger::codec;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::amounts;
use crate::ledger::kept::kept_record;
use crate::ledger::key;
use crate::ledger::prepared;
use crate::ledger::replay::MessageRow;
use crate::ledger::replay::Replayed;
use crate::ledger::replay::Settled;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::text;
use crate::ledger::seal;
use crate::ledger::seal::Contents;
use crate::ledger::seal::RecordPlace;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::seals::Fault;
use crate::ledger::sqlite::seals::Placed;
use crate::ledger::sqlite::seals::Seals;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;

type Read<T> = Result<T, LedgerError>;

/// What was found in a part of the buckets.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) faults: Vec<Fault>,
    pub(super) credentials: i64,
    /// Whether somebody was forgotten: by what she is found cannot be told any more.
    pub(super) forgotten: bool,
}

impl Part {
    pub(super) fn add(&mut self, other: Part) {
        self.faults.extend(other.faults);
        self.credentials += other.credentials;
        self.forgotten |= other.forgotten;
    }
}

/// Checks the persons of some buckets and everything of theirs.
pub(super) fn buckets(
    db: &Connection,
    secrets: &Secrets,
    seals: &Seals,
    buckets: RangeInclusive<u16>,
    wish: &Verify,
) -> Read<Part> {
    let mut check = Check {
        db,
        secrets,
        seals,
        buckets,
        wish,
        faults: Vec::new(),
        rows: Rows::default(),
        forgotten: false,
        hidden: None,
    };
    check.persons()?;
    check.left_over()?;
    Ok(Part { faults: check.faults, credentials: check.rows.credential, forgotten: check.forgotten })
}

struct Check<'a> {
    db: &'a Connection,
    secrets: &'a Secrets,
    seals: &'a Seals,
    buckets: RangeInclusive<u16>,
    wish: &'a Verify,
    faults: Vec<Fault>,
    rows: Rows,
    forgotten: bool,
    /// Of the person who is being replayed: the ciphertext of her last registration.
    hidden: Option<Vec<u8>>,
}

/// How many rows the records make: a table that has more holds rows that no record made.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rows {
    person: i64,
    stay: i64,
    message: i64,
    settlement: i64,
    /// Lie in buckets of their own; counted over all parts.
    credential: i64,
}

impl Check<'_> {
    /// Every person who has records, in the order of the primary key.
    fn persons(&mut self) -> Read<()> {
        let db = self.db;
        let sql = format!(
            "SELECT {RECORD}, bucket FROM record WHERE bucket BETWEEN ?1 AND ?2 ORDER BY bucket, person, version"
        );
        let failed = || storage("read all records");
        let mut statement = db.prepare(&sql).map_err(failed())?;
        let range = params![self.buckets.start(), self.buckets.end()];
        let mut rows = statement.query(range).map_err(failed())?;
        let mut current: Option<Replayed> = None;
        while let Some(row) = rows.next().map_err(failed())? {
            if self.faults.len() >= self.wish.faults_max {
                return Ok(());
            }
            let (place, sealed) = sealed(row)?;
            self.wish.progress.done.fetch_add(1, Ordering::Relaxed);
            if let Err(what) = self.seals.meet(db, place, &sealed)? {
                self.faults.push(Fault::of_record(place, format!("{}: {what}", named(row)?)));
            }
            match kept_record(self.secrets, row) {
                Ok(record) => {
                    let registers = matches!(record.body, Body::Registered(_));
                    self.take(&mut current, record, bucket(row, BUCKET)?, column(row, KEYED)?, place)?;
                    if registers {
                        self.hidden = column(row, PRIVATE)?;
                    }
                }
                Err(LedgerError::Damaged { at, what }) => {
                    self.faults.push(Fault::of_record(place, format!("{}: {at}: {what}", named(row)?)));
                }
                Err(other) => return Err(other),
            }
        }
        self.finish(current)
    }

    fn take(
        &mut self,
        current: &mut Option<Replayed>,
        record: Record,
        bucket: Bucket,
        keyed: bool,
        place: Placed,
    ) -> Read<()> {
        let person = key::person_text(&record.person);
        if current.as_ref().is_none_or(|replayed| replayed.person != person) {
            let next = self.begin(bucket, person, &record);
            self.finish(current.replace(next))?;
            self.hidden = None;
        }
        let broken = current.as_mut().and_then(|replayed| replayed.take(&record, keyed).err());
        if let Some(broken) = broken {
            let what = format!("{:?}: record {}: {broken}", record.person, record.version);
            self.faults.push(Fault::of_record(place, what));
        }
        Ok(())
    }

    fn begin(&mut self, bucket: Bucket, person: String, first: &Record) -> Replayed {
        if key::bucket_of(&self.secrets.lookup, &first.person) != bucket {
            self.tell(&first.person, "lies in the wrong bucket");
        }
        Replayed::begin(bucket, person)
    }

    fn finish(&mut self, replayed: Option<Replayed>) -> Read<()> {
        let Some(replayed) = replayed else { return Ok(()) };
        let compared = self.compare_person(&replayed);
        self.or_tell(&replayed, compared)?;
        for (id, (version, state)) in &replayed.stays {
            let compared = self.compare_stay(&replayed, id, *version, state);
            self.or_tell(&replayed, compared)?;
        }
        for (key, row) in &replayed.messages {
            let compared = self.compare_message(&replayed, key, row);
            self.or_tell(&replayed, compared)?;
        }
        for settled in &replayed.settlements {
            let compared = self.compare_settlement(&replayed, settled);
            self.or_tell(&replayed, compared)?;
        }
        self.compare_credentials(&replayed)
    }

    /// A row that cannot be read is a fault like any other.
    fn or_tell(&mut self, replayed: &Replayed, compared: Read<()>) -> Read<()> {
        match compared {
            Err(LedgerError::Damaged { at, what }) => {
                let person = key::person_of(&replayed.person);
                self.faults.push(Fault::of_tables(format!("{person:?}: {at}: {what}")));
                Ok(())
            }
            other => other,
        }
    }

    fn compare_person(&mut self, replayed: &Replayed) -> Read<()> {
        const SQL: &str =
            "SELECT version, last_ms, state, private FROM person WHERE bucket = ?1 AND person = ?2";
        self.rows.person += 1;
        let key = params![replayed.bucket.get(), replayed.person];
        let kept = self.one(SQL, key, |row| {
            let row_of_hers = (column(row, 0)?, Instant(column(row, 1)?), decoded(row, 2)?);
            Ok((row_of_hers, column::<Option<Vec<u8>>>(row, 3)?))
        })?;
        let (kept, hidden) = kept.unzip();
        let folded = Some((replayed.version, replayed.last_at, replayed.state.clone()));
        self.same(replayed, "her row", &folded, &kept);
        // Her personal data is the ciphertext of the record that registered her last, to the byte.
        if hidden.flatten() != self.hidden {
            self.tell(
                &key::person_of(&replayed.person),
                "her row hides other data than her last registration",
            );
        }
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
            Ok((column(row, 0)?, column(row, 1)?, decoded(row, 2)?))
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
            let (version, undone_by, fence) = (column(row, 1)?, column(row, 2)?, column(row, 3)?);
            Ok((column::<String>(row, 0)?, MessageRow { version, undone_by, fence, content }))
        })?;
        self.same(replayed, &format!("message {message}"), &Some((replayed.person.clone(), *row)), &kept);
        Ok(())
    }

    fn compare_settlement(
        &mut self,
        replayed: &Replayed,
        Settled { row, version, at, stay }: &Settled,
    ) -> Read<()> {
        self.rows.settlement += 1;
        let month = at.day().month().number();
        let asked = params![replayed.bucket.get(), row.id.as_str(), month];
        let kept = self.one(SETTLEMENT, asked, kept_settlement)?;
        let words = [
            Some(replayed.person.clone()),
            Some(row.kind.word().into()),
            row.original.as_ref().map(ToString::to_string),
            stay.as_ref().map(ToString::to_string),
            Some(row.institution.to_string()),
            Some(row.scheme.to_string()),
        ];
        let numbers = [
            whole(*version),
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
        self.forgotten |= replayed.forgotten;
        for (bucket, hash) in prepared::hashes(&self.secrets.lookup, &replayed.private) {
            self.rows.credential += 1;
            let asked = params![bucket.get(), hash, replayed.person];
            let kept = self.one(SQL, asked, |row| column::<i64>(row, 0))?;
            self.same(replayed, "a credential", &Some(1), &kept);
        }
        Ok(())
    }

    /// Rows that no record made.
    fn left_over(&mut self) -> Read<()> {
        if self.faults.len() >= self.wish.faults_max {
            return Ok(());
        }
        let range = [self.buckets.start(), self.buckets.end()];
        let count = |table: &str| {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE bucket BETWEEN ?1 AND ?2");
            self.db.query_row(&sql, range, |row| row.get::<_, i64>(0)).map_err(storage("count rows"))
        };
        let tables = [
            ("person", self.rows.person),
            ("stay", self.rows.stay),
            ("message", self.rows.message),
            ("settlement", self.rows.settlement),
        ];
        for (table, made) in tables {
            let kept = count(table)?;
            if kept != made {
                let what = format!(
                    "buckets {} to {}: the records make {made} rows of {table}, it holds {kept}",
                    range[0], range[1]
                );
                self.faults.push(Fault::of_tables(what));
            }
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
            let what = format!("{person:?}: {what} is {kept:?}, its records make {folded:?}");
            self.faults.push(Fault::of_tables(what));
        }
    }

    fn tell(&mut self, person: &impl Debug, what: &str) {
        self.faults.push(Fault::of_tables(format!("{person:?}: {what}")));
    }
}

/// Where some columns of a record stand.
const PERSON: usize = 0;
const PRIVATE: usize = 12;
const KEYED: usize = 13;
const COMMITMENT: usize = 16;
const BUCKET: usize = 17;

/// Whose record a row is, for a fault.
fn named(row: &Row<'_>) -> Read<String> {
    Ok(format!("record {} of {}", column::<u64>(row, 1)?, text(row, PERSON)?))
}

/// The leaf of a row as it stands, from the columns of [`RECORD`] and the bucket.
fn sealed(row: &Row<'_>) -> Read<(Placed, Hash)> {
    let stay = row.get_ref(2).ok().and_then(|kept| kept.as_str().ok());
    let stay = stay.map(|stay| Ok::<_, LedgerError>((stay, column(row, 3)?))).transpose()?;
    let place = RecordPlace {
        bucket: column(row, BUCKET)?,
        person: text(row, PERSON)?,
        version: column(row, 1)?,
        stay,
        kind: text(row, 4)?,
        at_ms: column(row, 5)?,
        lane: column(row, 14)?,
        sequence: column(row, 15)?,
        institution: text(row, 6)?,
        infno: column(row, 7)?,
        msgid: text(row, 8)?,
        keyed: column(row, KEYED)?,
        format: column(row, 9)?,
    };
    let hidden = row.get_ref(PRIVATE).ok().and_then(|kept| kept.as_blob().ok());
    let commitment: Option<Hash> = column(row, COMMITMENT)?;
    let contents = Contents::new(text(row, 10)?, text(row, 11)?, hidden.zip(commitment.as_ref()));
    let placed = Placed { lane: place.lane, sequence: place.sequence };
    Ok((placed, seal::record_leaf(&place, &contents)))
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
