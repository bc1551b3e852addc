//! Owns what is read of persons, stays, messages and settlements.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::Row;
use rusqlite::params;

use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::clearing::MonthRow;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::lines::Lines;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Private;
use crate::domain::record::Record;
use crate::ledger::ClearingRow;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::StayFacts;
use crate::ledger::Who;
use crate::ledger::codec;
use crate::ledger::codec::CodecError;
use crate::ledger::credential::Credential;
use crate::ledger::effect;
use crate::ledger::key;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::vault::lookup::LookupKey;

type Read<T> = Result<T, LedgerError>;

/// The columns of a record, in the order in which [`kept_record`] takes them.
pub(super) const RECORD: &str = "person, version, stay, stay_version, kind, at_ms, institution, infno, msgid, \
                                 format, told, body, private, keyed, lane, lane_sequence, commitment";

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
    const SQL: &str = "SELECT version, last_ms, state, private, person FROM person
         WHERE bucket = ?1 AND person = ?2";
    let failed = || storage("read a person");
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    let mut rows = statement.query(params![bucket.get(), key::person_text(&person)]).map_err(failed())?;
    let Some(row) = rows.next().map_err(failed())? else { return Ok(None) };
    let known = of_the_register(private(secrets, row, (4, 3), None)?)
        .ok_or_else(|| damaged(&format!("{person:?}"), "her row keeps what is not hers"))?;
    let facts = Facts {
        bucket,
        version: number(row, 0)?,
        last_at: Instant(column(row, 1)?),
        person: Arc::new(decoded(row, 2, "person", &person)?),
        private: Arc::new(known),
        key: person,
        stay: None,
        lines: None,
        settlement: None,
    };
    Ok(Some(facts))
}

fn find_stay(db: &Connection, bucket: Bucket, id: &StayId) -> Read<Option<(PersonKey, StayFacts)>> {
    const SQL: &str = "SELECT person, version, state FROM stay WHERE bucket = ?1 AND stay = ?2";
    let failed = || storage("read a stay");
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    let mut rows = statement.query(params![bucket.get(), id.as_str()]).map_err(failed())?;
    let Some(row) = rows.next().map_err(failed())? else { return Ok(None) };
    let person = person(row, 0)?;
    let state = Arc::new(decoded(row, 2, "stay", &person)?);
    Ok(Some((person, StayFacts { id: id.clone(), version: number(row, 1)?, state })))
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
    const SQL: &str = "SELECT person, version, undone_by, fence, recipe, content FROM message
         WHERE bucket = ?1 AND msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?5";
    let failed = || storage("read a message");
    let (message, institution, person) =
        (key.message.as_str(), key.institution.as_str(), key::person_text(person));
    let asked = params![bucket.get(), message, institution, key.transaction, person];
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    let mut rows = statement.query(asked).map_err(failed())?;
    match rows.next().map_err(failed())? {
        Some(row) => kept_message(db, secrets, bucket, row, 0),
        None => Ok(Message::Unknown),
    }
}

/// From the columns person, version, undone_by, fence, recipe, content, the first of which is `at`.
fn kept_message(
    db: &Connection,
    secrets: &Secrets,
    bucket: Bucket,
    row: &Row<'_>,
    at: usize,
) -> Read<Message> {
    let person: String = column(row, at)?;
    let undone_by: i64 = column(row, at + 2)?;
    let fence: bool = column(row, at + 3)?;
    let record = must(record(db, secrets, bucket, &person, column(row, at + 1)?)?, &person)?;
    if fence {
        return Ok(Message::Fenced { by: record });
    }
    let content = ContentHash { recipe: column(row, at + 4)?, digest: column(row, at + 5)? };
    if undone_by == 0 {
        return Ok(Message::Done { content, record });
    }
    let by = must(self::record(db, secrets, bucket, &person, undone_by)?, &person)?;
    Ok(Message::Undone { content, record, by })
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
            found.push((key, kept_message(db, secrets, bucket(row, 0)?, row, 3)?));
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
    const SQL: &str =
        "SELECT setl_id, original, person, version, at_ms, insured_pool, care_pool, institution,
             medfee, fund, account + mutual_aid, cash, kind
         FROM settlement WHERE bucket = ?1 AND setl_month = ?2 AND setl_id > ?3 ORDER BY setl_id LIMIT ?4";
    let failed = || storage("read a month");
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![bucket, month.number(), after, limit]).map_err(failed())?;
    while let Some(row) = rows.next().map_err(failed())? {
        found.push(clearing_row(row)?);
    }
    Ok(())
}

fn clearing_row(row: &Row<'_>) -> Read<ClearingRow> {
    let original: Option<String> = column(row, 1)?;
    let sign = if column::<String>(row, 12)? == "reversed" { -1 } else { 1 };
    Ok(ClearingRow {
        settlement: parsed(row, 0, SettlementId::parse)?,
        original: original
            .map(|id| SettlementId::parse(&id))
            .transpose()
            .map_err(|cause| misread(row, &cause))?,
        person: person(row, 2)?,
        version: number(row, 3)?,
        at: Instant(column(row, 4)?),
        row: MonthRow {
            insured_pool: RegionCode(column(row, 5)?),
            care_pool: RegionCode(column(row, 6)?),
            institution: parsed(row, 7, InstitutionCode::parse)?,
            medfee: Fen(column(row, 8)?),
            fund: Fen(column(row, 9)?),
            account: Fen(column(row, 10)?),
            cash: Fen(column(row, 11)?),
            sign,
        },
    })
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

/// A record from the columns of [`RECORD`], with its money held to the identities once more.
pub(super) fn kept_record(secrets: &Secrets, row: &Row<'_>) -> Read<Record> {
    let format: i64 = column(row, 9)?;
    if format > codec::FORMAT {
        return Err(misread(row, &CodecError::NewerFormat(format)));
    }
    let key = MessageKey {
        institution: parsed(row, 6, InstitutionCode::parse)?,
        transaction: column(row, 7)?,
        message: parsed(row, 8, MessageId::parse)?,
    };
    let stay: Option<String> = column(row, 2)?;
    let stay_id = stay.map(|id| StayId::parse(&id)).transpose().map_err(|cause| misread(row, &cause))?;
    let body = codec::decode_body(text(row, 4)?, text(row, 11)?).map_err(|cause| misread(row, &cause))?;
    effect::verify(&body).map_err(|cause| misread(row, &cause))?;
    Ok(Record {
        person: person(row, 0)?,
        version: number(row, 1)?,
        stay: stay_id.map(|id| Ok::<_, LedgerError>((id, number(row, 3)?))).transpose()?,
        at: Instant(column(row, 5)?),
        meta: codec::decode_told(key, text(row, 10)?).map_err(|cause| misread(row, &cause))?,
        body,
        private: private(secrets, row, (0, 12), column::<Option<Hash>>(row, 16)?)?,
    })
}

/// Personal data, from the columns of whose it is and of its ciphertext.
fn private(
    secrets: &Secrets,
    row: &Row<'_>,
    (whose, at): (usize, usize),
    commitment: Option<Hash>,
) -> Read<Private> {
    let kept = row.get_ref(at).map_err(|cause| misread(row, &cause))?;
    let kept = kept.as_blob_or_null().map_err(|cause| misread(row, &cause))?;
    secrets.private(text(row, whose)?, kept, commitment.as_ref())
}

/// What a person's row keeps of her. Nothing is left of it once it was forgotten.
fn of_the_register(private: Private) -> Option<PersonPrivate> {
    match private {
        Private::Person(known) => Some(known),
        Private::None | Private::Erased => Some(PersonPrivate::default()),
        Private::Filing(_) | Private::Admission(_) | Private::Discharge(_) => None,
    }
}

/// Amounts of a breakdown in the order of the columns `medfee` to `cash`.
pub(super) fn amounts(b: &Breakdown) -> [Fen; 15] {
    [
        b.medfee_sumamt,
        b.hifp_pay,
        b.hifob_pay,
        b.hifmi_pay,
        b.hifes_pay,
        b.cvlserv_pay,
        b.maf_pay,
        b.hifdm_pay,
        b.oth_pay,
        b.fund_pay_sumamt,
        b.hosp_part_amt,
        b.psn_part_amt,
        b.acct_pay,
        b.acct_mulaid_pay,
        b.psn_cash_pay,
    ]
}

pub(super) fn column<T: rusqlite::types::FromSql>(row: &Row<'_>, at: usize) -> Read<T> {
    row.get(at).map_err(|cause| misread(row, &cause))
}

pub(super) fn number(row: &Row<'_>, at: usize) -> Read<u64> {
    let kept: i64 = column(row, at)?;
    u64::try_from(kept).map_err(|cause| misread(row, &cause))
}

pub(super) fn text<'r>(row: &'r Row<'_>, at: usize) -> Read<&'r str> {
    let value = row.get_ref(at).map_err(|cause| misread(row, &cause))?;
    value.as_str().map_err(|cause| misread(row, &cause))
}

pub(super) fn person(row: &Row<'_>, at: usize) -> Read<PersonKey> {
    key::person_of(text(row, at)?).ok_or_else(|| damaged("a person's key", "it is not a pool and a number"))
}

pub(super) fn bucket(row: &Row<'_>, at: usize) -> Read<Bucket> {
    Bucket::new(column(row, at)?).ok_or_else(|| damaged("a bucket", "it is not below 4096"))
}

pub(super) fn parsed<T, E: std::fmt::Display>(
    row: &Row<'_>,
    at: usize,
    parse: fn(&str) -> Result<T, E>,
) -> Read<T> {
    parse(text(row, at)?).map_err(|cause| misread(row, &cause))
}

fn decoded<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    at: usize,
    what: &'static str,
    person: &PersonKey,
) -> Read<T> {
    codec::decode(what, text(row, at)?).map_err(|cause| damaged(&format!("{person:?}"), &chain(&cause)))
}

/// A row that cannot be read. Named by table and column count only: its text may hold what must not be told.
fn misread(row: &Row<'_>, cause: &dyn std::fmt::Display) -> LedgerError {
    let columns = row.as_ref().column_names().collect::<Vec<_>>().join(", ");
    damaged(&format!("a row of ({columns})"), &cause.to_string())
}

pub(super) fn damaged(at: &str, what: &str) -> LedgerError {
    LedgerError::Damaged { at: at.into(), what: what.into() }
}

fn chain(cause: &dyn std::error::Error) -> String {
    match cause.source() {
        Some(below) => format!("{cause}: {below}"),
        None => cause.to_string(),
    }
}
