//! Owns what is asked of persons, messages and settlements beside the look-up of a call.

use std::sync::Arc;

use crate::domain::calendar::Month;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::ledger::ClearingRow;
use crate::ledger::LedgerError;
use crate::ledger::Message;
use crate::ledger::credential::Credential;
use crate::ledger::kept::CLEARING;
use crate::ledger::kept::MESSAGE;
use crate::ledger::kept::MessageState;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::clearing_row;
use crate::ledger::kept::kept_record;
use crate::ledger::key;
use crate::ledger::row::Shifted;
use crate::ledger::row::bucket;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::row::parsed;
use crate::ledger::row::person;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

type Read<T> = Result<T, LedgerError>;

/// What is known of a message about that person.
pub(in crate::ledger) fn message(
    db: &dyn Database,
    secrets: &Secrets,
    bucket: Bucket,
    person: &PersonKey,
    key: &MessageKey,
) -> Read<Message> {
    let sql = format!(
        "SELECT {MESSAGE} FROM message
         WHERE bucket = ?1 AND turned_msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?5"
    );
    let (message, person) = (key::turned(&key.message), key::person_text(person));
    let asked = values![bucket.get(), &message, key.institution.as_str(), key.transaction, &person];
    match db.one("read a message", &sql, asked, |row| MessageState::kept(row))? {
        Some(state) => message_of(db, secrets, bucket, &state),
        None => Ok(Message::Unknown),
    }
}

fn message_of(db: &dyn Database, secrets: &Secrets, bucket: Bucket, state: &MessageState) -> Read<Message> {
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
    db: &dyn Database,
    secrets: &Secrets,
    bucket: Bucket,
    person: &str,
    version: i64,
) -> Read<Option<Arc<Record>>> {
    let sql =
        format!("SELECT {RECORD} FROM record_of WHERE at_bucket = ?1 AND at_person = ?2 AND at_version = ?3");
    let asked = values![bucket.get(), person, version];
    db.one("read a record", &sql, asked, |row| kept_record(secrets, row).map(Arc::new))
}

/// Records of a person from a version on, in order.
pub(in crate::ledger) fn records(
    db: &dyn Database,
    secrets: &Secrets,
    bucket: Bucket,
    person: &PersonKey,
    from: u64,
    limit: usize,
) -> Read<Vec<Arc<Record>>> {
    let sql = format!(
        "SELECT {RECORD} FROM record_of WHERE at_bucket = ?1 AND at_person = ?2 AND at_version >= ?3
         ORDER BY at_version LIMIT ?4"
    );
    let person = key::person_text(person);
    let asked = values![bucket.get(), &person, from, limit as u64];
    db.few("read the records of a person", &sql, asked, |row| kept_record(secrets, row).map(Arc::new))
}

/// The record of a settlement, reversal or revival.
pub(in crate::ledger) fn settlement(
    db: &dyn Database,
    secrets: &Secrets,
    id: &SettlementId,
) -> Read<Option<Arc<Record>>> {
    let Some((bucket, person, version)) = find_settlement(db, id)? else { return Ok(None) };
    must(record(db, secrets, bucket, &person, version)?, &person).map(Some)
}

/// Where the record of a settlement, reversal or revival lies. The key has the month before the id: the one in which
/// the id was made comes first, then all others from the last.
pub(in crate::ledger) fn find_settlement(
    db: &dyn Database,
    id: &SettlementId,
) -> Read<Option<(Bucket, String, i64)>> {
    const SQL: &str =
        "SELECT person, version FROM settlement WHERE setl_month = ?1 AND setl_id = ?2 AND bucket = ?3";
    const BEFORE: &str = "SELECT COALESCE(MAX(setl_month), 0) FROM settlement WHERE setl_month < ?1";
    let Some(bucket) = Bucket::of_id(id.as_str()) else { return Ok(None) };
    let in_month = |month: i64| {
        db.one("read a settlement", SQL, values![month, id.as_str(), bucket.get()], |row| {
            Ok((bucket, column(row, 0)?, column(row, 1)?))
        })
    };
    let (mut month, mut before) = (key::month_of_id(id.as_str()).unwrap_or(0), i64::MAX);
    loop {
        if let Some(found) = in_month(month)? {
            return Ok(Some(found));
        }
        month = db.the("look for the months", BEFORE, values![before], |row| column(row, 0))?;
        before = month;
        if month == 0 {
            return Ok(None);
        }
    }
}

/// Persons whom a card or certificate names.
pub(in crate::ledger) fn find_persons(
    db: &dyn Database,
    secrets: &Secrets,
    credential: &Credential,
) -> Read<Vec<PersonKey>> {
    const SQL: &str = "SELECT person FROM credential WHERE bucket = ?1 AND hash = ?2 ORDER BY person";
    let (bucket, hash) = key::credential_hash(&secrets.lookup, credential);
    db.few("look a credential up", SQL, values![bucket.get(), &hash], |row| person(row, 0))
}

/// Every message of that id, whoever it was about. As of one instant.
pub(in crate::ledger) fn trace(
    db: &dyn Database,
    secrets: &Secrets,
    message: &MessageId,
    institution: Option<&InstitutionCode>,
) -> Read<Vec<(MessageKey, Message)>> {
    let sql = format!("SELECT bucket, institution, infno, {MESSAGE} FROM message WHERE turned_msgid = ?1");
    let mut found = db.few("trace a message", &sql, values![&key::turned(message)], |row| {
        let key = MessageKey {
            institution: parsed(row, 1, InstitutionCode::parse)?,
            transaction: column(row, 2)?,
            message: message.clone(),
        };
        Ok((bucket(row, 0)?, key, MessageState::kept(&Shifted(row, 3))?))
    })?;
    found.retain(|(_, key, _)| institution.is_none_or(|institution| *institution == key.institution));
    found.sort_by(|(a_bucket, a, _), (b_bucket, b, _)| {
        (&a.institution, a.transaction, a_bucket).cmp(&(&b.institution, b.transaction, b_bucket))
    });
    let told = |(bucket, key, state)| Ok((key, message_of(db, secrets, bucket, &state)?));
    found.into_iter().map(told).collect()
}

/// The settlements of a month in the order of their ids, as of one instant: one stretch of the primary key.
pub(in crate::ledger) fn month(
    db: &dyn Database,
    month: Month,
    after: Option<&SettlementId>,
    limit: usize,
) -> Read<Vec<ClearingRow>> {
    let sql = format!(
        "SELECT {CLEARING} FROM settlement WHERE setl_month = ?1 AND setl_id > ?2 ORDER BY setl_id LIMIT ?3"
    );
    let after = after.map_or("", SettlementId::as_str);
    db.few("read a month", &sql, values![month.number(), after, limit as u64], |row| clearing_row(row))
}
