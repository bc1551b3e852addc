//! Fee lines: upload and withdrawal.

use super::*;
use crate::domain::catalogue::NotMapped;
use crate::domain::refusal::LineRefusal;
use crate::domain::split::NoSplit;
use crate::service::settings::Settings;

fn no(text: &str) -> LineNo {
    LineNo::parse(text).unwrap()
}

/// Which lines were refused, and why.
#[track_caller]
fn faults<T: core::fmt::Debug>(outcome: Outcome<T>) -> Vec<(String, LineRefusal)> {
    match refusal(outcome) {
        Refusal::Lines(faults) => {
            faults.into_iter().map(|fault| (fault.no.to_string(), fault.cause)).collect()
        }
        other => panic!("{other:?}"),
    }
}

async fn admitted(world: &World) -> StayRef {
    world.register("E01", "310", "11").await;
    world.admit(HOME, "E01", 20_260_210).await
}

#[tokio::test]
async fn every_line_is_answered_with_its_split() {
    let world = World::new();
    let stay = admitted(&world).await;
    let uploaded = world.upload(HOME, &stay, bill_m(20_260_210)).await.unwrap();
    let parts = |at: usize| uploaded.lines[at].split.parts;
    assert_eq!((parts(1).first_pay, parts(1).in_scope), (yuan("805.50"), yuan("7249.50")));
    assert_eq!((parts(2).over_limit, parts(2).first_pay), (yuan("1300.00"), yuan("1700.00")));
    assert_eq!(parts(4).full_own_pay, yuan("1234.45"));
    assert_eq!(uploaded.lines.len(), 5);
}

#[tokio::test]
async fn a_standing_line_is_answered_alike_and_changed_content_refuses_the_whole_call() {
    let world = World::new();
    let stay = admitted(&world).await;
    let first = world.upload(HOME, &stay, bill_m(20_260_210)).await.unwrap();
    let same = world.upload(HOME, &stay, bill_m(20_260_210)).await.unwrap();
    assert_eq!((&same.record.body, same.lines), (&Body::LinesUploaded(Vec::new()), first.lines.clone()));
    let mixed = vec![bill_m(20_260_210).remove(0), line("6", "A", "1.00", "1", "1.00", 20_260_210)];
    let mixed = world.upload(HOME, &stay, mixed).await.unwrap();
    assert_eq!((mixed.lines.len(), &mixed.lines[0]), (2, &first.lines[0]));

    let bad = vec![
        line("7", "A", "1.00", "1", "1.00", 20_260_210),
        line("2", "A", "1.00", "1", "1.00", 20_260_210),
        line("1", "A", "2.00", "1", "2.00", 20_260_210),
    ];
    let refused = faults(world.upload(HOME, &stay, bad).await);
    let other = LineRefusal::OtherContent;
    assert_eq!(refused, [("2".into(), other.clone()), ("1".into(), other)]);
    let twice = vec![
        line("8", "A", "1.00", "1", "1.00", 20_260_210),
        line("8", "A", "2.00", "1", "2.00", 20_260_210),
    ];
    let refused = faults(world.upload(HOME, &stay, twice).await);
    assert_eq!(refused, [("8".into(), LineRefusal::TwiceInCall)]);
    let lines = world.service.look_at_lines(&world.caller(HOME), &stay, None).await.unwrap();
    assert_eq!(lines.len(), 6, "nothing of a refused call was taken");
}

#[tokio::test]
async fn each_faulty_line_is_named_with_its_fault() {
    let world = World::new();
    let stay = admitted(&world).await;
    let lines = vec![
        line("1", "NONE", "1.00", "1", "1.00", 20_260_210),
        line("2", "A", "1.00", "2", "2.02", 20_260_210),
        line("3", "A", "1.00", "1", "1.00", 20_260_209),
        line("4", "A", "1.00", "1", "1.00", 20_260_302),
        line("5", "A", "1.00", "-1", "-1.00", 20_260_210),
        refund("6", "99", "1.00", "-1", "-1.00", 20_260_210),
        line("7", "A", "1.00", "1", "1.01", 20_260_210),
    ];
    let refused = faults(world.upload(HOME, &stay, lines).await);
    let outside =
        |on| LineRefusal::OutsideStay { day: day(on), first: day(20_260_210), last: day(20_260_301) };
    let unknown = NotMapped::UnknownCode { code: "NONE".into(), place: JIANGMEN };
    let expected = [
        ("1", LineRefusal::NotMapped(unknown)),
        ("2", LineRefusal::NoSplit(NoSplit::AmountDiffers { amount: yuan("2.02"), expected: yuan("2.00") })),
        ("3", outside(20_260_209)),
        ("4", outside(20_260_302)),
        ("5", LineRefusal::RefundWithoutOriginal { count: Decimal::NEGATIVE_ONE }),
        ("6", LineRefusal::RefundOfUnknown { original: no("99") }),
    ];
    assert_eq!(refused, expected.map(|(no, cause)| (no.to_owned(), cause)));
}

#[tokio::test]
async fn refunds_cancel_their_line_to_the_fen_and_never_more() {
    let world = World::new();
    let stay = admitted(&world).await;
    let lines = vec![
        refund("2", "1", "268.50", "-10", "-2685.00", 20_260_211),
        line("1", "B10", "268.50", "30", "8055.00", 20_260_210),
    ];
    world.upload(HOME, &stay, lines).await.unwrap();
    let more = refund("3", "1", "268.50", "-21", "-5638.50", 20_260_211);
    let refused = faults(world.upload(HOME, &stay, vec![more]).await);
    assert!(matches!(&refused[0].1, LineRefusal::NoSplit(NoSplit::CountNotLeft { .. })), "{refused:?}");
    let rest = refund("4", "1", "268.50", "-20", "-5370.00", 20_260_211);
    world.upload(HOME, &stay, vec![rest]).await.unwrap();
    let of_refund = refund("5", "4", "268.50", "-1", "-268.50", 20_260_211);
    let refused = faults(world.upload(HOME, &stay, vec![of_refund]).await);
    assert_eq!(refused[0].1, LineRefusal::RefundOfRefund { original: no("4") });
    world.discharge(HOME, &stay, 20_260_212).await.unwrap();
    let quoted = world.quote(HOME, paying(&stay, "0.00")).await.unwrap();
    assert_eq!(quoted.settlement.breakdown.totals(), crate::domain::breakdown::BillTotals::default());
}

#[tokio::test]
async fn a_line_in_a_settled_part_is_neither_refunded_nor_withdrawn() {
    let world = World::new();
    let stay = admitted(&world).await;
    let lines = vec![
        line("1", "A", "100.00", "1", "100.00", 20_260_210),
        line("2", "A", "7.00", "1", "7.00", 20_260_215),
    ];
    world.upload(HOME, &stay, lines).await.unwrap();
    let settled = world.settle(HOME, part(&stay, "100.00", 20_260_210)).await.unwrap();
    let id = settlement_of(&settled).id.clone();
    let back = refund("3", "1", "100.00", "-1", "-100.00", 20_260_216);
    let refused = faults(world.upload(HOME, &stay, vec![back]).await);
    let cause = LineRefusal::RefundOfSettled { original: no("1"), settlement: id.clone() };
    assert_eq!(refused, [("3".into(), cause)]);
    let which = Which::These(vec![no("1"), no("9")]);
    let refused = faults(world.withdraw(HOME, &stay, which).await);
    let expected = [
        ("1".to_owned(), LineRefusal::Settled { settlement: id.clone() }),
        ("9".into(), LineRefusal::Unknown),
    ];
    assert_eq!(refused, expected);
    world.withdraw(HOME, &stay, Which::All).await.unwrap();
    let left = world.service.look_at_lines(&world.caller(HOME), &stay, None).await.unwrap();
    assert_eq!(left.len(), 1);
    let of_part = world.service.look_at_lines(&world.caller(HOME), &stay, Some(&id)).await.unwrap();
    assert_eq!(of_part[0].line.no, no("1"));
}

#[tokio::test]
async fn a_day_that_a_part_has_settled_takes_no_more_charges() {
    let world = World::new();
    let stay = admitted(&world).await;
    let at = |number, on| line(number, "A", "10.00", "1", "10.00", on);
    world.set_day(20_260_220);
    let first = vec![at("1", 20_260_210), at("2", 20_260_220)];
    world.upload(HOME, &stay, first.clone()).await.unwrap();
    let settled = world.settle(HOME, part(&stay, "20.00", 20_260_220)).await.unwrap();
    let id = settlement_of(&settled).id.clone();
    let closed =
        |on| LineRefusal::DaySettled { day: day(on), up_to: day(20_260_220), settlement: id.clone() };
    // The day of the part goes on.
    world.upload(HOME, &stay, vec![at("3", 20_260_220)]).await.unwrap();
    world.set_day(20_260_301);
    let late = vec![at("4", 20_260_219), at("5", 20_260_220), at("6", 20_260_221)];
    let refused = faults(world.upload(HOME, &stay, late.clone()).await);
    assert_eq!(refused, [("4".into(), closed(20_260_219)), ("5".into(), closed(20_260_220))]);
    // What stands is answered again, and what is not settled yet is refunded.
    world.upload(HOME, &stay, first).await.unwrap();
    let back = refund("7", "3", "10.00", "-1", "-10.00", 20_260_220);
    world.upload(HOME, &stay, vec![back]).await.unwrap();
    world.reverse(HOME, &stay, &id).await.unwrap();
    world.upload(HOME, &stay, late).await.unwrap();
}

#[tokio::test]
async fn a_withdrawn_number_is_free_again_and_its_upload_is_not_answered_any_more() {
    let world = World::new();
    let stay = admitted(&world).await;
    let call = world.call_as(HOME, 2301, "UP", "content");
    let order = Upload { stay: stay.clone(), lines: bill_m(20_260_210) };
    let first = world.service.upload(&call, order.clone()).await.unwrap();
    let again = world.service.upload(&call, order.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.lines, again.record), (first.lines, first.record));
    world.withdraw(HOME, &stay, Which::These(vec![no("2"), no("2")])).await.unwrap();
    let replay = world.service.upload(&call, order).await.unwrap_err();
    assert!(matches!(replay, ServiceError::Undone { .. }), "{replay:?}");
    let other = line("2", "A", "5.00", "1", "5.00", 20_260_210);
    world.upload(HOME, &stay, vec![other]).await.unwrap();
    world.withdraw(HOME, &stay, Which::All).await.unwrap();
}

#[tokio::test]
async fn what_changed_nothing_is_not_done_when_it_comes_again_and_would_change_something() {
    let world = World::new();
    let stay = admitted(&world).await;
    let all = Withdraw { stay: stay.clone(), which: Which::All };
    let early = world.call_as(HOME, 2302, "EARLY", "all");
    let nothing = world.service.withdraw(&early, all.clone()).await.unwrap();
    let lines = vec![line("1", "A", "1.00", "1", "1.00", 20_260_210)];
    world.upload(HOME, &stay, lines.clone()).await.unwrap();
    let again = world.service.withdraw(&early, all).await.unwrap();
    assert!(again.replayed && again.record == nothing.record);
    let left = world.service.look_at_lines(&world.caller(HOME), &stay, None).await.unwrap();
    assert_eq!(left.len(), 1, "the lines that came since stand");

    // A second upload of the same line, sent again after the line was withdrawn.
    let second = world.call_as(HOME, 2301, "SECOND", "content");
    let order = Upload { stay: stay.clone(), lines };
    world.service.upload(&second, order.clone()).await.unwrap();
    world.withdraw(HOME, &stay, Which::All).await.unwrap();
    let refused = faults(world.service.upload(&second, order).await);
    assert_eq!(refused, [("1".into(), LineRefusal::Unknown)]);
}

#[tokio::test]
async fn a_replay_answers_for_lines_that_stood_before_it_only_while_they_stand() {
    let world = World::new();
    let stay = admitted(&world).await;
    world.upload(HOME, &stay, vec![line("1", "A", "1.00", "1", "1.00", 20_260_210)]).await.unwrap();
    let call = world.call_as(HOME, 2301, "MIXED", "content");
    let lines = vec![
        line("1", "A", "1.00", "1", "1.00", 20_260_210),
        line("2", "A", "2.00", "1", "2.00", 20_260_210),
    ];
    let order = Upload { stay: stay.clone(), lines };
    world.service.upload(&call, order.clone()).await.unwrap();
    assert_eq!(world.service.upload(&call, order.clone()).await.unwrap().lines.len(), 2);
    world.withdraw(HOME, &stay, Which::These(vec![no("1")])).await.unwrap();
    let refused = faults(world.service.upload(&call, order).await);
    assert_eq!(refused, [("1".into(), LineRefusal::Unknown)]);
}

#[tokio::test]
async fn a_line_goes_only_together_with_its_refunds() {
    let world = World::new();
    let stay = admitted(&world).await;
    let lines = vec![
        line("1", "A", "10.00", "2", "20.00", 20_260_210),
        refund("2", "1", "10.00", "-1", "-10.00", 20_260_210),
    ];
    world.upload(HOME, &stay, lines).await.unwrap();
    let refused = faults(world.withdraw(HOME, &stay, Which::These(vec![no("1")])).await);
    assert_eq!(refused, [("1".into(), LineRefusal::Refunded { by: no("2") })]);
    assert!(world.withdraw(HOME, &stay, Which::These(vec![no("1"), no("2")])).await.is_ok());
}

#[tokio::test]
async fn calls_and_stays_hold_a_bounded_number_of_lines() {
    let settings = Settings { lines_per_call_max: 4, lines_per_stay_max: 6, ..Settings::default() };
    let world = World::with(settings, |_| {});
    let stay = admitted(&world).await;
    let refused = refusal(world.upload(HOME, &stay, bill_m(20_260_210)).await);
    assert_eq!(refused, Refusal::TooManyLines { given: 5, max: 4, of_stay: false });
    let four = |from: u8| -> Vec<LineOrder> {
        (from..from + 4).map(|n| line(&n.to_string(), "A", "1.00", "1", "1.00", 20_260_210)).collect()
    };
    world.upload(HOME, &stay, four(1)).await.unwrap();
    let refused = refusal(world.upload(HOME, &stay, four(5)).await);
    assert_eq!(refused, Refusal::TooManyLines { given: 8, max: 6, of_stay: true });
}
