//! Owns what a node does while its server is away: answer within its time, lose nothing, go on by itself.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use banyan::domain::ids::StayId;
use banyan::domain::record::Body;
use banyan::domain::record::Record;
use banyan::ledger::Committed;
use banyan::ledger::Ledger;
use banyan::ledger::LedgerError;
use banyan::ledger::LookUp;
use banyan::ledger::Message;
use banyan::ledger::postgres;
use banyan::ledger::postgres::PostgresLedger;
use banyan::ledger::postgres::Settings;
use banyan::sandbox::postgres::Server;
use futures_util::future::join_all;

use crate::actor::Actor;
use crate::actor::content;
use crate::actor::message;
use crate::sqlite::secrets;
use crate::stage::BEGIN;

/// Sends until it is told that the settlement stands, as a hospital does.
pub(crate) async fn settled(woman: &Actor, stay: &StayId) -> Arc<Record> {
    let key = message(2304, &format!("S{}", woman.key.number()));
    loop {
        let wanted = LookUp { key: Some((key.clone(), content(1))), ..woman.look(Some(stay)) };
        let found = match woman.ledger.look_up(wanted).await {
            Ok(found) => found,
            Err(LedgerError::Storage { .. }) => continue,
            Err(other) => panic!("{other:?}"),
        };
        if let Message::Done { record, .. } = found.message {
            return record;
        }
        let facts = found.facts.unwrap();
        let deed = woman.settle_deed(&facts, stay, key.clone());
        match woman.commit(facts, deed).await {
            Ok(Committed::Recorded(record)) => return record,
            Ok(Committed::FactsMoved) | Err(LedgerError::Storage { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_loses_and_doubles_nothing() {
    const PERSONS: usize = 300;
    const DESKS: usize = 20;
    const KILLS: usize = 3;
    let mut server = Server::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = secrets(&folder.path().join("ledger.db"));
    let url = server.create_database().unwrap();
    let settings = Settings { url, answer_within: Duration::from_secs(3), ..Settings::default() };
    postgres::migrate(&settings, &keys).unwrap();
    let ledger: Arc<dyn Ledger> = Arc::new(PostgresLedger::open(settings, keys, Arc::new(|| BEGIN)).unwrap());
    let women = (0..PERSONS).map(async |n| {
        let woman = Actor::registered(&ledger, &format!("K{n}")).await;
        let stay = woman.ready_to_settle(10_000).await;
        (woman, stay)
    });
    let women = join_all(women).await;

    let told = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&told);
    let killer = tokio::task::spawn_blocking(move || {
        for kill in 1..=KILLS {
            // At a place of the work and not at a time: some are told, some are under way.
            while counted.load(Ordering::Relaxed) < kill * PERSONS / (KILLS + 2) {
                std::thread::yield_now();
            }
            server.kill().unwrap();
            server.restart().unwrap();
        }
        server
    });
    // Each desk has one call under way at a time.
    let answers = join_all(women.chunks(PERSONS / DESKS).map(async |women| {
        let mut answers = Vec::new();
        for (woman, stay) in women {
            answers.push(settled(woman, stay).await);
            told.fetch_add(1, Ordering::Relaxed);
        }
        answers
    }));
    let answers = answers.await.concat();
    let _server = killer.await.unwrap();

    for ((woman, _), answer) in women.iter().zip(&answers) {
        let records = woman.ledger.records(&woman.key, 1, 100).await.unwrap();
        let settled = records.iter().filter(|record| matches!(record.body, Body::Settled(_)));
        assert_eq!(settled.collect::<Vec<_>>(), [answer], "once, and as it was told");
    }
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
}
