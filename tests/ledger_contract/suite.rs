//! Owns what every ledger must do, whatever database stands behind it.

use std::sync::Arc;

use banyan::domain::calendar::Instant;
use banyan::domain::calendar::Month;
use banyan::domain::clearing;
use banyan::domain::codes::Scheme;
use banyan::domain::ids::InstitutionCode;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::domain::ids::SettlementId;
use banyan::domain::ids::StayId;
use banyan::domain::institution::Institution;
use banyan::domain::money::Fen;
use banyan::domain::record::Body;
use banyan::domain::record::Record;
use banyan::domain::region::Region;
use banyan::ledger::Committed;
use banyan::ledger::Deed;
use banyan::ledger::Facts;
use banyan::ledger::Ledger;
use banyan::ledger::LedgerError;
use banyan::ledger::LookUp;
use banyan::ledger::Message;
use banyan::ledger::PackText;
use banyan::ledger::ReferenceChange;
use banyan::ledger::Who;
use banyan::ledger::credential::Credential;
use futures_util::future::join_all;

use crate::actor::Actor;
use crate::actor::CARE;
use crate::actor::POOL;
use crate::actor::YEAR;
use crate::actor::admission;
use crate::actor::content;
use crate::actor::day;
use crate::actor::deed;
use crate::actor::message;
use crate::actor::settled_of;
use crate::actor::upload;
use crate::stage::Stage;

async fn books_agree(ledger: &Arc<dyn Ledger>) {
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
}

fn done(message: Message) -> Arc<Record> {
    match message {
        Message::Done { record, .. } => record,
        other => panic!("expected a deed that stands, found {other:?}"),
    }
}

fn undone(message: Message) -> (Arc<Record>, Arc<Record>) {
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
    let rows = whole_month(&stage.ledger, month).await;
    assert_eq!(rows.len(), 240);
    let mut totals = clearing::Month::default();
    rows.iter().for_each(|row| totals.take(row));
    assert_eq!(totals.imbalance(), Fen::ZERO);
    let owed = totals.payables()[&(POOL, CARE)];
    assert_eq!((owed.settlements, owed.reversals, owed.fund), (200, 40, expected));
    books_agree(&stage.ledger).await;
}

/// Page by page, with pages too small to hold it.
async fn whole_month(ledger: &Arc<dyn Ledger>, month: Month) -> Vec<clearing::MonthRow> {
    const PAGE: usize = 17;
    let mut rows = Vec::new();
    let mut after: Option<SettlementId> = None;
    loop {
        let page = ledger.month(month, after.as_ref(), PAGE).await.unwrap();
        for row in &page {
            assert!(after.as_ref().is_none_or(|last| last.as_str() < row.settlement.as_str()));
            after = Some(row.settlement.clone());
            let record = ledger.settlement(&row.settlement).await.unwrap().unwrap();
            assert_eq!((record.version, record.at, &record.person), (row.version, row.at, &row.person));
        }
        let last = page.len() < PAGE;
        rows.extend(page.into_iter().map(|row| row.row));
        if last {
            return rows;
        }
    }
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

pub(crate) async fn an_import_makes_persons_and_finds_them_by_what_they_carry(stage: Stage) {
    let woman = Actor::new(&stage.ledger, "7");
    assert!(woman.found(woman.look(None)).await.facts.is_none());
    let record = woman.register("CARD-1").await;
    assert_eq!(record.version, 1);
    let find = async |credential: Credential| stage.ledger.find_persons(credential).await.unwrap();
    assert_eq!(find(Credential::Card(" card-1 ".into())).await, std::slice::from_ref(&woman.key));
    assert_eq!(find(Credential::IdentityNumber("ID7".into())).await, std::slice::from_ref(&woman.key));
    let passport = Credential::Certificate { kind: "03".into(), number: "ID7".into() };
    assert_eq!(find(passport).await, Vec::<PersonKey>::new());
    woman.register("CARD-2").await;
    assert_eq!(find(Credential::Card("CARD-1".into())).await, Vec::<PersonKey>::new());
    assert_eq!(find(Credential::Card("CARD-2".into())).await, std::slice::from_ref(&woman.key));
    assert_eq!(woman.facts(None).await.private.card_number, "CARD-2");
    assert!(matches!(woman.asked(&record.meta.key).await, Message::Unknown), "an import binds no message");
    let twice = Facts::of_new(woman.key.clone(), stage.ledger.bucket(&woman.key));
    let body = Body::Registered(Default::default());
    let again = Deed { binds_key: false, ..deed(message(9, "R"), body, None) };
    assert!(matches!(woman.commit(twice, again).await.unwrap(), Committed::FactsMoved));
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_stay_is_found_only_with_the_number_of_its_person(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.admit().await;
    let ask = |stay: &StayId, number: &str| LookUp {
        who: Who::Stay { stay: stay.clone(), number: number.into() },
        ..woman.look(None)
    };
    let hers = woman.found(ask(&stay, "1")).await;
    let place = hers.facts.unwrap().stay.unwrap().state.admission.institution.clone();
    assert_eq!(hers.stay_of_another, None);
    let others = woman.found(ask(&stay, "2")).await;
    assert!(others.facts.is_none());
    assert_eq!(others.stay_of_another, Some(place), "where it is, and not whose");
    for unknown in [woman.new_stay(), StayId::parse("zzz").unwrap()] {
        let nothing = woman.found(ask(&unknown, "1")).await;
        assert!(nothing.facts.is_none() && nothing.stay_of_another.is_none());
    }
}

pub(crate) async fn records_are_read_back_as_they_were_given(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    let records = stage.ledger.records(&woman.key, 1, 100).await.unwrap();
    assert_eq!(records.iter().map(|r| r.version).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(records[4], settled);
    assert_eq!(stage.ledger.records(&woman.key, 4, 1).await.unwrap()[0].version, 4);
    let wanted = LookUp { settlement: Some(settled_of(&settled).id.clone()), ..woman.look(Some(&stay)) };
    assert_eq!(woman.found(wanted).await.facts.unwrap().settlement, Some(settled.clone()));
    let other = Actor::registered(&stage.ledger, "2").await;
    let wanted = LookUp { settlement: Some(settled_of(&settled).id.clone()), ..other.look(None) };
    assert_eq!(other.found(wanted).await.facts.unwrap().settlement, None, "not hers");
}

pub(crate) async fn shared_tables_are_replaced_by_key_and_move_their_version(stage: Stage) {
    let ledger = &stage.ledger;
    assert_eq!(ledger.reference_version().await.unwrap(), 0);
    let region = |name: &str, from: i32| Region {
        code: POOL,
        name: name.into(),
        parent: None,
        pool: POOL,
        clearing_agency: POOL,
        from: day(from),
        to: None,
    };
    let put = async |change| ledger.record_reference("test".into(), change).await.unwrap();
    let regions = vec![region("江门", 20_000_101), region("江门市", 20_250_101)];
    assert_eq!(put(ReferenceChange::Regions(regions)).await, 1);
    assert_eq!(put(ReferenceChange::Regions(vec![region("江门旧", 20_000_101)])).await, 2);
    let hospital = Institution {
        code: crate::actor::hospital(),
        name: "一院".into(),
        region: RegionCode(440_106),
        hospital_level: "03".into(),
        kind: "1".into(),
        credit_code: String::new(),
        in_province: true,
        cross_province: true,
        suspended: None,
        from: day(20_240_101),
        to: None,
    };
    put(ReferenceChange::Institutions(vec![hospital.clone()])).await;
    let pack = |hash: &str| PackText { region: POOL, hash: hash.into(), text: format!("# {hash}") };
    put(ReferenceChange::Pack(pack("b"))).await;
    assert_eq!(put(ReferenceChange::Pack(pack("a"))).await, 5);
    let rows = ledger.reference().await.unwrap();
    assert_eq!((rows.version, ledger.reference_version().await.unwrap()), (5, 5));
    assert_eq!(rows.regions, [region("江门旧", 20_000_101), region("江门市", 20_250_101)]);
    assert_eq!(rows.institutions, [hospital]);
    assert_eq!(rows.packs, [pack("b"), pack("a")]);
}

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
