//! Owns how we notice that another process has written to the file: by the header of the write-ahead log's index, which
//! every commit changes and which costs one small read. Its layout is part of SQLite's published file format.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

/// The first copy of the header, which a commit writes last.
const HEADER: usize = 48;
/// `iChange`: one more with each commit.
const CHANGES: std::ops::Range<usize> = 8..12;

/// What SQLite keeps beside a file, by the end of its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[derive(Debug)]
pub(super) struct Watch {
    index: File,
    /// As our own last commit left it. `None` while that is not known.
    ours: Mutex<Option<Header>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header([u8; HEADER]);

impl Watch {
    /// The file must be open already: opening it makes the index.
    pub(super) fn open(path: &Path) -> io::Result<Watch> {
        Ok(Watch { index: File::open(beside(path, "-shm"))?, ours: Mutex::default() })
    }

    pub(super) fn header(&self) -> io::Result<Header> {
        let mut bytes = [0; HEADER];
        self.index.read_exact_at(&mut bytes, 0)?;
        Ok(Header(bytes))
    }

    /// Whether nobody has written since our own last commit.
    pub(super) fn is_ours(&self) -> bool {
        self.header().is_ok_and(|header| self.ours() == Some(header))
    }

    pub(super) fn ours(&self) -> Option<Header> {
        *self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What our own commit left, or nothing when somebody else may have a part in it.
    pub(super) fn set_ours(&self, header: Option<Header>) {
        *self.ours.lock().unwrap_or_else(PoisonError::into_inner) = header;
    }
}

impl Header {
    /// Whether nothing lies between but one commit, and that only if we wrote.
    pub(super) fn is_left_by(&self, before: &Header, wrote: bool) -> bool {
        if wrote { self.changes() == before.changes().wrapping_add(1) } else { self == before }
    }

    fn changes(&self) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[CHANGES]);
        u32::from_ne_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn file(folder: &tempfile::TempDir) -> (Connection, Watch) {
        let path = folder.path().join("ledger.db");
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.execute_batch("CREATE TABLE t (x)").unwrap();
        (db, Watch::open(&path).unwrap())
    }

    /// What the writer does around a commit of its own.
    fn commit(db: &Connection, watch: &Watch, wrote: bool) {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let before = watch.header().unwrap();
        if wrote {
            db.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
        let after = watch.header().unwrap();
        watch.set_ours(Some(after).filter(|after| after.is_left_by(&before, wrote)));
    }

    #[test]
    fn our_own_commits_are_told_from_anybody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let (db, watch) = file(&folder);
        assert!(!watch.is_ours(), "nothing is known before the first commit");
        for wrote in [true, false, true] {
            commit(&db, &watch, wrote);
            assert!(watch.is_ours());
        }
        let other = Connection::open(folder.path().join("ledger.db")).unwrap();
        other.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        assert!(!watch.is_ours());
        commit(&db, &watch, true);
        assert!(watch.is_ours(), "what the other wrote lies before our own again");
    }

    #[test]
    fn moving_the_log_into_the_file_is_no_write_of_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let (db, watch) = file(&folder);
        commit(&db, &watch, true);
        let other = Connection::open(folder.path().join("ledger.db")).unwrap();
        other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        assert!(watch.is_ours());
        commit(&db, &watch, true);
        assert!(watch.is_ours(), "the log begins anew");
    }

    #[test]
    fn two_commits_between_are_not_taken_for_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (db, watch) = file(&folder);
        let before = watch.header().unwrap();
        db.execute_batch("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)").unwrap();
        assert!(!watch.header().unwrap().is_left_by(&before, true));
        assert!(!watch.header().unwrap().is_left_by(&before, false));
    }
}
