//! Owns the suite on SQLite, and what only a file can meet: kill -9, a full disk, an altered schema.

use std::path::Path;
use std::sync::Arc;

use banyan::domain::money::Fen;
use banyan::domain::person::Register;
use banyan::domain::record::Body;
use banyan::ledger::Facts;
use banyan::ledger::Ledger;
use banyan::ledger::LedgerError;
use banyan::ledger::Message;
use banyan::ledger::codec;
use banyan::ledger::lane::Now;
use banyan::ledger::secrets::Secrets;
use banyan::ledger::sqlite::Settings;
use banyan::ledger::sqlite::SqliteLedger;
use banyan::vault::key_file::Secret;
use banyan::vault::lookup::LookupKey;
use futures_util::future::join_all;
use tempfile::TempDir;

use crate::actor::Actor;
use crate::actor::admission;
use crate::actor::deed;
use crate::actor::message;
use crate::actor::upload;
use crate::contract;
use crate::stage::BEGIN;
use crate::stage::Backend;

contract!(InFolder::new());

pub(crate) struct InFolder(TempDir);

impl InFolder {
    fn new() -> InFolder {
        InFolder(tempfile::tempdir().unwrap())
    }
}

impl Backend for InFolder {
    fn open(&self, now: Now) -> Arc<dyn Ledger> {
        Arc::new(open(&self.0.path().join("ledger.db"), Settings::default(), now))
    }
}

/// The keys beside a ledger, made where there are none.
pub(crate) fn secrets(path: &Path) -> Secrets {
    let folder = path.parent().unwrap();
    Secrets::open_in(folder).unwrap_or_else(|_| Secrets::make_in(folder, BEGIN).unwrap())
}

pub(crate) fn open(path: &Path, settings: Settings, now: Now) -> SqliteLedger {
    SqliteLedger::open(path, settings, secrets(path), now).unwrap()
}

fn standing_clock() -> Now {
    Arc::new(|| BEGIN)
}

/// Refused, with a message that contains the words.
fn refused(path: &Path, secrets: Secrets, words: &str) {
    match SqliteLedger::open(path, Settings::default(), secrets, standing_clock()) {
        Ok(_) => panic!("opened, though {words}"),
        Err(refused) => assert!(refused.to_string().contains(words), "{refused}"),
    }
}

/// Something that no node may do to a ledger.
fn tamper(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_file_that_is_newer_altered_or_keyed_otherwise_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(open(&path, Settings::default(), standing_clock()));
    let other = Secrets { lookup: LookupKey::new(&Secret::new([8; 32])), ..secrets(&path) };
    refused(&path, other, "another look-up key");
    tamper(&path, "UPDATE meta SET value = '99' WHERE name = 'schema_version'");
    refused(&path, secrets(&path), "start a newer version");
    tamper(&path, "UPDATE meta SET value = '1' WHERE name = 'schema_version'; DROP TABLE credential");
    refused(&path, secrets(&path), "schema of credential");
}

#[tokio::test]
async fn a_full_queue_sheds_and_serves_again() {
    const LIMIT: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let settings = Settings { queue_limit: LIMIT, ..Settings::default() };
    let ledger: Arc<dyn Ledger> = Arc::new(open(&path, settings, standing_clock()));
    let mut women = Vec::new();
    for n in 0..2 * LIMIT {
        women.push(Actor::registered(&ledger, &n.to_string()).await);
    }
    // Another process holds the file, so that nothing leaves the queue.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let admissions = join_all(women.iter().map(async |woman| {
        let deed = admission(message(2401, &woman.id()), &woman.new_stay());
        woman.commit(woman.facts(None).await, deed).await
    }));
    let release = async {
        // Every admission has been polled once when this is.
        tokio::task::yield_now().await;
        other.execute_batch("ROLLBACK").unwrap();
    };
    let (answers, ()) = tokio::join!(admissions, release);
    let (recorded, shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((recorded.len(), shed.len()), (LIMIT, LIMIT));
    assert!(shed.iter().all(|shed| matches!(shed, Err(LedgerError::Full { limit: LIMIT }))));
    women[2 * LIMIT - 1].admit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_nothing_half_done_and_service_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let small = Settings { pages_max: Some(160), ..Settings::default() };
    let ledger: Arc<dyn Ledger> = Arc::new(open(&path, small, standing_clock()));
    let woman = Actor::registered(&ledger, "1").await;
    let stay = woman.admit().await;
    let mut known = Vec::new();
    let full = loop {
        let facts = woman.facts(Some(&stay)).await;
        let deed = upload(message(2301, &woman.id()), &stay, 100);
        let key = deed.meta.key.clone();
        match woman.commit(facts, deed).await {
            Ok(_) => known.push(key),
            Err(refused) => break (key, refused),
        }
    };
    assert!(matches!(full.1, LedgerError::Storage { .. }), "{:?}", full.1);
    assert!(matches!(woman.asked(&full.0).await, Message::Unknown));
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
    let others = join_all((0..20).map(|n| {
        let woman = Actor::new(&ledger, &format!("late{n}"));
        async move {
            let facts = Facts::of_new(woman.key.clone(), woman.ledger.bucket(&woman.key));
            let body = Body::Registered(Register::default());
            let answer = woman.commit(facts, deed(message(9, &format!("R{n}")), body, None)).await;
            (answer.is_ok(), woman.found(woman.look(None)).await.facts.is_some())
        }
    }));
    // A small one may still find room in a page that is there; what was refused has left nothing.
    let outcomes = others.await;
    assert!(outcomes.iter().all(|(recorded, found)| recorded == found), "{outcomes:?}");
    assert!(outcomes.iter().any(|(recorded, _)| !recorded), "there is room for all: nothing was tested");
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
    drop((woman, ledger));

    let ledger: Arc<dyn Ledger> = Arc::new(open(&path, Settings::default(), standing_clock()));
    let woman = Actor::new(&ledger, "1");
    for key in &known {
        assert!(matches!(woman.asked(key).await, Message::Done { .. }), "{key:?}");
    }
    let again = upload(full.0, &stay, 100);
    woman.recorded(woman.facts(Some(&stay)).await, again).await;
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_with_room_again_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger: Arc<dyn Ledger> = Arc::new(open(&path, Settings::default(), standing_clock()));
    let woman = Actor::registered(&ledger, "1").await;
    // A foreign lock makes the batch fail the way a passing fault does.
    let quick = Settings { busy_timeout_ms: 1, ..Settings::default() };
    let second: Arc<dyn Ledger> = Arc::new(open(&path, quick, standing_clock()));
    let same = Actor { ledger: Arc::clone(&second), key: woman.key.clone() };
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let deed = admission(message(2401, "A1"), &same.new_stay());
    let refused = same.commit(same.facts(None).await, deed.clone()).await;
    assert!(matches!(refused, Err(LedgerError::Storage { .. })), "{refused:?}");
    other.execute_batch("ROLLBACK").unwrap();
    same.recorded(same.facts(None).await, deed).await;
    assert_eq!(second.check(10).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_share_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let nodes: Vec<Arc<dyn Ledger>> = (0..2)
        .map(|_| Arc::new(open(&path, Settings::default(), standing_clock())) as Arc<dyn Ledger>)
        .collect();
    assert_ne!(nodes[0].lane(), nodes[1].lane());
    let shared = Actor::registered(&nodes[0], "shared").await;
    let stay = shared.admit().await;
    let work = nodes.iter().enumerate().map(|(node, ledger)| {
        let (ledger, stay) = (Arc::clone(ledger), stay.clone());
        tokio::spawn(async move {
            for n in 0..30 {
                let own = Actor::registered(&ledger, &format!("{node}-{n}")).await;
                let settled = own.settle(&own.ready_to_settle(10_000).await).await;
                assert!(settled.version > 0);
                Actor::new(&ledger, "shared").upload(&stay, 100).await;
            }
        })
    });
    for done in join_all(work).await {
        done.unwrap();
    }
    assert_eq!(shared.facts(Some(&stay)).await.stay.unwrap().state.open_totals().amount, Fen(6_000));
    assert_eq!(nodes[1].check(10).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_personal_leaves_its_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger: Arc<dyn Ledger> = Arc::new(open(&path, Settings::default(), standing_clock()));
    let woman = Actor::registered(&ledger, "1").await;
    woman.ready_to_settle(100_000).await;
    drop((woman, ledger));
    let db = rusqlite::Connection::open(&path).unwrap();
    for column in
        ["record.told", "record.body", "record.private", "person.state", "person.private", "stay.state"]
    {
        let (table, name) = column.split_once('.').unwrap();
        let mut rows = db.prepare(&format!("SELECT CAST({name} AS BLOB) FROM {table}")).unwrap();
        let kept = rows.query_map([], |row| row.get::<_, Option<Vec<u8>>>(0)).unwrap();
        for kept in kept.filter_map(|kept| kept.unwrap()) {
            let text = String::from_utf8_lossy(&kept);
            let plain = codec::plain(&text).unwrap();
            for personal in ["某某", "ID1", "\"C1", "J18.900"] {
                assert!(!plain.contains(personal), "{column}: {personal}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_stays_bounded_while_commits_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let settings = Settings { wal_checkpoint_pages: 50, wal_limit_pages: 400, ..Settings::default() };
    let ledger: Arc<dyn Ledger> = Arc::new(open(&path, settings, standing_clock()));
    let work = (0..8).map(|task| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            for n in 0..60 {
                Actor::registered(&ledger, &format!("{task}-{n}")).await;
            }
        })
    });
    for done in join_all(work).await {
        done.unwrap();
    }
    let log = std::fs::metadata(folder.path().join("ledger.db-wal")).unwrap().len();
    assert!(log < 600 * 4096, "{log} bytes");
}
