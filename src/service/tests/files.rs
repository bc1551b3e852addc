//! Filings: who may make and end which, and when they count.

use super::*;
use crate::domain::codes::BenefitLevel;
use crate::domain::filing_change::FilingRefusal;
use crate::domain::ids::FilingId;
use crate::service::file::CancelReferral;
use crate::service::file::EndFilingOrder;
use crate::service::file::Refer;

fn referral(name: &str, target: u32) -> Refer {
    Refer {
        number: name.into(),
        target: RegionCode(target),
        disagreed: false,
        receiver: None,
        referred_on: day(20_260_228),
        from: None,
        to: None,
        private: FilingPrivate::default(),
    }
}

fn filing_of(answered: &Answered) -> FilingId {
    match &answered.record.body {
        Body::FilingMade(filing) => filing.id.clone(),
        other => panic!("{other:?}"),
    }
}

fn ending(name: &str, filing: &FilingId, from: Option<i32>) -> EndFilingOrder {
    EndFilingOrder {
        person: PersonKey::parse(JIANGMEN, name).unwrap(),
        filing: filing.clone(),
        from: from.map(day),
        reason: "moved".into(),
        by: Desk::Center,
    }
}

async fn end(world: &World, filing: &FilingId, from: i32) -> Outcome<Answered> {
    world.service.end_filing(&world.call("CENTER", 2502), ending("E01", filing, Some(from))).await
}

#[tokio::test]
async fn a_referral_comes_from_a_hospital_of_the_insured_region() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let elsewhere = refusal(world.service.refer(&world.call(CITY, 2501), referral("E01", 430_102)).await);
    assert!(matches!(elsewhere, Refusal::Filing(FilingRefusal::ReferralFromElsewhere { .. })));
    let call = world.call_as(HOME, 2501, "REF", "content");
    let made = world.service.refer(&call, referral("E01", 430_102)).await.unwrap();
    let Body::FilingMade(filing) = &made.record.body else { panic!("{made:?}") };
    assert_eq!((filing.target, filing.from), (CHANGSHA, day(20_260_301)), "the whole city, from today");
    assert_eq!(filing.to, Some(day(20_260_831)), "six months when no end is named");

    let stay = world.stay_with(AWAY, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let settled = world.settle(AWAY, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(settlement_of(&settled).facts.level, BenefitLevel::Referral);
    assert_eq!(settlement_of(&settled).filing.as_ref(), Some(&filing.id));
}

#[tokio::test]
async fn a_suspended_hospital_refers_nobody() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    world.set_day(20_260_615);
    let refused = refusal(world.service.refer(&world.call(CLOSED, 2501), referral("E01", 430_100)).await);
    assert!(matches!(refused, Refusal::NotDesignated { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_hospital_cancels_its_own_referral_only() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let call = world.call_as(HOME, 2501, "REF", "content");
    let made = world.service.refer(&call, referral("E01", 430_100)).await.unwrap();
    let filing = filing_of(&made);
    let cancel = |id: &FilingId| CancelReferral {
        number: "E01".into(),
        filing: id.clone(),
        reason: "not needed".into(),
    };
    let another = refusal(world.service.cancel_referral(&world.call(CITY, 2502), cancel(&filing)).await);
    assert_eq!(another, Refusal::FilingOfAnother { filing: filing.clone() });
    let unknown = FilingId::parse("none").unwrap();
    let refused = refusal(world.service.cancel_referral(&world.call(HOME, 2502), cancel(&unknown)).await);
    assert_eq!(refused, Refusal::FilingUnknown { filing: unknown });
    world.service.cancel_referral(&world.call(HOME, 2502), cancel(&filing)).await.unwrap();
    let replay = world.service.refer(&call, referral("E01", 430_100)).await.unwrap_err();
    assert!(matches!(replay, ServiceError::Undone { .. }), "{replay:?}");
    let again = refusal(world.service.cancel_referral(&world.call(HOME, 2502), cancel(&filing)).await);
    assert!(matches!(again, Refusal::Filing(FilingRefusal::AlreadyEnded { .. })));
}

#[tokio::test]
async fn a_filing_that_was_used_ends_only_later() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let made = world.file("E01", FilingCategory::OtherTemporary, 430_100).await.unwrap();
    let filing = filing_of(&made);
    let stay = world.stay_with(AWAY, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    world.settle(AWAY, paying(&stay, BILL_M)).await.unwrap();
    let used = refusal(end(&world, &filing, 20_260_301).await);
    assert_eq!(used, Refusal::Filing(FilingRefusal::Used { admitted: day(20_260_301) }));
    let back = refusal(end(&world, &filing, 20_260_228).await);
    assert!(matches!(back, Refusal::Filing(FilingRefusal::EndBackDated { .. })));
    assert!(end(&world, &filing, 20_260_302).await.is_ok());
}

#[tokio::test]
async fn a_long_term_filing_is_locked_and_stands_alone() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let made = world.file("E01", FilingCategory::LongTermRetiree, 430_100).await.unwrap();
    let filing = filing_of(&made);
    let second = refusal(world.file("E01", FilingCategory::LongTermWorker, 440_100).await);
    assert_eq!(second, Refusal::Filing(FilingRefusal::LongTermStands { id: filing.clone() }));
    let locked =
        refusal(world.service.end_filing(&world.call("CENTER", 2502), ending("E01", &filing, None)).await);
    let first_day = day(20_260_901);
    assert_eq!(locked, Refusal::Filing(FilingRefusal::Locked { id: filing.clone(), first_day }));
    world.set_day(20_260_901);
    let ended = world.service.end_filing(&world.call("CENTER", 2502), ending("E01", &filing, None)).await;
    assert!(ended.is_ok());
    assert!(world.file("E01", FilingCategory::LongTermWorker, 440_100).await.is_ok());
}

#[tokio::test]
async fn places_and_persons_of_a_filing_are_checked() {
    let world = World::new();
    let coverages = vec![coverage("310", "11", 20_200_101, Some(20_260_228))];
    world.register_as("E01", Register { coverages, ..Register::default() }).await;
    let uninsured = refusal(world.file("E01", FilingCategory::OtherTemporary, 430_100).await);
    assert_eq!(uninsured, Refusal::FilingNotInsured { day: day(20_260_301) });
    world.register("E02", "310", "11").await;
    let nowhere = refusal(world.file("E02", FilingCategory::OtherTemporary, 999_999).await);
    assert_eq!(nowhere, Refusal::FilingPlaceUnknown { region: RegionCode(999_999) });
    let home = refusal(world.file("E02", FilingCategory::OtherTemporary, 440_703).await);
    assert_eq!(home, Refusal::Filing(FilingRefusal::TargetIsHome { target: JIANGMEN }));
    let herself = refusal(world.file("E09", FilingCategory::OtherTemporary, 430_100).await);
    assert_eq!(herself, Refusal::PersonUnknown { pool: JIANGMEN });
}

#[tokio::test]
async fn a_filing_after_settlement_changes_nothing() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(AWAY, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let call = world.call_as(AWAY, 2304, "S", "content");
    let unfiled = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(settlement_of(&unfiled).facts.level, BenefitLevel::Unfiled);
    world.file("E01", FilingCategory::LongTermWorker, 430_100).await.unwrap();
    let again = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(again.record, unfiled.record);
}
