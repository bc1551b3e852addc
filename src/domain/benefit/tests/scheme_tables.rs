//! Maternity and work injury, rules.md §2.8.

use super::*;
use crate::domain::pack::tp1::rate;
use crate::domain::parameters::MaternityRules;

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
