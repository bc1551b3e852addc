//! Owns the proof that a part of the tables is the fold of its records, and its records are what was sealed: they are
//! folded once more, person by person, and each row is compared with what stands.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;

use crate::domain::ids::Bucket;
use crate::domain::record::Body;
use crate::domain::record::Record;
use crate::ledger::LedgerError;
use crate::ledger::Verify;
use crate::ledger::books::credentials::Credentials;
use crate::ledger::books::seals::Fault;
use crate::ledger::books::seals::Placed;
use crate::ledger::books::seals::Seals;
use crate::ledger::books::settlement;
use crate::ledger::books::tables::StayRow;
use crate::ledger::books::tables::Tables;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::kept_record;
use crate::ledger::key;
use crate::ledger::prepared;
use crate::ledger::replay::Replayed;
use crate::ledger::row::Row;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::text;
use crate::ledger::seal;
use crate::ledger::seal::Contents;
use crate::ledger::seal::RecordPlace;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

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
    db: &dyn Database,
    secrets: &Secrets,
    seals: &Seals,
    buckets: RangeInclusive<u16>,
    wish: &Verify,
) -> Read<Part> {
    let mut faults = Vec::new();
    let tables = Tables::read(db, &buckets, &mut faults)?;
    let mut check = Check {
        db,
        secrets,
        seals,
        buckets,
        wish,
        faults,
        tables,
        credentials: Credentials::default(),
        forgotten: false,
        hidden: None,
    };
    check.persons()?;
    check.left_over()?;
    let Check { credentials, faults, forgotten, .. } = check;
    Ok(Part { faults, credentials: credentials.made, forgotten })
}

struct Check<'a> {
    db: &'a dyn Database,
    secrets: &'a Secrets,
    seals: &'a Seals,
    buckets: RangeInclusive<u16>,
    wish: &'a Verify,
    faults: Vec<Fault>,
    /// What stands and no record has made yet.
    tables: Tables,
    /// Lie in buckets of their own.
    credentials: Credentials,
    forgotten: bool,
    /// Of the person who is being replayed: the ciphertext of her last registration.
    hidden: Option<Vec<u8>>,
}

impl Check<'_> {
    /// Every person who has records, in the order of the primary key.
    fn persons(&mut self) -> Read<()> {
        let db = self.db;
        let sql = format!(
            "SELECT {RECORD}, bucket FROM record WHERE bucket BETWEEN ?1 AND ?2 ORDER BY bucket, person, version"
        );
        let range = values![*self.buckets.start(), *self.buckets.end()];
        let mut current: Option<Replayed> = None;
        db.each_until("read all records", &sql, range, &mut |row| {
            if self.faults.len() >= self.wish.faults_max {
                return Ok(ControlFlow::Break(()));
            }
            self.record(&mut current, row).map(ControlFlow::Continue)
        })?;
        if self.faults.len() >= self.wish.faults_max {
            return Ok(());
        }
        self.finish(current)?;
        self.told_of_credentials(0)
    }

    fn record(&mut self, current: &mut Option<Replayed>, row: &dyn Row) -> Read<()> {
        let (place, sealed) = sealed(row)?;
        self.wish.progress.done.fetch_add(1, Ordering::Relaxed);
        if let Err(what) = self.seals.meet(self.db, place, &sealed)? {
            self.faults.push(Fault::of_record(place, format!("{}: {what}", named(row)?)));
        }
        match kept_record(self.secrets, row) {
            Ok(record) => {
                let registers = matches!(record.body, Body::Registered(_));
                self.take(current, &record, bucket(row, BUCKET)?, column(row, KEYED)?, place)?;
                if registers {
                    self.hidden = column(row, PRIVATE)?;
                }
            }
            Err(LedgerError::Damaged { at, what }) => {
                self.faults.push(Fault::of_record(place, format!("{}: {at}: {what}", named(row)?)));
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    fn take(
        &mut self,
        current: &mut Option<Replayed>,
        record: &Record,
        bucket: Bucket,
        keyed: bool,
        place: Placed,
    ) -> Read<()> {
        let person = key::person_text(&record.person);
        if current.as_ref().is_none_or(|replayed| replayed.person != person) {
            let next = self.begin(bucket, person, record);
            self.finish(current.replace(next))?;
            self.hidden = None;
        }
        let broken = current.as_mut().and_then(|replayed| replayed.take(record, keyed).err());
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
        self.compare_person(&replayed);
        self.compare_stays(&replayed);
        self.compare_messages(&replayed);
        self.compare_settlements(&replayed);
        self.forgotten |= replayed.forgotten;
        let hashes = prepared::hashes(&self.secrets.lookup, &replayed.private);
        self.credentials.expect(&replayed.person, hashes);
        self.told_of_credentials(Credentials::AT_ONCE)
    }

    fn compare_person(&mut self, replayed: &Replayed) {
        let kept = self.tables.persons.remove(&(replayed.bucket, replayed.person.clone()));
        let (kept, hidden) = kept.map(|row| ((row.version, row.last_at, row.state), row.hidden)).unzip();
        let folded = Some((replayed.version, replayed.last_at, replayed.state.clone()));
        self.same(replayed, "her row", &folded, &kept);
        // Her personal data is the ciphertext of the record that registered her last, to the byte.
        if hidden.flatten() != self.hidden {
            self.tell(
                &key::person_of(&replayed.person),
                "her row hides other data than her last registration",
            );
        }
    }

    fn compare_stays(&mut self, replayed: &Replayed) {
        for (id, (version, state)) in &replayed.stays {
            let kept = self.tables.stays.remove(&(replayed.bucket, id.to_string()));
            let folded = StayRow { person: replayed.person.clone(), version: *version, state: state.clone() };
            self.same(replayed, &format!("stay {id}"), &Some(folded), &kept);
        }
    }

    fn compare_messages(&mut self, replayed: &Replayed) {
        for (key, row) in &replayed.messages {
            let at = (replayed.bucket, replayed.person.clone(), key.clone());
            let kept = self.tables.messages.remove(&at);
            self.same(replayed, &format!("message {}", key.message), &Some(*row), &kept);
        }
    }

    fn compare_settlements(&mut self, replayed: &Replayed) {
        for settled in &replayed.settlements {
            let folded = settlement::Columns::of(&replayed.person, settled);
            let at = (replayed.bucket, folded.month(), settled.row.id.to_string());
            let kept = self.tables.settlements.remove(&at);
            self.same(replayed, &format!("settlement {}", settled.row.id), &Some(folded), &kept);
        }
    }

    /// Asks for the credentials that wait, once there are so many.
    fn told_of_credentials(&mut self, at_least: usize) -> Read<()> {
        for person in self.credentials.missing(self.db, at_least)? {
            self.tell(&key::person_of(&person), "a credential of hers is not kept");
        }
        Ok(())
    }

    /// Rows that no record made.
    fn left_over(&mut self) -> Read<()> {
        if self.faults.len() >= self.wish.faults_max {
            return Ok(());
        }
        for (table, rows) in self.tables.left() {
            if rows > 0 {
                self.faults.push(Fault::of_tables(format!(
                    "buckets {} to {}: {rows} rows of {table} are there that no record makes",
                    self.buckets.start(),
                    self.buckets.end()
                )));
            }
        }
        Ok(())
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
fn named(row: &dyn Row) -> Read<String> {
    Ok(format!("record {} of {}", column::<u64>(row, 1)?, text(row, PERSON)?))
}

/// The leaf of a row as it stands, from the columns of [`RECORD`] and the bucket.
fn sealed(row: &dyn Row) -> Read<(Placed, Hash)> {
    // What is not of its kind any more is not what was sealed either.
    let stay = row.text(2).ok().flatten();
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
    let hidden = row.bytes(PRIVATE).ok().flatten();
    let commitment: Option<Hash> = column(row, COMMITMENT)?;
    let contents = Contents::new(text(row, 10)?, text(row, 11)?, hidden.zip(commitment.as_ref()));
    let placed = Placed { lane: place.lane, sequence: place.sequence };
    Ok((placed, seal::record_leaf(&place, &contents)))
}
