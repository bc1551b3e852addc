//! Owns what is read of persons, stays, messages and settlements.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::params;

use crate::domain::calendar::Month;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::lines::Lines;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::ledger::ClearingRow;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::StayFacts;
use crate::ledger::Who;
use crate::ledger::credential::Credential;
use crate::ledger::kept::CLEARING;
use crate::ledger::kept::MESSAGE;
use crate::ledger::kept::MessageState;
use crate::ledger::kept::PERSON;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::STAY;
use crate::ledger::kept::clearing_row;
use crate::ledger::kept::kept_person;
use crate::ledger::kept::kept_record;
use crate::ledger::kept::kept_stay;
use crate::ledger::key;
use crate::ledger::row::Shifted;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::row::parsed;
use crate::ledger::row::person;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::vault::lookup::LookupKey;

type Read<T> = Result<T, LedgerError>;

/// Everything that a call wants, as of one instant.
pub(super) fn look_up(db: &Connection, secrets: &Secrets, wanted: &LookUp) -> Read<Found> {
    snapshot(db, |db| {
        let Some((bucket, person, stay)) = find(db, &secrets.lookup, &wanted.who)? else {
            let stay_of_another = stay_of_another(db, &wanted.who)?;
            let (message, about) = (Message::Unknown, Message::Unknown);
            return Ok(Found { message, about, facts: None, stay_of_another });
        };
        let message = match &wanted.key {
            Some((key, _)) => message(db, secrets, bucket, &person, key)?,
            None => Message::Unknown,
        };
        let about = match &wanted.about {
            Some(key) => self::message(db, secrets, bucket, &person, key)?,
            None => Message::Unknown,
        };
        let facts = facts(db, secrets, bucket, person, stay, wanted)?;
        Ok(Found { message, about, facts, stay_of_another: None })
    })
}

/// All statements of one question see one state of the file.
pub(super) fn snapshot<T>(db: &Connection, ask: impl FnOnce(&Connection) -> Read<T>) -> Read<T> {
    let begun = db.unchecked_transaction().map_err(storage("begin to read"))?;
    ask(&begun)
}

/// Whom the caller means. `None` when the stay is unknown or another person's.
fn find(
    db: &Connection,
    lookup: &LookupKey,
    who: &Who,
) -> Read<Option<(Bucket, PersonKey, Option<StayFacts>)>> {
    match who {
        Who::Person(person) => Ok(Some((key::bucket_of(lookup, person), person.clone(), None))),
        Who::Stay { stay, number } => {
            let Some(bucket) = Bucket::of_id(stay.as_str()) else { return Ok(None) };
            let found = find_stay(db, bucket, stay)?.filter(|(person, _)| person.number() == number);
            Ok(found.map(|(person, stay)| (bucket, person, Some(stay))))
        }
    }
}

/// Where a stay is whose person has another number.
fn stay_of_another(db: &Connection, who: &Who) -> Read<Option<InstitutionCode>> {
    let Who::Stay { stay, .. } = who else { return Ok(None) };
    let Some(bucket) = Bucket::of_id(stay.as_str()) else { return Ok(None) };
    Ok(find_stay(db, bucket, stay)?.map(|(_, stay)| stay.state.admission.institution.clone()))
}

fn facts(
    db: &Connection,
    secrets: &Secrets,
    bucket: Bucket,
    person: PersonKey,
    stay: Option<StayFacts>,
    wanted: &LookUp,
) -> Read<Option<Facts>> {
    let Some(mut facts) = find_person(db, secrets, bucket, person)? else { return Ok(None) };
    if let Some(stay) = stay {
        if wanted.lines {
            facts.lines = Some(lines(db, secrets, bucket, &facts.key, &stay)?);
        }
        facts.stay = Some(stay);
    }
    if let Some(id) = &wanted.settlement {
        facts.settlement = settlement(db, secrets, id)?.filter(|record| record.person == facts.key);
    }
    Ok(Some(facts))
}

fn find_person(db: &Connection, secrets: &Secrets, bucket: Bucket, person: PersonKey) -> Read<Option<Facts>> {
    let sql = format!("SELECT {PERSON} FROM person WHERE bucket = ?1 AND person = ?2");
    let failed = || storage("read a person");
    let mut statement = db.prepare_cached(&sql).map_err(failed())?;
    let mut rows = statement.query(params![bucket.get(), key::person_text(&person)]).map_err(failed())?;
    let row = rows.next().map_err(failed())?;
    row.map(|row| kept_person(secrets, row, bucket, person)).transpose()
}

fn find_stay(db: &Connection, bucket: Bucket, id: &StayId) -> Read<Option<(PersonKey, StayFacts)>> {
    let sql = format!("SELECT {STAY} FROM stay WHERE bucket = ?1 AND stay = ?2");
    let failed = || storage("read a stay");
    let mut statement = db.prepare_cached(&sql).map_err(failed())?;
    let mut rows = statement.query(params![bucket.get(), id.as_str()]).map_err(failed())?;
    let row = rows.next().map_err(failed())?;
    row.map(|row| kept_stay(row, id)).transpose()
}

/// The standing lines of a stay, folded from its records.
fn lines(
    db: &Connection,
    secrets: &Secrets,
    bucket: Bucket,
    person: &PersonKey,
    stay: &StayFacts,
) -> Read<Lines> {
    let sql = format!(
        "SELECT {RECORD} FROM record WHERE bucket = ?1 AND person = ?2 AND version > ?3 AND stay = ?4
         AND kind IN ('lines_uploaded', 'lines_withdrawn', 'settled', 'reversed', 'revived') ORDER BY version"
    );
    let failed = || storage("read the lines of a stay");
    let mut statement = db.prepare_cached(&sql).map_err(failed())?;
    let begun = whole(stay.state.admitted_version);
    let asked = params![bucket.get(), key::person_text(person), begun, stay.id.as_str()];
    let mut rows = statement.query(asked).map_err(failed())?;
    let mut lines = Lines::default();
    while let Some(row) = rows.next().map_err(failed())? {
        let record = kept_record(secrets, row)?;
        lines.apply(&record.meta.key, &record.body);
    }
    Ok(lines)
}

/// What is known of a message about that person.
fn message(
    db: &Connection,
    secrets: &Secrets,
    bucket: Bucket,
    person: &PersonKey,
    key: &MessageKey,
) -> Read<Message> {
    let sql = format!(
        "SELECT {MESSAGE} FROM message
         WHERE bucket = ?1 AND msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?5"
    );
    let failed = || storage("read a message");
    let (message, institution, person) =
        (key.message.as_str(), key.institution.as_str(), key::person_text(person));
    let asked = params![bucket.get(), message, institution, key.transaction, person];
    let mut statement = db.prepare_cached(&sql).map_err(failed())?;
    let mut rows = statement.query(asked).map_err(failed())?;
    match rows.next().map_err(failed())? {
        Some(row) => message_of(db, secrets, bucket, &MessageState::kept(row)?),
        None => Ok(Message::Unknown),
    }
}

fn message_of(db: &Connection, secrets: &Secrets, bucket: Bucket, state: &MessageState) -> Read<Message> {
    let record = |version| must(record(db, secrets, bucket, &state.person, version)?, &state.person);
    let (content, about) = (state.content, record(state.version)?);
    match (state.fence, state.undone_by) {
        (true, _) => Ok(Message::Fenced { by: about }),
        (false, 0) => Ok(Message::Done { content, record: about }),
        (false, by) => Ok(Message::Undone { content, record: about, by: record(by)? }),
    }
}

fn must(record: Option<Arc<Record>>, person: &str) -> Read<Arc<Record>> {
    record.ok_or_else(|| damaged(person, "a message names a record that is not there"))
}

fn record(
    db: &Connection,
    secrets: &Secrets,
    bucket: Bucket,
    person: &str,
    version: i64,
) -> Read<Option<Arc<Record>>> {
    let sql = format!("SELECT {RECORD} FROM record WHERE bucket = ?1 AND person = ?2 AND version = ?3");
    let failed = || storage("read a record");
    let mut statement = db.prepare_cached(&sql).map_err(failed())?;
    let mut rows = statement.query(params![bucket.get(), person, version]).map_err(failed())?;
    let row = rows.next().map_err(failed())?;
    row.map(|row| kept_record(secrets, row).map(Arc::new)).transpose()
}

pub(super) fn records(
    db: &Connection,
    secrets: &Secrets,
    bucket: Bucket,
    person: &PersonKey,
    from: u64,
    limit: usize,
) -> Read<Vec<Arc<Record>>> {
    let sql = format!(
        "SELECT {RECORD} FROM record WHERE bucket = ?1 AND person = ?2 AND version >= ?3
         ORDER BY version LIMIT ?4"
    );
    let failed = || storage("read the records of a person");
    let mut statement = db.prepare_cached(&sql).map_err(failed())?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let asked = params![bucket.get(), key::person_text(person), whole(from), limit];
    let mut rows = statement.query(asked).map_err(failed())?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(failed())? {
        records.push(Arc::new(kept_record(secrets, row)?));
    }
    Ok(records)
}

pub(super) fn settlement(db: &Connection, secrets: &Secrets, id: &SettlementId) -> Read<Option<Arc<Record>>> {
    let Some((bucket, person, version)) = find_settlement(db, id)? else { return Ok(None) };
    must(record(db, secrets, bucket, &person, version)?, &person).map(Some)
}

/// Where the record of a settlement, reversal or revival lies.
pub(super) fn find_settlement(db: &Connection, id: &SettlementId) -> Read<Option<(Bucket, String, i64)>> {
    // Month by month from the last, since the key has the month before the id.
    const SQL: &str = "WITH RECURSIVE months (month) AS
             (SELECT MAX(setl_month) FROM settlement WHERE bucket = ?1
              UNION ALL
              SELECT (SELECT MAX(setl_month) FROM settlement WHERE bucket = ?1 AND setl_month < month)
              FROM months WHERE month IS NOT NULL)
         SELECT s.person, s.version FROM months CROSS JOIN settlement s
         WHERE s.bucket = ?1 AND s.setl_month = months.month AND s.setl_id = ?2 LIMIT 1";
    let Some(bucket) = Bucket::of_id(id.as_str()) else { return Ok(None) };
    let failed = || storage("read a settlement");
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    statement
        .query_row(params![bucket.get(), id.as_str()], |row| Ok((bucket, row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(failed())
}

/// Every message of that id: one seek a bucket, since only the caller knows whose it was.
pub(super) fn trace(
    db: &Connection,
    secrets: &Secrets,
    message: &MessageId,
    institution: Option<&InstitutionCode>,
) -> Read<Vec<(MessageKey, Message)>> {
    const SQL: &str = "WITH RECURSIVE every (bucket) AS
             (SELECT 0 UNION ALL SELECT bucket + 1 FROM every WHERE bucket < 4095)
         SELECT m.bucket, m.institution, m.infno, m.person, m.version, m.undone_by, m.fence, m.recipe, m.content
         FROM every CROSS JOIN message m ON m.bucket = every.bucket AND m.msgid = ?1
         WHERE (?2 IS NULL OR m.institution = ?2) ORDER BY m.institution, m.infno, m.bucket";
    let failed = || storage("trace a message");
    snapshot(db, |db| {
        let mut statement = db.prepare_cached(SQL).map_err(failed())?;
        let asked = params![message.as_str(), institution.map(InstitutionCode::as_str)];
        let mut rows = statement.query(asked).map_err(failed())?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed())? {
            let key = MessageKey {
                institution: parsed(row, 1, InstitutionCode::parse)?,
                transaction: column(row, 2)?,
                message: message.clone(),
            };
            let state = MessageState::kept(&Shifted(row, 3))?;
            found.push((key, message_of(db, secrets, bucket(row, 0)?, &state)?));
        }
        Ok(found)
    })
}

/// Bucket by bucket: in each the month is one stretch of the primary key.
pub(super) fn month(
    db: &Connection,
    month: Month,
    after: Option<&SettlementId>,
    limit: usize,
) -> Read<Vec<ClearingRow>> {
    let begin = after.and_then(|id| Bucket::of_id(id.as_str())).map_or(0, Bucket::get);
    let mut found = Vec::new();
    snapshot(db, |db| {
        for bucket in begin..Bucket::COUNT {
            let after = after.filter(|_| bucket == begin).map_or("", SettlementId::as_str);
            month_of_bucket(db, bucket, month, after, limit - found.len(), &mut found)?;
            if found.len() >= limit {
                break;
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn month_of_bucket(
    db: &Connection,
    bucket: u16,
    month: Month,
    after: &str,
    limit: usize,
    found: &mut Vec<ClearingRow>,
) -> Read<()> {
    let sql = format!(
        "SELECT {CLEARING} FROM settlement
         WHERE bucket = ?1 AND setl_month = ?2 AND setl_id > ?3 ORDER BY setl_id LIMIT ?4"
    );
    let failed = || storage("read a month");
    let mut statement = db.prepare_cached(&sql).map_err(failed())?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![bucket, month.number(), after, limit]).map_err(failed())?;
    while let Some(row) = rows.next().map_err(failed())? {
        found.push(clearing_row(row)?);
    }
    Ok(())
}

pub(super) fn find_persons(
    db: &Connection,
    secrets: &Secrets,
    credential: &Credential,
) -> Read<Vec<PersonKey>> {
    const SQL: &str = "SELECT person FROM credential WHERE bucket = ?1 AND hash = ?2 ORDER BY person";
    let failed = || storage("look a credential up");
    let (bucket, hash) = key::credential_hash(&secrets.lookup, credential);
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    let mut rows = statement.query(params![bucket.get(), hash]).map_err(failed())?;
    let mut persons = Vec::new();
    while let Some(row) = rows.next().map_err(failed())? {
        persons.push(person(row, 0)?);
    }
    Ok(persons)
}
