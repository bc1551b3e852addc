//! Owns the small shared tables: their records, and the rows as they stand.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::params;
use serde::Serialize;

use crate::domain::catalogue::CatalogueEntry;
use crate::domain::codes::HospitalLevel;
use crate::domain::ids::RegionCode;
use crate::ledger::LedgerError;
use crate::ledger::PackText;
use crate::ledger::ReferenceChange;
use crate::ledger::ReferenceRows;
use crate::ledger::codec;
use crate::ledger::codec::CodecError;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::row::text;
use crate::ledger::seal;
use crate::ledger::seal::ReferencePlace;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sqlite::read::snapshot;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::ledger::sqlite::write::Moment;

/// A change of the shared tables as it was recorded.
pub(super) struct Written {
    /// The new version of the shared tables.
    pub(super) version: u64,
    pub(super) leaf: Hash,
}

/// Records a change inside the running transaction at its place in the lane.
pub(super) fn write(
    db: &Connection,
    source: &str,
    change: &ReferenceChange,
    moment: Moment,
    sequence: u64,
) -> rusqlite::Result<Written> {
    const SQL: &str =
        "INSERT INTO reference_record (version, at_ms, lane, lane_sequence, source, kind, format, body)
         SELECT COALESCE(MAX(version), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM reference_record
         RETURNING version";
    let (kind, body) = encode(change).map_err(unkept)?;
    let at_ms = moment.clock.0;
    let recorded = params![at_ms, moment.lane, whole(sequence), source, kind, codec::FORMAT, body];
    let version: i64 = db.prepare_cached(SQL)?.query_row(recorded, |row| row.get(0))?;
    fold(db, change, version)?;
    let version = version.unsigned_abs();
    let place =
        ReferencePlace { version, at_ms, lane: moment.lane, sequence, source, kind, format: codec::FORMAT };
    Ok(Written { version, leaf: seal::reference_leaf(&place, &body) })
}

fn encode(change: &ReferenceChange) -> Result<(&'static str, String), CodecError> {
    match change {
        ReferenceChange::Regions(rows) => Ok(("regions", codec::encode("regions", rows)?)),
        ReferenceChange::Institutions(rows) => Ok(("institutions", codec::encode("institutions", rows)?)),
        ReferenceChange::Catalogue { place, entries } => {
            Ok(("catalogue", codec::encode("catalogue", &(place, entries))?))
        }
        ReferenceChange::Pack(pack) => Ok(("pack", codec::encode("pack", pack)?)),
    }
}

/// Puts the rows of a change in the place of rows of the same key.
pub(super) fn fold(db: &Connection, change: &ReferenceChange, version: i64) -> rusqlite::Result<()> {
    match change {
        ReferenceChange::Regions(rows) => {
            let mut put = db.prepare_cached(
                "INSERT INTO region (code, from_day, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (code, from_day) DO UPDATE SET body = excluded.body",
            )?;
            rows.iter().try_for_each(|row| {
                let body = codec::encode("region", row).map_err(unkept)?;
                put.execute(params![row.code.0, row.from.number(), body]).map(|_| ())
            })
        }
        ReferenceChange::Institutions(rows) => {
            let mut put = db.prepare_cached(
                "INSERT INTO institution (code, from_day, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (code, from_day) DO UPDATE SET body = excluded.body",
            )?;
            rows.iter().try_for_each(|row| {
                let body = codec::encode("institution", row).map_err(unkept)?;
                put.execute(params![row.code.as_str(), row.from.number(), body]).map(|_| ())
            })
        }
        ReferenceChange::Catalogue { place, entries } => {
            entries.iter().try_for_each(|entry| put_entry(db, *place, entry))
        }
        ReferenceChange::Pack(pack) => {
            let mut put = db.prepare_cached(
                "INSERT INTO pack (region, hash, version, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (region, hash) DO UPDATE SET body = excluded.body",
            )?;
            put.execute(params![pack.region.0, pack.hash, version, pack.text]).map(|_| ())
        }
    }
}

fn put_entry(db: &Connection, place: RegionCode, entry: &CatalogueEntry) -> rusqlite::Result<()> {
    let mut put = db.prepare_cached(
        "INSERT INTO catalogue_entry (place, code, level, person_type, from_day, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (place, code, level, person_type, from_day) DO UPDATE SET body = excluded.body",
    )?;
    let (level, person_type) = (level_of(entry), person_of(entry));
    let body = codec::encode("catalogue_entry", entry).map_err(unkept)?;
    put.execute(params![place.0, entry.code, level, person_type, entry.from.number(), body]).map(|_| ())
}

/// Empty for every level.
fn level_of(entry: &CatalogueEntry) -> &'static str {
    match entry.level {
        None => "",
        Some(HospitalLevel::Primary) => "primary",
        Some(HospitalLevel::One) => "one",
        Some(HospitalLevel::Two) => "two",
        Some(HospitalLevel::Three) => "three",
    }
}

/// 0 for every person.
fn person_of(entry: &CatalogueEntry) -> u32 {
    entry.person.map_or(0, |kind| kind.code())
}

/// A change as it was kept.
pub(super) fn decode(kind: &str, body: &str) -> Result<ReferenceChange, CodecError> {
    match kind {
        "regions" => codec::decode("regions", body).map(ReferenceChange::Regions),
        "institutions" => codec::decode("institutions", body).map(ReferenceChange::Institutions),
        "catalogue" => {
            let (place, entries) = codec::decode("catalogue", body)?;
            Ok(ReferenceChange::Catalogue { place, entries })
        }
        "pack" => codec::decode("pack", body).map(ReferenceChange::Pack),
        other => Err(CodecError::UnknownKind(other.to_owned())),
    }
}

/// Puts a kept change into the place of rows of the same key, outside the database: each row by its name.
pub(super) fn refold(rows: &mut BTreeMap<String, String>, kind: &str, body: &str) -> Result<(), CodecError> {
    match decode(kind, body)? {
        ReferenceChange::Regions(all) => {
            put_all(rows, all, "region", |row| format!("region {} from {}", row.code.0, row.from.number()))
        }
        ReferenceChange::Institutions(all) => put_all(rows, all, "institution", |row| {
            format!("institution {} from {}", row.code, row.from.number())
        }),
        ReferenceChange::Catalogue { place, entries } => put_all(rows, entries, "catalogue_entry", |entry| {
            let (level, person) = (level_of(entry), person_of(entry));
            entry_name(place.0, &entry.code, level, person, entry.from.number())
        }),
        ReferenceChange::Pack(pack) => {
            rows.insert(format!("pack {} {}", pack.region.0, pack.hash), pack.text);
            Ok(())
        }
    }
}

fn put_all<T: Serialize>(
    rows: &mut BTreeMap<String, String>,
    all: Vec<T>,
    what: &'static str,
    name: impl Fn(&T) -> String,
) -> Result<(), CodecError> {
    for row in all {
        rows.insert(name(&row), codec::encode(what, &row)?);
    }
    Ok(())
}

fn entry_name(place: u32, code: &str, level: &str, person: u32, from: i32) -> String {
    format!("catalogue entry {place} {code} {level} {person} from {from}")
}

/// The rows of the shared tables as they stand, by the same names.
pub(super) fn bodies(db: &Connection) -> Result<BTreeMap<String, String>, LedgerError> {
    const SQL: [&str; 4] = [
        "SELECT 'region ' || code || ' from ' || from_day, body FROM region",
        "SELECT 'institution ' || code || ' from ' || from_day, body FROM institution",
        "SELECT 'catalogue entry ' || place || ' ' || code || ' ' || level || ' ' || person_type || ' from ' || from_day,
             body FROM catalogue_entry",
        "SELECT 'pack ' || region || ' ' || hash, body FROM pack",
    ];
    let failed = || storage("read the shared tables");
    let mut all = BTreeMap::new();
    for sql in SQL {
        let mut statement = db.prepare(sql).map_err(failed())?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed())?;
        for row in rows {
            let (name, body) = row.map_err(failed())?;
            all.insert(name, body);
        }
    }
    Ok(all)
}

/// The shared tables, whole.
pub(super) fn read(db: &Connection) -> Result<ReferenceRows, LedgerError> {
    snapshot(db, |db| {
        Ok(ReferenceRows {
            version: version(db)?,
            regions: rows(db, "region", "SELECT body FROM region ORDER BY code, from_day")?,
            institutions: rows(db, "institution", "SELECT body FROM institution ORDER BY code, from_day")?,
            catalogue: catalogue(db)?,
            packs: packs(db)?,
        })
    })
}

pub(super) fn version(db: &Connection) -> Result<u64, LedgerError> {
    let failed = || storage("read the version of the shared tables");
    let mut statement =
        db.prepare_cached("SELECT COALESCE(MAX(version), 0) FROM reference_record").map_err(failed())?;
    let version: i64 = statement.query_row([], |row| row.get(0)).map_err(failed())?;
    Ok(version.unsigned_abs())
}

fn rows<T: serde::de::DeserializeOwned>(
    db: &Connection,
    table: &'static str,
    sql: &str,
) -> Result<Vec<T>, LedgerError> {
    let failed = || storage("read a shared table");
    let mut statement = db.prepare_cached(sql).map_err(failed())?;
    let mut kept = statement.query([]).map_err(failed())?;
    let mut rows = Vec::new();
    while let Some(row) = kept.next().map_err(failed())? {
        rows.push(codec::decode(table, text(row, 0)?).map_err(|cause| damaged(table, &cause.to_string()))?);
    }
    Ok(rows)
}

fn catalogue(db: &Connection) -> Result<Vec<(RegionCode, CatalogueEntry)>, LedgerError> {
    const SQL: &str = "SELECT place, body FROM catalogue_entry
         ORDER BY place, code, level, person_type, from_day";
    let failed = || storage("read the catalogues");
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    let mut kept = statement.query([]).map_err(failed())?;
    let mut rows = Vec::new();
    while let Some(row) = kept.next().map_err(failed())? {
        let entry = codec::decode("catalogue_entry", text(row, 1)?)
            .map_err(|cause| damaged("catalogue_entry", &cause.to_string()))?;
        rows.push((RegionCode(column(row, 0)?), entry));
    }
    Ok(rows)
}

/// In the order in which they came into force here.
fn packs(db: &Connection) -> Result<Vec<PackText>, LedgerError> {
    let failed = || storage("read the packs");
    let mut statement = db
        .prepare_cached("SELECT region, hash, body FROM pack ORDER BY version, region, hash")
        .map_err(failed())?;
    let mut kept = statement.query([]).map_err(failed())?;
    let mut packs = Vec::new();
    while let Some(row) = kept.next().map_err(failed())? {
        packs.push(PackText {
            region: RegionCode(column(row, 0)?),
            hash: column(row, 1)?,
            text: column(row, 2)?,
        });
    }
    Ok(packs)
}

fn unkept(cause: CodecError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(cause))
}
