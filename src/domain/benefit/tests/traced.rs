//! The trace tells the figures of the computation and changes nothing in it.

use super::*;
use crate::domain::explain::AccountStep;
use crate::domain::explain::CashStep;
use crate::domain::explain::DeductibleCount;
use crate::domain::explain::DeductibleStep;
use crate::domain::explain::ExtraFirstPayStep;
use crate::domain::explain::MaternityStep;
use crate::domain::explain::PoolCapStep;
use crate::domain::explain::PoolStep;
use crate::domain::explain::RateStep;
use crate::domain::explain::SegmentWalked;
use crate::domain::explain::SeriousIllnessStep;
use crate::domain::explain::ShareStep;
use crate::domain::explain::Steps;
use crate::domain::pack::tp1::rate;
use crate::domain::parameters::DeductibleBasis;
use crate::domain::parameters::FilingRow;
use crate::domain::parameters::MaternityPay;
use crate::domain::parameters::Reduction;

fn steps(claim: &Claim<'_>) -> Vec<Step> {
    let mut steps = Steps::default();
    let told = compute(claim, &mut steps).unwrap();
    assert_eq!(told, run(claim), "listening changes nothing");
    steps.0
}

fn exact(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn to(text: &str, amount: &str) -> Rounded {
    Rounded { exact: exact(text), rounded: yuan(amount) }
}

fn walked(from: &str, up_to: &str, at: &str, money: &str) -> SegmentWalked {
    SegmentWalked { from: yuan(from), to: yuan(up_to), rate: rate(at), exact: exact(money) }
}

#[test]
fn an_employee_bill_over_every_step() {
    let policy = employee();
    let assistance = AssistanceCategory::MinimumLiving;
    let insured =
        Insured { civil_servant: true, assistance: Some(assistance), ..claim(&policy, "0").insured };
    let year = Accumulators { admissions: 1, hifp: yuan("599170"), ..Accumulators::ZERO };
    let full = Claim {
        insured,
        year,
        level: BenefitLevel::Referral,
        account: Account::Used { balance: yuan("100") },
        ..claim(&policy, "2450")
    };
    // Deductible 450.00; 2,000 × .73 = 1,460.00 into 830.00 of room; bought 1,136.986…
    let after = run(&full).after();
    let expected = [
        Step::Bill { totals: full.totals, level: BenefitLevel::Referral },
        Step::Deductible(DeductibleStep {
            base: yuan("900"),
            retired_reduction: Fen::ZERO,
            counted: DeductibleCount::Admission { settled: 1, factor: exact("0.5") },
            filing_factor: Decimal::ONE,
            whole: to("450", "450"),
            borne_by_stay: Fen::ZERO,
            standard: yuan("450"),
            paid: yuan("450"),
        }),
        Step::Rate(RateStep {
            base: rate("0.83"),
            retired_bonus: Rate::ZERO,
            age_bonus: Rate::ZERO,
            reduction: Reduction::Points(rate("0.10")),
            applied: rate("0.73"),
        }),
        Step::Pool(PoolStep {
            through: to("1460", "1460"),
            earlier: to("0", "0"),
            segments: vec![walked("450", "2450", "0.73", "1460")],
            uncapped: yuan("1460"),
            cap: Some(yuan("600000")),
            room: Some(yuan("830")),
            paid: yuan("830"),
        }),
        Step::PoolCapReached(PoolCapStep {
            bought: Rounded { exact: exact("830") / exact("0.73"), rounded: yuan("1136.99") },
            over_base: yuan("863.01"),
        }),
        Step::LargeAmount(ShareStep {
            base: yuan("863.01"),
            rate: rate("0.90"),
            share: to("776.709", "776.71"),
            room: Some(yuan("200000")),
            paid: yuan("776.71"),
        }),
        Step::CivilServant(ShareStep {
            base: yuan("393.29"),
            rate: rate("0.50"),
            share: to("196.645", "196.65"),
            room: None,
            paid: yuan("196.65"),
        }),
        Step::Assistance {
            category: assistance,
            share: ShareStep {
                base: yuan("646.64"),
                rate: rate("0.70"),
                share: to("452.648", "452.65"),
                room: Some(yuan("80000")),
                paid: yuan("452.65"),
            },
        },
        Step::Account(AccountStep { balance: yuan("100"), payable: yuan("193.99"), paid: yuan("100") }),
        Step::Cash(CashStep {
            fee: yuan("2450"),
            funds: yuan("2256.01"),
            person: yuan("193.99"),
            account: yuan("100"),
            cash: yuan("93.99"),
        }),
        Step::Accumulators { before: year, after },
    ];
    let told = steps(&full);
    assert_eq!(told, expected);
    let clauses: Vec<&str> = told.iter().map(Step::clause).collect();
    let employee_clauses = ["2.1", "2.2-1, 2.2-2", "2.2-3", "2.2-4", "2.2-4", "2.2-5", "2.2-8", "2.2-8"];
    assert_eq!(clauses, [&employee_clauses[..], &["2.2-9", "2.2-9", "2.2-10"]].concat());
}

#[test]
fn a_resident_part_under_prepay() {
    let policy = resident_with(|rules| {
        rules.deductible.basis = DeductibleBasis::Year;
        let reduction = Reduction::FirstPay(rate("0.10"));
        rules.filing.active.referral = FilingRow { reduction, ..FilingRow::FULL };
    });
    let earlier = Some(EarlierParts { in_scope: yuan("500"), deductible: yuan("450"), admissions_before: 0 });
    let year = Accumulators { deductible: yuan("550"), burden: yuan("12000"), ..Accumulators::ZERO };
    let part = Claim { earlier, year, level: BenefitLevel::Referral, ..claim(&policy, "1000") };
    // Of 900 another stay bore 100, so 800 for this stay: 450 before, 350 now; 900 − 350 at .72.
    let told = steps(&part);
    let expected = [
        Step::ExtraFirstPay(ExtraFirstPayStep {
            rate: rate("0.10"),
            through: to("150", "150"),
            earlier: yuan("50"),
            amount: yuan("100"),
        }),
        Step::Deductible(DeductibleStep {
            base: yuan("900"),
            retired_reduction: Fen::ZERO,
            counted: DeductibleCount::Year { borne: yuan("100") },
            filing_factor: Decimal::ONE,
            whole: to("900", "900"),
            borne_by_stay: yuan("450"),
            standard: yuan("350"),
            paid: yuan("350"),
        }),
        Step::Rate(RateStep {
            base: rate("0.72"),
            retired_bonus: Rate::ZERO,
            age_bonus: Rate::ZERO,
            reduction: Reduction::FirstPay(rate("0.10")),
            applied: rate("0.72"),
        }),
        Step::Pool(PoolStep {
            through: to("396", "396"),
            earlier: to("0", "0"),
            segments: vec![walked("800", "1350", "0.72", "396")],
            uncapped: yuan("396"),
            cap: Some(yuan("540000")),
            room: Some(yuan("540000")),
            paid: yuan("396"),
        }),
        Step::SeriousIllness(SeriousIllnessStep {
            start: yuan("12000"),
            burden_before: yuan("12000"),
            burden_after: yuan("12604"),
            tiers: vec![walked("12000", "12604", "0.60", "362.40")],
            before: to("0", "0"),
            after: to("362.40", "362.40"),
            uncapped: yuan("362.40"),
            room: Some(yuan("400000")),
            paid: yuan("362.40"),
        }),
    ];
    assert_eq!(told[1..6], expected);
    assert_eq!((told[1].clause(), told[5].clause()), ("2.2-3", "2.2-6, 2.2-7"));
    assert_eq!(told.len(), 8);
}

#[test]
fn each_segment_that_pays_is_told_and_one_where_none_does() {
    let mut policy = (*employee()).clone();
    let step = |to: Option<&str>, ratio| {
        let value = crate::domain::codes::ByLevel::all(rate(ratio));
        crate::domain::bands::Band { to: to.map(yuan), value }
    };
    let bands =
        crate::domain::bands::Bands::new(vec![step(Some("30000"), "0.85"), step(None, "0.90")]).unwrap();
    match &mut policy.rules {
        SchemeRules::Basic(rules) => rules.ratios.active = bands,
        SchemeRules::Maternity(_) | SchemeRules::WorkInjury(_) => unreachable!(),
    }
    let rates = |in_scope| {
        let told = steps(&claim(&policy, in_scope)).into_iter();
        told.filter_map(|step| if let Step::Rate(rate) = step { Some(rate.applied) } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(rates("40000"), [rate("0.85"), rate("0.90")]);
    assert_eq!(rates("30000"), [rate("0.85")]);
    assert_eq!(rates("100"), [rate("0.85")]);
}

#[test]
fn maternity_and_injury_are_told() {
    let maternity = policy(tp1::tp1(), Scheme::Maternity);
    let delivery = Claim { maternity: Some(MaternityKind(1)), ..claim(&maternity, "1500") };
    let expected = MaternityStep {
        kind: MaternityKind(1),
        pay: MaternityPay::Fixed(yuan("1800")),
        through: yuan("1500"),
        earlier: Fen::ZERO,
        paid: yuan("1500"),
        owed_to_person: yuan("300"),
    };
    assert_eq!(steps(&delivery)[1], Step::Maternity(expected));
    let injury = policy(tp1::tp1(), Scheme::WorkInjury);
    let told = steps(&claim(&injury, "7"));
    assert_eq!((&told[1], told[1].clause()), (&Step::WorkInjury { paid: yuan("7") }, "2.8"));
    assert_eq!(steps(&delivery)[1].clause(), "2.8");
}
