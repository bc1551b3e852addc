//! Owns the proof that a part of the tables is the fold of its records, and its records are what was sealed: they are
//! folded once more, person by person, and each row is compared with what stands, messages and settlements by the
//! fingerprint of all of a bucket.

use std::collections::HashMap;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;

use crate::domain::ids::Bucket;
use crate::domain::record::Body;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::ledger::LedgerError;
use crate::ledger::Verify;
use crate::ledger::books::appended::Appended;
use crate::ledger::books::appended::Fingerprint;
use crate::ledger::books::appended::Fingerprints;
use crate::ledger::books::appended::MessageAt;
use crate::ledger::books::appended::SettlementAt;
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
use crate::ledger::replay::MessageRow;
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
    /// Records that were met.
    pub(super) records: u64,
    pub(super) credentials: i64,
    /// Whether somebody was forgotten: by what she is found cannot be told any more.
    pub(super) forgotten: bool,
}

impl Part {
    pub(super) fn add(&mut self, other: Part) {
        self.faults.extend(other.faults);
        self.records += other.records;
        self.credentials += other.credentials;
        self.forgotten |= other.forgotten;
    }
}

/// Checks the persons of some buckets and everything of theirs.
pub(super) fn buckets(
    db: &dyn Database,
    secrets: &Secrets,
    seals: &Seals,
    fingerprints: &Fingerprints,
    buckets: RangeInclusive<u16>,
    wish: &Verify,
) -> Read<Part> {
    let mut faults = Vec::new();
    let tables = Tables::read(db, &buckets, &mut faults)?;
    let mut check = Check {
        db,
        secrets,
        seals,
        fingerprints,
        buckets,
        wish,
        faults,
        met: 0,
        tables,
        made: HashMap::new(),
        credentials: Credentials::default(),
        forgotten: false,
        hidden: None,
    };
    check.persons()?;
    check.left_over()?;
    check.appended()?;
    let Check { credentials, faults, forgotten, met, .. } = check;
    Ok(Part { faults, records: met, credentials: credentials.made, forgotten })
}

struct Check<'a> {
    db: &'a dyn Database,
    secrets: &'a Secrets,
    seals: &'a Seals,
    fingerprints: &'a Fingerprints,
    buckets: RangeInclusive<u16>,
    wish: &'a Verify,
    faults: Vec<Fault>,
    met: u64,
    /// What stands and no record has made yet.
    tables: Tables,
    /// Of the messages and settlements that records have made.
    made: HashMap<Bucket, Fingerprint>,
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
            "SELECT {RECORD}, bucket, {FOUND_AS_ANOTHER} FROM record_of WHERE at_bucket BETWEEN ?1 AND ?2
             ORDER BY at_bucket, at_person, at_version"
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
        self.met += 1;
        if let Err(what) = self.seals.meet(self.db, place, &sealed)? {
            self.faults.push(Fault::of_record(place, format!("{}: {what}", named(row)?)));
        }
        if column(row, FOUND_AS_ANOTHER_AT)? {
            self.faults.push(Fault::of_record(place, format!("{}: it is found as another one", named(row)?)));
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
            self.tell(&person, "lies in the wrong bucket");
        }
        Replayed::begin(bucket, person)
    }

    fn finish(&mut self, replayed: Option<Replayed>) -> Read<()> {
        let Some(replayed) = replayed else { return Ok(()) };
        self.compare_person(&replayed);
        self.compare_stays(&replayed);
        self.take_appended(&replayed);
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
            self.tell(&replayed.person, "her row hides other data than her last registration");
        }
    }

    fn compare_stays(&mut self, replayed: &Replayed) {
        for (id, (version, state)) in &replayed.stays {
            let kept = self.tables.stays.remove(&(replayed.bucket, id.to_string()));
            let folded = StayRow { person: replayed.person.clone(), version: *version, state: state.clone() };
            self.same(replayed, &format!("stay {id}"), &Some(folded), &kept);
        }
    }

    fn take_appended(&mut self, replayed: &Replayed) {
        let made = self.made.entry(replayed.bucket).or_default();
        messages(replayed).for_each(|row| self.fingerprints.add(made, &row));
        settlements(replayed).for_each(|row| self.fingerprints.add(made, &row));
    }

    /// Looks for what differs in each bucket whose fingerprint does.
    fn appended(&mut self) -> Read<()> {
        for bucket in self.buckets.clone().filter_map(Bucket::new) {
            let made = self.made.get(&bucket).copied().unwrap_or_default();
            if made != self.fingerprints.kept(bucket) && self.faults.len() < self.wish.faults_max {
                self.faults.extend(differences(self.db, self.secrets, bucket)?);
            }
        }
        Ok(())
    }

    /// Asks for the credentials that wait, once there are so many.
    fn told_of_credentials(&mut self, at_least: usize) -> Read<()> {
        for person in self.credentials.missing(self.db, at_least)? {
            self.tell(&person, "a credential of hers is not kept");
        }
        Ok(())
    }

    /// Rows that no record made.
    fn left_over(&mut self) -> Read<()> {
        if self.faults.len() >= self.wish.faults_max {
            return Ok(());
        }
        let buckets = format!("buckets {} to {}", self.buckets.start(), self.buckets.end());
        self.faults.extend(unmade(&buckets, self.tables.left()));
        Ok(())
    }

    fn same<T: PartialEq + Debug>(&mut self, replayed: &Replayed, what: &str, folded: &T, kept: &T) {
        self.faults.extend(difference(replayed, what, folded, kept));
    }

    fn tell(&mut self, person: &str, what: &str) {
        self.faults.push(Fault::of_tables(format!("{}: {what}", whose(person))));
    }
}

/// What is wrong with the messages and settlements of a bucket. Records that cannot be read or do not follow are passed
/// over: they were told before.
fn differences(db: &dyn Database, secrets: &Secrets, bucket: Bucket) -> Read<Vec<Fault>> {
    let sql = format!("SELECT {RECORD} FROM record_of WHERE at_bucket = ?1 ORDER BY at_person, at_version");
    let (mut kept, mut faults) = (Appended::read(db, bucket)?, Vec::new());
    let mut finish = |replayed: &Replayed| {
        for (at, row) in messages(replayed) {
            let what = format!("message {}", at.2.message);
            faults.extend(difference(replayed, &what, &Some(row), &kept.messages.remove(&at)));
        }
        for (at, row) in settlements(replayed) {
            let what = format!("settlement {}", at.2);
            faults.extend(difference(replayed, &what, &Some(row), &kept.settlements.remove(&at)));
        }
    };
    let mut current: Option<Replayed> = None;
    db.each("read the records of a bucket", &sql, values![bucket.get()], |row| {
        let Ok(record) = kept_record(secrets, row) else { return Ok(()) };
        let person = key::person_text(&record.person);
        let replayed = match &mut current {
            Some(replayed) if replayed.person == person => replayed,
            other => {
                other.iter().for_each(&mut finish);
                other.insert(Replayed::begin(bucket, person))
            }
        };
        let _told_before = replayed.take(&record, column(row, KEYED)?);
        Ok(())
    })?;
    current.iter().for_each(&mut finish);
    faults.extend(unmade(&format!("bucket {}", bucket.get()), kept.left()));
    if faults.is_empty() {
        let what = "its messages and settlements are not what the records make, and no row tells in what";
        faults.push(Fault::of_tables(format!("bucket {}: {what}", bucket.get())));
    }
    Ok(faults)
}

fn messages(replayed: &Replayed) -> impl Iterator<Item = (MessageAt, MessageRow)> {
    let at = |key: &MessageKey| (replayed.bucket, replayed.person.clone(), key.clone());
    replayed.messages.iter().map(move |(key, row)| (at(key), *row))
}

fn settlements(replayed: &Replayed) -> impl Iterator<Item = (SettlementAt, settlement::Columns)> {
    replayed.settlements.iter().map(|settled| {
        let folded = settlement::Columns::of(&replayed.person, settled);
        ((replayed.bucket, folded.month(), settled.row.id.to_string()), folded)
    })
}

fn difference<T: PartialEq + Debug>(replayed: &Replayed, what: &str, folded: &T, kept: &T) -> Option<Fault> {
    (folded != kept).then(|| {
        let (kept, folded) = (format!("{kept:?}"), format!("{folded:?}"));
        let same = kept.chars().zip(folded.chars()).take_while(|(one, other)| one == other).count();
        let around =
            |text: &str| text.chars().skip(same.saturating_sub(BEFORE)).take(SHOWN).collect::<String>();
        let (kept, folded, person) = (around(&kept), around(&folded), whose(&replayed.person));
        Fault::of_tables(format!("{person}: {what} has …{kept}… where its records make …{folded}…"))
    })
}

/// How much is shown of two rows that differ, and how much of that they have in common: characters.
const SHOWN: usize = 100;
const BEFORE: usize = 40;

/// A person without her whole number.
fn whose(person: &str) -> String {
    key::person_of(person).map_or_else(|| "nobody that can be".to_owned(), |person| format!("{person:?}"))
}

fn unmade(place: &str, left: [(&'static str, usize); 2]) -> impl Iterator<Item = Fault> {
    let left = left.into_iter().filter(|(_, rows)| *rows > 0);
    left.map(move |(table, rows)| {
        Fault::of_tables(format!("{place}: {rows} rows of {table} are there that no record makes"))
    })
}

/// Where some columns of a record stand.
const PERSON: usize = 0;
const PRIVATE: usize = 12;
const KEYED: usize = 13;
const COMMITMENT: usize = 16;
const BUCKET: usize = 17;
const FOUND_AS_ANOTHER_AT: usize = 18;

/// Whether a record was come by as another one than it is.
const FOUND_AS_ANOTHER: &str = "CAST(CASE WHEN at_bucket = bucket AND at_person = person AND at_version = version \
                         THEN 0 ELSE 1 END AS BIGINT)";

/// Whose record a row is, for a fault.
fn named(row: &dyn Row) -> Read<String> {
    Ok(format!("record {} of {}", column::<u64>(row, 1)?, whose(text(row, PERSON)?)))
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
