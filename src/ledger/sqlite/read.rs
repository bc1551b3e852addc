//! Owns what is read of persons, stays, messages and settlements.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::params;

use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::PersonKey;
use crate::domain::ids::StayId;
use crate::domain::lines::Lines;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::StayFacts;
use crate::ledger::Who;
use crate::ledger::books::questions;
use crate::ledger::kept::PERSON;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::STAY;
use crate::ledger::kept::kept_person;
use crate::ledger::kept::kept_record;
use crate::ledger::kept::kept_stay;
use crate::ledger::key;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::ledger::sqlite::write::her_row;
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
            Some((key, _)) => questions::message(db, secrets, bucket, &person, key)?,
            None => Message::Unknown,
        };
        let about = match &wanted.about {
            Some(key) => questions::message(db, secrets, bucket, &person, key)?,
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
            facts.lines = Some(Arc::new(lines(db, secrets, bucket, &facts.key, &stay)?));
        }
        facts.stay = Some(stay);
    }
    if let Some(id) = &wanted.settlement {
        facts.settlement =
            questions::settlement(db, secrets, id)?.filter(|record| record.person == facts.key);
    }
    Ok(Some(facts))
}

fn find_person(db: &Connection, secrets: &Secrets, bucket: Bucket, person: PersonKey) -> Read<Option<Facts>> {
    let sql = format!("SELECT {PERSON} FROM person WHERE {}", her_row!());
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
        "SELECT {RECORD} FROM record_of WHERE at_bucket = ?1 AND at_person = ?2 AND at_version > ?3 AND stay = ?4
         AND kind IN ('lines_uploaded', 'lines_withdrawn', 'settled', 'reversed', 'revived') ORDER BY at_version"
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
