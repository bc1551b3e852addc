//! A table for each branch of deductible, rate, pool and 大额, with the figure on both sides of every edge.

use super::*;
use crate::domain::bands::Band;
use crate::domain::bands::Bands;
use crate::domain::codes::ByLevel;
use crate::domain::pack::tp1::points;
use crate::domain::pack::tp1::rate;
use crate::domain::parameters::AdmissionFactors;
use crate::domain::parameters::AgeBonuses;
use crate::domain::parameters::DeductibleBasis;
use crate::domain::parameters::FilingRow;
use crate::domain::parameters::LargeAmount;
use crate::domain::parameters::Reduction;

fn paid(b: &Breakdown) -> [String; 3] {
    texts([b.dedc_std, b.act_pay_dedc, b.hifp_pay])
}

fn row(reduction: Reduction, factor: &str) -> FilingRow {
    FilingRow { reduction, deductible_factor: factor.parse().unwrap() }
}

fn with_year(deductible: &str, admissions: i64) -> Accumulators {
    Accumulators { deductible: yuan(deductible), admissions, ..Accumulators::ZERO }
}

#[test]
fn the_deductible_goes_by_level_status_and_admission() {
    let policy = employee();
    let (active, retired) = (WorkStatus::Active, WorkStatus::Retired);
    for (hospital, status, admissions, expected) in [
        (HospitalLevel::Primary, active, 0, ["500.00", "500.00", "8835.00"]),
        (HospitalLevel::One, active, 0, ["500.00", "500.00", "8835.00"]),
        (HospitalLevel::Two, active, 0, ["600.00", "600.00", "8460.00"]),
        (HospitalLevel::Three, active, 0, ["900.00", "900.00", "7553.00"]),
        (HospitalLevel::One, retired, 0, ["400.00", "400.00", "9216.00"]),
        (HospitalLevel::Three, retired, 0, ["800.00", "800.00", "7912.00"]),
        (HospitalLevel::Three, active, 1, ["450.00", "450.00", "7926.50"]),
        (HospitalLevel::Three, retired, 9, ["400.00", "400.00", "8256.00"]),
    ] {
        let insured = Insured { status, ..claim(&policy, "0").insured };
        let year = with_year("0", admissions);
        let b = run(&Claim { hospital, insured, year, ..claim(&policy, "10000") });
        assert_eq!(paid(&b), expected, "{hospital:?} {status:?} {admissions}");
    }
}

#[test]
fn a_bill_bears_no_more_deductible_than_it_has_in_scope() {
    let policy = employee();
    for (in_scope, expected) in [
        ("0", ["900.00", "0.00", "0.00"]),
        ("899.99", ["900.00", "899.99", "0.00"]),
        ("900", ["900.00", "900.00", "0.00"]),
        ("900.01", ["900.00", "900.00", "0.01"]),
        ("900.60", ["900.00", "900.00", "0.50"]),
    ] {
        let b = run(&claim(&policy, in_scope));
        assert_eq!(paid(&b), expected, "{in_scope}");
        assert_eq!((b.change.admissions, b.change.deductible), (1, b.act_pay_dedc), "{in_scope}");
    }
}

#[test]
fn a_retiree_reduction_never_turns_the_deductible_negative() {
    let policy = employee_with(|rules| rules.deductible.retired_reduction = ByLevel::all(yuan("901")));
    let insured = Insured { status: WorkStatus::Retired, ..claim(&policy, "0").insured };
    let b = run(&Claim { insured, ..claim(&policy, "100") });
    assert_eq!(paid(&b), ["0.00", "0.00", "86.00"]);
}

#[test]
fn a_deductible_by_the_year_is_borne_once() {
    let policy = employee_with(|rules| rules.deductible.basis = DeductibleBasis::Year);
    for (borne, level, expected) in [
        ("0", BenefitLevel::LongTerm, ["900.00", "900.00", "83.00"]),
        ("899.99", BenefitLevel::LongTerm, ["0.01", "0.01", "829.99"]),
        ("900", BenefitLevel::LongTerm, ["0.00", "0.00", "830.00"]),
        ("900.01", BenefitLevel::LongTerm, ["0.00", "0.00", "830.00"]),
        ("900", BenefitLevel::Unfiled, ["450.00", "450.00", "291.50"]),
    ] {
        let b = run(&Claim { year: with_year(borne, 5), level, ..claim(&policy, "1000") });
        assert_eq!(paid(&b), expected, "{borne} {level}");
    }
}

#[test]
fn a_deductible_by_institution_ignores_the_year_elsewhere() {
    let policy = employee_with(|rules| rules.deductible.basis = DeductibleBasis::InstitutionYear);
    for (here, expected) in [("0", ["900.00", "900.00", "83.00"]), ("300", ["600.00", "600.00", "332.00"])] {
        let institution_deductible = yuan(here);
        let b = run(&Claim { institution_deductible, year: with_year("5000", 5), ..claim(&policy, "1000") });
        assert_eq!(paid(&b), expected, "{here}");
    }
}

#[test]
fn the_parts_of_a_stay_bear_a_yearly_deductible_once() {
    let year_basis = employee_with(|rules| rules.deductible.basis = DeductibleBasis::Year);
    let here_basis = employee_with(|rules| rules.deductible.basis = DeductibleBasis::InstitutionYear);
    // 100 borne by another stay, 500 by the first part of this one: 300 are left.
    let earlier = Some(EarlierParts { in_scope: yuan("500"), deductible: yuan("500"), admissions_before: 1 });
    for policy in [&year_basis, &here_basis] {
        let institution_deductible = yuan("600");
        let year = with_year("600", 2);
        let b = run(&Claim { institution_deductible, year, earlier, ..claim(policy, "1000") });
        assert_eq!(paid(&b), ["300.00", "300.00", "581.00"]);
    }
}

#[test]
fn the_filing_row_lowers_rate_and_raises_deductible_each_by_itself() {
    let policy = employee_with(|rules| {
        rules.filing.active.referral = row(Reduction::Multiply(rate("0.80")), "1");
        rules.filing.active.emergency = row(Reduction::None, "2");
        rules.filing.active.other_temporary = row(Reduction::FirstPay(rate("0.20")), "0");
        rules.filing.active.unfiled = row(Reduction::Points(rate("0.90")), "1.5");
    });
    for (level, expected, extra, pool_rate) in [
        (BenefitLevel::Local, ["900.00", "900.00", "7553.00"], "0.00", "0.83"),
        (BenefitLevel::LongTermHome, ["900.00", "900.00", "6643.00"], "0.00", "0.73"),
        (BenefitLevel::InProvince, ["900.00", "900.00", "7553.00"], "0.00", "0.83"),
        (BenefitLevel::LongTerm, ["900.00", "900.00", "7553.00"], "0.00", "0.83"),
        (BenefitLevel::Referral, ["900.00", "900.00", "6042.40"], "0.00", "0.664"),
        (BenefitLevel::Emergency, ["1800.00", "1800.00", "6806.00"], "0.00", "0.83"),
        (BenefitLevel::OtherTemporary, ["0.00", "0.00", "6640.00"], "2000.00", "0.83"),
        (BenefitLevel::Unfiled, ["1350.00", "1350.00", "0.00"], "0.00", "0"),
    ] {
        let b = run(&Claim { level, ..claim(&policy, "10000") });
        assert_eq!(paid(&b), expected, "{level}");
        assert_eq!((b.extra_first_pay, b.pool_rate), (yuan(extra), rate(pool_rate)), "{level}");
    }
}

#[test]
fn retired_persons_may_have_filing_rows_of_their_own() {
    let policy = employee_with(|rules| {
        let own =
            crate::domain::parameters::FilingTable { referral: points("0.05", "1"), ..rules.filing.active };
        rules.filing.retired = Some(own);
    });
    for (status, hifp) in [(WorkStatus::Active, "6643.00"), (WorkStatus::Retired, "7452.00")] {
        let insured = Insured { status, ..claim(&policy, "0").insured };
        let b = run(&Claim { insured, level: BenefitLevel::Referral, ..claim(&policy, "10000") });
        assert_eq!(b.hifp_pay, yuan(hifp), "{status:?}");
    }
}

#[test]
fn bonuses_add_up_and_a_rate_stays_between_nothing_and_all() {
    let policy = employee_with(|rules| {
        rules.ratios.age_bonuses = AgeBonuses::new(vec![(50, rate("0.02")), (60, rate("0.04"))]);
        rules.filing.active.referral = row(Reduction::Multiply(rate("0.50")), "1");
    });
    let (active, retired) = (WorkStatus::Active, WorkStatus::Retired);
    let (one, three) = (HospitalLevel::One, HospitalLevel::Three);
    for (age, status, hospital, level, expected) in [
        (49, active, three, BenefitLevel::Local, "0.83"),
        (50, active, three, BenefitLevel::Local, "0.85"),
        (60, active, three, BenefitLevel::Local, "0.87"),
        (60, retired, three, BenefitLevel::Local, "0.90"),
        (59, retired, three, BenefitLevel::Unfiled, "0.58"),
        (60, retired, one, BenefitLevel::Local, "1.00"),
        (60, retired, one, BenefitLevel::LongTermHome, "0.90"),
        (60, retired, one, BenefitLevel::Referral, "0.50"),
    ] {
        let insured = Insured { status, age, ..claim(&policy, "0").insured };
        let b = run(&Claim { insured, hospital, level, ..claim(&policy, "10000") });
        assert_eq!(b.pool_rate, rate(expected), "{age} {status:?} {hospital:?} {level}");
        assert_eq!(b.hifp_pay, rate(expected).of(yuan("10000") - b.act_pay_dedc).unwrap(), "{age} {level}");
    }
    let more_than_all = employee_with(|rules| rules.ratios.retired_bonus = rate("0.30"));
    let insured = Insured { status: retired, ..claim(&policy, "0").insured };
    let b = run(&Claim { insured, ..claim(&more_than_all, "10000") });
    assert_eq!((b.pool_rate, b.hifp_pay), (Rate::ONE, yuan("9200")));
}

/// Beijing's shape: to 30,000 85 %, to 40,000 90 %, above 95 %.
fn segmented() -> Policy {
    let step = |to: Option<&str>, ratio| Band { to: to.map(yuan), value: ByLevel::all(rate(ratio)) };
    let steps = vec![step(Some("30000"), "0.85"), step(Some("40000"), "0.90"), step(None, "0.95")];
    employee_with(|rules| rules.ratios.active = Bands::new(steps).unwrap())
}

#[test]
fn segments_lie_on_the_axis_with_the_deductible() {
    let policy = segmented();
    for (in_scope, hifp, pool_rate) in [
        ("899", "0.00", "0.85"),
        ("30000", "24735.00", "0.85"),
        ("30000.01", "24735.01", "0.90"),
        ("30000.05", "24735.05", "0.90"),
        ("40000", "33735.00", "0.90"),
        ("40000.01", "33735.01", "0.95"),
        ("50000", "43235.00", "0.95"),
    ] {
        let b = run(&claim(&policy, in_scope));
        assert_eq!((b.hifp_pay, b.pool_rate), (yuan(hifp), rate(pool_rate)), "{in_scope}");
    }
}

#[test]
fn retired_persons_may_have_segments_of_their_own() {
    let policy = employee_with(|rules| {
        rules.ratios.retired = Some(tp1::segments(["0.95", "0.95", "0.95"]));
        rules.ratios.retired_bonus = Rate::ZERO;
    });
    let insured = Insured { status: WorkStatus::Retired, ..claim(&policy, "0").insured };
    assert_eq!(run(&Claim { insured, ..claim(&policy, "1800") }).hifp_pay, yuan("950"));
    assert_eq!(run(&claim(&policy, "1900")).hifp_pay, yuan("830"));
}

#[test]
fn the_pool_cap_leaves_the_rest_to_large_amounts() {
    let policy = employee();
    for (hifp_before, hifob_before, in_scope, expected) in [
        ("0", "0", "1900", ["830.00", "0.00", "1070.00"]),
        ("599170", "0", "1900", ["830.00", "0.00", "1070.00"]),
        // One fen short: 829.99 buys 999.98795 → 999.99, 0.01 is over.
        ("599170.01", "0", "1900", ["829.99", "0.01", "1070.00"]),
        // 83.00 buys 100.00, 900.00 are over.
        ("599917", "0", "1900", ["83.00", "810.00", "1007.00"]),
        ("600000", "0", "1900", ["0.00", "900.00", "1000.00"]),
        ("600000.01", "0", "1900", ["0.00", "900.00", "1000.00"]),
        ("900000", "199100", "1900", ["0.00", "900.00", "1000.00"]),
        ("900000", "199100.01", "1900", ["0.00", "899.99", "1000.01"]),
        ("900000", "200000", "1900", ["0.00", "0.00", "1900.00"]),
        ("900000", "200000.01", "1900", ["0.00", "0.00", "1900.00"]),
        ("600000", "0", "900", ["0.00", "0.00", "900.00"]),
    ] {
        let year = Accumulators { hifp: yuan(hifp_before), hifob: yuan(hifob_before), ..Accumulators::ZERO };
        let b = run(&Claim { year, ..claim(&policy, in_scope) });
        assert_eq!(texts([b.hifp_pay, b.hifob_pay, b.burden()]), expected, "{hifp_before} {hifob_before}");
        assert_eq!((b.change.hifp, b.change.hifob, b.change.burden), (b.hifp_pay, b.hifob_pay, b.burden()));
    }
}

#[test]
fn the_width_that_a_cap_bought_is_walked_through_the_segments() {
    // 0–30,000 at .85 above the deductible is 24,735.00; then .90.
    let policy = segmented();
    for (room, hifob) in [
        ("24735.00", "9000.00"),
        ("24735.90", "8999.10"),
        ("24734.15", "9000.90"),
        ("33735.00", "0.00"),
        ("33734.10", "0.90"),
    ] {
        let year = Accumulators { hifp: yuan("600000") - yuan(room), ..Accumulators::ZERO };
        let b = run(&Claim { year, ..claim(&policy, "40000") });
        assert_eq!((b.hifp_pay, b.hifob_pay), (yuan(room), yuan(hifob)), "{room}");
    }
}

#[test]
fn a_segment_that_pays_nothing_is_passed_while_money_is_left() {
    let step = |to: Option<&str>, ratio| Band { to: to.map(yuan), value: ByLevel::all(rate(ratio)) };
    let steps = vec![
        step(Some("2000"), "0"),
        step(Some("3000"), "0.50"),
        step(Some("4000"), "0"),
        step(None, "0.50"),
    ];
    let policy = employee_with(|rules| {
        rules.ratios.active = Bands::new(steps).unwrap();
        rules.pool_cap = Some(yuan("600"));
    });
    // Uncapped 500 + 500; 600 buys 1,100 nothing, 1,000 half, 1,000 nothing, 200 half.
    let b = run(&claim(&policy, "5000"));
    assert_eq!(texts([b.hifp_pay, b.hifob_pay]), ["600.00", "720.00"]);
    // 500 are spent at 3,000: the free segment after it is over the cap too.
    let at_edge =
        Claim { year: Accumulators { hifp: yuan("100"), ..Accumulators::ZERO }, ..claim(&policy, "5000") };
    assert_eq!(texts([run(&at_edge).hifp_pay, run(&at_edge).hifob_pay]), ["500.00", "1800.00"]);
    let none_left =
        Claim { year: Accumulators { hifp: yuan("600"), ..Accumulators::ZERO }, ..claim(&policy, "5000") };
    assert_eq!(texts([run(&none_left).hifp_pay, run(&none_left).hifob_pay]), ["0.00", "3690.00"]);
}

#[test]
fn without_a_cap_nothing_is_over_it() {
    let policy = employee_with(|rules| rules.pool_cap = None);
    let year = Accumulators { hifp: yuan("5000000"), ..Accumulators::ZERO };
    let b = run(&Claim { year, ..claim(&policy, "1000900") });
    assert_eq!(texts([b.hifp_pay, b.hifob_pay]), ["830000.00", "0.00"]);
    assert_eq!(b.funds[0].payable_max, yuan("1000900"));
    let uncapped_large =
        employee_with(|rules| rules.large_amount = Some(LargeAmount { ratio: Rate::ONE, cap: None }));
    let b = run(&Claim { year, ..claim(&uncapped_large, "1000900") });
    assert_eq!(texts([b.hifp_pay, b.hifob_pay]), ["0.00", "1000000.00"]);
    assert_eq!(
        b.funds,
        [FundRow {
            fund: Fund::LargeAmount,
            amount: yuan("1000000"),
            in_scope: yuan("1000000"),
            payable_max: yuan("1000000"),
        }]
    );
    let no_large = employee_with(|rules| rules.large_amount = None);
    let b = run(&Claim { year, ..claim(&no_large, "1000900") });
    assert_eq!(texts([b.fund_pay_sumamt, b.psn_cash_pay]), ["0.00", "1000900.00"]);
}

#[test]
fn prepay_runs_the_pool_and_its_cap_on_the_rest() {
    let policy = employee_with(|rules| {
        rules.filing.active.other_temporary = row(Reduction::FirstPay(rate("0.10")), "1");
        rules.pool_cap = Some(yuan("830"));
    });
    // x 290.00; of 2,610.00 the deductible is 900.00; 830.00 buys 1,000.00; 710.00 are over.
    let b = run(&Claim { level: BenefitLevel::OtherTemporary, ..claim(&policy, "2900") });
    assert_eq!(
        texts([b.extra_first_pay, b.hifp_pay, b.hifob_pay, b.burden()]),
        ["290.00", "830.00", "639.00", "1431.00"]
    );
    let small = run(&Claim { level: BenefitLevel::OtherTemporary, ..claim(&policy, "900.05") });
    assert_eq!(
        texts([small.extra_first_pay, small.act_pay_dedc, small.hifp_pay]),
        ["90.01", "810.04", "0.00"]
    );
}

#[test]
fn a_part_keeps_the_admission_of_its_stay() {
    let policy = employee_with(|rules| {
        let factors = ["1", "0.5", "0.1"].map(|factor| factor.parse().unwrap());
        rules.deductible.basis = DeductibleBasis::Admission(AdmissionFactors::new(&factors).unwrap());
    });
    // The stay is the second admission: 450.00, of which the first part bore 100.00.
    let earlier = Some(EarlierParts { in_scope: yuan("100"), deductible: yuan("100"), admissions_before: 1 });
    let b = run(&Claim { earlier, year: with_year("1000", 2), ..claim(&policy, "1350") });
    assert_eq!(paid(&b), ["350.00", "350.00", "830.00"]);
    assert_eq!(b.change.admissions, 0);
}

#[test]
fn parts_under_prepay_share_one_rounding() {
    let policy = employee_with(|rules| {
        rules.filing.active.referral = row(Reduction::FirstPay(rate("0.25")), "0");
    });
    // 0.25 % of a fen at a time: 0.01 → 0.0025; through 0.02 → 0.005 → 0.01.
    let earlier = Some(EarlierParts { in_scope: Fen(1), deductible: Fen::ZERO, admissions_before: 0 });
    let first = run(&Claim { level: BenefitLevel::Referral, ..claim(&policy, "0.01") });
    let second = run(&Claim { level: BenefitLevel::Referral, earlier, ..claim(&policy, "0.01") });
    assert_eq!(texts([first.extra_first_pay, second.extra_first_pay]), ["0.00", "0.01"]);
    assert_eq!(texts([first.hifp_pay, second.hifp_pay]), ["0.01", "0.00"]);
}

#[test]
fn a_later_part_is_capped_as_the_cap_stands() {
    let policy = employee();
    let earlier =
        Some(EarlierParts { in_scope: yuan("20000"), deductible: yuan("900"), admissions_before: 0 });
    let year =
        Accumulators { admissions: 1, hifp: yuan("599917"), deductible: yuan("900"), ..Accumulators::ZERO };
    let b = run(&Claim { earlier, year, ..claim(&policy, "1000") });
    assert_eq!(
        texts([b.act_pay_dedc, b.hifp_pay, b.hifob_pay, b.burden()]),
        ["0.00", "83.00", "810.00", "107.00"]
    );
}
