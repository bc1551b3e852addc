//! Owns the tables beside the log, made anew out of it: person by person, by the fold that commits use.

use std::sync::atomic::Ordering;

use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use crate::domain::ids::Bucket;
use crate::domain::record::Body;
use crate::domain::record::Record;
use crate::ledger::LedgerError;
use crate::ledger::Progress;
use crate::ledger::codec;
use crate::ledger::codec::CodecError;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::kept_record;
use crate::ledger::key;
use crate::ledger::prepared;
use crate::ledger::replay::Replayed;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::ledger::sqlite::write;
use crate::ledger::sqlite::write::Place;

type Read<T> = Result<T, LedgerError>;

/// Where some columns of a record stand in [`RECORD`] and after it.
const PRIVATE: usize = 12;
const KEYED: usize = 13;
const BUCKET: usize = 17;

/// Fills the tables of persons inside the running transaction; they are empty.
pub(super) fn make(db: &Connection, secrets: &Secrets, progress: &Progress) -> Read<()> {
    progress.done.store(0, Ordering::Relaxed);
    let sql = format!("SELECT {RECORD}, bucket FROM record ORDER BY bucket, person, version");
    let failed = || storage("read all records");
    let mut statement = db.prepare(&sql).map_err(failed())?;
    let mut rows = statement.query([]).map_err(failed())?;
    let mut current: Option<Person> = None;
    while let Some(row) = rows.next().map_err(failed())? {
        progress.done.fetch_add(1, Ordering::Relaxed);
        let record = kept_record(secrets, row)?;
        let person = key::person_text(&record.person);
        if current.as_ref().is_none_or(|current| current.replayed.person != person) {
            let next = Person { replayed: Replayed::begin(bucket(row, BUCKET)?, person), private: None };
            put(db, secrets, current.replace(next))?;
        }
        if let Some(current) = &mut current {
            current.take(&record, row)?;
        }
    }
    put(db, secrets, current)
}

struct Person {
    replayed: Replayed,
    /// The ciphertext of the record that registered her last.
    private: Option<Vec<u8>>,
}

impl Person {
    fn take(&mut self, record: &Record, row: &Row<'_>) -> Read<()> {
        let keyed = column(row, KEYED)?;
        self.replayed.take(record, keyed).map_err(|broken| {
            damaged(&format!("{:?}: record {}", record.person, record.version), &broken.to_string())
        })?;
        if let (Body::Registered(_), Some(private)) = (&record.body, column(row, PRIVATE)?) {
            self.private = Some(private);
        }
        Ok(())
    }
}

fn put(db: &Connection, secrets: &Secrets, person: Option<Person>) -> Read<()> {
    const PERSON: &str = "INSERT INTO person (bucket, person, version, last_ms, state, private)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const STAY: &str = "INSERT INTO stay (bucket, stay, person, version, state) VALUES (?1, ?2, ?3, ?4, ?5)";
    const MESSAGE: &str = "INSERT INTO message
             (bucket, msgid, institution, infno, person, version, undone_by, fence, recipe, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const CREDENTIAL: &str = "INSERT INTO credential (bucket, hash, person) VALUES (?1, ?2, ?3)
         ON CONFLICT (bucket, hash, person) DO NOTHING";
    let Some(Person { replayed, private }) = person else { return Ok(()) };
    let (her, bucket) = (replayed.person.as_str(), replayed.bucket.get());
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        let failed = || storage("write a table");
        db.prepare_cached(sql).map_err(failed())?.execute(values).map(|_| ()).map_err(failed())
    };
    let encoded = |text: Result<String, CodecError>| text.map_err(|cause| damaged(her, &cause.to_string()));
    let state = encoded(codec::encode("person", &replayed.state))?;
    let version = whole(replayed.version);
    run(PERSON, params![bucket, her, version, replayed.last_at.0, state, private])?;
    for (id, (version, state)) in &replayed.stays {
        let state = encoded(codec::encode("stay", state))?;
        run(STAY, params![bucket, id.as_str(), her, whole(*version), state])?;
    }
    for (key, row) in &replayed.messages {
        let (message, institution) = (key.message.as_str(), key.institution.as_str());
        let (version, undone_by) = (whole(row.version), whole(row.undone_by));
        let content = &row.content;
        run(
            MESSAGE,
            params![
                bucket,
                message,
                institution,
                key.transaction,
                her,
                version,
                undone_by,
                row.fence,
                content.recipe,
                content.digest
            ],
        )?;
    }
    for settled in &replayed.settlements {
        let place = Place { version: settled.version, at: settled.at };
        let stay = settled.stay.as_ref().map(|stay| stay.as_str());
        write::insert_settlement(db, (bucket, her), place, stay, &settled.row)
            .map_err(storage("write a settlement"))?;
    }
    for (bucket, hash) in prepared::hashes(&secrets.lookup, &replayed.private) {
        let bucket: Bucket = bucket;
        run(CREDENTIAL, params![bucket.get(), hash, her])?;
    }
    Ok(())
}
