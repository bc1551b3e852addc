//! Admission, change, discharge and their cancels.

use super::*;
use crate::domain::institution::NotDesignated;
use crate::domain::institution::Reach;
use crate::domain::refusal::Bound;
use crate::domain::refusal::CoverageGap;
use crate::domain::stay::OutOfOrder;
use crate::domain::stay::State;
use crate::service::change::Change;

pub(super) fn change(stay: &StayRef, begun: i32) -> Change {
    Change {
        stay: stay.clone(),
        begun: Moment::new(day(begun), 8, 0, 0).unwrap(),
        med_type: String::new(),
        emergency: None,
        third_party: None,
        commitment: None,
        work_injury: None,
        matn_type: None,
        credential_type: String::new(),
        inpatient_no: String::new(),
        department: String::new(),
        department_name: String::new(),
        bed: String::new(),
        raw: String::new(),
        private: AdmissionPrivate::default(),
    }
}

async fn changed(world: &World, order: Change) -> Outcome<Answered> {
    world.service.change(&world.call(HOME, 2403), order).await
}

#[track_caller]
fn out_of_order<T: core::fmt::Debug>(outcome: Outcome<T>) -> OutOfOrder {
    match refusal(outcome) {
        Refusal::OutOfOrder { cause, .. } => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stay_id_leads_back_to_the_person() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_260_301).await;
    let bucket = world.service.ledger.bucket(&key);
    assert_eq!(crate::domain::ids::Bucket::of_id(stay.stay.as_str()), Some(bucket));
}

#[tokio::test]
async fn one_open_stay_anywhere() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_260_228).await;
    let refused = refusal(world.try_admit(AWAY, admission("E01", 20_260_301)).await);
    let Refusal::OpenStay { institution, name, since, own, stay: told, resuming: false } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((institution.as_str(), name.as_str()), (HOME, "hospital H44070300001"));
    assert_eq!((since.day(), own, told), (day(20_260_228), false, None));
    let own = refusal(world.try_admit(HOME, admission("E01", 20_260_301)).await);
    assert!(matches!(own, Refusal::OpenStay { own: true, stay: Some(id), .. } if id == stay.stay));
    world.discharge(HOME, &stay, 20_260_301).await.unwrap();
    world.admit(AWAY, "E01", 20_260_301).await;
    let back = world.service.cancel_discharge(&world.call(HOME, 2405), stay).await;
    assert!(matches!(refusal(back), Refusal::OpenStay { own: false, resuming: true, .. }));
}

#[tokio::test]
async fn designation_and_suspension_count_on_the_day_of_admission() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    world.set_day(20_260_701);
    let cause = |refused| match refused {
        Refusal::NotDesignated { cause, .. } => cause,
        other => panic!("{other:?}"),
    };
    let suspended = cause(refusal(world.try_admit(CLOSED, admission("E01", 20_260_615)).await));
    assert_eq!(suspended, NotDesignated::Suspended { from: day(20_260_601) });
    assert!(world.try_admit(CLOSED, admission("E01", 20_260_531)).await.is_ok());

    let unknown = refusal(world.try_admit("H1", admission("E01", 20_260_615)).await);
    assert!(matches!(unknown, Refusal::InstitutionUnknown { .. }));
    world.set_day(20_280_201);
    world.register("E02", "310", "11").await;
    let expired = cause(refusal(world.try_admit(AWAY, admission("E02", 20_280_201)).await));
    assert_eq!(expired, NotDesignated::Expired { to: day(20_271_231) });
    let ahead = refusal(world.try_admit(AWAY, admission("E02", 20_280_202)).await);
    assert!(matches!(ahead, Refusal::InFuture { field: "begntime", .. }));
}

#[tokio::test]
async fn a_service_that_is_not_opened_is_refused() {
    let world = World::new();
    let mut reference = reference(&|_| {});
    let code = InstitutionCode::parse(AWAY).unwrap();
    reference.institutions.get_mut(&code).unwrap()[0].cross_province = false;
    world.service.reference.store(Arc::new(reference));
    world.register("E01", "310", "11").await;
    let refused = refusal(world.try_admit(AWAY, admission("E01", 20_260_301)).await);
    let expected = NotDesignated::NotOpened { reach: Reach::OtherProvince };
    assert!(matches!(refused, Refusal::NotDesignated { cause, .. } if cause == expected));
}

#[tokio::test]
async fn a_gap_in_coverage_is_told_with_its_days_at_admission_and_at_settlement() {
    let world = World::new();
    let coverages =
        vec![coverage("310", "11", 20_200_101, Some(20_260_131)), coverage("390", "15", 20_260_201, None)];
    let register = Register { coverages, ..Register::default() };
    let key = world.register_as("E01", register.clone()).await;
    let refused = refusal(world.try_admit(HOME, admission("E01", 20_260_301)).await);
    let ended = Refusal::NotCovered {
        insutype: "310".into(),
        day: day(20_260_301),
        gap: CoverageGap::Ended { to: day(20_260_131) },
        others: vec!["390".into()],
    };
    assert_eq!(refused, ended);
    let stay = world.admit(HOME, "E01", 20_260_131).await;
    world.upload(HOME, &stay, bill_m(20_260_131)).await.unwrap();
    world.discharge(HOME, &stay, 20_260_201).await.unwrap();
    let paused = Coverage { status: CoverageStatus::Paused, ..coverage("310", "11", 20_260_101, None) };
    let later = Register { coverages: vec![paused], ..Register::default() };
    let private = Private::Person(PersonPrivate::clone(&world.facts(&key).await.private));
    world.record(&key, Body::Registered(later), private).await;
    let refused = refusal(world.settle(HOME, paying(&stay, BILL_M)).await);
    assert!(matches!(refused, Refusal::NotCovered { gap: CoverageGap::Paused { .. }, .. }), "{refused:?}");
}

#[tokio::test]
async fn the_credential_must_be_hers() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    world.register("E02", "310", "11").await;
    let with = |kind: &str, number: &str| Admit {
        credential: Credential { kind: kind.into(), number: number.into() },
        ..admission("E01", 20_260_301)
    };
    let another = refusal(world.try_admit(HOME, with("02", "IDE02")).await);
    assert_eq!(another, Refusal::CredentialOfAnother { kind: "02".into() });
    for (kind, number) in [("02", "IDE03"), ("01", "no token"), ("03", "CARD")] {
        let unknown = refusal(world.try_admit(HOME, with(kind, number)).await);
        assert_eq!(unknown, Refusal::CredentialUnknown { kind: kind.into() });
    }
    let token = SandboxTokens::token_of("IDE01");
    assert!(world.try_admit(HOME, with("01", &token)).await.is_ok());
    let nobody = refusal(world.try_admit(HOME, admission("E09", 20_260_301)).await);
    assert_eq!(nobody, Refusal::PersonUnknown { pool: JIANGMEN });
}

#[tokio::test]
async fn an_emergency_may_be_told_until_settlement() {
    use crate::domain::codes::BenefitLevel;
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(AWAY, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let emergency = Change { emergency: Some(true), ..change(&stay, 20_260_301) };
    world.service.change(&world.call(AWAY, 2403), emergency).await.unwrap();
    let settled = world.settle(AWAY, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(settlement_of(&settled).facts.level, BenefitLevel::Emergency);
    let late = Change { emergency: Some(false), ..change(&stay, 20_260_301) };
    let late = world.service.change(&world.call(AWAY, 2403), late).await;
    assert_eq!(out_of_order(late), OutOfOrder::AlreadySettled);
}

#[tokio::test]
async fn a_kind_of_care_that_made_an_emergency_takes_it_along_when_it_changes() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let order = Admit { med_type: "24".into(), ..admission("E01", 20_260_301) };
    let admitted = world.try_admit(HOME, order).await.unwrap();
    let stay = StayRef { stay: stay_of(&admitted), number: "E01".into() };
    let ordinary = Change { med_type: "21".into(), ..change(&stay, 20_260_301) };
    let record = changed(&world, ordinary).await.unwrap().record;
    let Body::AdmissionChanged(admission) = &record.body else { panic!("{record:?}") };
    assert!(!admission.emergency && admission.med_type == "21" && admission.bed == "1");
    let open = world.facts(&key).await.person.open.clone();
    assert_eq!(open.map(|open| open.stay), Some(stay.stay), "still the one stay");
}

#[tokio::test]
async fn what_lines_were_split_by_stays_while_they_stand() {
    let world = World::new();
    let coverages =
        vec![coverage("310", "11", 20_200_101, Some(20_260_131)), coverage("310", "12", 20_260_201, None)];
    world.register_as("E01", Register { coverages, ..Register::default() }).await;
    let stay = world.admit(HOME, "E01", 20_260_210).await;
    world.upload(HOME, &stay, bill_m(20_260_211)).await.unwrap();
    let other_type = refusal(changed(&world, change(&stay, 20_260_131)).await);
    assert_eq!(other_type, Refusal::ChangeWouldSplitAnew { count: 5 });
    assert!(changed(&world, change(&stay, 20_260_209)).await.is_ok());
    let after_lines = refusal(changed(&world, change(&stay, 20_260_212)).await);
    assert!(matches!(after_lines, Refusal::TooLate { because: Bound::FirstLine, .. }));
    world.withdraw(HOME, &stay, Which::All).await.unwrap();
    assert!(changed(&world, change(&stay, 20_260_131)).await.is_ok());
    world.upload(HOME, &stay, vec![line("1", "A", "10.00", "1", "10.00", 20_260_211)]).await.unwrap();
    world.settle(HOME, part(&stay, "10.00", 20_260_211)).await.unwrap();
    let begun = refusal(changed(&world, change(&stay, 20_260_201)).await);
    assert_eq!(begun, Refusal::ChangeAfterPart { field: "begntime" });
}

#[tokio::test]
async fn an_admission_is_cancelled_once_its_lines_are_withdrawn() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let call = world.call_as(HOME, 2401, "ADMIT", "content");
    let admitted = world.service.admit(&call, admission("E01", 20_260_301)).await.unwrap();
    let stay = StayRef { stay: stay_of(&admitted), number: "E01".into() };
    world.upload(HOME, &stay, bill_m(20_260_301)).await.unwrap();
    let cancel = async || world.service.cancel_admission(&world.call(HOME, 2404), stay.clone()).await;
    let refused = refusal(cancel().await);
    assert_eq!(refused, Refusal::LinesStand { count: 5 });
    world.withdraw(HOME, &stay, Which::All).await.unwrap();
    cancel().await.unwrap();
    let replay = world.service.admit(&call, admission("E01", 20_260_301)).await.unwrap_err();
    let ServiceError::Undone { by, .. } = replay else { panic!("{replay:?}") };
    assert_eq!(by.body, Body::AdmissionCancelled);
    let again = cancel().await;
    assert_eq!(out_of_order(again), OutOfOrder::AdmissionCancelled);
    world.admit(AWAY, "E01", 20_260_301).await;
}

#[tokio::test]
async fn a_discharge_lies_between_the_last_line_and_today() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_260_220).await;
    let early = refusal(world.discharge(HOME, &stay, 20_260_219).await);
    assert!(matches!(early, Refusal::TooEarly { because: Bound::Admission, .. }), "{early:?}");
    world.upload(HOME, &stay, bill_m(20_260_225)).await.unwrap();
    let early = refusal(world.discharge(HOME, &stay, 20_260_224).await);
    let (field, earliest) = ("endtime", day(20_260_225));
    let because = Bound::LastLine;
    assert_eq!(early, Refusal::TooEarly { field, day: day(20_260_224), earliest, because });
    let ahead = refusal(world.discharge(HOME, &stay, 20_260_302).await);
    assert!(matches!(ahead, Refusal::InFuture { field: "endtime", .. }));
    world.discharge(HOME, &stay, 20_260_301).await.unwrap();
    assert_eq!(out_of_order(world.discharge(HOME, &stay, 20_260_301).await), OutOfOrder::AlreadyDischarged);
    world.service.cancel_discharge(&world.call(HOME, 2405), stay.clone()).await.unwrap();
    let again = world.service.cancel_discharge(&world.call(HOME, 2405), stay.clone()).await;
    assert_eq!(out_of_order(again), OutOfOrder::NotDischarged);
    world.discharge(HOME, &stay, 20_260_225).await.unwrap();
    let key = PersonKey::parse(JIANGMEN, "E01").unwrap();
    let seen = world.service.look_at_person(&key, &crate::service::look::Viewer::Center).await.unwrap();
    assert_eq!(seen.stays[0].state.state, State::Discharged);
}
