//! Owns the proof of the whole file: the chain, every record under it, and that every table is the fold of the records.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use crate::domain::ids::Bucket;
use crate::ledger::LedgerError;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::row::column;
use crate::ledger::row::text;
use crate::ledger::seal;
use crate::ledger::seal::ReferencePlace;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::check;
use crate::ledger::sqlite::check::Part;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::reference;
use crate::ledger::sqlite::seals::Fault;
use crate::ledger::sqlite::seals::Placed;
use crate::ledger::sqlite::seals::Seals;
use crate::ledger::sqlite::storage;

type Read<T> = Result<T, LedgerError>;

/// Buckets that a worker takes at once: small enough that all end together.
const BUCKETS_AT_ONCE: u16 = 64;

/// Verifies everything as of one instant, on all cores.
pub(super) fn verify(path: &Path, settings: &Settings, secrets: &Secrets, wish: &Verify) -> Read<Verified> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (db, readers) = same_instant(path, settings, cores)?;
    let db = &db;
    let seals = Seals::read(db, &secrets.keys.public_keys(), wish.witness.as_ref())?;
    wish.progress.total.store(seals.records(), Ordering::Relaxed);
    let mut faults = seals.faults.clone();
    faults.extend(shared_tables(db, &seals)?);
    let persons = persons(readers, secrets, &seals, wish)?;
    faults.extend(persons.faults);
    if faults.len() < wish.faults_max {
        let kept: i64 = db
            .query_row("SELECT COUNT(*) FROM credential", [], |row| row.get(0))
            .map_err(storage("count credentials"))?;
        let made = persons.credentials;
        if kept < made || (kept > made && !persons.forgotten) {
            faults.push(Fault::of_tables(format!("the records make {made} credentials, {kept} are kept")));
        }
        faults.extend(seals.missing(wish.faults_max));
    }
    faults.sort();
    faults.truncate(wish.faults_max);
    Ok(Verified {
        records: seals.records(),
        blocks: seals.blocks,
        anchors: seals.anchors,
        tail: seals.tail,
        head: seals.head,
        faults: faults.into_iter().map(|fault| fault.what).collect(),
    })
}

/// Connections that all see the file as of the same instant: nothing is committed while they begin to read.
fn same_instant(path: &Path, settings: &Settings, count: usize) -> Read<(Connection, Vec<Connection>)> {
    let failed = || storage("begin to verify");
    let held = connection::reopen_writer(path, settings).map_err(failed())?;
    held.execute_batch("BEGIN IMMEDIATE").map_err(failed())?;
    let open = || {
        let reader = connection::open_reader(path, settings)?;
        reader.execute_batch("BEGIN")?;
        // The instant is that of the first read.
        reader.query_row("SELECT COUNT(*) FROM meta", [], |_| Ok(()))?;
        Ok(reader)
    };
    let one = open().map_err(failed())?;
    let others = (0..count).map(|_| open()).collect::<rusqlite::Result<Vec<_>>>().map_err(failed())?;
    held.execute_batch("ROLLBACK").map_err(failed())?;
    Ok((one, others))
}

fn persons(readers: Vec<Connection>, secrets: &Secrets, seals: &Seals, wish: &Verify) -> Read<Part> {
    let next = AtomicU16::new(0);
    let work = |db: Connection| {
        let mut all = Part::default();
        loop {
            let first = next.fetch_add(BUCKETS_AT_ONCE, Ordering::Relaxed);
            if first >= Bucket::COUNT || all.faults.len() >= wish.faults_max {
                return Ok(all);
            }
            let last = (first + BUCKETS_AT_ONCE - 1).min(Bucket::COUNT - 1);
            all.add(check::buckets(&db, secrets, seals, first..=last, wish)?);
        }
    };
    let parts: Vec<Read<Part>> = std::thread::scope(|scope| {
        let work = &work;
        let workers = readers.into_iter().map(|db| scope.spawn(move || work(db))).collect::<Vec<_>>();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(broken()))).collect()
    });
    parts.into_iter().try_fold(Part::default(), |mut all, part| {
        all.add(part?);
        Ok(all)
    })
}

fn broken() -> LedgerError {
    storage("finish to verify")(std::io::Error::other("a part of it broke off"))
}

/// The records of the shared tables, and that these tables are their fold.
fn shared_tables(db: &Connection, seals: &Seals) -> Read<Vec<Fault>> {
    const SQL: &str = "SELECT version, at_ms, lane, lane_sequence, source, kind, format, body
         FROM reference_record ORDER BY version";
    let failed = || storage("read the records of the shared tables");
    let mut statement = db.prepare(SQL).map_err(failed())?;
    let mut rows = statement.query([]).map_err(failed())?;
    let (mut faults, mut fold) = (Vec::new(), BTreeMap::new());
    while let Some(row) = rows.next().map_err(failed())? {
        let place = ReferencePlace {
            version: column(row, 0)?,
            at_ms: column(row, 1)?,
            lane: column(row, 2)?,
            sequence: column(row, 3)?,
            source: text(row, 4)?,
            kind: text(row, 5)?,
            format: column(row, 6)?,
        };
        let placed = Placed { lane: place.lane, sequence: place.sequence };
        let leaf = seal::reference_leaf(&place, text(row, 7)?);
        let what = format!("change {} of the shared tables", place.version);
        if let Err(cause) = seals.meet(db, placed, &leaf)? {
            faults.push(Fault::of_record(placed, format!("{what}: {cause}")));
        }
        if let Err(cause) = reference::refold(&mut fold, place.kind, text(row, 7)?) {
            faults.push(Fault::of_record(placed, format!("{what}: {cause}")));
        }
    }
    let kept = reference::bodies(db)?;
    let changed = fold.iter().filter(|(key, body)| kept.get(*key) != Some(*body)).map(|(key, _)| key);
    let added = kept.keys().filter(|key| !fold.contains_key(*key));
    faults.extend(
        changed.chain(added).map(|key| Fault::of_tables(format!("{key} is not what its records make"))),
    );
    Ok(faults)
}
