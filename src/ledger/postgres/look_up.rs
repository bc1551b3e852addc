//! Owns what a call wants to know, in one round trip: its statements are sent together, and what the first one tells
//! is of one instant. Records never change, so that what the others find is cut off at the version that the first told,
//! and the records of a message that is known, which is rare, are fetched by a second trip.

use std::sync::Arc;

use futures_util::future::try_join_all;
use tokio_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::Row;
use tokio_postgres::Statement;

use crate::domain::ids::Bucket;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::lines::Lines;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::Who;
use crate::ledger::kept::MESSAGE;
use crate::ledger::kept::MessageState;
use crate::ledger::kept::PERSON;
use crate::ledger::kept::RECORD;
use crate::ledger::kept::STAY;
use crate::ledger::kept::kept_person;
use crate::ledger::kept::kept_record;
use crate::ledger::kept::kept_stay;
use crate::ledger::key;
use crate::ledger::key::turned;
use crate::ledger::postgres::standbys::AWAITED;
use crate::ledger::row::Row as _;
use crate::ledger::row::Shifted;
use crate::ledger::row::damaged;
use crate::ledger::secrets::Secrets;

type Read<T> = Result<T, LedgerError>;

/// Of every session that reads: planned once, by the primary keys.
pub(super) const SESSION: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
     -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

/// Where the parts of the first answer begin.
const STAY_AT: usize = 0;
const PERSON_AT: usize = 3;
const MESSAGE_AT: usize = 8;

pub(super) struct Statements {
    of_person: Statement,
    of_stay: Statement,
    lines: Statement,
    about_person: Statement,
    about_stay: Statement,
    records: Statement,
    settlement: Statement,
    month_before: Statement,
    pub(super) credential: Statement,
    pub(super) reference_version: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> Result<Statements, Error> {
        let (s, p, m, r) = (of("s", STAY), of("p", PERSON), of("m", MESSAGE), of("r", RECORD));
        let message = "m.bucket = $1 AND m.turned_msgid = $3 AND m.institution = $4 AND m.infno = $5";
        let of_person = format!(
            "SELECT NULL::TEXT, NULL::BIGINT, NULL::TEXT, {p}, {m} FROM (SELECT 1) one
             LEFT JOIN person p ON p.bucket = $1 AND p.person = $2
             LEFT JOIN message m ON {message} AND m.person = $2"
        );
        let of_stay = format!(
            "SELECT {s}, {p}, {m} FROM stay s
             LEFT JOIN person p ON p.bucket = $1 AND p.person = s.person
             LEFT JOIN message m ON {message} AND m.person = s.person
             WHERE s.bucket = $1 AND s.stay = $2"
        );
        let lines = format!(
            "SELECT {r} FROM stay s JOIN record r ON r.bucket = $1 AND r.person = s.person
                 AND r.version > (s.state::JSON ->> 'admitted_version')::BIGINT AND r.stay = s.stay
             WHERE s.bucket = $1 AND s.stay = $2
               AND r.kind IN ('lines_uploaded', 'lines_withdrawn', 'settled', 'reversed', 'revived')
             ORDER BY r.version"
        );
        let about_person = format!("SELECT {m} FROM message m WHERE {message} AND m.person = $2");
        let about_stay = format!(
            "SELECT {m} FROM stay s JOIN message m ON {message} AND m.person = s.person
             WHERE s.bucket = $1 AND s.stay = $2"
        );
        let records = format!(
            "SELECT {r} FROM unnest($3::BIGINT[]) AS u (version)
             JOIN record r ON r.bucket = $1 AND r.person = $2 AND r.version = u.version"
        );
        let settlement = format!(
            "SELECT {r} FROM settlement s
             LEFT JOIN record r ON r.bucket = $1 AND r.person = s.person AND r.version = s.version
             WHERE s.setl_month = $3 AND s.setl_id = $2 AND s.bucket = $1"
        );
        let month_before = "SELECT COALESCE(MAX(setl_month), 0) FROM settlement WHERE setl_month < $1";
        let credential = "SELECT person FROM credential WHERE bucket = $1 AND hash = $2 ORDER BY person";
        let version = format!("SELECT COALESCE(MAX(version), 0), {AWAITED} FROM reference_record");
        let all = [
            of_person.as_str(),
            &of_stay,
            &lines,
            &about_person,
            &about_stay,
            &records,
            &settlement,
            month_before,
            credential,
            &version,
        ];
        let all = try_join_all(all.map(|sql| client.prepare(sql))).await?;
        let [
            of_person,
            of_stay,
            lines,
            about_person,
            about_stay,
            records,
            settlement,
            month_before,
            credential,
            version,
        ] = <[Statement; 10]>::try_from(all)
            .unwrap_or_else(|_| unreachable!("each was prepared or the first error is told"));
        Ok(Statements {
            of_person,
            of_stay,
            lines,
            about_person,
            about_stay,
            records,
            settlement,
            month_before,
            credential,
            reference_version: version,
        })
    }
}

/// The columns of a table under another name.
fn of(alias: &str, columns: &str) -> String {
    columns.split(", ").map(|column| format!("{alias}.{}", column.trim())).collect::<Vec<_>>().join(", ")
}

/// What the server gave.
#[derive(Default)]
pub(super) struct Asked {
    first: Vec<Row>,
    lines: Vec<Row>,
    settlement: Vec<Row>,
    about: Vec<Row>,
    /// Of the messages.
    records: Vec<Row>,
}

/// Where what is wanted lies. `None` when nobody can have it.
fn bucket_of(secrets: &Secrets, who: &Who) -> Option<Bucket> {
    match who {
        Who::Person(person) => Some(key::bucket_of(&secrets.lookup, person)),
        Who::Stay { stay, .. } => Bucket::of_id(stay.as_str()),
    }
}

/// All that is wanted, sent before the first answer is awaited.
pub(super) async fn ask(
    client: &Client,
    statements: &Statements,
    secrets: &Secrets,
    wanted: &LookUp,
) -> Result<Asked, Error> {
    let Some(bucket) = bucket_of(secrets, &wanted.who) else { return Ok(Asked::default()) };
    let bucket = i64::from(bucket.get());
    let (first, about, whose) = match &wanted.who {
        Who::Person(person) => (&statements.of_person, &statements.about_person, key::person_text(person)),
        Who::Stay { stay, .. } => (&statements.of_stay, &statements.about_stay, stay.as_str().to_owned()),
    };
    let message = |key: Option<&MessageKey>| {
        (
            key.map(|key| turned(&key.message)).unwrap_or_default(),
            key.map_or(String::new(), |key| key.institution.to_string()),
            i64::from(key.map_or(0, |key| key.transaction)),
        )
    };
    let (msgid, institution, infno) = message(wanted.key.as_ref().map(|(key, _)| key));
    let (about_msgid, about_institution, about_infno) = message(wanted.about.as_ref());

    let found = async { client.query(first, &[&bucket, &whose, &msgid, &institution, &infno]).await };
    let lines = async {
        match &wanted.who {
            Who::Stay { .. } if wanted.lines => client.query(&statements.lines, &[&bucket, &whose]).await,
            Who::Stay { .. } | Who::Person(_) => Ok(Vec::new()),
        }
    };
    let settlement = async {
        match &wanted.settlement {
            Some(id) => ask_settlement(client, statements, id).await,
            None => Ok(Vec::new()),
        }
    };
    let about = async {
        if wanted.about.is_none() {
            return Ok(Vec::new());
        }
        let asked: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
            &[&bucket, &whose, &about_msgid, &about_institution, &about_infno];
        client.query(about, asked).await
    };
    // Each sends when it is first polled, in this order.
    let (first, lines, settlement, about) = tokio::try_join!(biased; found, lines, settlement, about)?;
    let messages = first.first().map(|row| (row, MESSAGE_AT)).into_iter();
    let messages = messages.chain(about.first().map(|row| (row, 0)));
    let mut records = Vec::new();
    for (row, at) in messages {
        let Some(person) = row.get::<_, Option<&str>>(at) else { continue };
        let versions: [i64; 2] = [row.get(at + 1), row.get(at + 2)];
        records.extend(client.query(&statements.records, &[&bucket, &person, &versions.as_slice()]).await?);
    }
    Ok(Asked { first, lines, settlement, about, records })
}

/// Its record, or nothing. The key has the month before the id: the one in which the id was made comes first, then all
/// others from the last.
pub(super) async fn ask_settlement(
    client: &Client,
    statements: &Statements,
    id: &SettlementId,
) -> Result<Vec<Row>, Error> {
    let Some(bucket) = Bucket::of_id(id.as_str()) else { return Ok(Vec::new()) };
    let (bucket, id) = (i64::from(bucket.get()), id.as_str());
    let mut month = key::month_of_id(id).unwrap_or(0);
    let mut before = i64::MAX;
    loop {
        let found = client.query(&statements.settlement, &[&bucket, &id, &month]).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        month = client.query_one(&statements.month_before, &[&before]).await?.get(0);
        before = month;
        if month == 0 {
            return Ok(Vec::new());
        }
    }
}

/// What it means.
pub(super) fn found(secrets: &Secrets, wanted: &LookUp, asked: &Asked) -> Read<Found> {
    let nothing =
        Found { message: Message::Unknown, about: Message::Unknown, facts: None, stay_of_another: None };
    let (Some(row), Some(bucket)) = (asked.first.first(), bucket_of(secrets, &wanted.who)) else {
        return Ok(nothing);
    };
    let (person, stay) = match &wanted.who {
        Who::Person(person) => (person.clone(), None),
        Who::Stay { stay, number } => {
            let (person, stay) = kept_stay(&Shifted(row, STAY_AT), stay)?;
            if person.number() != number {
                let institution = stay.state.admission.institution.clone();
                return Ok(Found { stay_of_another: Some(institution), ..nothing });
            }
            (person, Some(stay))
        }
    };
    let message = message(secrets, row, MESSAGE_AT, &asked.records)?;
    let about = match asked.about.first() {
        Some(row) => self::message(secrets, row, 0, &asked.records)?,
        None => Message::Unknown,
    };
    let facts = facts(secrets, wanted, asked, row, bucket, person)?;
    let facts = facts.map(|facts| Facts { stay, ..facts });
    Ok(Found { message, about, facts, stay_of_another: None })
}

fn facts(
    secrets: &Secrets,
    wanted: &LookUp,
    asked: &Asked,
    row: &Row,
    bucket: Bucket,
    person: PersonKey,
) -> Read<Option<Facts>> {
    if row.int(PERSON_AT)?.is_none() {
        return Ok(None);
    }
    let mut facts = kept_person(secrets, &Shifted(row, PERSON_AT), bucket, person)?;
    if wanted.lines && matches!(wanted.who, Who::Stay { .. }) {
        let mut lines = Lines::default();
        for row in &asked.lines {
            let record = kept_record(secrets, row)?;
            if record.version <= facts.version {
                lines.apply(&record.meta.key, &record.body);
            }
        }
        facts.lines = Some(Arc::new(lines));
    }
    let settlement = settlement(secrets, &asked.settlement)?;
    let hers = |record: &Arc<Record>| record.person == facts.key && record.version <= facts.version;
    facts.settlement = settlement.filter(hers);
    Ok(Some(facts))
}

/// From what [`ask_settlement`] gave.
pub(super) fn settlement(secrets: &Secrets, rows: &[Row]) -> Read<Option<Arc<Record>>> {
    let Some(row) = rows.first() else { return Ok(None) };
    if row.text(0)?.is_none() {
        return Err(damaged("a settlement", "its record is not there"));
    }
    kept_record(secrets, row).map(Arc::new).map(Some)
}

fn message(secrets: &Secrets, row: &Row, at: usize, records: &[Row]) -> Read<Message> {
    if row.text(at)?.is_none() {
        return Ok(Message::Unknown);
    }
    let state = MessageState::kept(&Shifted(row, at))?;
    let record = |version: i64| {
        let found = records.iter().find(|row| matches!(row.int(1), Ok(Some(kept)) if kept == version));
        let row =
            found.ok_or_else(|| damaged(&state.person, "a message names a record that is not there"))?;
        kept_record(secrets, row).map(Arc::new)
    };
    let first = record(state.version)?;
    if state.fence {
        return Ok(Message::Fenced { by: first });
    }
    let content = state.content;
    if state.undone_by == 0 {
        return Ok(Message::Done { content, record: first });
    }
    Ok(Message::Undone { content, record: first, by: record(state.undone_by)? })
}
