//! What became of a message: replayed, fenced, undone, answered again, traced.

use std::sync::Arc;

use banyan::domain::codes::Scheme;
use banyan::domain::ids::InstitutionCode;
use banyan::domain::money::Fen;
use banyan::domain::record::Body;
use banyan::domain::record::Record;
use banyan::ledger::Committed;
use banyan::ledger::LookUp;
use banyan::ledger::Message;

use crate::actor::Actor;
use crate::actor::YEAR;
use crate::actor::admission;
use crate::actor::content;
use crate::actor::deed;
use crate::actor::message;
use crate::actor::upload;
use crate::stage::Stage;
use crate::suite::books_agree;

pub(super) fn done(message: Message) -> Arc<Record> {
    match message {
        Message::Done { record, .. } => record,
        other => panic!("expected a deed that stands, found {other:?}"),
    }
}

pub(super) fn undone(message: Message) -> (Arc<Record>, Arc<Record>) {
    match message {
        Message::Undone { record, by, .. } => (record, by),
        other => panic!("expected an undone deed, found {other:?}"),
    }
}

pub(crate) async fn a_replay_finds_the_first_record(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    let found = done(woman.asked(&settled.meta.key).await);
    assert_eq!(found, settled);
    let by_stay = LookUp { key: Some((settled.meta.key.clone(), content(1))), ..woman.look(Some(&stay)) };
    assert_eq!(done(woman.found(by_stay).await.message), settled);
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_replay_finds_the_first_record_after_a_restart(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    let lane = stage.ledger.lane();
    let key = woman.key.clone();
    drop(woman);
    let stage = stage.restarted();
    let woman = Actor { ledger: Arc::clone(&stage.ledger), key };
    assert_eq!(done(woman.asked(&settled.meta.key).await), settled);
    assert_ne!(stage.ledger.lane(), lane, "a restarted node has a lane of its own");
    books_agree(&stage.ledger).await;
}

pub(crate) async fn other_content_under_the_same_key_is_seen(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.admit().await;
    let record = woman.upload(&stay, 500).await;
    let key = Some((record.meta.key.clone(), content(2)));
    match woman.found(LookUp { key, ..woman.look(Some(&stay)) }).await.message {
        Message::Done { content: kept, .. } => assert_ne!(kept, content(2)),
        other => panic!("{other:?}"),
    }
    let again = upload(record.meta.key.clone(), &stay, 700);
    let facts = woman.facts(Some(&stay)).await;
    assert!(matches!(woman.commit(facts, again).await.unwrap(), Committed::FactsMoved));
    assert_eq!(woman.facts(Some(&stay)).await.stay.unwrap().state.open_totals().amount, Fen(500));
    books_agree(&stage.ledger).await;
}

/// Wherever she lies: the second woman shares the bucket of the first.
pub(crate) async fn the_same_key_about_another_person_is_another_message(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let bucket = stage.ledger.bucket(&woman.key);
    let neighbour = (2..).map(|number| Actor::new(&stage.ledger, &number.to_string()));
    let neighbour = neighbour.into_iter().find(|other| stage.ledger.bucket(&other.key) == bucket).unwrap();
    neighbour.register("C2").await;
    let (hers, the_others) = (woman.admit().await, neighbour.admit().await);
    let record = woman.upload(&hers, 500).await;
    let key = record.meta.key.clone();
    assert!(matches!(neighbour.asked(&key).await, Message::Unknown));
    let same = upload(key.clone(), &the_others, 700);
    neighbour.recorded(neighbour.facts(Some(&the_others)).await, same).await;
    assert_eq!(done(woman.asked(&key).await).person, woman.key);
    assert_eq!(done(neighbour.asked(&key).await).person, neighbour.key);
    let traced = stage.ledger.trace(&key.message, None).await.unwrap();
    assert_eq!(traced.len(), 2, "both are told to whoever asks");
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_fence_before_the_deed_stops_it(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let (facts, deed) = woman.settlement(&stay).await;
    let Committed::Recorded(fence) = woman.fence(&deed.meta.key).await.unwrap() else {
        panic!("nothing stood in the way of the fence")
    };
    assert!(matches!(woman.commit(facts, deed.clone()).await.unwrap(), Committed::FactsMoved));
    match woman.asked(&deed.meta.key).await {
        Message::Fenced { by } => assert_eq!(by, fence),
        other => panic!("{other:?}"),
    }
    let facts = woman.facts(Some(&stay)).await;
    assert!(matches!(woman.commit(facts, deed).await.unwrap(), Committed::FactsMoved));
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_fence_after_the_deed_is_not_set(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    assert!(matches!(woman.fence(&settled.meta.key).await.unwrap(), Committed::FactsMoved));
    assert_eq!(done(woman.asked(&settled.meta.key).await), settled);
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_reversal_undoes_and_restores_everything(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let first = woman.ready_to_settle(80_000).await;
    woman.settle(&first).await;
    let stay = woman.ready_to_settle(100_000).await;
    let before = woman.facts(Some(&stay)).await;
    let settled = woman.settle(&stay).await;
    let amid = woman.facts(Some(&stay)).await;
    assert_ne!(amid.person.used(Scheme::Employee, YEAR), before.person.used(Scheme::Employee, YEAR));
    let reversed = woman.reverse(&stay, &settled).await;
    let after = woman.facts(Some(&stay)).await;
    assert_eq!(after.person.used(Scheme::Employee, YEAR), before.person.used(Scheme::Employee, YEAR));
    assert!(after.person.live().eq(before.person.live()));
    assert_eq!(after.stay.unwrap().state, before.stay.unwrap().state);
    let (record, by) = undone(woman.asked(&settled.meta.key).await);
    assert_eq!((record, by), (settled, reversed));
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_revived_settlement_answers_again(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    let standing = woman.facts(Some(&stay)).await;
    let reversed = woman.reverse(&stay, &settled).await;
    let revived = woman.revive(&stay, &settled, &reversed).await;
    assert_eq!(done(woman.asked(&settled.meta.key).await), settled);
    assert_eq!(undone(woman.asked(&reversed.meta.key).await), (reversed, revived.clone()));
    let after = woman.facts(Some(&stay)).await;
    assert_eq!(after.person.used(Scheme::Employee, YEAR), standing.person.used(Scheme::Employee, YEAR));
    assert!(after.person.live().eq(standing.person.live()));
    assert_eq!(after.stay.unwrap().state, standing.stay.unwrap().state);
    let again = woman.reverse(&stay, &settled).await;
    assert_eq!(undone(woman.asked(&settled.meta.key).await), (settled, again));
    assert_eq!(done(woman.asked(&revived.meta.key).await), revived);
    books_agree(&stage.ledger).await;
}

pub(crate) async fn cancelled_stays_and_withdrawn_lines_undo_their_messages(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.admit().await;
    let one = woman.upload(&stay, 500).await;
    let two = woman.upload(&stay, 700).await;
    let facts = woman.found(LookUp { lines: true, ..woman.look(Some(&stay)) }).await.facts.unwrap();
    let lines = facts.lines.as_ref().unwrap();
    assert_eq!(lines.len(), 2);
    let Body::LinesUploaded(gone) = &one.body else { panic!() };
    let withdrawal = lines.withdrawal(&[gone[0].no.clone()]);
    let body = Body::LinesWithdrawn(withdrawal);
    let withdrawn = woman.recorded(facts, deed(message(2302, "W1"), body, Some(&stay))).await;
    assert_eq!(undone(woman.asked(&one.meta.key).await), (one, withdrawn));
    assert_eq!(done(woman.asked(&two.meta.key).await), two);
    let facts = woman.found(LookUp { lines: true, ..woman.look(Some(&stay)) }).await.facts.unwrap();
    assert_eq!(facts.lines.as_ref().unwrap().len(), 1);

    let discharged = woman.discharge(&stay).await;
    let cancel = deed(message(2405, "X1"), Body::DischargeCancelled, Some(&stay));
    let cancelled = woman.done(Some(&stay), cancel).await;
    assert_eq!(undone(woman.asked(&discharged.meta.key).await), (discharged, cancelled));
    let facts = woman.facts(Some(&stay)).await;
    let admitted_by = facts.stay.as_ref().unwrap().state.admitted_by.clone();
    let cancel = deed(message(2404, "X2"), Body::AdmissionCancelled, Some(&stay));
    let cancelled = woman.recorded(facts, cancel).await;
    assert_eq!(undone(woman.asked(&admitted_by).await).1, cancelled);
    assert_eq!(woman.facts(None).await.person.open, None);
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_message_is_traced_without_knowing_whose_it_was(stage: Stage) {
    let (one, two) =
        (Actor::registered(&stage.ledger, "1").await, Actor::registered(&stage.ledger, "2").await);
    let shared = message(2401, "SAME");
    let (stay_one, stay_two) = (one.new_stay(), two.new_stay());
    let first = one.recorded(one.facts(None).await, admission(shared.clone(), &stay_one)).await;
    let second = two.recorded(two.facts(None).await, admission(shared.clone(), &stay_two)).await;
    let mut found: Vec<_> = stage
        .ledger
        .trace(&shared.message, None)
        .await
        .unwrap()
        .into_iter()
        .map(|(key, message)| (key, done(message).person.clone()))
        .collect();
    found.sort();
    assert_eq!(found, [(shared.clone(), first.person.clone()), (shared.clone(), second.person.clone())]);
    let other = InstitutionCode::parse("H1").unwrap();
    assert!(stage.ledger.trace(&shared.message, Some(&other)).await.unwrap().is_empty());
    assert_eq!(stage.ledger.trace(&shared.message, Some(&shared.institution)).await.unwrap().len(), 2);
}
