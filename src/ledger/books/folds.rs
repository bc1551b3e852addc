//! Owns the tables beside the log, made anew out of it: person by person, by the fold that commits use.

use std::sync::atomic::Ordering;

use crate::domain::record::Body;
use crate::domain::record::Record;
use crate::ledger::LedgerError;
use crate::ledger::Progress;
use crate::ledger::books::settlement;
use crate::ledger::books::settlement::Columns;
use crate::ledger::codec;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::kept_record;
use crate::ledger::key;
use crate::ledger::prepared;
use crate::ledger::replay::Replayed;
use crate::ledger::room;
use crate::ledger::row::Row;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::Bulk;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

type Read<T> = Result<T, LedgerError>;

/// Where some columns of a record stand in [`RECORD`] and after it.
const PRIVATE: usize = 12;
const KEYED: usize = 13;
const BUCKET: usize = 17;

/// Fills the tables of persons inside the running transaction; they are empty.
pub(super) fn make(db: &dyn Database, secrets: &Secrets, progress: &Progress) -> Read<()> {
    progress.done.store(0, Ordering::Relaxed);
    let sql = format!("SELECT {RECORD}, bucket FROM record_of ORDER BY at_bucket, at_person, at_version");
    let mut tables = Tables::of(db, secrets);
    let mut current: Option<Person> = None;
    db.each("read all records", &sql, &[], |row| {
        progress.done.fetch_add(1, Ordering::Relaxed);
        let record = kept_record(secrets, row)?;
        let person = key::person_text(&record.person);
        if current.as_ref().is_none_or(|current| current.replayed.person != person) {
            let next = Person { replayed: Replayed::begin(bucket(row, BUCKET)?, person), private: None };
            current.replace(next).map_or(Ok(()), |whole| tables.put(&whole))?;
        }
        current.as_mut().map_or(Ok(()), |current| current.take(&record, row))
    })?;
    current.map_or(Ok(()), |whole| tables.put(&whole))?;
    tables.end()
}

struct Person {
    replayed: Replayed,
    /// The ciphertext of the record that registered her last.
    private: Option<Vec<u8>>,
}

impl Person {
    fn take(&mut self, record: &Record, row: &dyn Row) -> Read<()> {
        let keyed = column(row, KEYED)?;
        self.replayed.take(record, keyed).map_err(|broken| {
            damaged(&format!("{:?}: record {}", record.person, record.version), &broken.to_string())
        })?;
        if let (Body::Registered(_), Some(private)) = (&record.body, row.bytes(PRIVATE)?) {
            self.private = Some(private.to_vec());
        }
        Ok(())
    }
}

struct Tables<'d> {
    secrets: &'d Secrets,
    persons: Bulk<'d>,
    stays: Bulk<'d>,
    messages: Bulk<'d>,
    settlements: Bulk<'d>,
    credentials: Bulk<'d>,
}

impl<'d> Tables<'d> {
    fn of(db: &'d dyn Database, secrets: &'d Secrets) -> Tables<'d> {
        const MESSAGE: &str =
            "bucket, turned_msgid, institution, infno, person, version, undone_by, fence, recipe, content";
        let settlement = format!("bucket, setl_id, {}", settlement::COLUMNS);
        Tables {
            secrets,
            persons: Bulk::into(db, "person", "bucket, person, version, last_ms, state, private"),
            stays: Bulk::into(db, "stay", "bucket, stay, person, version, state"),
            messages: Bulk::into(db, "message", MESSAGE),
            settlements: Bulk::into(db, "settlement", &settlement),
            // A number may be kept as two kinds of credential.
            credentials: Bulk::into(db, "credential", "bucket, hash, person").or("ON CONFLICT DO NOTHING"),
        }
    }

    fn put(&mut self, Person { replayed, private }: &Person) -> Read<()> {
        let (her, bucket) = (replayed.person.as_str(), replayed.bucket.get());
        let state = room::of_person(codec::encode(&replayed.state));
        let (version, last_ms) = (replayed.version, replayed.last_at.0);
        self.persons.put(values![bucket, her, version, last_ms, &state, private.as_deref()])?;
        for (id, (version, state)) in &replayed.stays {
            let state = room::of_stay(codec::encode(state));
            self.stays.put(values![bucket, id.as_str(), her, *version, &state])?;
        }
        for (message, row) in &replayed.messages {
            self.messages.put(values![
                bucket,
                &key::turned(&message.message),
                message.institution.as_str(),
                message.transaction,
                her,
                row.version,
                row.undone_by,
                row.fence,
                row.content.recipe,
                &row.content.digest
            ])?;
        }
        for settled in &replayed.settlements {
            Columns::of(her, settled).put(&mut self.settlements, bucket, settled.row.id.as_str())?;
        }
        for (bucket, hash) in prepared::hashes(&self.secrets.lookup, &replayed.private) {
            self.credentials.put(values![bucket.get(), &hash, her])?;
        }
        Ok(())
    }

    fn end(self) -> Read<()> {
        let Tables { persons, stays, messages, settlements, credentials, .. } = self;
        [persons, stays, messages, settlements, credentials].into_iter().try_for_each(Bulk::end)
    }
}
