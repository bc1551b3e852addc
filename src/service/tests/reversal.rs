//! Reversal, 2601 and its fence.

use super::*;
use crate::domain::accumulators::Accumulators;
use crate::domain::calendar::Month;
use crate::domain::codes::Scheme;
use crate::domain::refusal::Since;
use crate::domain::stay::OutOfOrder;

async fn settled(world: &World, hospital: &str, name: &str) -> (StayRef, SettlementId) {
    let stay = world.stay_with(hospital, name, (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let answered = world.settle(hospital, paying(&stay, BILL_M)).await.unwrap();
    (stay, settlement_of(&answered).id.clone())
}

async fn used(world: &World, key: &PersonKey) -> Accumulators {
    world.facts(key).await.person.used(Scheme::Employee, crate::domain::calendar::BenefitYear(2026))
}

#[tokio::test]
async fn a_reversal_is_the_exact_negative_and_restores_the_year() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let (stay, id) = settled(&world, HOME, "E01").await;
    assert_eq!(used(&world, &key).await.admissions, 1);
    world.set_day(20_260_402);
    let call = world.call_as(HOME, 2305, "REV", "content");
    let order = Reverse { stay: stay.clone(), settlement: id.clone() };
    let reversed = world.service.reverse(&call, order.clone()).await.unwrap();
    let Body::Reversed(reversal) = &reversed.record.body else { panic!("{reversed:?}") };
    assert_eq!(reversal.original, id);
    assert_ne!(reversal.id, id);
    assert_eq!(used(&world, &key).await, Accumulators::ZERO);

    let replay = world.service.reverse(&call, order).await.unwrap();
    assert_eq!((replay.replayed, &replay.record), (true, &reversed.record));
    let again = refusal(world.reverse(HOME, &stay, &id).await);
    assert_eq!(again, Refusal::AlreadyReversed { settlement: id });
    let of_reversal = refusal(world.reverse(HOME, &stay, &reversal.id).await);
    assert_eq!(of_reversal, Refusal::IsReversal { settlement: reversal.id.clone() });

    let march = world.service.clearing_month(Month::from_number(202_603).unwrap()).await.unwrap();
    let april = world.service.clearing_month(Month::from_number(202_604).unwrap()).await.unwrap();
    let fund = |month: &crate::domain::clearing::Month| month.groups.values().map(|t| t.fund).sum::<Fen>();
    assert_eq!((fund(&march), fund(&april)), (yuan("29987.49"), yuan("-29987.49")));
    let (group, totals) = april.groups.iter().next().unwrap();
    assert_eq!((totals.settlements, totals.reversals), (0, 1));
    let month = Month::from_number(202_604).unwrap();
    let rows = world.service.clearing_rows(month, |row| row.is_of(group)).await.unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_settlement_that_was_reversed_is_not_answered_any_more() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let call = world.call_as(HOME, 2304, "S1", "content");
    let first = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    world.reverse(HOME, &stay, &settlement_of(&first).id).await.unwrap();
    let replay = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap_err();
    let ServiceError::Undone { by, .. } = replay else { panic!("{replay:?}") };
    assert!(matches!(by.body, Body::Reversed(_)));
    assert!(world.settle(HOME, paying(&stay, BILL_M)).await.is_ok(), "and may be settled again");
}

#[tokio::test]
async fn the_last_settlement_of_the_year_is_reversed_first() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let (first, first_id) = settled(&world, HOME, "E01").await;
    let (second, second_id) = settled(&world, CITY, "E01").await;
    let refused = refusal(world.reverse(HOME, &first, &first_id).await);
    let Refusal::LaterStands { day: on, region_name, scheme, year, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((on, region_name.as_str()), (day(20_260_301), "广州市"));
    assert_eq!((scheme, year.0), (Scheme::Employee, 2026));
    let foreign = refusal(world.reverse(HOME, &second, &second_id).await);
    assert_eq!(foreign, Refusal::StayUnknown { stay: second.stay.clone() });
    let mixed = refusal(world.reverse(HOME, &first, &second_id).await);
    assert_eq!(mixed, Refusal::SettlementUnknown { settlement: second_id.clone() });
    world.reverse(CITY, &second, &second_id).await.unwrap();
    let mixed = refusal(world.reverse(HOME, &first, &second_id).await);
    assert_eq!(
        mixed,
        Refusal::SettlementUnknown { settlement: second_id },
        "nothing is told of another stay"
    );
    world.reverse(HOME, &first, &first_id).await.unwrap();
}

#[tokio::test]
async fn her_row_hardly_grows_with_the_settlements_that_stand() {
    const BYTES_A_SETTLEMENT: usize = 40;
    const SETTLEMENTS: usize = 12;
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let mut sizes = Vec::new();
    for _ in 0..=SETTLEMENTS {
        settled(&world, HOME, "E01").await;
        sizes.push(crate::ledger::codec::encode(&*world.facts(&key).await.person).len());
    }
    assert_eq!(world.facts(&key).await.person.live().count(), SETTLEMENTS + 1);
    let grown = sizes[SETTLEMENTS] - sizes[0];
    assert!(grown <= SETTLEMENTS * BYTES_A_SETTLEMENT, "{sizes:?}");
}

#[tokio::test]
async fn a_pack_may_allow_any_order() {
    let any = |parts: &mut PackParts| {
        let rules = crate::domain::parameters::StayRules {
            reversal_out_of_order: true,
            ..crate::domain::parameters::StayRules::USUAL
        };
        parts.stays = crate::domain::pack::tp1::always(rules);
    };
    let world = World::with(Settings::default(), any);
    world.register("E01", "310", "11").await;
    let (first, first_id) = settled(&world, HOME, "E01").await;
    settled(&world, CITY, "E01").await;
    assert!(world.reverse(HOME, &first, &first_id).await.is_ok());
}

#[tokio::test]
async fn parts_are_reversed_last_first_also_across_the_year() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_251_220).await;
    let lines = vec![
        line("1", "A", "2000.00", "1", "2000.00", 20_251_231),
        line("2", "A", "1000.00", "1", "1000.00", 20_260_101),
        line("3", "A", "500.00", "1", "500.00", 20_260_102),
    ];
    world.upload(HOME, &stay, lines).await.unwrap();
    let one = world.settle(HOME, part(&stay, "2000.00", 20_251_231)).await.unwrap();
    let two = world.settle(HOME, part(&stay, "1000.00", 20_260_101)).await.unwrap();
    world.discharge(HOME, &stay, 20_260_102).await.unwrap();
    let last = world.settle(HOME, paying(&stay, "500.00")).await.unwrap();
    let ids = [&one, &two, &last].map(|answered| settlement_of(answered).id.clone());
    let final_stands = refusal(world.reverse(HOME, &stay, &ids[1]).await);
    assert!(matches!(final_stands, Refusal::OutOfOrder { cause: OutOfOrder::FinalStands, .. }));
    world.reverse(HOME, &stay, &ids[2]).await.unwrap();
    let later = refusal(world.reverse(HOME, &stay, &ids[0]).await);
    assert_eq!(later, Refusal::LaterPartStands { settlement: ids[1].clone() });
    world.reverse(HOME, &stay, &ids[1]).await.unwrap();
    world.reverse(HOME, &stay, &ids[0]).await.unwrap();
    let whole = world.settle(HOME, paying(&stay, "3500.00")).await.unwrap();
    assert_eq!(settlement_of(&whole).breakdown.medfee_sumamt, yuan("3500.00"));
}

#[tokio::test]
async fn a_message_that_never_arrived_is_fenced() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let undo = world.undo(HOME, "E01", 2304, "LOST").await.unwrap();
    assert!(matches!(undo.record.body, Body::Fenced(_)));
    let call = world.call_as(HOME, 2304, "LOST", "content");
    let late = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap_err();
    assert!(matches!(late, ServiceError::Fenced { .. }), "{late:?}");
    let second = world.undo(HOME, "E01", 2304, "LOST").await.unwrap();
    assert!(matches!(second.record.body, Body::UndoneWithoutEffect(_)));
    assert!(world.settle(HOME, paying(&stay, BILL_M)).await.is_ok());
}

#[tokio::test]
async fn undoing_a_settlement_reverses_it_and_a_second_time_does_nothing() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let call = world.call_as(HOME, 2304, "S1", "content");
    world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    let undo = world.call_as(HOME, 2601, "U1", "content");
    let message = MessageId::parse("S1").unwrap();
    let order = Undo { number: "E01".into(), message, transaction: 2304 };
    let undone = world.service.undo(&undo, order.clone()).await.unwrap();
    assert!(matches!(undone.record.body, Body::Reversed(_)));
    assert_eq!(used(&world, &key).await, Accumulators::ZERO);
    let replay = world.service.undo(&undo, order).await.unwrap();
    assert_eq!((replay.replayed, &replay.record), (true, &undone.record));
    let second = world.undo(HOME, "E01", 2304, "S1").await.unwrap();
    assert!(matches!(second.record.body, Body::UndoneWithoutEffect(_)));
    let late = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap_err();
    assert!(matches!(late, ServiceError::Undone { .. }));
}

#[tokio::test]
async fn undoing_a_reversal_revives_the_settlement_and_its_first_answer() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let settle = world.call_as(HOME, 2304, "S1", "content");
    let first = world.service.settle(&settle, paying(&stay, BILL_M)).await.unwrap();
    let id = settlement_of(&first).id.clone();
    let before = used(&world, &key).await;
    let reverse = world.call_as(HOME, 2305, "V1", "content");
    let order = Reverse { stay: stay.clone(), settlement: id.clone() };
    world.service.reverse(&reverse, order.clone()).await.unwrap();
    let revived = world.undo(HOME, "E01", 2305, "V1").await.unwrap();
    assert!(matches!(&revived.record.body, Body::Revived(revival) if revival.settlement.id == id));
    assert_eq!(used(&world, &key).await, before);
    let replay = world.service.settle(&settle, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!((replay.replayed, &replay.record), (true, &first.record));
    let undone = world.service.reverse(&reverse, order).await.unwrap_err();
    assert!(matches!(undone, ServiceError::Undone { .. }));
    world.reverse(HOME, &stay, &id).await.unwrap();
    assert_eq!(used(&world, &key).await, Accumulators::ZERO);
}

#[tokio::test]
async fn a_reversal_is_not_taken_back_once_something_came_between() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let (stay, id) = settled(&world, HOME, "E01").await;
    let reverse = world.call_as(HOME, 2305, "V1", "content");
    let order = Reverse { stay: stay.clone(), settlement: id.clone() };
    world.service.reverse(&reverse, order).await.unwrap();
    settled(&world, CITY, "E01").await;
    let refused = refusal(world.undo(HOME, "E01", 2305, "V1").await);
    assert_eq!(refused, Refusal::SettleAgain { settlement: id, since: Since::YearMoved });

    world.register("E02", "310", "11").await;
    let (stay, id) = settled(&world, HOME, "E02").await;
    let reverse = world.call_as(HOME, 2305, "V2", "content");
    let order = Reverse { stay: stay.clone(), settlement: id.clone() };
    world.service.reverse(&reverse, order).await.unwrap();
    world.upload(HOME, &stay, vec![line("9", "A", "1.00", "1", "1.00", 20_260_301)]).await.unwrap();
    let refused = refusal(world.undo(HOME, "E02", 2305, "V2").await);
    assert_eq!(refused, Refusal::SettleAgain { settlement: id, since: Since::StayMoved });
}

#[tokio::test]
async fn undoing_an_admission_cancels_it_and_other_transactions_are_not_undone() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let call = world.call_as(HOME, 2401, "A1", "content");
    world.service.admit(&call, admission("E01", 20_260_301)).await.unwrap();
    let undone = world.undo(HOME, "E01", 2401, "A1").await.unwrap();
    assert_eq!(undone.record.body, Body::AdmissionCancelled);
    world.admit(AWAY, "E01", 20_260_301).await;
    for (transaction, cancel) in [(2301, Some(2302)), (2302, None), (2402, Some(2405)), (2403, None)] {
        let refused = refusal(world.undo(HOME, "E01", transaction, "X").await);
        assert_eq!(refused, Refusal::NotUndoable { transaction, cancel });
    }
}

#[tokio::test]
async fn an_undo_finds_the_person_by_the_message_where_no_region_is_told() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let settle = world.call_as(HOME, 2304, "S1", "content");
    world.service.settle(&settle, paying(&stay, BILL_M)).await.unwrap();
    let order = |message: &str| Undo {
        number: "E01".into(),
        message: MessageId::parse(message).unwrap(),
        transaction: 2304,
    };
    let mut undo = world.call(HOME, 2601);
    undo.insured_region = None;
    assert_eq!(refusal(world.service.undo(&undo, order("LOST")).await), Refusal::InsuredRegionMissing);
    let undone = world.service.undo(&undo, order("S1")).await.unwrap();
    assert!(matches!(undone.record.body, Body::Reversed(_)));
}
