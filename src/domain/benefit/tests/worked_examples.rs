//! rules.md §2.6 to 2.8, to the fen.

use super::*;
use crate::domain::accumulators::SettledPart;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::YearStart;
use crate::domain::codes::ByLevel;
use crate::domain::codes::Scheme;
use crate::domain::parameters::FilingRow;
use crate::domain::parameters::MaternityPay;
use crate::domain::parameters::MaternityRules;
use crate::domain::parameters::Reduction;
use crate::domain::parameters::StayRules;

/// Bill M.
fn bill_m() -> BillTotals {
    BillTotals {
        full_own_pay: yuan("1234.45"),
        over_limit: yuan("1300"),
        first_pay: yuan("2505.50"),
        in_scope: yuan("37029.50"),
    }
}

fn money(b: &Breakdown) -> [String; 7] {
    texts([
        b.medfee_sumamt,
        b.inscp_scp_amt,
        b.act_pay_dedc,
        b.hifp_pay,
        b.fund_pay_sumamt,
        b.psn_part_amt,
        b.psn_cash_pay,
    ])
}

#[test]
fn e01_long_term() {
    let policy = employee();
    let b = run(&Claim { totals: bill_m(), ..claim(&policy, "0") });
    assert_eq!(money(&b), ["42069.45", "37029.50", "900.00", "29987.49", "29987.49", "12081.96", "12081.96"]);
    assert_eq!(texts([b.dedc_std, b.burden()]), ["900.00", "7042.01"]);
    assert_eq!(b.pool_rate, tp1::rate("0.83"));
    let row = FundRow {
        fund: Fund::EmployeePool,
        amount: yuan("29987.49"),
        in_scope: yuan("37029.50"),
        payable_max: yuan("600000"),
    };
    assert_eq!(b.funds, [row]);
    let after = b.after();
    assert_eq!((after.admissions, after.hifp, after.burden), (1, yuan("29987.49"), yuan("7042.01")));
    assert_eq!(after.deductible, yuan("900"));
}

#[test]
fn e04_unfiled() {
    let policy = employee();
    let b = run(&Claim { totals: bill_m(), level: BenefitLevel::Unfiled, ..claim(&policy, "0") });
    assert_eq!(
        money(&b),
        ["42069.45", "37029.50", "1350.00", "18910.14", "18910.14", "23159.31", "23159.31"]
    );
    assert_eq!((b.burden(), b.pool_rate), (yuan("18119.36"), tp1::rate("0.53")));
}

#[test]
fn e08_resident_referral_second_admission() {
    let policy = resident();
    let b = run(&Claim {
        totals: BillTotals {
            full_own_pay: yuan("900"),
            over_limit: Fen::ZERO,
            first_pay: yuan("2400"),
            in_scope: yuan("48600"),
        },
        level: BenefitLevel::Referral,
        year: Accumulators { admissions: 1, hifp: yuan("9000"), burden: yuan("3500"), ..Accumulators::ZERO },
        ..claim(&policy, "0")
    });
    assert_eq!(money(&b), ["51900.00", "48600.00", "450.00", "29853.00", "36001.20", "15898.80", "15898.80"]);
    assert_eq!(texts([b.burden(), b.hifmi_pay, b.after().burden]), ["18747.00", "6148.20", "22247.00"]);
    let codes: Vec<u32> = b.funds.iter().map(|row| row.fund.code()).collect();
    assert_eq!(codes, [390_100, 390_200]);
    assert_eq!((b.funds[1].in_scope, b.funds[1].payable_max), (yuan("18747"), yuan("400000")));
}

#[test]
fn e11_settle_reverse_settle_again() {
    let policy = employee();
    let after_e01 = run(&Claim { totals: bill_m(), ..claim(&policy, "0") }).after();
    let second = |first_pay, own: &str, in_scope: &str| {
        run(&Claim {
            hospital: HospitalLevel::Two,
            totals: BillTotals {
                full_own_pay: yuan(own),
                over_limit: Fen::ZERO,
                first_pay: yuan(first_pay),
                in_scope: yuan(in_scope),
            },
            year: after_e01,
            ..claim(&policy, "0")
        })
    };
    let year = |a: Accumulators| (a.admissions, a.hifp.to_string(), a.burden.to_string());

    let first = second("128.32", "310.10", "7638.09");
    assert_eq!(money(&first), ["8076.51", "7638.09", "300.00", "6604.28", "6604.28", "1472.23", "1472.23"]);
    assert_eq!(year(first.after()), (2, "36591.77".into(), "8075.82".into()));

    let reversal = first.negated();
    reversal.check().unwrap();
    assert_eq!(
        money(&reversal),
        ["-8076.51", "-7638.09", "-300.00", "-6604.28", "-6604.28", "-1472.23", "-1472.23"]
    );
    assert_eq!(reversal.after(), after_e01);

    let again = second("128.32", "310.10", "8412.09");
    assert_eq!(money(&again), ["8850.51", "8412.09", "300.00", "7300.88", "7300.88", "1549.63", "1549.63"]);
    assert_eq!(year(again.after()), (2, "37288.37".into(), "8153.22".into()));
}

#[test]
fn bill_m_as_prepay() {
    let policy = employee_with(|rules| {
        let reduction = Reduction::FirstPay(tp1::rate("0.20"));
        rules.filing.active.other_temporary = FilingRow { reduction, ..FilingRow::FULL };
    });
    let b = run(&Claim { totals: bill_m(), level: BenefitLevel::OtherTemporary, ..claim(&policy, "0") });
    assert_eq!(texts([b.extra_first_pay, b.act_pay_dedc, b.hifp_pay]), ["7405.90", "900.00", "23840.59"]);
    assert_eq!(b.psn_part_amt, yuan("18228.86"));
    assert_eq!((b.burden(), b.preselfpay_amt), (yuan("13188.91"), yuan("2505.50")));
    assert_eq!(b.pool_rate, tp1::rate("0.83"));
}

/// The part after one of 20,000.00 in scope.
fn second_part<'a>(policy: &'a Policy, first: &Breakdown) -> Claim<'a> {
    let year = BenefitYear(2026);
    let settled = SettledPart {
        year,
        in_scope: first.inscp_scp_amt,
        act_pay_dedc: first.act_pay_dedc,
        admissions_before: first.before.admissions,
    };
    let earlier = EarlierParts::on_axis(&[settled], year, true);
    Claim { year: first.after(), earlier, ..claim(policy, "17029.50") }
}

#[test]
fn bill_m_in_two_parts() {
    let policy = employee();
    let first = run(&Claim { closes_stay: false, ..claim(&policy, "20000") });
    assert_eq!(texts([first.dedc_std, first.act_pay_dedc, first.hifp_pay]), ["900.00", "900.00", "15853.00"]);
    let second = run(&second_part(&policy, &first));
    assert_eq!(texts([second.dedc_std, second.act_pay_dedc, second.hifp_pay]), ["0.00", "0.00", "14134.49"]);
    assert_eq!((first.change.admissions, second.change.admissions), (1, 0));
    assert_eq!(second.after().hifp, yuan("29987.49"));
}

#[test]
fn a_referral_filed_between_the_parts() {
    let policy = employee();
    let first = run(&Claim { closes_stay: false, ..claim(&policy, "20000") });
    let second = run(&Claim { level: BenefitLevel::Referral, ..second_part(&policy, &first) });
    assert_eq!(second.hifp_pay, yuan("12431.54"));
    assert_eq!(second.pool_rate, tp1::rate("0.73"));
}

#[test]
fn a_fixed_maternity_sum_owes_the_rest_to_the_person() {
    let policy = policy(tp1::tp1(), Scheme::Maternity);
    let kind = |kind| Claim { maternity: Some(MaternityKind(kind)), ..claim(&policy, "1500") };
    let natural = run(&kind(1));
    assert_eq!(
        texts([natural.hifp_pay, natural.owed_to_person, natural.psn_cash_pay]),
        ["1500.00", "300.00", "0.00"]
    );
    assert_eq!(natural.funds[0].fund.code(), 510_100);
    let dystocia =
        run(&Claim { totals: BillTotals { in_scope: yuan("2300.01"), ..kind(4).totals }, ..kind(4) });
    assert_eq!(
        texts([dystocia.hifp_pay, dystocia.owed_to_person, dystocia.psn_cash_pay]),
        ["2300.00", "0.00", "0.01"]
    );
}

/// The only Jiangmen sums with a source in hand: from August 1992, and from 1995.
#[test]
fn maternity_sums_go_by_the_day_of_discharge() {
    let sums = |natural, dystocia| {
        let row = |kind, sum| (MaternityKind(kind), ByLevel::all(MaternityPay::Fixed(yuan(sum))));
        MaternityRules { rows: vec![row(1, natural), row(4, dystocia)], ..tp1::maternity() }
    };
    let mut parts = tp1::tp1();
    parts.maternity =
        tp1::from_days(vec![(19_920_801, sums("1500", "1800")), (19_950_101, sums("1800", "2300"))]);
    parts.year_start = tp1::from_days(vec![(19_900_101, YearStart::JANUARY)]);
    parts.filing_terms = tp1::from_days(vec![(19_900_101, tp1::filing_terms())]);
    parts.stays = tp1::from_days(vec![(19_900_101, StayRules::USUAL)]);
    let pack = Pack::new(parts).unwrap();
    assert!(pack.policy(Scheme::Maternity, tp1::day(19_920_731)).is_err());
    for (discharged, kind, hifp) in [
        (19_920_801, 1, "1500.00"),
        (19_941_231, 4, "1800.00"),
        (19_950_101, 1, "1800.00"),
        (19_950_101, 4, "2300.00"),
    ] {
        let policy = pack.policy(Scheme::Maternity, tp1::day(discharged)).unwrap();
        let b = run(&Claim { maternity: Some(MaternityKind(kind)), ..claim(&policy, "5000") });
        assert_eq!(b.hifp_pay.to_string(), hifp, "{discharged} {kind}");
    }
}
