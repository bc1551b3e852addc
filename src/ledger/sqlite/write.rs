//! Owns the statements of one deed: guards first, then everything that the deed changes.

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::params;

use crate::domain::calendar::Instant;
use crate::domain::record::MessageKey;
use crate::ledger::codec;
use crate::ledger::effect::SettlementRow;
use crate::ledger::kept::amounts;
use crate::ledger::key::turned;
use crate::ledger::lane::Standing;
use crate::ledger::prepared::Guard;
pub(super) use crate::ledger::prepared::Place;
use crate::ledger::prepared::Prepared;
pub(super) use crate::ledger::prepared::Written;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sqlite::whole;

/// Time and number of the lane that writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) lane: u32,
    pub(super) clock: Instant,
    pub(super) floor: Instant,
}

/// Writes a deed inside the running transaction. The first row that it changes is the one that guards it, so that a deed
/// whose facts have moved leaves nothing; where only a later row shows it, that is an error, [`is_stale`], which ends the
/// transaction like any other. The transaction holds the write lock, so that what was found stays so.
pub(super) fn write(
    db: &Connection,
    deed: &Prepared,
    moment: Moment,
    standing: &mut Standing,
    leaves: &mut Vec<Hash>,
) -> rusqlite::Result<Written> {
    let before = *standing;
    let (version, at) = match &deed.guard {
        Guard::Person { version, state, registers } => {
            let at = standing.stamp(moment.clock, moment.floor, deed.seen.1);
            if !move_person(db, deed, (*version, state, *registers), at)? {
                *standing = before;
                return Ok(Written::Moved);
            }
            if !move_stay(db, deed)? {
                return Err(stale());
            }
            (version + 1, at)
        }
        Guard::StayOnly => {
            if !move_stay(db, deed)? {
                return Ok(Written::Moved);
            }
            let (version, last_at) = standing_person(db, deed)?.ok_or_else(stale)?;
            let at = standing.stamp(moment.clock, moment.floor, last_at);
            pass_person(db, deed, at)?;
            (version + 1, at)
        }
    };
    let place = Place { version, at };
    if !bind_messages(db, deed, place.version)? {
        return Err(stale());
    }
    insert_record(db, deed, place, moment.lane, standing.sequence)?;
    leaves.push(deed.leaf(place, moment.lane, standing.sequence));
    turn_messages(db, deed, place.version)?;
    if let Some(row) = &deed.effect.settlement {
        let stay = deed.stay.as_ref().map(|stay| stay.id.as_str());
        insert_settlement(db, (deed.bucket.get(), &deed.person), place, stay, row)?;
    }
    change_credentials(db, deed)?;
    Ok(Written::Recorded(place))
}

/// The facts of a deed have moved, and part of it is written.
#[derive(Debug, thiserror::Error)]
#[error("facts have moved")]
struct Stale;

fn stale() -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(Stale))
}

/// Whether that is all that was wrong.
pub(super) fn is_stale(cause: &rusqlite::Error) -> bool {
    matches!(cause, rusqlite::Error::ToSqlConversionFailure(cause) if cause.is::<Stale>())
}

/// The row of the person who is the first two values: it stands behind the places of her records.
macro_rules! her_row {
    () => {
        "bucket = ?1 AND person = ?2 AND record_version = 9223372036854775807"
    };
}
pub(super) use her_row;

/// Version and time of her last record.
fn standing_person(db: &Connection, deed: &Prepared) -> rusqlite::Result<Option<(u64, Instant)>> {
    const SQL: &str = concat!("SELECT version, last_ms FROM person WHERE ", her_row!());
    db.prepare_cached(SQL)?
        .query_row(params![deed.bucket.get(), deed.person], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), Instant(row.get(1)?)))
        })
        .optional()
}

/// Her version moves on, whatever it is.
fn pass_person(db: &Connection, deed: &Prepared, at: Instant) -> rusqlite::Result<()> {
    const SQL: &str = concat!("UPDATE person SET version = version + 1, last_ms = ?3 WHERE ", her_row!());
    db.prepare_cached(SQL)?.execute(params![deed.bucket.get(), deed.person, at.0]).map(|_| ())
}

/// Whether she stood at the deed's version.
fn move_person(
    db: &Connection,
    deed: &Prepared,
    (version, state, registers): (u64, &str, bool),
    at: Instant,
) -> rusqlite::Result<bool> {
    const BEGIN: &str = "INSERT INTO person (bucket, person, version, last_ms, state, private)
         VALUES (?1, ?2, 1, ?3, ?4, ?5) ON CONFLICT (bucket, person, record_version) DO NOTHING";
    const FOLD: &str = concat!(
        "UPDATE person SET version = version + 1, last_ms = ?4, state = ?5 WHERE version = ?3 AND ",
        her_row!()
    );
    const REGISTER: &str = concat!(
        "UPDATE person SET version = version + 1, last_ms = ?4, state = ?5, private = ?6 WHERE version = ?3 AND ",
        her_row!()
    );
    let (bucket, person) = (deed.bucket.get(), &deed.person);
    let private = deed.private.as_ref().map(|private| &private.ciphertext).filter(|_| registers);
    let changed = match (version, registers) {
        (0, _) => db.prepare_cached(BEGIN)?.execute(params![bucket, person, at.0, state, private])?,
        (_, false) => {
            db.prepare_cached(FOLD)?.execute(params![bucket, person, whole(version), at.0, state])?
        }
        (_, true) => db.prepare_cached(REGISTER)?.execute(params![
            bucket,
            person,
            whole(version),
            at.0,
            state,
            private
        ])?,
    };
    Ok(changed == 1)
}

/// Whether her stay stood at the deed's version. True for a deed without one.
fn move_stay(db: &Connection, deed: &Prepared) -> rusqlite::Result<bool> {
    const BEGIN: &str = "INSERT INTO stay (bucket, stay, person, version, state) VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT (bucket, stay) DO NOTHING";
    const FOLD: &str = "UPDATE stay SET version = version + 1, state = ?4
         WHERE bucket = ?1 AND stay = ?2 AND version = ?3 AND person = ?5";
    let Some(stay) = &deed.stay else { return Ok(true) };
    let (bucket, id, state) = (deed.bucket.get(), stay.id.as_str(), &stay.state);
    let changed = if stay.version == 0 {
        db.prepare_cached(BEGIN)?.execute(params![bucket, id, deed.person, state])?
    } else {
        let version = whole(stay.version);
        db.prepare_cached(FOLD)?.execute(params![bucket, id, version, state, deed.person])?
    };
    Ok(changed == 1)
}

/// Whether the deed's own message and the one that it fences off were both unknown.
fn bind_messages(db: &Connection, deed: &Prepared, version: u64) -> rusqlite::Result<bool> {
    let own = !deed.keyed || bind(db, deed, &deed.key, version, false)?;
    let fence = |key| bind(db, deed, key, version, true);
    Ok(own && deed.effect.fences.as_ref().map_or(Ok(true), fence)?)
}

fn bind(
    db: &Connection,
    deed: &Prepared,
    key: &MessageKey,
    version: u64,
    fence: bool,
) -> rusqlite::Result<bool> {
    const SQL: &str = "INSERT INTO message
             (bucket, turned_msgid, institution, infno, person, version, undone_by, fence, recipe, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9)
         ON CONFLICT (turned_msgid, institution, infno, person, bucket) DO NOTHING";
    let bound = db.prepare_cached(SQL)?.execute(params![
        deed.bucket.get(),
        turned(&key.message),
        key.institution.as_str(),
        key.transaction,
        deed.person,
        whole(version),
        fence,
        deed.content.recipe,
        deed.content.digest
    ])?;
    Ok(bound == 1)
}

/// Messages whose first answer stands no longer, and the one whose stands again. What is undone stays undone by the
/// record that came first.
fn turn_messages(db: &Connection, deed: &Prepared, version: u64) -> rusqlite::Result<()> {
    const UNDO: &str = "UPDATE message SET undone_by = ?5
         WHERE bucket = ?1 AND turned_msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?6
           AND undone_by = 0 AND fence = 0";
    const RESTORE: &str = "UPDATE message SET undone_by = 0
         WHERE bucket = ?1 AND turned_msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?5";
    let bucket = deed.bucket.get();
    for key in &deed.effect.undoes {
        let (message, institution) = (turned(&key.message), key.institution.as_str());
        let undone = params![bucket, message, institution, key.transaction, whole(version), deed.person];
        db.prepare_cached(UNDO)?.execute(undone)?;
    }
    if let Some(key) = &deed.effect.restores {
        let (message, institution) = (turned(&key.message), key.institution.as_str());
        db.prepare_cached(RESTORE)?.execute(params![
            bucket,
            message,
            institution,
            key.transaction,
            deed.person
        ])?;
    }
    Ok(())
}

fn insert_record(
    db: &Connection,
    deed: &Prepared,
    place: Place,
    lane: u32,
    sequence: u64,
) -> rusqlite::Result<()> {
    const PLACE: &str =
        "INSERT INTO person (bucket, person, record_version, record_place) VALUES (?1, ?2, ?3, ?4)";
    const SQL: &str = "INSERT INTO record
             (bucket, person, version, stay, stay_version, kind, at_ms, lane, lane_sequence,
              institution, infno, msgid, keyed, format, told, body, private, commitment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    db.prepare_cached(SQL)?.execute(params![
        deed.bucket.get(),
        deed.person,
        whole(place.version),
        deed.stay.as_ref().map(|stay| stay.id.as_str()),
        deed.stay.as_ref().map(|stay| whole(stay.version + 1)),
        deed.kind,
        place.at.0,
        lane,
        whole(sequence),
        deed.key.institution.as_str(),
        deed.key.transaction,
        deed.key.message.as_str(),
        deed.keyed,
        codec::FORMAT,
        deed.told,
        deed.body,
        deed.private.as_ref().map(|private| &private.ciphertext),
        deed.private.as_ref().map(|private| private.commitment)
    ])?;
    let (bucket, version, at) = (deed.bucket.get(), whole(place.version), db.last_insert_rowid());
    db.prepare_cached(PLACE)?.execute(params![bucket, deed.person, version, at]).map(|_| ())
}

pub(super) fn insert_settlement(
    db: &Connection,
    (bucket, person_text): (u16, &str),
    place: Place,
    stay: Option<&str>,
    row: &SettlementRow,
) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO settlement
             (bucket, setl_id, person, version, kind, original, stay, institution, care_pool, insured_pool,
              scheme, benefit_year, setl_month, at_ms, medfee, hifp, hifob, hifmi, hifes, cvlserv, maf, hifdm,
              oth, fund, hospital_part, person_part, account, mutual_aid, cash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                 ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)";
    let [
        medfee,
        hifp,
        hifob,
        hifmi,
        hifes,
        cvlserv,
        maf,
        hifdm,
        oth,
        fund,
        hospital,
        person,
        account,
        aid,
        cash,
    ] = amounts(&row.breakdown).map(|amount| amount.0);
    db.prepare_cached(SQL)?
        .execute(params![
            bucket,
            row.id.as_str(),
            person_text,
            whole(place.version),
            row.kind.word(),
            row.original.as_ref().map(|id| id.as_str()),
            stay,
            row.institution.as_str(),
            row.care_pool.0,
            row.insured_pool.0,
            row.scheme.to_string(),
            row.year.0,
            place.at.day().month().number(),
            place.at.0,
            medfee,
            hifp,
            hifob,
            hifmi,
            hifes,
            cvlserv,
            maf,
            hifdm,
            oth,
            fund,
            hospital,
            person,
            account,
            aid,
            cash
        ])
        .map(|_| ())
}

fn change_credentials(db: &Connection, deed: &Prepared) -> rusqlite::Result<()> {
    const FORGET: &str = "DELETE FROM credential WHERE bucket = ?1 AND hash = ?2 AND person = ?3";
    const LEARN: &str = "INSERT INTO credential (bucket, hash, person) VALUES (?1, ?2, ?3)
         ON CONFLICT (bucket, hash, person) DO NOTHING";
    for (bucket, hash) in &deed.forget {
        db.prepare_cached(FORGET)?.execute(params![bucket.get(), hash, deed.person])?;
    }
    for (bucket, hash) in &deed.learn {
        db.prepare_cached(LEARN)?.execute(params![bucket.get(), hash, deed.person])?;
    }
    Ok(())
}
