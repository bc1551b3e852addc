//! Packs resolve by day, and every unsound value is named.

use super::*;
use crate::domain::bands::Bands;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::ByLevel;
use crate::domain::dated::Dated;
use crate::domain::pack::PackFaultCause as Cause;
use crate::domain::pack::tp1::*;
use crate::domain::parameters::*;
use rust_decimal::Decimal;

fn pack() -> Pack {
    Pack::new(tp1()).unwrap()
}

fn basic(policy: &Policy) -> &BasicRules {
    match &policy.rules {
        SchemeRules::Basic(rules) => rules,
        SchemeRules::Maternity(_) | SchemeRules::WorkInjury(_) => panic!("no basic rules"),
    }
}

#[test]
fn a_pack_says_who_it_is() {
    let pack = pack();
    assert_eq!(
        (pack.region(), pack.name(), pack.status()),
        (RegionCode(440_700), "TP-1", PackStatus::Synthetic)
    );
    assert_eq!(&**pack.hash(), "tp-1");
}

#[test]
fn each_parameter_changes_on_its_own_day() {
    let mut parts = tp1();
    let employee = parts.employee.as_mut().unwrap();
    employee.pool_cap =
        from_days(vec![(20_200_101, Some(yuan("1"))), (20_250_701, Some(yuan("2"))), (20_260_101, None)]);
    employee.civil_servant = from_days(vec![(20_260_101, rate("0.40"))]);
    parts.stays = from_days(vec![
        (20_200_101, StayRules::USUAL),
        (20_270_101, StayRules { new_year_is_new_axis: false, ..StayRules::USUAL }),
    ]);
    let pack = Pack::new(parts).unwrap();
    for (on, from, until, cap, civil, axis) in [
        (20_200_101, 20_200_101, Some(20_250_701), Some("1"), "0", true),
        (20_250_630, 20_200_101, Some(20_250_701), Some("1"), "0", true),
        (20_250_701, 20_250_701, Some(20_260_101), Some("2"), "0", true),
        (20_260_101, 20_260_101, Some(20_270_101), None, "0.40", true),
        (20_270_101, 20_270_101, None, None, "0.40", false),
    ] {
        let policy = pack.policy(Scheme::Employee, day(on)).unwrap();
        assert_eq!((policy.from, policy.until), (day(from), until.map(day)), "{on}");
        assert_eq!(
            (basic(&policy).pool_cap, basic(&policy).civil_servant),
            (cap.map(yuan), rate(civil)),
            "{on}"
        );
        assert_eq!((policy.stays.new_year_is_new_axis, policy.scheme), (axis, Scheme::Employee), "{on}");
        assert_eq!((policy.region, &*policy.pack_hash), (RegionCode(440_700), "tp-1"));
    }
    assert_eq!(pack.periods(Scheme::Employee).len(), 4);
    assert_eq!(pack.periods(Scheme::Resident).len(), 2);
    let again = pack.policy(Scheme::Employee, day(20_260_601)).unwrap();
    assert!(Arc::ptr_eq(&again, &pack.policy(Scheme::Employee, day(20_260_701)).unwrap()));
}

#[test]
fn a_change_of_any_parameter_begins_a_period() {
    let day_of = 20_250_701;
    fn twice<T: Clone>(line: &Timeline<T>) -> Timeline<T> {
        let value = line.values().next().unwrap().value.clone();
        from_days(vec![(20_200_101, value.clone()), (20_250_701, value)])
    }
    type Change = fn(&mut BasicParameters);
    let changes: [Change; 9] = [
        |basic| basic.deductible = twice(&basic.deductible),
        |basic| basic.ratios = twice(&basic.ratios),
        |basic| basic.filing = twice(&basic.filing),
        |basic| basic.pool_cap = twice(&basic.pool_cap),
        |basic| basic.large_amount = from_days(vec![(20_200_101, None), (20_250_701, None)]),
        |basic| basic.serious_illness = from_days(vec![(20_200_101, None), (20_250_701, None)]),
        |basic| basic.civil_servant = twice(&basic.civil_servant),
        |basic| basic.assistance = twice(&basic.assistance),
        |basic| basic.account = twice(&basic.account),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut parts = tp1();
        change(parts.employee.as_mut().unwrap());
        change(parts.resident.as_mut().unwrap());
        let pack = Pack::new(parts).unwrap();
        for scheme in [Scheme::Employee, Scheme::Resident] {
            let starts: Vec<Day> = pack.periods(scheme).iter().map(|policy| policy.from).collect();
            assert_eq!(starts, [day(20_200_101), day(day_of)], "{index} {scheme}");
        }
        assert_eq!(pack.periods(Scheme::Maternity).len(), 1, "{index}");
    }
    type Whole = fn(&mut PackParts);
    let wholes: [Whole; 3] = [
        |parts| parts.year_start = twice(&parts.year_start),
        |parts| parts.filing_terms = twice(&parts.filing_terms),
        |parts| parts.stays = twice(&parts.stays),
    ];
    for (index, change) in wholes.into_iter().enumerate() {
        let mut parts = tp1();
        change(&mut parts);
        let pack = Pack::new(parts).unwrap();
        assert_eq!(Scheme::ALL.map(|scheme| pack.periods(scheme).len()), [2; 4], "{index}");
    }
    let mut parts = tp1();
    parts.maternity = twice(&parts.maternity);
    parts.work_injury = twice(&parts.work_injury);
    let pack = Pack::new(parts).unwrap();
    assert_eq!(Scheme::ALL.map(|scheme| pack.periods(scheme).len()), [1, 1, 2, 2]);
}

#[test]
fn before_everything_needed_is_set_there_is_no_policy() {
    let mut parts = tp1();
    let late = from_days(vec![(
        20_240_101,
        parts.employee.as_ref().unwrap().ratios.values().next().unwrap().value.clone(),
    )]);
    parts.employee.as_mut().unwrap().ratios = late;
    parts.resident = None;
    let pack = Pack::new(parts).unwrap();
    let region = RegionCode(440_700);
    let too_early = NoPolicy::NotYetInForce {
        region,
        scheme: Scheme::Employee,
        day: day(20_231_231),
        first: day(20_240_101),
        block: "employee.ratios",
    };
    assert_eq!(pack.policy(Scheme::Employee, day(20_231_231)).unwrap_err(), too_early);
    assert!(pack.policy(Scheme::Employee, day(20_240_101)).is_ok());
    let never = NoPolicy::SchemeNotRuled { region, scheme: Scheme::Resident };
    assert_eq!(pack.policy(Scheme::Resident, day(20_260_101)).unwrap_err(), never);
}

#[test]
fn parameters_that_are_never_set_give_nothing() {
    let mut parts = tp1();
    let employee = parts.employee.take().unwrap();
    let BasicParameters { deductible, ratios, filing, .. } = employee;
    parts.employee = Some(BasicParameters { deductible, ratios, filing, ..BasicParameters::default() });
    let pack = Pack::new(parts).unwrap();
    let policy = pack.policy(Scheme::Employee, day(20_260_101)).unwrap();
    let rules = basic(&policy);
    assert_eq!((rules.pool_cap, rules.large_amount, rules.civil_servant), (None, None, Rate::ZERO));
    assert_eq!((rules.account, rules.assistance), (AccountScope::NOTHING, AssistanceTable::none()));
    assert_eq!(rules.serious_illness, None);
}

#[test]
fn a_claim_goes_to_the_scheme_that_takes_it() {
    let pack = pack();
    for (insurance, care, scheme) in [
        (310, 21, Some(Scheme::Employee)),
        (310, 52, Some(Scheme::Maternity)),
        (390, 21, Some(Scheme::Resident)),
        (390, 52, Some(Scheme::Maternity)),
        (510, 21, Some(Scheme::Maternity)),
        (410, 21, Some(Scheme::WorkInjury)),
        (320, 21, None),
    ] {
        let found = pack.scheme_of(InsuranceCode(insurance), CareKind(care), day(20_260_101));
        assert_eq!(found.ok(), scheme, "{insurance} {care}");
    }
    let early = pack.scheme_of(InsuranceCode(310), CareKind(52), day(20_191_231));
    assert_eq!(early, Ok(Scheme::Employee));
    let (region, insurance, care) = (RegionCode(440_700), InsuranceCode(410), CareKind(21));
    let none = pack.scheme_of(insurance, care, day(20_191_231));
    assert_eq!(none, Err(NoPolicy::UnknownInsurance { region, insurance, care }));
}

#[test]
fn each_scheme_has_its_own_rules() {
    let pack = pack();
    let policy = |scheme| pack.policy(scheme, day(20_260_101)).unwrap();
    assert_eq!(basic(&policy(Scheme::Employee)).pool_cap, Some(yuan("600000")));
    assert_eq!(basic(&policy(Scheme::Resident)).pool_cap, Some(yuan("540000")));
    assert!(matches!(policy(Scheme::Maternity).rules, SchemeRules::Maternity(_)));
    assert!(matches!(policy(Scheme::WorkInjury).rules, SchemeRules::WorkInjury(_)));
}

#[test]
fn the_pedigree_of_every_number_is_listed() {
    let mut parts = tp1();
    let value = Dated {
        from: day(20_240_701),
        value: Some(yuan("5")),
        source: "notice 7".into(),
        checked_on: Some(day(20_261_124)),
        trust: Trust::Low,
    };
    parts.employee.as_mut().unwrap().pool_cap = Timeline::new(vec![value]).unwrap();
    let pack = Pack::new(parts).unwrap();
    let list = pack.provenance();
    let cap = list.iter().find(|number| number.parameter == "employee.pool_cap").unwrap();
    assert_eq!(
        *cap,
        Provenance {
            parameter: "employee.pool_cap",
            from: day(20_240_701),
            source: "notice 7",
            checked_on: Some(day(20_261_124)),
            trust: Trust::Low,
        }
    );
    let names: Vec<&str> = list.iter().map(|number| number.parameter).collect();
    assert_eq!(
        names,
        [
            "year_start",
            "filing_terms",
            "stays",
            "employee.deductible",
            "employee.ratios",
            "employee.filing",
            "employee.pool_cap",
            "employee.large_amount",
            "employee.civil_servant",
            "employee.assistance",
            "employee.account",
            "resident.deductible",
            "resident.ratios",
            "resident.filing",
            "resident.pool_cap",
            "resident.serious_illness",
            "resident.civil_servant",
            "resident.assistance",
            "resident.account",
            "maternity",
            "work_injury",
        ]
    );
}

/// Faults of TP-1 after a change, as (parameter, cause).
fn faults(change: impl FnOnce(&mut PackParts)) -> Vec<(String, Cause)> {
    let mut parts = tp1();
    change(&mut parts);
    let faults = Pack::new(parts).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.parameter, fault.cause)).collect()
}

fn first<T: Clone>(line: &Timeline<T>) -> T {
    line.values().next().unwrap().value.clone()
}

/// Faults after a change in the employee scheme; the resident scheme must give the same.
fn basic_faults(change: impl Fn(&mut BasicParameters)) -> Vec<Cause> {
    let employee = faults(|parts| change(parts.employee.as_mut().unwrap()));
    let resident = faults(|parts| change(parts.resident.as_mut().unwrap()));
    let causes = |list: &[(String, Cause)]| list.iter().map(|(_, cause)| *cause).collect::<Vec<_>>();
    assert_eq!(causes(&employee), causes(&resident));
    assert!(employee.iter().all(|(parameter, _)| parameter.starts_with("employee.")));
    assert!(resident.iter().all(|(parameter, _)| parameter.starts_with("resident.")));
    causes(&employee)
}

fn low() -> Decimal {
    rate("-0.01").0
}

fn high() -> Decimal {
    rate("1.01").0
}

#[test]
fn what_must_be_set_is_missed() {
    let missing = |name: &str| (name.to_owned(), Cause::Missing);
    let all = faults(|parts| {
        parts.year_start = Timeline::never();
        parts.filing_terms = Timeline::never();
        parts.stays = Timeline::never();
        parts.employee = Some(BasicParameters::default());
    });
    let names =
        ["year_start", "filing_terms", "stays", "employee.deductible", "employee.ratios", "employee.filing"];
    assert_eq!(all, names.map(missing));
}

#[test]
fn a_fault_says_parameter_day_and_cause() {
    let mut parts = tp1();
    parts.employee.as_mut().unwrap().pool_cap = always(Some(Fen(-1)));
    parts.year_start = Timeline::never();
    let texts: Vec<String> = Pack::new(parts).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["year_start: must be set", "employee.pool_cap from 2020-01-01: -0.01 must not be negative"]
    );
}

#[test]
fn deductibles_are_not_negative() {
    let spoilt = |change: fn(&mut Deductible)| {
        basic_faults(move |basic| {
            let mut value = first(&basic.deductible);
            change(&mut value);
            basic.deductible = always(value);
        })
    };
    assert_eq!(spoilt(|d| d.amount.two = Fen(-1)), [Cause::NegativeAmount(Fen(-1))]);
    assert_eq!(spoilt(|d| d.amount.two = Fen(0)), []);
    assert_eq!(spoilt(|d| d.retired_reduction.three = Fen(-2)), [Cause::NegativeAmount(Fen(-2))]);
    let factors = |values: &[Decimal]| DeductibleBasis::Admission(AdmissionFactors::new(values).unwrap());
    let bad = basic_faults(|basic| {
        let basis = factors(&[Decimal::ZERO, low()]);
        basic.deductible = always(Deductible { basis, ..first(&basic.deductible) });
    });
    assert_eq!(bad, [Cause::NegativeFactor(low())]);
    assert_eq!(spoilt(|d| d.basis = DeductibleBasis::Year), []);
    assert_eq!(spoilt(|d| d.basis = DeductibleBasis::InstitutionYear), []);
}

#[test]
fn rates_lie_between_nothing_and_all() {
    let spoilt = |change: &dyn Fn(&mut Ratios)| {
        basic_faults(|basic| {
            let mut value = first(&basic.ratios);
            change(&mut value);
            basic.ratios = always(value);
        })
    };
    let flat = |value| Bands::flat(ByLevel::all(Rate(value)));
    assert_eq!(spoilt(&|r| r.active = flat(high())), [Cause::NotARate(high()); 3]);
    assert_eq!(spoilt(&|r| r.active = flat(low())), [Cause::NotARate(low()); 3]);
    assert_eq!(spoilt(&|r| r.active = flat(Decimal::ONE)), []);
    assert_eq!(
        spoilt(&|r| (r.retired_bonus, r.retired) = (Rate::ZERO, Some(flat(high())))),
        [Cause::NotARate(high()); 3]
    );
    assert_eq!(spoilt(&|r| (r.retired_bonus, r.retired) = (Rate::ZERO, Some(flat(Decimal::ONE)))), []);
    assert_eq!(
        spoilt(&|r| (r.retired_bonus, r.retired) = (rate("0.01"), Some(flat(Decimal::ONE)))),
        [Cause::RetiredTwice]
    );
    assert_eq!(spoilt(&|r| r.retired_bonus = Rate(low())), [Cause::NotARate(low())]);
    assert_eq!(
        spoilt(&|r| r.age_bonuses = AgeBonuses::new(vec![(50, Rate(high()))])),
        [Cause::NotARate(high())]
    );
}

#[test]
fn filing_rows_are_sound() {
    let bad = |reduction, factor| FilingRow { reduction, deductible_factor: factor };
    for (row, causes) in [
        (bad(Reduction::Points(Rate(high())), Decimal::ONE), vec![Cause::NotARate(high())]),
        (bad(Reduction::Multiply(Rate(low())), Decimal::ONE), vec![Cause::NotARate(low())]),
        (bad(Reduction::FirstPay(Rate(high())), Decimal::ONE), vec![Cause::NotARate(high())]),
        (bad(Reduction::None, low()), vec![Cause::NegativeFactor(low())]),
        (bad(Reduction::None, Decimal::ZERO), vec![]),
    ] {
        let active = FilingTable { unfiled: row, ..filing_table() };
        assert_eq!(basic_faults(|basic| basic.filing = always(FilingRows { active, retired: None })), causes);
        let rows = FilingRows { active: filing_table(), retired: Some(active) };
        assert_eq!(basic_faults(|basic| basic.filing = always(rows)), causes);
    }
}

#[test]
fn the_later_funds_are_sound() {
    let negative = Some(Fen(-1));
    let both = |value: Decimal| vec![Cause::NotARate(value), Cause::NegativeAmount(Fen(-1))];
    assert_eq!(basic_faults(|b| b.pool_cap = always(negative)), [Cause::NegativeAmount(Fen(-1))]);
    assert_eq!(basic_faults(|b| b.pool_cap = always(Some(Fen::ZERO))), []);
    let large = LargeAmount { ratio: Rate(high()), cap: negative };
    assert_eq!(basic_faults(|b| b.large_amount = always(Some(large))), both(high()));
    assert_eq!(basic_faults(|b| b.civil_servant = always(Rate(low()))), [Cause::NotARate(low())]);
    let help = Assistance { ratio: Rate(low()), cap: negative };
    let table = AssistanceTable::none().with(AssistanceCategory::LowIncome, help);
    assert_eq!(basic_faults(|b| b.assistance = always(table)), both(low()));

    let scale = IllnessScale { start: Fen(-1), tiers: Bands::flat(Rate(high())), cap: Some(Fen(-2)) };
    let causes = [Cause::NegativeAmount(Fen(-1)), Cause::NotARate(high()), Cause::NegativeAmount(Fen(-2))];
    let illness = |general, overrides| always(Some(SeriousIllness { general, overrides }));
    assert_eq!(basic_faults(|b| b.serious_illness = illness(scale.clone(), vec![])), causes);
    let (poor, low_income) = (AssistanceCategory::RegisteredPoor, AssistanceCategory::LowIncome);
    let overridden =
        |b: &mut BasicParameters| b.serious_illness = illness(illness_scale(), vec![(poor, scale.clone())]);
    assert_eq!(basic_faults(overridden), causes);
    let twice = |b: &mut BasicParameters| {
        let overrides = vec![(poor, illness_scale()), (low_income, illness_scale()), (poor, illness_scale())];
        b.serious_illness = illness(illness_scale(), overrides);
    };
    assert_eq!(basic_faults(twice), [Cause::CategoryTwice]);
}

#[test]
fn maternity_and_injury_are_sound() {
    let kind = MaternityKind(1);
    let with = |rows: Vec<MaternityPay>| {
        let rows = rows
            .into_iter()
            .map(|pay| (kind, ByLevel { primary: Some(pay), ..ByLevel::all(MaternityPay::Limit(Fen(1))) }));
        faults(|parts| parts.maternity = always(MaternityRules { rows: rows.collect(), ..maternity() }))
    };
    let fault = |cause| vec![("maternity".to_owned(), cause)];
    assert_eq!(with(vec![MaternityPay::Ratio(Rate(high()))]), fault(Cause::NotARate(high())));
    assert_eq!(with(vec![MaternityPay::Limit(Fen(-1))]), fault(Cause::NegativeAmount(Fen(-1))));
    assert_eq!(with(vec![MaternityPay::Fixed(Fen(-1))]), fault(Cause::NegativeAmount(Fen(-1))));
    assert_eq!(with(vec![MaternityPay::Fixed(Fen(1)); 2]), fault(Cause::MaternityTwice(kind)));
    for (code, taken) in [(310, true), (390, true), (510, true), (410, false)] {
        let insurance = InsuranceCode(code);
        let found = faults(|parts| parts.work_injury = always(InjuryRules { insurance }));
        let expected = [("work_injury".to_owned(), Cause::InsuranceTaken(insurance))];
        assert_eq!(found, if taken { &expected[..] } else { &[] }, "{code}");
    }
}
