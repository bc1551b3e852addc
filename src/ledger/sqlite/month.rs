//! Owns how the settlements of a month are read beside commits: a little at a time, with rests while the disk is asked for
//! what commits need as well.

use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant as Stopwatch;

use crate::domain::calendar::Month;
use crate::domain::ids::SettlementId;
use crate::ledger::ClearingRow;
use crate::ledger::LedgerError;
use crate::ledger::books::questions;
use crate::ledger::sqlite::read::snapshot;
use crate::ledger::sqlite::storage;

type Read<T> = Result<T, LedgerError>;

/// Rows between two rests.
const ROWS_AT_ONCE: usize = 200;
/// What took no longer came from memory, and held nobody up.
const FROM_MEMORY: Duration = Duration::from_millis(1);
/// So many times as long as it read from the disk it rests: a quarter of what the disk gives is its own at most.
const RESTS: u32 = 3;

/// At most `limit` settlements, in the order of their ids, after `after`.
pub(super) fn month(
    db: &Connection,
    month: Month,
    after: Option<&SettlementId>,
    limit: usize,
) -> Read<Vec<ClearingRow>> {
    let mut rows: Vec<ClearingRow> = Vec::new();
    let mut seen = others_commits(db)?;
    loop {
        let began = Stopwatch::now();
        let wanted = ROWS_AT_ONCE.min(limit - rows.len());
        let last = rows.last().map(|row| &row.settlement).or(after);
        let piece = snapshot(db, |db| questions::month(db, month, last, wanted))?;
        let is_last = piece.len() < wanted;
        rows.extend(piece);
        if is_last || rows.len() == limit {
            return Ok(rows);
        }
        let took = began.elapsed();
        let now = others_commits(db)?;
        thread::sleep(rest_after(took, now != seen));
        seen = now;
    }
}

/// Changes when another connection has committed.
fn others_commits(db: &Connection) -> Read<i64> {
    db.query_row("PRAGMA data_version", [], |row| row.get(0))
        .map_err(storage("ask whether others have committed"))
}

fn rest_after(took: Duration, others_commit: bool) -> Duration {
    if others_commit && took > FROM_MEMORY { took * RESTS } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_where_it_takes_the_disk_from_others() {
        let ms = Duration::from_millis;
        assert_eq!(rest_after(ms(8), true), ms(24));
        assert_eq!(rest_after(ms(8), false), ms(0), "nobody commits");
        assert_eq!(rest_after(ms(1), true), ms(0), "it was in memory");
    }

    #[test]
    fn it_sees_what_others_commit() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Connection::open(folder.path().join("ledger.db")).unwrap();
        let (reader, writer) = (open(), open());
        writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
        let before = others_commits(&reader).unwrap();
        assert_eq!(others_commits(&reader).unwrap(), before);
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert_ne!(others_commits(&reader).unwrap(), before);
    }
}
