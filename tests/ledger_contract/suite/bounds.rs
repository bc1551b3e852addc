//! What no deed may do: run back in time, come before a floor, contradict itself, harm its batch.

use std::sync::Arc;

use banyan::domain::calendar::Instant;
use banyan::domain::money::Fen;
use banyan::domain::record::Body;
use banyan::ledger::Deed;
use banyan::ledger::Facts;
use banyan::ledger::LedgerError;
use futures_util::future::join_all;

use crate::actor::Actor;
use crate::actor::deed;
use crate::actor::message;
use crate::actor::settled_of;
use crate::stage::Stage;
use crate::suite::books_agree;

pub(crate) async fn time_stands_still_when_the_clock_jumps_back(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    stage.set_clock(Instant(settled.at.0 - 3_600_000));
    let reversed = woman.reverse(&stay, &settled).await;
    assert_eq!(reversed.at, settled.at);
    // What lies in one bucket goes by one lane.
    let bucket = stage.ledger.bucket(&woman.key);
    let neighbour = (2..).map(|number| Actor::new(&stage.ledger, &number.to_string()));
    let neighbour = neighbour.into_iter().find(|other| stage.ledger.bucket(&other.key) == bucket).unwrap();
    neighbour.register("C2").await;
    assert!(neighbour.facts(None).await.last_at >= settled.at, "nor in the lane");
    stage.set_clock(Instant(settled.at.0 + 5));
    assert_eq!(woman.register("C9").await.at, Instant(settled.at.0 + 5));
    books_agree(&stage.ledger).await;
}

pub(crate) async fn nothing_is_settled_before_a_raised_floor(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let next_month = Instant::start_of(stage.now().day().month().next().first_day());
    stage.ledger.raise_floor(next_month).await.unwrap();
    let settled = woman.settle(&stay).await;
    assert_eq!(settled.at, next_month);
    let key = woman.key.clone();
    drop(woman);
    let stage = stage.restarted();
    let woman = Actor { ledger: Arc::clone(&stage.ledger), key };
    assert_eq!(Actor::registered(&stage.ledger, "2").await.facts(None).await.last_at, next_month);
    assert_eq!(woman.reverse(&stay, &settled).await.at, next_month);
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_deed_that_contradicts_itself_is_not_recorded(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let (facts, good) = woman.settlement(&stay).await;
    let Body::Settled(settlement) = &good.body else { panic!() };
    let mut off_by_one = settlement.clone();
    off_by_one.breakdown.psn_cash_pay += Fen(1);
    let mut unbalanced = settlement.clone();
    unbalanced.entries.pop();
    for broken in [off_by_one, unbalanced] {
        let deed = Deed { body: Body::Settled(broken), ..good.clone() };
        let refused = woman.commit(facts.clone(), deed).await;
        assert!(matches!(refused, Err(LedgerError::Unfit { .. })), "{refused:?}");
    }
    let again = deed(message(2402, "D9"), Body::Discharged(discharge_of(&facts)), Some(&stay));
    let refused = woman.commit(facts.clone(), again).await;
    assert!(matches!(refused, Err(LedgerError::Unfit { .. })), "discharged twice: {refused:?}");
    assert_eq!(woman.facts(Some(&stay)).await.version, facts.version);
    woman.recorded(facts, good).await;
    books_agree(&stage.ledger).await;
}

fn discharge_of(facts: &Facts) -> banyan::domain::record::Discharge {
    facts.stay.as_ref().unwrap().state.discharge.clone().unwrap()
}

pub(crate) async fn a_deed_that_the_schema_refuses_does_not_harm_its_batch(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    woman.reverse(&stay, &settled).await;
    let (facts, mut again) = woman.settlement(&stay).await;
    let Body::Settled(settlement) = &mut again.body else { panic!() };
    settlement.id = settled_of(&settled).id.clone();
    let others = join_all((0..20).map(async |n| {
        let other = Actor::registered(&stage.ledger, &format!("other{n}")).await;
        other.admit().await
    }));
    let (refused, others) = tokio::join!(woman.commit(facts.clone(), again), others);
    assert!(matches!(refused, Err(LedgerError::Unfit { .. })), "{refused:?}");
    assert_eq!(others.len(), 20);
    assert_eq!(woman.facts(Some(&stay)).await.version, facts.version);
    books_agree(&stage.ledger).await;
}
