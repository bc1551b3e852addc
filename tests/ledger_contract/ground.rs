//! Owns where a ledger of a test lies, in a file or in a database, with its keys beside it, and what is done to it there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use banyan::ledger::Ledger;
use banyan::ledger::place::Place;
use banyan::ledger::postgres;
use banyan::ledger::secrets::Secrets;
use tempfile::TempDir;

use crate::postgres::server;
use crate::stage::BEGIN;

pub(crate) struct Ground {
    pub(crate) place: Place,
    folder: TempDir,
}

impl Ground {
    /// A folder for a file that is made when it is opened.
    pub(crate) fn file() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        Ground { place: Place::at(&folder.path().join("ledger.db")), folder }
    }

    /// An empty database with the schema. A start takes one lane, as in a file.
    pub(crate) fn database() -> Ground {
        let url = server().create_database().unwrap();
        let settings = postgres::Settings { url, lanes: 1, ..postgres::Settings::default() };
        let ground =
            Ground { place: Place::Database(settings.clone()), folder: tempfile::tempdir().unwrap() };
        postgres::migrate(&settings, &ground.secrets()).unwrap();
        ground
    }

    /// The keys beside it, made where there are none.
    pub(crate) fn secrets(&self) -> Secrets {
        let folder = self.folder.path();
        Secrets::open_in(folder).unwrap_or_else(|_| Secrets::make_in(folder, BEGIN).unwrap())
    }

    pub(crate) fn open(&self) -> Arc<dyn Ledger> {
        self.place.open(self.secrets(), Arc::new(|| BEGIN)).unwrap()
    }

    /// A copy to which something is done, in SQLite's words.
    pub(crate) fn tampered(&self, sql: &str) -> Place {
        match &self.place {
            Place::File { path, settings } => {
                let copy = self.folder.path().join("copy.db");
                copy_file(path, &copy);
                let altered = rusqlite::Connection::open(&copy).unwrap();
                altered.execute_batch(sql).unwrap_or_else(|cause| panic!("{sql}: {cause}"));
                Place::File { path: copy, settings: settings.clone() }
            }
            Place::Database(settings) => {
                let url = copy_database(&settings.url);
                server().query(name_of(&url), &as_postgres_says(sql)).unwrap();
                Place::Database(postgres::Settings { url, ..settings.clone() })
            }
        }
    }
}

fn copy_file(path: &Path, copy: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _absent = std::fs::remove_file(format!("{}{end}", copy.display()));
    }
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(&format!("VACUUM INTO '{}'", copy.display())).unwrap();
}

fn copy_database(url: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let copy = format!("copy{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    server().query("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {}", name_of(url))).unwrap();
    server().url(&copy)
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// How the two write bytes is all that differs.
fn as_postgres_says(sql: &str) -> String {
    let sql = sql.replace("x'00'", "'\\x00'::bytea");
    [32, 64].iter().fold(sql, |sql, count| {
        sql.replace(&format!("zeroblob({count})"), &format!("decode(repeat('00', {count}), 'hex')"))
    })
}
