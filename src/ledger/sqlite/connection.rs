//! Owns how a connection to the file is opened, and that the file has our schema and no newer one.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OpenFlags;
use rusqlite::OptionalExtension as _;
use rusqlite::TransactionBehavior;
use rusqlite::config::DbConfig;

use crate::ledger::LedgerError;
use crate::ledger::codec;
use crate::ledger::schema;
use crate::ledger::schema::STEPS;
pub(super) use crate::ledger::schema::fingerprint;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::storage;
use crate::vault::lookup::LookupKey;

/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS_MAX: usize = 64;

/// The one connection that writes, with the schema made or checked.
pub(super) fn open_writer(
    path: &Path,
    settings: &Settings,
    lookup: &LookupKey,
) -> Result<Connection, LedgerError> {
    let mut db = reopen_writer(path, settings).map_err(storage("open"))?;
    migrate(&mut db, lookup)?;
    Ok(db)
}

/// The same after a failure: the schema was checked before.
pub(super) fn reopen_writer(path: &Path, settings: &Settings) -> rusqlite::Result<Connection> {
    make_closed(path);
    let create = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let db = Connection::open_with_flags(path, create | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_millis(settings.busy_timeout_ms))?;
    db.pragma_update(None, "page_size", settings.page_bytes)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -settings.writer_cache_kib)?;
    db.pragma_update(None, "journal_size_limit", i64::from(settings.wal_limit_pages) * settings.page_bytes)?;
    if let Some(pages) = settings.pages_max {
        db.pragma_update(None, "max_page_count", pages)?;
    }
    keep_plans(&db)?;
    Ok(db)
}

/// Makes the file for its owner alone, where there is none: SQLite would let everybody read it. Log and index beside it get its
/// rights. What is there keeps its own, and is not opened: closing it would take the locks of another connection away.
fn make_closed(path: &Path) {
    let made: io::Result<fs::File> =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    // Where it cannot be made, SQLite cannot either, and says why.
    let _there_or_refused = made;
}

/// Moves what an earlier process left in the log into the file and empties the log: a disk that once refused the log would
/// take it for written, and what came behind it would be lost with it. Not while another process is at work in it.
pub(super) fn empty_log(db: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::ZERO)?;
    let emptied = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    db.busy_timeout(Duration::from_millis(settings.busy_timeout_ms))?;
    match emptied {
        Err(cause) if cause.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => Err(cause),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Of a fresh file that nobody else knows and that counts only once it is whole: nothing of it is durable before the end.
pub(super) fn open_building(
    path: &Path,
    settings: &Settings,
    lookup: &LookupKey,
) -> Result<Connection, LedgerError> {
    let db = open_writer(path, settings, lookup)?;
    let failed = || storage("prepare the new file");
    db.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed())?;
    db.pragma_update(None, "journal_mode", "OFF").map_err(failed())?;
    db.pragma_update(None, "synchronous", "OFF").map_err(failed())?;
    Ok(db)
}

/// The file is not mapped into memory: SQLite gives a mapping back whenever someone has committed, so that nearly every
/// look-up would pay for mapping it anew and for a fault a page.
pub(super) fn open_reader(path: &Path, settings: &Settings) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(Duration::from_millis(settings.busy_timeout_ms))?;
    db.pragma_update(None, "cache_size", -settings.reader_cache_kib)?;
    db.pragma_update(None, "mmap_size", 0)?;
    keep_plans(&db)?;
    Ok(db)
}

/// Statements stay prepared, whatever values they are given: otherwise SQLite plans a range anew for each value.
fn keep_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// A connection that only reads, to a file that must be there and be ours as it stands.
pub(super) fn open_as_it_stands(
    path: &Path,
    settings: &Settings,
    lookup: &LookupKey,
) -> Result<Connection, LedgerError> {
    let db = open_of_this_version(path, settings)?;
    check_key(&db, lookup)?;
    Ok(db)
}

/// The same, whatever its look-up key is.
pub(super) fn open_of_this_version(path: &Path, settings: &Settings) -> Result<Connection, LedgerError> {
    let db = open_reader(path, settings).map_err(storage("open to read"))?;
    let standing = step_of(&db).map_err(storage("read the schema version"))?;
    if standing > STEPS.len() {
        return Err(LedgerError::Newer { found: standing, known: STEPS.len() });
    }
    check_shape(&db)?;
    Ok(db)
}

/// Brings the file to the newest step, or refuses it: newer than we are, altered, or keyed by another look-up key.
fn migrate(db: &mut Connection, lookup: &LookupKey) -> Result<(), LedgerError> {
    let standing = step_of(db).map_err(storage("read the schema version"))?;
    if standing > STEPS.len() {
        return Err(LedgerError::Newer { found: standing, known: STEPS.len() });
    }
    if standing < STEPS.len() {
        climb(db, lookup).map_err(storage("make the schema"))?;
    }
    check_shape(db)?;
    check_key(db, lookup)
}

/// 0 for an empty file.
fn step_of(db: &Connection) -> rusqlite::Result<usize> {
    let tables: i64 = db.query_row(
        "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'meta'",
        [],
        |row| row.get(0),
    )?;
    if tables == 0 {
        return Ok(0);
    }
    let step = meta(db, "schema_version")?;
    Ok(step.and_then(|step| step.parse().ok()).unwrap_or(usize::MAX))
}

/// Another process may be climbing too: the version is read again once the file is ours.
fn climb(db: &mut Connection, lookup: &LookupKey) -> rusqlite::Result<()> {
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let standing = step_of(&all)?;
    for step in STEPS.iter().skip(standing) {
        all.execute_batch(&schema::for_sqlite(step))?;
    }
    if standing == 0 {
        set_meta(&all, "format", &codec::FORMAT.to_string())?;
        set_meta(&all, "lookup_key", &fingerprint(lookup))?;
        set_meta(&all, "lanes", "0")?;
    }
    set_meta(&all, "schema_version", &STEPS.len().to_string())?;
    all.commit()
}

/// Each table and index as the steps make it: nobody altered the file by hand.
fn check_shape(db: &Connection) -> Result<(), LedgerError> {
    let fresh = Connection::open_in_memory().map_err(storage("check the schema"))?;
    for step in STEPS {
        fresh.execute_batch(&schema::for_sqlite(step)).map_err(storage("check the schema"))?;
    }
    let (found, expected) =
        (shape(db).map_err(storage("read the schema"))?, shape(&fresh).map_err(storage("check the schema"))?);
    match expected.iter().find(|part| !found.contains(part)) {
        None => Ok(()),
        Some((name, _)) => Err(LedgerError::Damaged {
            at: format!("schema of {name}"),
            what:
                "it is not as this version made it; open it with the version that did, or restore its backup"
                    .into(),
        }),
    }
}

fn shape(db: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// With another key no person would be found, and each would be written a second time.
fn check_key(db: &Connection, lookup: &LookupKey) -> Result<(), LedgerError> {
    let kept = meta(db, "lookup_key").map_err(storage("read the look-up key's fingerprint"))?;
    if kept.as_deref() == Some(&fingerprint(lookup)) { Ok(()) } else { Err(LedgerError::OtherKey) }
}

pub(super) fn meta(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()
}

fn set_meta(db: &Connection, name: &str, value: &str) -> rusqlite::Result<usize> {
    db.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [name, value],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn nobody_but_its_owner_reads_the_file_its_log_and_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let of_folder = mode(folder.path().to_owned());
        let lives = reopen_writer(&name("ledger.db"), &Settings::default()).unwrap();
        lives.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
        for of in ["", "-wal", "-shm"] {
            assert_eq!(mode(name(&format!("ledger.db{of}"))), 0o600, "{of}");
        }
        assert_eq!(mode(folder.path().to_owned()), of_folder);

        fs::File::create(name("of-a-group.db")).unwrap();
        fs::set_permissions(name("of-a-group.db"), fs::Permissions::from_mode(0o640)).unwrap();
        let shared = reopen_writer(&name("of-a-group.db"), &Settings::default()).unwrap();
        shared.execute_batch("CREATE TABLE t (x)").unwrap();
        assert_eq!(mode(name("of-a-group.db")), 0o640, "what its owner has opened to others stays so");
    }

    #[test]
    fn what_a_killed_process_left_in_the_log_is_moved_into_the_file_unless_another_is_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        let settings = Settings::default();
        let lives = reopen_writer(&name("lives.db"), &settings).unwrap();
        lives.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
        for of in ["", "-wal"] {
            fs::copy(name(&format!("lives.db{of}")), name(&format!("left.db{of}"))).unwrap();
        }
        let log = |of: &str| fs::metadata(name(&format!("{of}.db-wal"))).unwrap().len();

        let left = reopen_writer(&name("left.db"), &settings).unwrap();
        empty_log(&left, &settings).unwrap();
        assert_eq!(log("left"), 0);
        assert_eq!(left.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)), Ok(1));

        let reads = open_reader(&name("lives.db"), &settings).unwrap();
        reads.execute_batch("BEGIN; SELECT x FROM t").unwrap();
        empty_log(&lives, &settings).unwrap();
        assert!(log("lives") > 0, "it is still being read");
    }
}
