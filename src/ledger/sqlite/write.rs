//! Owns the statements of one deed: guards first, then everything that the deed changes.

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::params;

use crate::domain::calendar::Instant;
use crate::domain::record::MessageKey;
use crate::ledger::codec;
use crate::ledger::effect::SettlementRow;
use crate::ledger::kept::amounts;
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

/// Writes a deed inside the running transaction, or nothing of it when its facts have moved. The transaction holds the
/// write lock, so that what the guards find stays so; an error leaves part of the deed and ends the transaction.
pub(super) fn write(
    db: &Connection,
    deed: &Prepared,
    moment: Moment,
    standing: &mut Standing,
    leaves: &mut Vec<Hash>,
) -> rusqlite::Result<Written> {
    let Some((version, last_at)) = guarded_person(db, deed)? else { return Ok(Written::Moved) };
    if !stay_stands(db, deed)? || any_message_known(db, deed)? {
        return Ok(Written::Moved);
    }
    let at = standing.stamp(moment.clock, moment.floor, last_at);
    let place = Place { version: version + 1, at };
    move_person(db, deed, version, at)?;
    move_stay(db, deed)?;
    bind_messages(db, deed, place.version)?;
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

/// Version and time of her last record, if they are what the deed was decided on.
fn guarded_person(db: &Connection, deed: &Prepared) -> rusqlite::Result<Option<(u64, Instant)>> {
    const SQL: &str = "SELECT version, last_ms FROM person WHERE bucket = ?1 AND person = ?2";
    let row = db
        .prepare_cached(SQL)?
        .query_row(params![deed.bucket.get(), deed.person], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
        .optional()?;
    let (standing, last) = row.map_or((0, 0), |(version, last)| (version.unsigned_abs(), last));
    let holds = match &deed.guard {
        Guard::Person { version, .. } => *version == standing,
        // The deed read her stay alone; but she must be there.
        Guard::StayOnly => standing > 0,
    };
    Ok(holds.then_some((standing, Instant(last))))
}

fn stay_stands(db: &Connection, deed: &Prepared) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT version, person FROM stay WHERE bucket = ?1 AND stay = ?2";
    let Some(stay) = &deed.stay else { return Ok(true) };
    let mut statement = db.prepare_cached(SQL)?;
    let mut rows = statement.query(params![deed.bucket.get(), stay.id.as_str()])?;
    match rows.next()? {
        None => Ok(stay.version == 0),
        Some(row) => {
            let hers = row.get_ref(1)?.as_str()? == deed.person;
            Ok(hers && row.get::<_, i64>(0)? == whole(stay.version))
        }
    }
}

/// The deed's own message and the one that it fences off must both be unknown.
fn any_message_known(db: &Connection, deed: &Prepared) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT 1 FROM message
         WHERE bucket = ?1 AND msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?5";
    let own = deed.keyed.then_some(&deed.key);
    for key in own.into_iter().chain(&deed.effect.fences) {
        let (message, institution) = (key.message.as_str(), key.institution.as_str());
        let asked = params![deed.bucket.get(), message, institution, key.transaction, deed.person];
        if db.prepare_cached(SQL)?.exists(asked)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn move_person(db: &Connection, deed: &Prepared, version: u64, at: Instant) -> rusqlite::Result<()> {
    const BEGIN: &str = "INSERT INTO person (bucket, person, version, last_ms, state, private)
         VALUES (?1, ?2, 1, ?3, ?4, ?5)";
    const MOVE: &str = "UPDATE person SET version = version + 1, last_ms = ?4
         WHERE bucket = ?1 AND person = ?2 AND version = ?3";
    const FOLD: &str = "UPDATE person SET version = version + 1, last_ms = ?4, state = ?5
         WHERE bucket = ?1 AND person = ?2 AND version = ?3";
    const REGISTER: &str = "UPDATE person SET version = version + 1, last_ms = ?4, state = ?5, private = ?6
         WHERE bucket = ?1 AND person = ?2 AND version = ?3";
    let (bucket, person) = (deed.bucket.get(), &deed.person);
    let private = deed.private.as_ref().map(|private| &private.ciphertext);
    let changed = match &deed.guard {
        Guard::StayOnly => db.prepare_cached(MOVE)?.execute(params![bucket, person, whole(version), at.0])?,
        Guard::Person { version: 0, state, registers } => {
            let private = private.filter(|_| *registers);
            db.prepare_cached(BEGIN)?.execute(params![bucket, person, at.0, state, private])?
        }
        Guard::Person { state, registers: false, .. } => {
            db.prepare_cached(FOLD)?.execute(params![bucket, person, whole(version), at.0, state])?
        }
        Guard::Person { state, registers: true, .. } => db.prepare_cached(REGISTER)?.execute(params![
            bucket,
            person,
            whole(version),
            at.0,
            state,
            private
        ])?,
    };
    one_row(changed)
}

fn move_stay(db: &Connection, deed: &Prepared) -> rusqlite::Result<()> {
    const BEGIN: &str = "INSERT INTO stay (bucket, stay, person, version, state) VALUES (?1, ?2, ?3, 1, ?4)";
    const FOLD: &str = "UPDATE stay SET version = version + 1, state = ?4
         WHERE bucket = ?1 AND stay = ?2 AND version = ?3";
    let Some(stay) = &deed.stay else { return Ok(()) };
    let (bucket, id) = (deed.bucket.get(), stay.id.as_str());
    let changed = if stay.version == 0 {
        db.prepare_cached(BEGIN)?.execute(params![bucket, id, deed.person, stay.state])?
    } else {
        db.prepare_cached(FOLD)?.execute(params![bucket, id, whole(stay.version), stay.state])?
    };
    one_row(changed)
}

/// What a guard has found cannot fail to be there: the file is broken, and the batch ends.
fn one_row(changed: usize) -> rusqlite::Result<()> {
    if changed == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
}

fn bind_messages(db: &Connection, deed: &Prepared, version: u64) -> rusqlite::Result<()> {
    if deed.keyed {
        bind(db, deed, &deed.key, version, false)?;
    }
    deed.effect.fences.iter().try_for_each(|key| bind(db, deed, key, version, true))
}

fn bind(
    db: &Connection,
    deed: &Prepared,
    key: &MessageKey,
    version: u64,
    fence: bool,
) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO message
             (bucket, msgid, institution, infno, person, version, undone_by, fence, recipe, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9)";
    let bound = db.prepare_cached(SQL)?.execute(params![
        deed.bucket.get(),
        key.message.as_str(),
        key.institution.as_str(),
        key.transaction,
        deed.person,
        whole(version),
        fence,
        deed.content.recipe,
        deed.content.digest
    ])?;
    one_row(bound)
}

/// Messages whose first answer stands no longer, and the one whose stands again. What is undone stays undone by the
/// record that came first.
fn turn_messages(db: &Connection, deed: &Prepared, version: u64) -> rusqlite::Result<()> {
    const UNDO: &str = "UPDATE message SET undone_by = ?5
         WHERE bucket = ?1 AND msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?6
           AND undone_by = 0 AND fence = 0";
    const RESTORE: &str = "UPDATE message SET undone_by = 0
         WHERE bucket = ?1 AND msgid = ?2 AND institution = ?3 AND infno = ?4 AND person = ?5";
    let bucket = deed.bucket.get();
    for key in &deed.effect.undoes {
        let (message, institution) = (key.message.as_str(), key.institution.as_str());
        let undone = params![bucket, message, institution, key.transaction, whole(version), deed.person];
        db.prepare_cached(UNDO)?.execute(undone)?;
    }
    if let Some(key) = &deed.effect.restores {
        let (message, institution) = (key.message.as_str(), key.institution.as_str());
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
    const SQL: &str = "INSERT INTO record
             (bucket, person, version, stay, stay_version, kind, at_ms, lane, lane_sequence,
              institution, infno, msgid, keyed, format, told, body, private, commitment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    db.prepare_cached(SQL)?
        .execute(params![
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
        ])
        .map(|_| ())
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
