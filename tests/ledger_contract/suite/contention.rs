//! Deeds that meet: old facts, one person's many, many persons' one month.

use std::sync::Arc;

use banyan::domain::calendar::Month;
use banyan::domain::clearing;
use banyan::domain::ids::SettlementId;
use banyan::domain::ids::StayId;
use banyan::domain::money::Fen;
use banyan::domain::record::Body;
use banyan::domain::record::Record;
use banyan::ledger::Committed;
use banyan::ledger::Deed;
use banyan::ledger::Facts;
use banyan::ledger::Ledger;
use banyan::ledger::LedgerError;
use banyan::ledger::LookUp;
use banyan::ledger::Message;
use futures_util::future::join_all;

use crate::actor::Actor;
use crate::actor::CARE;
use crate::actor::POOL;
use crate::actor::content;
use crate::actor::deed;
use crate::actor::message;
use crate::actor::settled_of;
use crate::actor::upload;
use crate::stage::Stage;
use crate::suite::books_agree;

pub(crate) async fn fence_and_deed_contend_and_one_wins(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    for round in 0..20 {
        let stay = woman.ready_to_settle(10_000).await;
        let (facts, deed) = woman.settlement(&stay).await;
        let key = deed.meta.key.clone();
        let (fenced, settled) = tokio::join!(woman.fence(&key), woman.commit(facts, deed));
        let won =
            |committed: Result<Committed, LedgerError>| matches!(committed.unwrap(), Committed::Recorded(_));
        assert_ne!(won(fenced), won(settled), "round {round}");
        if woman.facts(Some(&stay)).await.stay.unwrap().state.settled.is_none() {
            assert!(matches!(woman.asked(&key).await, Message::Fenced { .. }));
        }
    }
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_deed_on_old_facts_is_refused_whole(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let (old, deed_on_old) = woman.settlement(&stay).await;
    // The stay moves and the person with it.
    woman.upload(&stay, 900).await;
    let now = woman.facts(Some(&stay)).await;
    assert!(matches!(woman.commit(old.clone(), deed_on_old.clone()).await.unwrap(), Committed::FactsMoved));
    // Only the stay's version is old.
    let mixed = Facts { stay: old.stay.clone(), ..now.clone() };
    assert!(matches!(woman.commit(mixed, deed_on_old.clone()).await.unwrap(), Committed::FactsMoved));
    // Only the person's version is old.
    woman.register("C2").await;
    let moved = woman.facts(Some(&stay)).await;
    let mixed = Facts { version: now.version, ..moved.clone() };
    let fresh = woman.settle_deed(&mixed, &stay, message(2304, "S1"));
    assert!(matches!(woman.commit(mixed, fresh).await.unwrap(), Committed::FactsMoved));
    assert!(matches!(woman.asked(&deed_on_old.meta.key).await, Message::Unknown));
    assert_eq!(woman.facts(Some(&stay)).await.version, moved.version);
    books_agree(&stage.ledger).await;
}

pub(crate) async fn uploads_guard_the_stay_and_not_the_person(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.admit().await;
    let facts = woman.facts(Some(&stay)).await;
    woman.register("C2").await;
    let uploaded = woman.recorded(facts.clone(), upload(message(2301, "L1"), &stay, 500)).await;
    assert_eq!(uploaded.version, facts.version + 2);
    let late = upload(message(2301, "L2"), &stay, 500);
    assert!(matches!(woman.commit(facts, late).await.unwrap(), Committed::FactsMoved));
    let open =
        Deed { guards_person: false, ..deed(message(2402, "D1"), Body::DischargeCancelled, Some(&stay)) };
    let facts = woman.facts(Some(&stay)).await;
    assert!(matches!(woman.commit(facts, open).await, Err(LedgerError::Unfit { .. })));
    books_agree(&stage.ledger).await;
}

pub(crate) async fn two_hundred_deeds_of_one_person_take_turns(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.admit().await;
    let uploads = (0..200).map(|_| {
        let (woman, stay) = (woman.clone(), stay.clone());
        tokio::spawn(async move { woman.upload(&stay, 100).await.version })
    });
    let mut versions: Vec<u64> = join_all(uploads).await.into_iter().map(|v| v.unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (3..203).collect::<Vec<_>>());
    let facts = woman.facts(Some(&stay)).await;
    assert_eq!(facts.stay.unwrap().state.open_totals().amount, Fen(20_000));
    books_agree(&stage.ledger).await;
}

pub(crate) async fn fifty_sends_of_one_settlement_move_money_once(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let key = message(2304, "S1");
    let sends = (0..50).map(|_| {
        let (woman, stay, key) = (woman.clone(), stay.clone(), key.clone());
        tokio::spawn(async move {
            loop {
                let wanted = LookUp { key: Some((key.clone(), content(1))), ..woman.look(Some(&stay)) };
                let found = woman.found(wanted).await;
                if let Message::Done { record, .. } = found.message {
                    return record;
                }
                let facts = found.facts.unwrap();
                let deed = woman.settle_deed(&facts, &stay, key.clone());
                if let Committed::Recorded(record) = woman.commit(facts, deed).await.unwrap() {
                    return record;
                }
            }
        })
    });
    let answers: Vec<Arc<Record>> = join_all(sends).await.into_iter().map(|r| r.unwrap()).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(woman.facts(None).await.person.live().count(), 1);
    books_agree(&stage.ledger).await;
}

/// Each round of a person settles and reverses under ids that all her desks know: one of them does it, the others replay.
pub(crate) async fn two_nodes_settle_reverse_and_replay_the_same_persons(stage: Stage) {
    const PERSONS: i64 = 8;
    const DESKS: usize = 6;
    const ROUNDS: usize = 30;
    let nodes = [Arc::clone(&stage.ledger), stage.further_node()];
    let desks = (0..PERSONS).map(async |n| {
        let woman = Actor::registered(&nodes[0], &format!("W{n}")).await;
        let stay = woman.ready_to_settle(10_000 + n).await;
        let desks = (0..DESKS).map(|desk| {
            let woman = Actor { ledger: Arc::clone(&nodes[desk % 2]), ..woman.clone() };
            let stay = stay.clone();
            tokio::spawn(async move {
                let mut told = Vec::new();
                for round in 0..ROUNDS {
                    let settled = settled_in(&woman, &stay, round).await;
                    if round + 1 < ROUNDS {
                        told.push(reversed_in(&woman, &stay, round, &settled).await);
                    }
                    told.push(settled);
                }
                told
            })
        });
        let told = join_all(desks).await.into_iter().map(|told| told.unwrap()).collect::<Vec<_>>();
        assert!(told.iter().all(|desk| *desk == told[0]), "every desk is told the same");
        let records = woman.ledger.records(&woman.key, 1, 1_000).await.unwrap();
        let of = |wanted: fn(&Body) -> bool| records.iter().filter(|record| wanted(&record.body)).count();
        assert_eq!(of(|body| matches!(body, Body::Settled(_))), ROUNDS);
        assert_eq!(of(|body| matches!(body, Body::Reversed(_))), ROUNDS - 1);
        assert_eq!(woman.facts(None).await.person.live().count(), 1, "the last one stands");
    });
    join_all(desks).await;
    books_agree(&nodes[1]).await;
}

async fn settled_in(woman: &Actor, stay: &StayId, round: usize) -> Arc<Record> {
    let key = message(2304, &format!("S{}-{round}", woman.key.number()));
    loop {
        let wanted = LookUp { key: Some((key.clone(), content(1))), ..woman.look(Some(stay)) };
        let found = woman.found(wanted).await;
        match found.message {
            Message::Done { record, .. } | Message::Undone { record, .. } => return record,
            Message::Unknown => {}
            Message::Fenced { .. } => panic!("nobody fences"),
        }
        let facts = found.facts.unwrap();
        let deed = woman.settle_deed(&facts, stay, key.clone());
        if let Committed::Recorded(record) = woman.commit(facts, deed).await.unwrap() {
            return record;
        }
    }
}

async fn reversed_in(woman: &Actor, stay: &StayId, round: usize, settled: &Record) -> Arc<Record> {
    let key = message(2305, &format!("V{}-{round}", woman.key.number()));
    loop {
        let wanted = LookUp { key: Some((key.clone(), content(1))), ..woman.look(Some(stay)) };
        let found = woman.found(wanted).await;
        if let Message::Done { record, .. } = found.message {
            return record;
        }
        let deed = woman.reverse_deed(stay, settled, key.clone());
        if let Committed::Recorded(record) = woman.commit(found.facts.unwrap(), deed).await.unwrap() {
            return record;
        }
    }
}

pub(crate) async fn many_persons_settle_at_once_and_the_month_sums(stage: Stage) {
    let settled = (0..200).map(|n| {
        let ledger = Arc::clone(&stage.ledger);
        tokio::spawn(async move {
            let woman = Actor::registered(&ledger, &format!("P{n}")).await;
            let stay = woman.ready_to_settle(10_000 + n).await;
            let settled = woman.settle(&stay).await;
            if n % 5 == 0 {
                woman.reverse(&stay, &settled).await;
            }
            (n, settled_of(&settled).breakdown.fund_pay_sumamt)
        })
    });
    let settled: Vec<(i64, Fen)> = join_all(settled).await.into_iter().map(|s| s.unwrap()).collect();
    let expected: Fen = settled.iter().filter(|(n, _)| n % 5 != 0).map(|(_, fund)| *fund).sum();
    let month = stage.now().day().month();
    // Pages too small to hold it, and one that holds all.
    let rows = whole_month(&stage.ledger, month, 17).await;
    assert_eq!(rows.len(), 240);
    assert_eq!(whole_month(&stage.ledger, month, 1_000).await, rows);
    let mut totals = clearing::Month::default();
    rows.iter().for_each(|row| totals.take(row));
    assert_eq!(totals.imbalance(), Fen::ZERO);
    let owed = totals.payables()[&(POOL, CARE)];
    assert_eq!((owed.settlements, owed.reversals, owed.fund), (200, 40, expected));
    books_agree(&stage.ledger).await;
}

/// Page by page.
async fn whole_month(ledger: &Arc<dyn Ledger>, month: Month, page_rows: usize) -> Vec<clearing::MonthRow> {
    let mut rows = Vec::new();
    let mut after: Option<SettlementId> = None;
    loop {
        let page = ledger.month(month, after.as_ref(), page_rows).await.unwrap();
        for row in &page {
            assert!(after.as_ref().is_none_or(|last| last.as_str() < row.settlement.as_str()));
            after = Some(row.settlement.clone());
            let record = ledger.settlement(&row.settlement).await.unwrap().unwrap();
            assert_eq!((record.version, record.at, &record.person), (row.version, row.at, &row.person));
        }
        let last = page.len() < page_rows;
        rows.extend(page.into_iter().map(|row| row.row));
        if last {
            return rows;
        }
    }
}
