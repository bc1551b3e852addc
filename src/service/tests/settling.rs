//! Quote and settlement.

use super::*;
use crate::domain::codes::BenefitLevel;
use crate::domain::posting::imbalance;
use crate::domain::refusal::Bound;
use crate::domain::refusal::NothingLeft;
use crate::domain::refusal::UnfiledTold;
use crate::service::settings::Switches;

#[tokio::test]
async fn a_long_term_stay_settles_to_the_fen() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    world.file("E01", FilingCategory::LongTermResident, 430_102).await.unwrap();
    let stay = world.stay_with(AWAY, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let quoted = world.quote(AWAY, paying(&stay, BILL_M)).await.unwrap();
    let answered = world.settle(AWAY, paying(&stay, BILL_M)).await.unwrap();
    let settlement = settlement_of(&answered);
    let b = &settlement.breakdown;
    assert_eq!(b, &quoted.settlement.breakdown, "a quote says what the settlement does");
    assert_eq!((b.hifp_pay, b.psn_cash_pay), (yuan("29987.49"), yuan("12081.96")));
    assert_eq!(settlement.facts.level, BenefitLevel::LongTerm);
    assert!(settlement.filing.is_some());
    assert_eq!(imbalance(&settlement.entries), Fen::ZERO);
    assert_eq!((settlement.insured_pool, settlement.institution_pool), (JIANGMEN, CHANGSHA));
    assert_eq!(answered.record.meta.warning, "");
    assert_eq!(answered.person.name, "name of E01");
}

#[tokio::test]
async fn a_second_admission_goes_on_from_the_first() {
    let world = World::new();
    world.register("E11", "310", "11").await;
    world.file("E11", FilingCategory::LongTermResident, 430_100).await.unwrap();
    let first = world.stay_with(AWAY, "E11", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    world.settle(AWAY, paying(&first, BILL_M)).await.unwrap();
    let lines = vec![
        line("1", "A", "5200.00", "1", "5200.00", 20_260_301),
        line("2", "B05", "77.77", "33", "2566.41", 20_260_301),
        line("3", "C", "310.10", "1", "310.10", 20_260_301),
    ];
    let second = world.stay_with(AWAY_TWO, "E11", (20_260_301, 20_260_301), lines).await;
    let short = world.settle(AWAY_TWO, paying(&second, "8076.51")).await.unwrap();
    let b = &settlement_of(&short).breakdown;
    assert_eq!((b.act_pay_dedc, b.hifp_pay, b.psn_part_amt), (yuan("300"), yuan("6604.28"), yuan("1472.23")));
    let id = settlement_of(&short).id.clone();
    world.reverse(AWAY_TWO, &second, &id).await.unwrap();
    let bed = line("4", "A", "86.00", "9", "774.00", 20_260_301);
    world.upload(AWAY_TWO, &second, vec![bed]).await.unwrap();
    let whole = world.settle(AWAY_TWO, paying(&second, "8850.51")).await.unwrap();
    let b = &settlement_of(&whole).breakdown;
    assert_eq!((b.hifp_pay, b.psn_part_amt), (yuan("7300.88"), yuan("1549.63")));
    assert_eq!(b.after().hifp, yuan("37288.37"));
    assert_eq!((b.after().admissions, b.after().burden), (2, yuan("8153.22")));
}

#[tokio::test]
async fn an_unfiled_patient_is_told_both_figures_once_and_may_file_before_settlement() {
    let world = World::new();
    world.register("E04", "310", "11").await;
    let stay = world.stay_with(AWAY, "E04", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let told =
        UnfiledTold { cash_unfiled: Some(yuan("23159.31")), cash_filed: yuan("19307.86"), place: CHANGSHA };
    assert_eq!(refusal(world.quote(AWAY, paying(&stay, BILL_M)).await), Refusal::Unfiled(told));
    let quoted = world.quote(AWAY, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(quoted.settlement.breakdown.psn_cash_pay, yuan("23159.31"));
    world.cache.wipe();
    assert!(matches!(refusal(world.quote(AWAY, paying(&stay, BILL_M)).await), Refusal::Unfiled(_)));

    world.set_day(20_260_302);
    world.file("E04", FilingCategory::OtherTemporary, 430_100).await.unwrap();
    let filed = world.settle(AWAY, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(settlement_of(&filed).breakdown.psn_cash_pay, yuan("19307.86"));
    assert_eq!(settlement_of(&filed).facts.level, BenefitLevel::OtherTemporary);
}

#[tokio::test]
async fn a_hospital_may_price_the_unfiled_at_once_and_a_pack_may_refuse_them() {
    let at_once = Switches { unfiled_refused_first: false, quote_again: false };
    let world = World::with(Settings { usual: at_once, ..Settings::default() }, |_| {});
    world.register("E04", "310", "11").await;
    let stay = world.stay_with(AWAY, "E04", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    assert!(world.quote(AWAY, paying(&stay, BILL_M)).await.is_ok());

    let strict = |parts: &mut PackParts| {
        let terms = crate::domain::parameters::FilingTerms {
            unfiled: crate::domain::parameters::UnfiledClaims::Refuse,
            ..crate::domain::pack::tp1::filing_terms()
        };
        parts.filing_terms = crate::domain::pack::tp1::always(terms);
    };
    let world = World::with(Settings::default(), strict);
    world.register("E04", "310", "11").await;
    let stay = world.stay_with(AWAY, "E04", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let first = refusal(world.quote(AWAY, paying(&stay, BILL_M)).await);
    assert!(matches!(first, Refusal::Unfiled(UnfiledTold { cash_unfiled: None, .. })), "{first:?}");
    assert_eq!(refusal(world.quote(AWAY, paying(&stay, BILL_M)).await), Refusal::UnfiledRefused);
    assert_eq!(refusal(world.settle(AWAY, paying(&stay, BILL_M)).await), Refusal::UnfiledRefused);
}

#[tokio::test]
async fn an_emergency_inside_the_province_is_told_the_window_that_it_missed() {
    let window = |parts: &mut PackParts| {
        let terms = crate::domain::parameters::FilingTerms {
            unfiled: crate::domain::parameters::UnfiledClaims::Refuse,
            in_province: crate::domain::parameters::InProvinceCare::AsCrossProvince,
            emergency_window_days: Some(10),
            ..crate::domain::pack::tp1::filing_terms()
        };
        parts.filing_terms = crate::domain::pack::tp1::always(terms);
    };
    let at_once = Switches { unfiled_refused_first: false, quote_again: false };
    let world = World::with(Settings { usual: at_once, ..Settings::default() }, window);
    for (hospital, name) in [(CITY, "E01"), (AWAY, "E02")] {
        world.register(name, "310", "11").await;
        let order = Admit { emergency: true, ..admission(name, 20_260_301) };
        let answered = world.try_admit(hospital, order).await.unwrap();
        let stay = StayRef { stay: stay_of(&answered), number: name.into() };
        world.upload(hospital, &stay, bill_m(20_260_301)).await.unwrap();
        world.discharge(hospital, &stay, 20_260_301).await.unwrap();
        let quoted = world.quote(hospital, paying(&stay, BILL_M)).await;
        if hospital == CITY {
            assert_eq!(refusal(quoted), Refusal::EmergencyNotFiled { days: 10 });
        } else {
            assert!(quoted.is_ok(), "across provinces the flag suffices");
        }
    }
}

#[tokio::test]
async fn the_total_must_be_the_sum_of_the_lines() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let differs =
        Refusal::TotalDiffers { given: yuan("42069.46"), lines: yuan(BILL_M), count: 5, up_to: None };
    assert_eq!(refusal(world.quote(HOME, paying(&stay, "42069.46")).await), differs);
    assert_eq!(refusal(world.settle(HOME, paying(&stay, "42069.46")).await), differs);
}

#[tokio::test]
async fn totals_sent_by_the_hospital_are_compared_and_never_used() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let totals = GivenTotals { in_scope: yuan("1"), full_own_pay: yuan("1234.45"), ..GivenTotals::default() };
    let quoted = world.quote(HOME, Settle { totals, ..paying(&stay, BILL_M) }).await.unwrap();
    let fields: Vec<&str> = quoted
        .cautions
        .iter()
        .map(|caution| match caution {
            Caution::TotalIgnored { field, .. } => *field,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(fields, ["overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt"]);
    assert_eq!(quoted.settlement.breakdown.inscp_scp_amt, yuan("37029.50"));
}

#[tokio::test]
async fn cash_that_differs_from_the_last_quote_is_told() {
    let world = World::new();
    world.register("E04", "310", "11").await;
    let stay = world.stay_with(AWAY, "E04", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let _told = world.quote(AWAY, paying(&stay, BILL_M)).await;
    world.quote(AWAY, paying(&stay, BILL_M)).await.unwrap();
    world.file("E04", FilingCategory::LongTermWorker, 430_100).await.unwrap();
    let settled = world.settle(AWAY, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(settled.record.meta.warning, "CashDiffers { quoted: Fen(2315931), now: Fen(1208196) }");
}

#[tokio::test]
async fn a_quote_of_other_days_of_the_stay_is_not_compared() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_260_210).await;
    let at = |number, on| line(number, "A", "5000.00", "1", "5000.00", on);
    world.upload(HOME, &stay, vec![at("1", 20_260_210), at("2", 20_260_220)]).await.unwrap();
    let rest = Settle { up_to: None, ..part(&stay, "10000.00", 20_260_220) };
    world.quote(HOME, part(&stay, "5000.00", 20_260_215)).await.unwrap();
    world.quote(HOME, rest.clone()).await.unwrap();
    world.quote(HOME, paying(&stay, "10000.00")).await.unwrap();
    let settled = world.settle(HOME, part(&stay, "5000.00", 20_260_215)).await.unwrap();
    assert_eq!(settled.record.meta.warning, "");
    // The quote of all lines was of more than is left of them.
    let rest = Settle { fee: yuan("5000.00"), ..rest };
    let settled = world.settle(HOME, rest).await.unwrap();
    assert!(settled.record.meta.warning.starts_with("CashDiffers"), "{}", settled.record.meta.warning);
}

#[tokio::test]
async fn a_hospital_may_want_to_quote_again_before_it_settles() {
    let usual = Switches { unfiled_refused_first: true, quote_again: true };
    let world = World::with(Settings { usual, ..Settings::default() }, |_| {});
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let again = Refusal::QuoteAgain { quoted: None, now: yuan("12081.96") };
    assert_eq!(refusal(world.settle(HOME, paying(&stay, BILL_M)).await), again);
    world.quote(HOME, paying(&stay, BILL_M)).await.unwrap();
    assert!(world.settle(HOME, paying(&stay, BILL_M)).await.is_ok());
}

#[tokio::test]
async fn a_stay_is_settled_once_and_the_refusal_names_the_first() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_260_301).await;
    let nothing = Refusal::NothingToSettle(NothingLeft::NoLines { discharged: false });
    assert_eq!(refusal(world.quote(HOME, paying(&stay, "0")).await), nothing);
    world.upload(HOME, &stay, bill_m(20_260_301)).await.unwrap();
    assert!(world.quote(HOME, paying(&stay, BILL_M)).await.is_ok(), "a quote before discharge takes today");
    let early = refusal(world.settle(HOME, paying(&stay, BILL_M)).await);
    assert!(
        matches!(
            early,
            Refusal::OutOfOrder { cause: crate::domain::stay::OutOfOrder::NotDischarged, settled: None, .. }
        ),
        "{early:?}"
    );
    world.discharge(HOME, &stay, 20_260_301).await.unwrap();
    let call = world.call_as(HOME, 2304, "FIRST", "content");
    let first = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    let again = refusal(world.settle(HOME, paying(&stay, BILL_M)).await);
    let Refusal::OutOfOrder { settled: Some(settled), .. } = again else { panic!("{again:?}") };
    assert_eq!(settled.settlement, settlement_of(&first).id);
    assert_eq!(settled.message.as_str(), "FIRST");
}

#[tokio::test]
async fn a_replay_is_answered_with_the_first_record_and_the_first_name() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let call = world.call_as(HOME, 2304, "S1", "content");
    let first = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    let renamed = PersonPrivate { name: "another name".into(), ..PersonPrivate::default() };
    let register = world.facts(&key).await.person.register.clone();
    world.record(&key, Body::Registered(register), Private::Person(renamed)).await;
    world.set_day(20_260_401);
    let again = world.service.settle(&call, paying(&stay, BILL_M)).await.unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!((&again.record, &again.person), (&first.record, &first.person));
    let other = world.call_as(HOME, 2304, "S1", "other content");
    let reused = world.service.settle(&other, paying(&stay, BILL_M)).await.unwrap_err();
    assert!(matches!(reused, ServiceError::KeyReused { .. }), "{reused:?}");
}

#[tokio::test]
async fn another_hospitals_stay_is_refused_as_one_that_is_not_there() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    world.register("E02", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let unknown = Refusal::StayUnknown { stay: stay.stay.clone() };
    assert_eq!(refusal(world.settle(CITY, paying(&stay, BILL_M)).await), unknown);
    assert_eq!(refusal(world.quote(CITY, paying(&stay, BILL_M)).await), unknown);
    assert_eq!(refusal(world.discharge(CITY, &stay, 20_260_301).await), unknown);
    let wrong = StayRef { number: "E02".into(), ..stay.clone() };
    let refused = refusal(world.settle(HOME, paying(&wrong, BILL_M)).await);
    let differs = Refusal::PersonDiffers { stay: stay.stay.clone() };
    assert_eq!(refused, differs, "a stay goes with its person's number only");
    assert_eq!(refusal(world.settle(CITY, paying(&wrong, BILL_M)).await), unknown);
    let mut call = world.call(HOME, 2304);
    call.insured_region = Some(RegionCode(440_100));
    let refused = refusal(world.service.settle(&call, paying(&stay, BILL_M)).await);
    assert_eq!(refused, Refusal::InsuredRegionDiffers { given: RegionCode(440_100) });
    let insutype = Settle { insutype: "390".into(), ..paying(&stay, BILL_M) };
    assert!(matches!(refusal(world.settle(HOME, insutype).await), Refusal::InsuranceDiffers { .. }));
    let other = Credential { kind: "02".into(), number: "IDE02".into() };
    let order = Settle { credential: Some(other), ..paying(&stay, BILL_M) };
    assert_eq!(refusal(world.settle(HOME, order).await), Refusal::CredentialOfAnother { kind: "02".into() });
}

#[tokio::test]
async fn a_stay_in_parts_pays_what_the_whole_pays() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_260_201).await;
    let lines = vec![
        line("1", "A", "20000.00", "1", "20000.00", 20_260_205),
        line("2", "A", "17029.50", "1", "17029.50", 20_260_210),
    ];
    world.upload(HOME, &stay, lines).await.unwrap();
    let first = world.settle(HOME, part(&stay, "20000.00", 20_260_205)).await.unwrap();
    let b = &settlement_of(&first).breakdown;
    assert_eq!((b.act_pay_dedc, b.hifp_pay), (yuan("900"), yuan("15853.00")));
    let back = refusal(world.settle(HOME, part(&stay, "17029.50", 20_260_204)).await);
    let earliest = day(20_260_205);
    assert_eq!(
        back,
        Refusal::TooEarly { field: "dscg_time", day: day(20_260_204), earliest, because: Bound::LastPart }
    );
    let ahead = refusal(world.settle(HOME, part(&stay, "17029.50", 20_260_302)).await);
    assert!(matches!(ahead, Refusal::InFuture { .. }));
    world.discharge(HOME, &stay, 20_260_210).await.unwrap();
    let rest = world.settle(HOME, paying(&stay, "17029.50")).await.unwrap();
    let b = &settlement_of(&rest).breakdown;
    assert_eq!((b.act_pay_dedc, b.hifp_pay), (yuan("0"), yuan("14134.49")));
    assert_eq!(b.after().admissions, 1);
}

#[tokio::test]
async fn a_stay_across_the_year_end_belongs_to_the_year_of_its_discharge() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_251_220, 20_260_105), bill_m(20_251_231)).await;
    let settled = world.settle(HOME, paying(&stay, BILL_M)).await.unwrap();
    assert_eq!(settlement_of(&settled).year.0, 2026);

    let world = World::new();
    world.register("E02", "310", "11").await;
    let stay = world.admit(HOME, "E02", 20_251_220).await;
    let lines = vec![
        line("1", "A", "20000.00", "1", "20000.00", 20_251_231),
        line("2", "A", "10000.00", "1", "10000.00", 20_260_101),
    ];
    world.upload(HOME, &stay, lines).await.unwrap();
    let old = world.settle(HOME, part(&stay, "20000.00", 20_251_231)).await.unwrap();
    world.discharge(HOME, &stay, 20_260_105).await.unwrap();
    let new = world.settle(HOME, paying(&stay, "10000.00")).await.unwrap();
    assert_eq!((settlement_of(&old).year.0, settlement_of(&new).year.0), (2025, 2026));
    assert_eq!(settlement_of(&new).breakdown.act_pay_dedc, yuan("900"), "a new year is a new axis");
}

#[tokio::test]
async fn injuries_settle_only_without_a_liable_third_party_and_with_the_commitment() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let hurt = Admit { med_type: "22".into(), ..admission("E01", 20_260_301) };
    let admitted = world.try_admit(HOME, hurt).await.unwrap();
    assert_eq!(admitted.record.meta.warning, "CommitmentMissing");
    let stay = StayRef { stay: stay_of(&admitted), number: "E01".into() };
    world.upload(HOME, &stay, bill_m(20_260_301)).await.unwrap();
    world.discharge(HOME, &stay, 20_260_301).await.unwrap();
    assert_eq!(refusal(world.settle(HOME, paying(&stay, BILL_M)).await), Refusal::CommitmentMissing);
    let signed = super::admission::change(&stay, 20_260_301);
    let signed = crate::service::change::Change { commitment: Some(true), ..signed };
    world.service.change(&world.call(HOME, 2403), signed).await.unwrap();
    assert!(world.settle(HOME, paying(&stay, BILL_M)).await.is_ok());

    world.register("E02", "310", "11").await;
    let liable = Admit { third_party: true, ..admission("E02", 20_260_301) };
    let admitted = world.try_admit(HOME, liable).await.unwrap();
    let stay = StayRef { stay: stay_of(&admitted), number: "E02".into() };
    world.upload(HOME, &stay, bill_m(20_260_301)).await.unwrap();
    assert_eq!(refusal(world.quote(HOME, paying(&stay, BILL_M)).await), Refusal::ThirdParty);
}

#[tokio::test]
async fn work_injury_needs_its_recognition_and_then_pays_in_full() {
    let world = World::new();
    let covered = coverage("310", "11", 20_200_101, None);
    let register = Register { coverages: vec![covered], ..Register::default() };
    let key = world.register_as("E05", register.clone()).await;
    let order = Admit { work_injury: true, ..admission("E05", 20_260_301) };
    let refused = refusal(world.try_admit(HOME, order.clone()).await);
    assert_eq!(refused, Refusal::NotRecognised { day: day(20_260_301) });
    let recognition =
        crate::domain::person::Recognition { number: "R1".into(), from: day(20_260_228), to: None };
    let register = Register { recognitions: vec![recognition], ..register };
    let private = Private::Person(PersonPrivate::clone(&world.facts(&key).await.private));
    world.record(&key, Body::Registered(register), private).await;
    let admitted = world.try_admit(HOME, order).await.unwrap();
    let stay = StayRef { stay: stay_of(&admitted), number: "E05".into() };
    let lines = vec![
        line("1", "A", "100.00", "1", "100.00", 20_260_301),
        line("2", "B10", "50.00", "1", "50.00", 20_260_301),
    ];
    world.upload(HOME, &stay, lines).await.unwrap();
    world.discharge(HOME, &stay, 20_260_301).await.unwrap();
    let settled = world.settle(HOME, paying(&stay, "150.00")).await.unwrap();
    let b = &settlement_of(&settled).breakdown;
    assert_eq!((b.oth_pay, b.psn_cash_pay), (yuan("100.00"), yuan("50.00")));
}

#[tokio::test]
async fn the_account_pays_along_only_when_she_chose_it() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let balance = crate::domain::person::Balance { amount: yuan("1000"), taken_at: Instant(1) };
    world.record(&key, Body::BalanceTaken(balance), Private::None).await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let order = Settle { account_used: true, ..paying(&stay, BILL_M) };
    let settled = world.settle(HOME, order).await.unwrap();
    let settlement = settlement_of(&settled);
    assert_eq!((settlement.breakdown.acct_pay, settlement.balance_left), (yuan("1000"), Fen::ZERO));
    assert_eq!(world.facts(&key).await.person.available_balance(), Fen::ZERO);
    world.reverse(HOME, &stay, &settlement.id).await.unwrap();
    assert_eq!(world.facts(&key).await.person.available_balance(), yuan("1000"));
}

#[tokio::test]
async fn a_visitor_goes_by_the_pack_of_her_own_pool_or_is_told_whom_to_call() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.stay_with(CITY, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let settled = world.settle(CITY, paying(&stay, BILL_M)).await.unwrap();
    let settlement = settlement_of(&settled);
    assert_eq!((settlement.pack.as_str(), settlement.facts.level), ("jiangmen", BenefitLevel::InProvince));
    assert_eq!(settlement.clearing_agency, RegionCode(440_100));

    let mut call = world.call(HOME, 2401);
    call.insured_region = Some(RegionCode(430_102));
    let refused = refusal(world.service.admit(&call, admission("V1", 20_260_301)).await);
    assert_eq!(
        refused,
        Refusal::RegionNotConnected {
            given: RegionCode(430_102),
            pool: CHANGSHA,
            name: "长沙市".into(),
            agency: CHANGSHA,
            agency_name: "长沙市".into()
        }
    );
    call.insured_region = None;
    let refused = refusal(world.service.admit(&call, admission("V1", 20_260_301)).await);
    assert_eq!(refused, Refusal::InsuredRegionMissing);
}
