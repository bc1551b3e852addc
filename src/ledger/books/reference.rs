//! Owns the small shared tables: their records, and the rows as they stand.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::domain::catalogue::CatalogueEntry;
use crate::domain::codes::HospitalLevel;
use crate::domain::ids::RegionCode;
use crate::ledger::LedgerError;
use crate::ledger::PackText;
use crate::ledger::ReferenceChange;
use crate::ledger::ReferenceRows;
use crate::ledger::codec;
use crate::ledger::codec::CodecError;
use crate::ledger::codec::Keep;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::row::text;
use crate::ledger::seal;
use crate::ledger::seal::ReferencePlace;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sql::Bulk;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

type Read<T> = Result<T, LedgerError>;

/// A change of the shared tables as it was recorded.
pub(in crate::ledger) struct Written {
    /// The new version of the shared tables.
    pub(in crate::ledger) version: u64,
    pub(in crate::ledger) leaf: Hash,
}

/// Where a change stands: time, lane and place in it.
#[derive(Clone, Copy, Debug)]
pub(in crate::ledger) struct Place {
    pub(in crate::ledger) at_ms: i64,
    pub(in crate::ledger) lane: u32,
    pub(in crate::ledger) sequence: u64,
}

/// Records a change inside the running transaction at its place in the lane.
pub(in crate::ledger) fn write(
    db: &dyn Database,
    source: &str,
    change: &ReferenceChange,
    Place { at_ms, lane, sequence }: Place,
) -> Read<Written> {
    let (kind, body) = encode(change);
    let version = version(db)? + 1;
    let place = ReferencePlace { version, at_ms, lane, sequence, source, kind, format: codec::FORMAT };
    insert(db, &place, &body)?;
    fold(db, change, version)?;
    Ok(Written { version, leaf: seal::reference_leaf(&place, &body) })
}

/// The record of a change, without what it makes of the shared tables.
pub(in crate::ledger) fn insert(db: &dyn Database, place: &ReferencePlace<'_>, body: &str) -> Read<()> {
    const SQL: &str = "INSERT INTO reference_record
             (version, at_ms, lane, lane_sequence, source, kind, format, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let ReferencePlace { version, at_ms, lane, sequence, source, kind, format } = *place;
    let row = values![version, at_ms, lane, sequence, source, kind, format, body];
    db.run("record a change of the shared tables", SQL, row).map(|_| ())
}

fn encode(change: &ReferenceChange) -> (&'static str, String) {
    match change {
        ReferenceChange::Regions(rows) => ("regions", codec::encode(rows)),
        ReferenceChange::Institutions(rows) => ("institutions", codec::encode(rows)),
        ReferenceChange::Catalogue { place, entries } => ("catalogue", codec::encode(&(place, entries))),
        ReferenceChange::Pack(pack) => ("pack", codec::encode(pack)),
    }
}

/// Puts the rows of a change in the place of rows of the same key. Of two rows of one key the later counts.
pub(in crate::ledger) fn fold(db: &dyn Database, change: &ReferenceChange, version: u64) -> Read<()> {
    match change {
        ReferenceChange::Regions(rows) => {
            let mut table = Bulk::into(db, "region", "code, from_day, body")
                .or("ON CONFLICT (code, from_day) DO UPDATE SET body = excluded.body");
            for row in last_of_each(rows, |row| (row.code.0, row.from.number())) {
                table.put(values![row.code.0, row.from.number(), &codec::encode(row)])?;
            }
            table.end()
        }
        ReferenceChange::Institutions(rows) => {
            let mut table = Bulk::into(db, "institution", "code, from_day, body")
                .or("ON CONFLICT (code, from_day) DO UPDATE SET body = excluded.body");
            for row in last_of_each(rows, |row| (row.code.as_str().to_owned(), row.from.number())) {
                let body = codec::encode(row);
                table.put(values![row.code.as_str(), row.from.number(), &body])?;
            }
            table.end()
        }
        ReferenceChange::Catalogue { place, entries } => {
            let columns = "place, code, level, person_type, from_day, body";
            let mut table = Bulk::into(db, "catalogue_entry", columns).or(
                "ON CONFLICT (place, code, level, person_type, from_day) DO UPDATE SET body = excluded.body",
            );
            let key =
                |entry: &CatalogueEntry| (entry.code.clone(), level_of(entry), person_of(entry), entry.from);
            for entry in last_of_each(entries, key) {
                let (level, person_type, from) = (level_of(entry), person_of(entry), entry.from.number());
                let body = codec::encode(entry);
                table.put(values![place.0, &*entry.code, level, person_type, from, &body])?;
            }
            table.end()
        }
        ReferenceChange::Pack(pack) => {
            let mut table = Bulk::into(db, "pack", "region, hash, version, body")
                .or("ON CONFLICT (region, hash) DO UPDATE SET body = excluded.body");
            table.put(values![pack.region.0, &pack.hash, version, &pack.text])?;
            table.end()
        }
    }
}

fn last_of_each<T, K: Ord>(rows: &[T], key: impl Fn(&T) -> K) -> impl Iterator<Item = &T> {
    rows.iter().map(|row| (key(row), row)).collect::<BTreeMap<_, _>>().into_values()
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
pub(in crate::ledger) fn decode(kind: &str, body: &str) -> Result<ReferenceChange, CodecError> {
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
pub(in crate::ledger) fn refold(
    rows: &mut BTreeMap<String, String>,
    kind: &str,
    body: &str,
) -> Result<(), CodecError> {
    match decode(kind, body)? {
        ReferenceChange::Regions(all) => {
            put_all(rows, all, |row| format!("region {} from {}", row.code.0, row.from.number()));
        }
        ReferenceChange::Institutions(all) => {
            put_all(rows, all, |row| format!("institution {} from {}", row.code, row.from.number()));
        }
        ReferenceChange::Catalogue { place, entries } => put_all(rows, entries, |entry| {
            let (level, person) = (level_of(entry), person_of(entry));
            entry_name(place.0, &entry.code, level, person, entry.from.number())
        }),
        ReferenceChange::Pack(pack) => {
            rows.insert(format!("pack {} {}", pack.region.0, pack.hash), pack.text);
        }
    }
    Ok(())
}

fn put_all<T: Keep>(rows: &mut BTreeMap<String, String>, all: Vec<T>, name: impl Fn(&T) -> String) {
    rows.extend(all.into_iter().map(|row| (name(&row), codec::encode(&row))));
}

fn entry_name(place: u32, code: &str, level: &str, person: u32, from: i32) -> String {
    format!("catalogue entry {place} {code} {level} {person} from {from}")
}

/// The rows of the shared tables as they stand, by the same names.
pub(in crate::ledger) fn bodies(db: &dyn Database) -> Read<BTreeMap<String, String>> {
    const SQL: [&str; 4] = [
        "SELECT 'region ' || code || ' from ' || from_day, body FROM region",
        "SELECT 'institution ' || code || ' from ' || from_day, body FROM institution",
        "SELECT 'catalogue entry ' || place || ' ' || code || ' ' || level || ' ' || person_type || ' from ' || from_day,
             body FROM catalogue_entry",
        "SELECT 'pack ' || region || ' ' || hash, body FROM pack",
    ];
    let mut all = BTreeMap::new();
    for sql in SQL {
        db.each("read the shared tables", sql, &[], |row| {
            all.insert(column(row, 0)?, column(row, 1)?);
            Ok(())
        })?;
    }
    Ok(all)
}

/// The shared tables, whole, as of one instant.
pub(in crate::ledger) fn read(db: &dyn Database) -> Read<ReferenceRows> {
    Ok(ReferenceRows {
        version: version(db)?,
        regions: rows(db, "region", "SELECT body FROM region ORDER BY code, from_day")?,
        institutions: rows(db, "institution", "SELECT body FROM institution ORDER BY code, from_day")?,
        catalogue: catalogue(db)?,
        packs: packs(db)?,
    })
}

pub(in crate::ledger) fn version(db: &dyn Database) -> Read<u64> {
    const SQL: &str = "SELECT COALESCE(MAX(version), 0) FROM reference_record";
    db.the("read the version of the shared tables", SQL, &[], |row| column(row, 0))
}

fn rows<T: DeserializeOwned>(db: &dyn Database, table: &'static str, sql: &str) -> Read<Vec<T>> {
    let mut rows = Vec::new();
    db.each("read a shared table", sql, &[], |row| {
        rows.push(codec::decode(table, text(row, 0)?).map_err(|cause| damaged(table, &cause.to_string()))?);
        Ok(())
    })?;
    Ok(rows)
}

fn catalogue(db: &dyn Database) -> Read<Vec<(RegionCode, CatalogueEntry)>> {
    const SQL: &str = "SELECT place, body FROM catalogue_entry
         ORDER BY place, code, level, person_type, from_day";
    let mut rows = Vec::new();
    db.each("read the catalogues", SQL, &[], |row| {
        let entry = codec::decode("catalogue_entry", text(row, 1)?)
            .map_err(|cause| damaged("catalogue_entry", &cause.to_string()))?;
        rows.push((RegionCode(column(row, 0)?), entry));
        Ok(())
    })?;
    Ok(rows)
}

/// In the order in which they came into force here.
fn packs(db: &dyn Database) -> Read<Vec<PackText>> {
    const SQL: &str = "SELECT region, hash, body FROM pack ORDER BY version, region, hash";
    db.few("read the packs", SQL, &[], |row| {
        Ok(PackText { region: RegionCode(column(row, 0)?), hash: column(row, 1)?, text: column(row, 2)? })
    })
}
