//! A table for each branch of the later funds and the person's part, with the figure on both sides of every
//! edge.

use super::*;
use crate::domain::bands::Bands;
use crate::domain::codes::ByLevel;
use crate::domain::pack::tp1::rate;
use crate::domain::parameters::Assistance;
use crate::domain::parameters::IllnessScale;
use crate::domain::parameters::UnfiledClaims;

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
