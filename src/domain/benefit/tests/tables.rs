//! A table for each branch of rules.md §2.2, with the figure on both sides of every edge.

use super::*;
use crate::domain::bands::Band;
use crate::domain::bands::Bands;
use crate::domain::codes::ByLevel;
use crate::domain::pack::tp1::points;
use crate::domain::pack::tp1::rate;
use crate::domain::parameters::AdmissionFactors;
use crate::domain::parameters::AgeBonuses;
use crate::domain::parameters::Assistance;
use crate::domain::parameters::DeductibleBasis;
use crate::domain::parameters::FilingRow;
use crate::domain::parameters::IllnessScale;
use crate::domain::parameters::LargeAmount;
use crate::domain::parameters::MaternityRules;
use crate::domain::parameters::Reduction;
use crate::domain::parameters::UnfiledClaims;

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

fn resident_year(burden: &str, hifmi: &str) -> Accumulators {
    Accumulators { burden: yuan(burden), hifmi: yuan(hifmi), ..Accumulators::ZERO }
}

/// A bill whose whole in-scope amount is burden: nothing above the deductible.
fn all_burden<'a>(policy: &'a Policy, burden: &str, year: Accumulators) -> Claim<'a> {
    Claim { year, ..claim(policy, burden) }
}

#[test]
fn serious_illness_pays_by_tiers_of_the_years_burden() {
    let policy = resident_with(|rules| rules.deductible.amount = ByLevel::all(yuan("1000000")));
    for (before, bill, hifmi) in [
        ("0", "12000", "0.00"),
        ("0", "12000.01", "0.01"),
        ("0", "50000", "22800.00"),
        ("0", "50000.01", "22800.01"),
        ("0", "50000.10", "22800.07"),
        ("0", "100000", "57800.00"),
        ("0", "100000.10", "57800.08"),
        ("11999.99", "0.01", "0.00"),
        ("12000", "100", "60.00"),
        ("49900", "200", "130.00"),
        ("99900", "200", "150.00"),
        ("200000", "100", "80.00"),
        ("-50", "12050.00", "0.00"),
        ("-50", "12050.01", "0.01"),
    ] {
        let b = run(&all_burden(&policy, bill, resident_year(before, "0")));
        assert_eq!(b.hifmi_pay, yuan(hifmi), "{before} + {bill}");
        assert_eq!((b.burden(), b.change.burden, b.change.hifmi), (yuan(bill), yuan(bill), yuan(hifmi)));
    }
}

#[test]
fn serious_illness_stops_at_its_cap() {
    let policy = resident_with(|rules| rules.deductible.amount = ByLevel::all(yuan("1000000")));
    for (hifmi_before, paid) in [
        ("399920", "80.00"),
        ("399920.01", "79.99"),
        ("400000", "0.00"),
        ("400000.01", "0.00"),
        ("399919.99", "80.00"),
    ] {
        let b = run(&all_burden(&policy, "100", resident_year("200000", hifmi_before)));
        assert_eq!(b.hifmi_pay, yuan(paid), "{hifmi_before}");
    }
}

#[test]
fn a_category_has_its_own_scale_and_employees_their_own_fund() {
    let hardship = AssistanceCategory::ExtremeHardship;
    let scale = IllnessScale { start: yuan("6000"), tiers: Bands::flat(rate("0.90")), cap: None };
    let change = |rules: &mut crate::domain::pack::BasicRules| {
        let general = tp1::illness_scale();
        let overrides = vec![(hardship, scale.clone())];
        rules.serious_illness = Some(crate::domain::parameters::SeriousIllness { general, overrides });
        rules.deductible.amount = ByLevel::all(yuan("1000000"));
    };
    let (employee, resident) = (employee_with(change), resident_with(change));
    for (policy, category, hifmi, fund) in [
        (&employee, None, "600.00", 310_300),
        (&employee, Some(hardship), "6300.00", 310_300),
        (&resident, Some(hardship), "6300.00", 390_200),
        (&resident, Some(AssistanceCategory::LowIncome), "600.00", 390_200),
    ] {
        let insured = Insured { assistance: category, ..claim(policy, "0").insured };
        let b = run(&Claim { insured, ..all_burden(policy, "13000", Accumulators::ZERO) });
        assert_eq!((b.hifmi_pay, b.funds[0].fund.code()), (yuan(hifmi), fund), "{category:?}");
    }
    let insured = Insured { assistance: Some(hardship), ..claim(&resident, "0").insured };
    let b = run(&Claim { insured, ..all_burden(&resident, "13000", Accumulators::ZERO) });
    assert_eq!((b.funds[0].in_scope, b.funds[0].payable_max), (yuan("13000"), yuan("13000")));
}

#[test]
fn civil_servants_get_half_of_what_stays_above_the_deductible() {
    let policy = employee();
    // In scope 1,900.00: pool 830.00, burden 1,070.00, 170.00 above the deductible.
    for (civil_servant, in_scope, cvlserv) in
        [(false, "1900", "0.00"), (true, "1900", "85.00"), (true, "900", "0.00"), (true, "900.03", "0.01")]
    {
        let insured = Insured { civil_servant, ..claim(&policy, "0").insured };
        let b = run(&Claim { insured, ..claim(&policy, in_scope) });
        assert_eq!(b.cvlserv_pay, yuan(cvlserv), "{civil_servant} {in_scope}");
    }
    let insured = Insured { civil_servant: true, ..claim(&policy, "0").insured };
    let b = run(&Claim { insured, ..claim(&policy, "1900") });
    assert_eq!(
        b.funds[1],
        FundRow {
            fund: Fund::CivilServant,
            amount: yuan("85"),
            in_scope: yuan("170"),
            payable_max: yuan("170"),
        }
    );
    let nothing = employee_with(|rules| rules.civil_servant = Rate::ZERO);
    assert_eq!(run(&Claim { insured, ..claim(&nothing, "1900") }).cvlserv_pay, Fen::ZERO);
}

#[test]
fn civil_servant_and_assistance_come_after_serious_illness() {
    let policy = resident_with(|rules| {
        rules.deductible.amount = ByLevel::all(yuan("1000"));
        rules.ratios.active = tp1::segments(["0", "0", "0"]);
    });
    let assistance = Some(AssistanceCategory::MinimumLiving);
    let insured = Insured { civil_servant: true, assistance, ..claim(&policy, "0").insured };
    // Burden 22,000; 大病 6,000; civil servant half of 15,000; assistance 70 % of 8,500.
    let b = run(&Claim { insured, ..claim(&policy, "22000") });
    assert_eq!(texts([b.hifmi_pay, b.cvlserv_pay, b.maf_pay]), ["6000.00", "7500.00", "5950.00"]);
    assert_eq!(texts([b.fund_pay_sumamt, b.psn_cash_pay, b.change.maf]), ["19450.00", "2550.00", "5950.00"]);
    // 大病 pays more than what stays above the deductible: the base is zero, not negative.
    let small = Claim { insured, year: resident_year("100000", "0"), ..claim(&policy, "1500") };
    let b = run(&small);
    assert_eq!(texts([b.hifmi_pay, b.cvlserv_pay, b.maf_pay]), ["1200.00", "0.00", "210.00"]);
}

#[test]
fn assistance_goes_by_category_up_to_its_cap() {
    let policy = employee();
    for (category, used, maf) in [
        (None, "0", "0.00"),
        (Some(AssistanceCategory::LowIncome), "0", "0.00"),
        (Some(AssistanceCategory::MinimumLiving), "0", "749.00"),
        (Some(AssistanceCategory::MinimumLiving), "79251", "749.00"),
        (Some(AssistanceCategory::MinimumLiving), "79251.01", "748.99"),
        (Some(AssistanceCategory::MinimumLiving), "80000", "0.00"),
        (Some(AssistanceCategory::MinimumLiving), "80000.01", "0.00"),
    ] {
        let insured = Insured { assistance: category, ..claim(&policy, "0").insured };
        let year = Accumulators { maf: yuan(used), ..Accumulators::ZERO };
        let b = run(&Claim { insured, year, ..claim(&policy, "1900") });
        assert_eq!(b.maf_pay, yuan(maf), "{category:?} {used}");
    }
    let uncapped = employee_with(|rules| {
        let all = Assistance { ratio: Rate::ONE, cap: None };
        rules.assistance = rules.assistance.with(AssistanceCategory::ExtremeHardship, all);
    });
    let assistance = Some(AssistanceCategory::ExtremeHardship);
    let insured = Insured { assistance, ..claim(&uncapped, "0").insured };
    let b = run(&Claim { insured, ..claim(&uncapped, "1900") });
    assert_eq!((b.maf_pay, b.psn_cash_pay), (yuan("1070"), Fen::ZERO));
    let last = b.funds[1];
    assert_eq!((last.fund, last.in_scope, last.payable_max), (Fund::Assistance, yuan("1070"), yuan("1070")));
}

#[test]
fn the_account_pays_what_its_scope_allows() {
    // Class C 10, over the limit 20, first-pay 40, in scope 900 of which the funds pay nothing.
    let totals = BillTotals {
        full_own_pay: yuan("10"),
        over_limit: yuan("20"),
        first_pay: yuan("40"),
        in_scope: yuan("900"),
    };
    let nothing = AccountScope::NOTHING;
    for (scope, balance, acct) in [
        (AccountScope::IN_SCOPE, "5000", "940.00"),
        (AccountScope::IN_SCOPE, "940", "940.00"),
        (AccountScope::IN_SCOPE, "939.99", "939.99"),
        (AccountScope::IN_SCOPE, "0", "0.00"),
        (AccountScope::IN_SCOPE, "-5", "0.00"),
        (nothing, "5000", "0.00"),
        (AccountScope { first_pay: true, ..nothing }, "5000", "40.00"),
        (AccountScope { in_scope: true, ..nothing }, "5000", "900.00"),
        (AccountScope { class_c: true, ..nothing }, "5000", "10.00"),
        (AccountScope { over_limit: true, ..nothing }, "5000", "20.00"),
        (AccountScope { class_c: true, over_limit: true, ..AccountScope::IN_SCOPE }, "5000", "970.00"),
    ] {
        let policy = employee_with(|rules| rules.account = scope);
        let account = Account::Used { balance: yuan(balance) };
        let b = run(&Claim { totals, account, ..claim(&policy, "0") });
        assert_eq!(b.acct_pay, yuan(acct), "{scope:?} {balance}");
        assert_eq!(b.psn_cash_pay, yuan("970") - yuan(acct), "{scope:?} {balance}");
        assert_eq!(b.psn_part_amt, yuan("970"));
    }
    let policy = employee();
    assert_eq!(run(&Claim { totals, ..claim(&policy, "0") }).acct_pay, Fen::ZERO);
}

#[test]
fn the_account_sees_what_every_fund_left() {
    let policy = employee();
    let assistance = Some(AssistanceCategory::MinimumLiving);
    let insured = Insured { civil_servant: true, assistance, ..claim(&policy, "0").insured };
    // Burden 1,070.00; civil servant 85.00; assistance 70 % of 985.00 = 689.50; 295.50 are left.
    let b =
        run(&Claim { insured, account: Account::Used { balance: yuan("5000") }, ..claim(&policy, "1900") });
    assert_eq!(texts([b.maf_pay, b.acct_pay, b.psn_cash_pay]), ["689.50", "295.50", "0.00"]);
}

#[test]
fn unfiled_claims_are_refused_where_the_pack_says_so() {
    let mut policy = (*employee()).clone();
    policy.filing_terms.unfiled = UnfiledClaims::Refuse;
    for level in BenefitLevel::ALL {
        let result = compute(&Claim { level, ..claim(&policy, "1900") }, &mut NoTrace);
        let refused = (level == BenefitLevel::Unfiled).then_some(NoBenefit::UnfiledRefused);
        assert_eq!(result.err(), refused, "{level}");
    }
}

#[test]
fn a_negative_total_is_refused_by_name() {
    let policy = employee();
    let fen = Fen(-1);
    let plain = BillTotals { in_scope: yuan("1"), ..BillTotals::default() };
    for (totals, field) in [
        (BillTotals { full_own_pay: fen, ..plain }, "fulamt_ownpay_amt"),
        (BillTotals { over_limit: fen, ..plain }, "overlmt_selfpay"),
        (BillTotals { first_pay: fen, ..plain }, "preselfpay_amt"),
        (BillTotals { in_scope: fen, ..plain }, "inscp_scp_amt"),
    ] {
        let refused = compute(&Claim { totals, ..claim(&policy, "0") }, &mut NoTrace);
        assert_eq!(refused, Err(NoBenefit::NegativeTotal { field, amount: fen }));
    }
}

#[test]
fn amounts_beyond_all_measure_are_refused() {
    let policy = employee_with(|rules| rules.pool_cap = None);
    let totals = BillTotals { in_scope: Fen(i64::MAX / 4), ..BillTotals::default() };
    let refused = compute(&Claim { totals, ..claim(&policy, "0") }, &mut NoTrace);
    assert_eq!(refused, Err(NoBenefit::OutOfRange(OutOfRange)));
}

#[test]
fn maternity_pays_by_ratio_limit_or_sum_without_deductible() {
    let policy = policy(tp1::tp1(), Scheme::Maternity);
    for (kind, in_scope, hifp, owed, pool_rate) in [
        (5, "1000.01", "850.01", "0.00", "0.85"),
        (3, "5999.99", "5999.99", "0.00", "1"),
        (3, "6000.01", "6000.00", "0.00", "1"),
        (1, "1799.99", "1799.99", "0.01", "1"),
        (1, "1800.01", "1800.00", "0.00", "1"),
        (1, "0", "0.00", "1800.00", "1"),
    ] {
        let maternity = Some(MaternityKind(kind));
        let b = run(&Claim { maternity, level: BenefitLevel::Unfiled, ..claim(&policy, in_scope) });
        assert_eq!(texts([b.hifp_pay, b.owed_to_person]), [hifp, owed], "{kind} {in_scope}");
        assert_eq!((b.dedc_std, b.pool_rate), (Fen::ZERO, rate(pool_rate)), "{kind}");
        let change = Accumulators {
            admissions: 1,
            hifp: b.hifp_pay,
            burden: yuan(in_scope) - b.hifp_pay,
            ..Accumulators::ZERO
        };
        assert_eq!(b.change, change);
        let payable_max: Vec<Fen> = b.funds.iter().map(|row| row.payable_max).collect();
        let room = if kind == 5 {
            yuan(in_scope)
        } else if kind == 3 {
            yuan("6000")
        } else {
            yuan("1800")
        };
        assert_eq!(payable_max, vec![room; usize::from(in_scope != "0")], "{kind} {in_scope}");
    }
    let without = compute(&claim(&policy, "1"), &mut NoTrace);
    assert_eq!(without, Err(NoBenefit::MaternityKindMissing));
    let unknown = Claim { maternity: Some(MaternityKind(9)), ..claim(&policy, "1") };
    assert_eq!(compute(&unknown, &mut NoTrace), Err(NoBenefit::MaternityKindNotRuled(MaternityKind(9))));
}

#[test]
fn the_parts_of_a_delivery_share_one_sum_and_only_the_last_owes() {
    let policy = policy(tp1::tp1(), Scheme::Maternity);
    let maternity = Some(MaternityKind(1));
    let first = run(&Claim { maternity, closes_stay: false, ..claim(&policy, "1000") });
    assert_eq!(texts([first.hifp_pay, first.owed_to_person]), ["1000.00", "0.00"]);
    let earlier = Some(EarlierParts { in_scope: yuan("1000"), deductible: Fen::ZERO, admissions_before: 0 });
    let last = run(&Claim { maternity, earlier, year: first.after(), ..claim(&policy, "500") });
    assert_eq!(texts([last.hifp_pay, last.owed_to_person]), ["500.00", "300.00"]);
    assert_eq!((last.funds[0].payable_max, last.change.admissions), (yuan("800"), 0));
    let over = run(&Claim { maternity, earlier, ..claim(&policy, "900") });
    assert_eq!(texts([over.hifp_pay, over.owed_to_person, over.psn_cash_pay]), ["800.00", "0.00", "100.00"]);
}

#[test]
fn the_account_pays_along_in_maternity_where_the_pack_allows() {
    let mut parts = tp1::tp1();
    let rules = MaternityRules { account: AccountScope::IN_SCOPE, ..tp1::maternity() };
    parts.maternity = tp1::always(rules);
    let policy = policy(parts, Scheme::Maternity);
    let account = Account::Used { balance: yuan("500") };
    let b = run(&Claim { maternity: Some(MaternityKind(1)), account, ..claim(&policy, "2000") });
    assert_eq!(texts([b.acct_pay, b.psn_cash_pay]), ["200.00", "0.00"]);
}

#[test]
fn work_injury_pays_all_of_it_as_other_fund() {
    let policy = policy(tp1::tp1(), Scheme::WorkInjury);
    let totals = BillTotals { full_own_pay: yuan("5"), ..claim(&policy, "1000").totals };
    let account = Account::Used { balance: yuan("500") };
    let b = run(&Claim { totals, account, level: BenefitLevel::Unfiled, ..claim(&policy, "0") });
    assert_eq!(
        texts([b.oth_pay, b.hifp_pay, b.dedc_std, b.acct_pay, b.psn_cash_pay]),
        ["1000.00", "0.00", "0.00", "0.00", "5.00"]
    );
    let row = FundRow {
        fund: Fund::WorkInjury,
        amount: yuan("1000"),
        in_scope: yuan("1000"),
        payable_max: yuan("1000"),
    };
    assert_eq!((b.funds.as_slice(), row.fund.code(), b.pool_rate), (&[row][..], 410_100, Rate::ONE));
    assert_eq!(b.change, Accumulators { admissions: 1, ..Accumulators::ZERO });
    assert_eq!(b.owed_to_person, Fen::ZERO);
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
