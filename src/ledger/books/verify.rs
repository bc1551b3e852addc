//! Owns the proof of the whole book: the chain, every record under it, and that every table is the fold of the records.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

use crate::domain::ids::Bucket;
use crate::ledger::LedgerError;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::books::appended::Fingerprints;
use crate::ledger::books::check;
use crate::ledger::books::check::Part;
use crate::ledger::books::reference;
use crate::ledger::books::seals::Fault;
use crate::ledger::books::seals::Placed;
use crate::ledger::books::seals::Seals;
use crate::ledger::row::column;
use crate::ledger::row::text;
use crate::ledger::seal;
use crate::ledger::seal::ReferencePlace;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::Database;
use crate::ledger::sql::Reader;
use crate::ledger::storage;

type Read<T> = Result<T, LedgerError>;

/// Buckets that a worker takes at once: small enough that all end together.
const BUCKETS_AT_ONCE: u64 = 64;

/// Records that a worker takes at once, about: what the tables hold of them is in memory. Persons are spread evenly.
const RECORDS_AT_ONCE: u64 = 32 * 1024;

/// Verifies everything as of one instant, which `db` and the readers all see. Without readers `db` does all of it.
pub(in crate::ledger) fn verify<R: Reader>(
    db: &dyn Database,
    readers: Vec<R>,
    secrets: &Secrets,
    wish: &Verify,
) -> Read<Verified> {
    const CREDENTIALS: &str = "SELECT COUNT(*) FROM credential";
    let seals = Seals::read(db, &secrets.keys.public_keys(), wish.witness.as_ref())?;
    wish.progress.total.store(seals.records(), Ordering::Relaxed);
    let mut faults = seals.faults.clone();
    faults.extend(shared_tables(db, &seals)?);
    let fingerprints = Fingerprints::read(db, &mut faults)?;
    let persons = persons(db, readers, secrets, (&seals, &fingerprints), wish)?;
    faults.extend(persons.faults);
    if faults.len() < wish.faults_max {
        let kept: i64 = db.the("count credentials", CREDENTIALS, &[], |row| column(row, 0))?;
        let made = persons.credentials;
        if kept < made || (kept > made && !persons.forgotten) {
            faults.push(Fault::of_tables(format!("the records make {made} credentials, {kept} are kept")));
        }
        faults.extend(db.misplaced(persons.records)?.into_iter().map(Fault::of_tables));
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

fn persons<R: Reader>(
    db: &dyn Database,
    readers: Vec<R>,
    secrets: &Secrets,
    (seals, fingerprints): (&Seals, &Fingerprints),
    wish: &Verify,
) -> Read<Part> {
    let in_a_bucket = seals.records() / u64::from(Bucket::COUNT) + 1;
    let at_once = (RECORDS_AT_ONCE / in_a_bucket).clamp(1, BUCKETS_AT_ONCE);
    let at_once = u16::try_from(at_once).unwrap_or(1);
    let next = AtomicU16::new(0);
    let work = |db: &dyn Database| {
        let mut all = Part::default();
        loop {
            let first = next.fetch_add(at_once, Ordering::Relaxed);
            if first >= Bucket::COUNT || all.faults.len() >= wish.faults_max {
                return Ok(all);
            }
            let last = (first + at_once - 1).min(Bucket::COUNT - 1);
            all.add(check::buckets(db, secrets, seals, fingerprints, first..=last, wish)?);
        }
    };
    if readers.is_empty() {
        return work(db);
    }
    let parts: Vec<Read<Part>> = std::thread::scope(|scope| {
        let work = &work;
        let workers =
            readers.into_iter().map(|reader| scope.spawn(move || reader.read(work))).collect::<Vec<_>>();
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
fn shared_tables(db: &dyn Database, seals: &Seals) -> Read<Vec<Fault>> {
    const SQL: &str = "SELECT version, at_ms, lane, lane_sequence, source, kind, format, body
         FROM reference_record ORDER BY version";
    let (mut faults, mut fold) = (Vec::new(), BTreeMap::new());
    db.each("read the records of the shared tables", SQL, &[], |row| {
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
        Ok(())
    })?;
    let kept = reference::bodies(db)?;
    let changed = fold.iter().filter(|(key, body)| kept.get(*key) != Some(*body)).map(|(key, _)| key);
    let added = kept.keys().filter(|key| !fold.contains_key(*key));
    faults.extend(
        changed.chain(added).map(|key| Fault::of_tables(format!("{key} is not what its records make"))),
    );
    Ok(faults)
}
