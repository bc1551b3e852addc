//! Owns what a node does before a server that takes connections and answers nothing: each call ends in time, what does not
//! fit is shed, and afterwards all goes on.

use std::sync::Arc;
use std::time::Duration;

use banyan::domain::ids::StayId;
use banyan::domain::record::Body;
use banyan::ledger::Facts;
use banyan::ledger::Ledger;
use banyan::ledger::LedgerError;
use banyan::ledger::ReferenceChange;
use banyan::ledger::postgres;
use banyan::ledger::postgres::PostgresLedger;
use banyan::ledger::postgres::Settings;
use banyan::sandbox::postgres::Server;
use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::actor::Actor;
use crate::actor::message;
use crate::outage::settled;
use crate::sqlite::secrets;
use crate::stage::BEGIN;

const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// What a busy machine may take beyond it.
const SLACK: Duration = Duration::from_secs(2);
const QUEUE: usize = 16;

struct Node {
    ledger: Arc<dyn Ledger>,
    server: Server,
    _folder: TempDir,
}

fn node() -> Node {
    let server = Server::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = || secrets(&folder.path().join("ledger.db"));
    let settings = Settings {
        url: server.create_database().unwrap(),
        answer_within: ANSWER_WITHIN,
        connect_timeout: ANSWER_WITHIN / 3,
        queue_limit: QUEUE,
        lanes: 1,
        ..Settings::default()
    };
    postgres::migrate(&settings, &keys()).unwrap();
    let ledger = Arc::new(PostgresLedger::open(settings, keys(), Arc::new(|| BEGIN)).unwrap());
    Node { ledger, server, _folder: folder }
}

/// What it comes to, which is in time.
async fn in_time<T>(call: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
    let began = Instant::now();
    let outcome = call.await;
    let took = began.elapsed();
    assert!(took < ANSWER_WITHIN + SLACK, "{took:?}");
    outcome
}

fn is_unknown<T>(outcome: &Result<T, LedgerError>) -> bool {
    matches!(outcome, Err(LedgerError::Storage { .. }))
}

fn regions() -> ReferenceChange {
    ReferenceChange::Regions(Vec::new())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_server_is_stopped_calls_end_in_time_and_then_all_goes_on() {
    const PERSONS: usize = 3 * QUEUE;
    let node = node();
    let mut women = Vec::new();
    for n in 0..PERSONS {
        let woman = Actor::registered(&node.ledger, &format!("Q{n}")).await;
        let stay = woman.ready_to_settle(10_000).await;
        let facts = woman.facts(Some(&stay)).await;
        women.push((woman, stay, facts));
    }

    node.server.stop_answering().unwrap();
    let settle = async |(woman, stay, facts): &(Actor, StayId, Facts)| {
        let key = message(2304, &format!("S{}", woman.key.number()));
        in_time(woman.commit(facts.clone(), woman.settle_deed(facts, stay, key))).await
    };
    let look = async |(woman, stay, _): &(Actor, StayId, Facts)| {
        in_time(woman.ledger.look_up(woman.look(Some(stay)))).await
    };
    let (sent, looked) = tokio::join!(join_all(women.iter().map(settle)), join_all(women.iter().map(look)));
    let full = sent.iter().filter(|it| matches!(it, Err(LedgerError::Full { limit: QUEUE })));
    assert_eq!(full.count(), PERSONS - QUEUE, "what does not fit is shed");
    let unknown = sent.iter().filter(|it| is_unknown(*it));
    assert_eq!(unknown.count(), QUEUE, "of the others nobody knows");
    assert!(looked.iter().all(is_unknown), "{looked:?}");
    // The connections that were open are given up: now they have to be made. Those who gave up waiting make room.
    let again = loop {
        match settle(&women[0]).await {
            Err(LedgerError::Full { .. }) => tokio::task::yield_now().await,
            outcome => break outcome,
        }
    };
    assert!(is_unknown(&again), "{again:?}");
    assert!(is_unknown(&look(&women[0]).await));
    node.server.go_on().unwrap();

    for (woman, stay, _) in &women {
        let answer = settled(woman, stay).await;
        let records = node.ledger.records(&woman.key, 1, 100).await.unwrap();
        let settled = records.iter().filter(|record| matches!(record.body, Body::Settled(_)));
        assert_eq!(settled.collect::<Vec<_>>(), [&answer], "once, and as it was told");
    }
    assert_eq!(node.ledger.check(10).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_shared_tables_gives_its_lane_free_in_time() {
    let node = node();
    let woman = Actor::registered(&node.ledger, "R1").await;
    let stay = woman.ready_to_settle(10_000).await;
    let before = node.ledger.record_reference("before".into(), regions()).await.unwrap();

    node.server.stop_answering().unwrap();
    for _ in 0..2 {
        let change = in_time(node.ledger.record_reference("meanwhile".into(), regions())).await;
        assert!(is_unknown(&change), "{change:?}");
    }
    node.server.go_on().unwrap();

    settled(&woman, &stay).await;
    let after = node.ledger.record_reference("after".into(), regions()).await.unwrap();
    assert!(after > before, "{after}");
    assert_eq!(node.ledger.check(10).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_late_before_anything_was_told_begins_the_outage_itself() {
    let node = node();
    let woman = Actor::registered(&node.ledger, "L1").await;
    woman.ledger.records(&woman.key, 1, 100).await.unwrap();
    node.server.stop_answering().unwrap();
    let late = in_time(node.ledger.records(&woman.key, 1, 100)).await.unwrap_err();
    assert!(late.is_known_outage(), "it is no line of its own: {late:?}");
    node.server.go_on().unwrap();
}
