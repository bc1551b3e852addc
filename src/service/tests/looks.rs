//! What is looked up: persons, entitlement, stays, settlements, catalogue pages, stories and explanations.

use super::*;
use crate::domain::breakdown::Fund;
use crate::domain::codes::BenefitLevel;
use crate::domain::entitlement::Denied;
use crate::domain::explain::Step;
use crate::domain::filing::Reason;
use crate::domain::stay::State;
use crate::service::entitle::Entitle;
use crate::service::identify::Identify;
use crate::service::institution::FindInstitutions;
use crate::service::look::StayFilter;
use crate::service::look::Viewer;
use crate::service::look_catalogue::CatalogueQuery;
use crate::service::story::Ended;
use crate::service::story::NextStep;

fn shown(kind: &str, number: &str) -> Identify {
    let credential = Credential { kind: kind.into(), number: number.into() };
    Identify { credential, certificate_number: None }
}

fn asking(name: &str) -> Entitle {
    Entitle {
        number: name.into(),
        insutype: "310".into(),
        med_type: "21".into(),
        day: day(20_260_301),
        emergency: false,
        work_injury: false,
    }
}

#[tokio::test]
async fn a_credential_leads_to_the_person_and_all_her_coverage() {
    let world = World::new();
    let coverages = vec![coverage("310", "11", 20_200_101, None), coverage("510", "11", 20_200_101, None)];
    let key = world.register_as("E01", Register { coverages, ..Register::default() }).await;
    let nowhere = Caller { insured_region: None, ..world.caller(HOME) };
    for order in [shown("02", "IDE01"), shown("03", "CARDE01"), shown("01", "SANDBOX-IDE01")] {
        let found = world.service.identify(&nowhere, order).await.unwrap();
        assert_eq!((&found.key, found.register.coverages.len()), (&key, 2));
    }
    let order = Identify { certificate_number: Some("IDE02".into()), ..shown("03", "CARDE01") };
    let refused = refusal(world.service.identify(&nowhere, order).await);
    assert_eq!(refused, Refusal::CredentialOfAnother { kind: "03".into() });
}

/// Who is held elsewhere must not be sent home because the hospital's system sends a region by default.
#[tokio::test]
async fn a_region_that_is_not_hers_is_told_before_one_that_is_not_connected() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let at = |region| Caller { insured_region: Some(RegionCode(region)), ..world.caller(HOME) };
    let found = world.service.identify(&at(440_703), shown("02", "IDE01")).await.unwrap();
    assert_eq!(found.key.pool, JIANGMEN);
    for given in [440_100, 430_102, 999_999] {
        let refused = refusal(world.service.identify(&at(given), shown("02", "IDE01")).await);
        assert_eq!(refused, Refusal::InsuredRegionMistaken { given: RegionCode(given) });
    }
    let nobody = refusal(world.service.identify(&at(440_100), shown("02", "IDE02")).await);
    assert_eq!(nobody, Refusal::CredentialUnknown { kind: "02".into() });
    let nobody = refusal(world.service.identify(&at(999_999), shown("02", "IDE02")).await);
    assert_eq!(nobody, Refusal::RegionUnknown { region: RegionCode(999_999) });
    for order in [shown("02", "IDE02"), shown("01", "no such token")] {
        let nobody = refusal(world.service.identify(&at(430_102), order).await);
        assert!(matches!(nobody, Refusal::RegionNotConnected { .. }), "{nobody:?}");
    }
}

#[tokio::test]
async fn of_two_pools_the_one_that_insures_her_today_counts() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let key = PersonKey::parse(RegionCode(440_100), "G01").unwrap();
    let private = PersonPrivate {
        certificate_type: "01".into(),
        certificate_number: "IDE01".into(),
        ..PersonPrivate::default()
    };
    let mut register =
        Register { coverages: vec![coverage("310", "11", 20_200_101, None)], ..Register::default() };
    world.record(&key, Body::Registered(register.clone()), Private::Person(private.clone())).await;
    let nowhere = Caller { insured_region: None, ..world.caller(HOME) };
    let both = refusal(world.service.identify(&nowhere, shown("02", "IDE01")).await);
    assert_eq!(both, Refusal::PersonAmbiguous { pools: vec![RegionCode(440_100), JIANGMEN] });
    register.coverages[0].to = Some(day(20_251_231));
    world.record(&key, Body::Registered(register), Private::Person(private)).await;
    let found = world.service.identify(&nowhere, shown("02", "IDE01")).await.unwrap();
    assert_eq!(found.key.pool, JIANGMEN);
}

#[tokio::test]
async fn entitlement_says_fund_by_fund_what_pays_and_whether_a_filing_is_missing() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let here = world.service.entitle(&world.caller(AWAY), asking("E01")).await.unwrap();
    let rows: Vec<(Fund, bool)> = here.funds.iter().map(|row| (row.fund, row.denied.is_none())).collect();
    let expected = [
        (Fund::EmployeePool, true),
        (Fund::LargeAmount, true),
        (Fund::EmployeeSeriousIllness, false),
        (Fund::CivilServant, false),
        (Fund::Assistance, false),
    ];
    assert_eq!(rows, expected);
    assert_eq!(here.funds[0].room, Some(yuan("600000")));
    assert_eq!(here.funds[2].denied, Some(Denied::NotRuled));
    assert_eq!(here.funds[3].denied, Some(Denied::NotInGroup));
    let filing = here.filing.unwrap();
    assert_eq!((filing.level, filing.reason), (BenefitLevel::Unfiled, Reason::NoFiling));
    assert_eq!(filing.place_name, "长沙市");

    let early = Entitle { day: day(20_191_231), ..asking("E01") };
    let refused = world.service.entitle(&world.caller(HOME), early).await.unwrap();
    assert!(refused.filing.is_none());
    let denied = refused.funds[0].denied.clone();
    assert!(matches!(denied, Some(Denied::Refused(_))), "{denied:?}");
}

#[tokio::test]
async fn a_hospital_sees_its_own_stays_and_she_sees_all() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_228, 20_260_301), bill_m(20_260_228)).await;
    let first = world.settle(HOME, paying(&stay, BILL_M)).await.unwrap();
    world.admit(AWAY, "E01", 20_260_301).await;
    let of = |code: &str| Viewer::Institution(InstitutionCode::parse(code).unwrap());
    let look = async |viewer: &Viewer| world.service.look_at_person(&key, viewer).await.unwrap();
    let (home, hers) = (look(&of(HOME)).await, look(&Viewer::Person).await);
    assert_eq!((home.stays.len(), hers.stays.len()), (1, 2));
    assert_eq!(home.stays[0].state.state, State::Settled);
    assert_eq!(look(&of(AWAY)).await.settlements.len(), 0);
    let open = StayFilter { open_only: true, ..StayFilter::default() };
    assert_eq!(hers.stays_where(&open).count(), 1);
    assert_eq!(hers.state, *world.facts(&key).await.person, "the fold of records is the state");

    let id = settlement_of(&first).id.clone();
    let numbers = async || {
        let lines = world.service.look_at_lines(&world.caller(HOME), &stay, Some(&id)).await.unwrap();
        lines.into_iter().map(|row| row.line.no).collect::<Vec<_>>()
    };
    let settled = numbers().await;
    world.reverse(HOME, &stay, &id).await.unwrap();
    let (_, seen) = world.service.look_at_settlement(&world.caller(HOME), &stay, &id).await.unwrap();
    assert!(!seen.stands && seen.reversed_by.is_some());
    let other = world.service.look_at_settlement(&world.caller(AWAY), &stay, &id).await;
    assert_eq!(refusal(other), Refusal::StayUnknown { stay: stay.stay.clone() });
    assert_eq!((settled.len(), numbers().await), (5, settled), "also once it is reversed");
}

#[tokio::test]
async fn catalogue_pages_are_cut_in_the_order_of_codes() {
    let world = World::new();
    let page = |query: CatalogueQuery| {
        let page = world.service.look_at_catalogue(&world.caller(HOME), &query).unwrap();
        (page.rows.iter().map(|row| row.code.to_string()).collect::<Vec<_>>(), page.total)
    };
    let query = |page| CatalogueQuery { page, page_size: 2, ..CatalogueQuery::default() };
    assert_eq!(page(query(1)), (vec!["A".into(), "B05".into()], 5));
    assert_eq!(page(query(3)), (vec!["IMPLANT".into()], 5));
    assert_eq!(page(query(4)), (vec![], 5));
    let one = CatalogueQuery { code: "B10".into(), ..query(1) };
    assert_eq!(page(one), (vec!["B10".into()], 1));
    let class_c = CatalogueQuery { charge_level: "03".into(), ..query(1) };
    assert_eq!(page(class_c), (vec!["C".into()], 1));
    let limited = CatalogueQuery { limited_only: true, day: Some(day(20_260_301)), ..query(1) };
    assert_eq!(page(limited), (vec!["IMPLANT".into()], 1));
    let early = CatalogueQuery { day: Some(day(20_191_231)), ..query(1) };
    assert_eq!(page(early), (vec![], 0));
    let none = CatalogueQuery { code: "B".into(), ..query(1) };
    assert_eq!(page(none).1, 0);
}

#[tokio::test]
async fn institutions_are_found_by_kind_name_and_code() {
    let world = World::new();
    let found = |order: FindInstitutions| world.service.find_institutions(&order, 10).len();
    assert_eq!(found(FindInstitutions { kind: "1".into(), ..FindInstitutions::default() }), 5);
    assert_eq!(found(FindInstitutions { kind: "2".into(), ..FindInstitutions::default() }), 0);
    assert_eq!(found(FindInstitutions { name: "H4301".into(), ..FindInstitutions::default() }), 3);
    let code = InstitutionCode::parse(HOME).ok();
    assert_eq!(found(FindInstitutions { code, ..FindInstitutions::default() }), 1);
    assert_eq!(world.service.find_institutions(&FindInstitutions::default(), 2).len(), 2);
}

#[tokio::test]
async fn a_story_tells_what_was_decided_and_what_undid_it_without_naming_anyone() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(AWAY, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let call = world.call_as(AWAY, 2304, "S1", "content");
    let settled = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    let message = MessageId::parse("S1").unwrap();
    let told = world.service.story(&message, None).await.unwrap();
    assert_eq!(told[0].next, NextStep::Nothing);
    let deed = told[0].deed.as_ref().unwrap();
    assert_eq!(deed.settlement.as_ref(), Some(&settlement_of(&settled).id));
    let text = deed.facts.join("; ");
    assert!(text.contains("level unfiled by no filing"), "{text}");
    assert!(text.contains("cash 23159.31"), "{text}");
    assert!(!text.contains("E01") && !text.contains("name of"), "{text}");
    world.reverse(AWAY, &stay, &settlement_of(&settled).id).await.unwrap();
    let told = world.service.story(&message, Some(call.institution())).await.unwrap();
    assert!(matches!(told[0].ended, Some(Ended::Undone(_))));
    assert_eq!(told[0].next, NextStep::SendUnderNewId);
    assert!(world.service.story(&MessageId::parse("NEVER").unwrap(), None).await.unwrap().is_empty());
    world.undo(AWAY, "E01", 2304, "NEVER").await.unwrap();
    let told = world.service.story(&MessageId::parse("NEVER").unwrap(), None).await.unwrap();
    assert!(told[0].deed.is_none() && matches!(told[0].ended, Some(Ended::Fenced(_))));
}

#[tokio::test]
async fn an_explanation_is_computed_anew_and_leads_to_the_same_figures() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let settled = world.settle(HOME, paying(&stay, BILL_M)).await.unwrap();
    let id = settlement_of(&settled).id.clone();
    let told = world.service.explain(&id).await.unwrap();
    assert!(!told.mismatch);
    assert!(told.steps.0.iter().any(|step| matches!(step, Step::Pool(_))));
    let reversed = world.reverse(HOME, &stay, &id).await.unwrap();
    let Body::Reversed(reversal) = &reversed.record.body else { panic!("{reversed:?}") };
    assert_eq!(world.service.explain(&reversal.id).await.unwrap().steps, told.steps);
    let unknown = SettlementId::parse("none").unwrap();
    let refused = refusal(world.service.explain(&unknown).await);
    assert_eq!(refused, Refusal::SettlementUnknown { settlement: unknown });
    let mut reference = reference(&|_| {});
    reference.packs_by_hash.clear();
    world.service.reference.store(Arc::new(reference));
    assert!(matches!(refusal(world.service.explain(&id).await), Refusal::Broken { .. }));
}
