//! What holds for every pack and every bill.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::domain::accumulators::SettledPart;
use crate::domain::bands::Band;
use crate::domain::bands::Bands;
use crate::domain::calendar::BenefitYear;
use crate::domain::codes::ByLevel;
use crate::domain::pack::BasicRules;
use crate::domain::parameters::*;

fn any_rate() -> impl Strategy<Value = Rate> {
    (0_i64..=10_000).prop_map(|share| Rate(Decimal::new(share, 4)))
}

/// Amounts of every size, often small, often whole yuan.
fn any_fen() -> impl Strategy<Value = Fen> {
    prop_oneof![
        0_i64..200,
        0_i64..5_000_000,
        (0_i64..800_000).prop_map(|whole| whole * 100),
        0_i64..200_000_000
    ]
    .prop_map(Fen)
}

fn any_cap() -> impl Strategy<Value = Cap> {
    option::weighted(0.8, any_fen())
}

fn by_level<T: Copy + core::fmt::Debug>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = ByLevel<T>> {
    (option::of(value.clone()), value.clone(), value.clone(), value)
        .prop_map(|(primary, one, two, three)| ByLevel { primary, one, two, three })
}

fn bands<T: Copy + core::fmt::Debug>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Bands<T>> {
    (vec((1_i64..6_000_000, value.clone()), 0..4), value).prop_map(|(widths, last)| {
        let mut edge = 0;
        let closed = widths.into_iter().map(|(width, value)| {
            edge += width;
            Band { to: Some(Fen(edge)), value }
        });
        Bands::new(closed.chain([Band { to: None, value: last }]).collect()).unwrap()
    })
}

fn any_reduction() -> impl Strategy<Value = Reduction> {
    prop_oneof![
        Just(Reduction::None),
        any_rate().prop_map(Reduction::Points),
        any_rate().prop_map(Reduction::Multiply),
        any_rate().prop_map(Reduction::FirstPay),
    ]
}

fn any_basis() -> impl Strategy<Value = DeductibleBasis> {
    let factor = (0_i64..=200).prop_map(|hundredths| Decimal::new(hundredths, 2));
    prop_oneof![
        vec(factor, 1..4).prop_map(|list| DeductibleBasis::Admission(AdmissionFactors::new(&list).unwrap())),
        Just(DeductibleBasis::Year),
        Just(DeductibleBasis::InstitutionYear),
    ]
}

prop_compose! {
    fn any_deductible()(
        amount in by_level(0_i64..300_000),
        reduction in by_level(0_i64..100_000),
        basis in any_basis(),
    ) -> Deductible {
        let fen = |by: ByLevel<i64>| ByLevel {
            primary: by.primary.map(Fen),
            one: Fen(by.one),
            two: Fen(by.two),
            three: Fen(by.three),
        };
        Deductible { amount: fen(amount), retired_reduction: fen(reduction), basis }
    }
}

prop_compose! {
    fn any_ratios()(
        active in bands(by_level(any_rate().boxed()).boxed()),
        retired_bonus in any_rate(),
        from_age in 20_i32..80,
        age_bonus in any_rate(),
    ) -> Ratios {
        let age_bonuses = AgeBonuses::new(vec![(from_age, age_bonus)]);
        Ratios { active, retired: None, retired_bonus, age_bonuses }
    }
}

prop_compose! {
    fn any_scale()(start in any_fen(), tiers in bands(any_rate().boxed()), cap in any_cap()) -> IllnessScale {
        IllnessScale { start, tiers, cap }
    }
}

prop_compose! {
    fn any_filing()(reduction in any_reduction(), hundredths in 0_i64..=200) -> FilingRows {
        let row = FilingRow { reduction, deductible_factor: Decimal::new(hundredths, 2) };
        FilingRows { active: FilingTable { referral: row, ..tp1::filing_table() }, retired: None }
    }
}

prop_compose! {
    fn any_rules()(
        (deductible, ratios, filing) in (any_deductible(), any_ratios(), any_filing()),
        pool_cap in any_cap(),
        large in option::of((any_rate(), any_cap())),
        illness in option::of(any_scale()),
        civil_servant in any_rate(),
        assistance in option::of((any_rate(), any_cap())),
        scope in any::<[bool; 4]>(),
    ) -> BasicRules {
        let help = assistance.map(|(ratio, cap)| Assistance { ratio, cap });
        let table = AssistanceTable::none();
        let [first_pay, in_scope, class_c, over_limit] = scope;
        BasicRules {
            deductible,
            ratios,
            filing,
            pool_cap,
            large_amount: large.map(|(ratio, cap)| LargeAmount { ratio, cap }),
            serious_illness: illness.map(|general| SeriousIllness { general, overrides: vec![] }),
            civil_servant,
            assistance: help.map_or(table, |help| table.with(AssistanceCategory::MinimumLiving, help)),
            account: AccountScope { first_pay, in_scope, class_c, over_limit },
        }
    }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (any_rules(), any::<bool>()).prop_map(|(rules, resident)| {
        let scheme = if resident { Scheme::Resident } else { Scheme::Employee };
        Policy { scheme, rules: SchemeRules::Basic(Box::new(rules)), ..(*employee()).clone() }
    })
}

prop_compose! {
    fn any_insured()(
        retired in any::<bool>(),
        age in 0_i32..100,
        civil_servant in any::<bool>(),
        assisted in any::<bool>(),
    ) -> Insured {
        let status = if retired { WorkStatus::Retired } else { WorkStatus::Active };
        let assistance = assisted.then_some(AssistanceCategory::MinimumLiving);
        Insured { status, age, civil_servant, assistance }
    }
}

prop_compose! {
    fn any_year()(
        admissions in 0_i64..5,
        amounts in (any_fen(), any_fen(), any_fen(), any_fen(), any_fen(), any_fen()),
    ) -> Accumulators {
        let (deductible, hifp, hifob, hifmi, burden, maf) = amounts;
        Accumulators { admissions, deductible, hifp, hifob, hifmi, burden, maf }
    }
}

fn any_level() -> impl Strategy<Value = BenefitLevel> {
    prop_oneof![
        4 => Just(BenefitLevel::Referral),
        1 => proptest::sample::select(BenefitLevel::ALL.to_vec()),
    ]
}

/// Everything of a claim but the policy.
#[derive(Clone, Debug)]
struct Case {
    hospital: HospitalLevel,
    insured: Insured,
    level: BenefitLevel,
    totals: BillTotals,
    year: Accumulators,
    institution_deductible: Fen,
    account: Account,
}

prop_compose! {
    fn any_case()(
        hospital in proptest::sample::select(HospitalLevel::ALL.to_vec()),
        insured in any_insured(),
        level in any_level(),
        (full_own_pay, over_limit, first_pay, in_scope) in (any_fen(), any_fen(), any_fen(), any_fen()),
        year in any_year(),
        institution_deductible in any_fen(),
        balance in option::of(any_fen()),
    ) -> Case {
        let totals = BillTotals { full_own_pay, over_limit, first_pay, in_scope };
        let account = balance.map_or(Account::NotUsed, |balance| Account::Used { balance });
        Case { hospital, insured, level, totals, year, institution_deductible, account }
    }
}

impl Case {
    fn claim<'a>(&self, policy: &'a Policy) -> Claim<'a> {
        Claim {
            policy,
            hospital: self.hospital,
            insured: self.insured,
            level: self.level,
            totals: self.totals,
            year: self.year,
            earlier: None,
            closes_stay: true,
            institution_deductible: self.institution_deductible,
            account: self.account,
            maternity: None,
        }
    }
}

fn uncapped(policy: &Policy) -> Policy {
    changed(policy, |rules| {
        rules.pool_cap = None;
        if let Some(illness) = &mut rules.serious_illness {
            illness.general.cap = None;
        }
    })
}

/// Settles a stay in parts, each after the one before.
fn in_parts(claim: &Claim<'_>, parts: &[Fen]) -> Vec<Breakdown> {
    let mut settled: Vec<SettledPart> = Vec::new();
    let (mut year, mut institution) = (claim.year, claim.institution_deductible);
    let mut results = Vec::new();
    for in_scope in parts {
        let totals = BillTotals { in_scope: *in_scope, ..BillTotals::default() };
        let earlier = EarlierParts::on_axis(&settled, BenefitYear(2026), true);
        let b = run(&Claim { totals, year, earlier, institution_deductible: institution, ..*claim });
        settled.push(SettledPart {
            year: BenefitYear(2026),
            in_scope: *in_scope,
            act_pay_dedc: b.act_pay_dedc,
            admissions_before: year.admissions,
        });
        year = b.after();
        institution += b.act_pay_dedc;
        results.push(b);
    }
    results
}

fn sum(parts: &[Breakdown], amount: fn(&Breakdown) -> Fen) -> Fen {
    parts.iter().map(amount).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// I1–I10 written out anew, beside the check that `compute` makes itself.
    #[test]
    fn every_identity_holds(policy in any_policy(), case in any_case()) {
        let claim = case.claim(&policy);
        let b = run(&claim);
        let funds = b.hifp_pay + b.hifob_pay + b.hifmi_pay + b.cvlserv_pay + b.maf_pay;
        prop_assert_eq!(b.medfee_sumamt, case.totals.fee());
        prop_assert_eq!(b.act_pay_dedc, b.dedc_std.min(case.totals.in_scope - b.extra_first_pay));
        prop_assert_eq!(b.fund_pay_sumamt, funds);
        prop_assert_eq!(b.medfee_sumamt, funds + b.psn_part_amt);
        prop_assert_eq!(b.psn_part_amt, b.acct_pay + b.psn_cash_pay);
        prop_assert!(funds <= case.totals.in_scope);
        prop_assert!(b.funds.iter().all(|row| row.amount > Fen::ZERO));
        prop_assert!(b.psn_cash_pay >= Fen::ZERO && b.acct_pay >= Fen::ZERO);
        let SchemeRules::Basic(rules) = &policy.rules else { panic!("basic") };
        let after = b.after();
        for (cap, before, after) in [
            (rules.pool_cap, case.year.hifp, after.hifp),
            (rules.large_amount.and_then(|rule| rule.cap), case.year.hifob, after.hifob),
            (rules.serious_illness.as_ref().and_then(|rule| rule.general.cap), case.year.hifmi, after.hifmi),
        ] {
            prop_assert!(cap.is_none_or(|cap| after <= cap.max(before)));
        }
    }

    #[test]
    fn a_reversal_takes_everything_back(policy in any_policy(), case in any_case()) {
        let b = run(&case.claim(&policy));
        let reversal = b.negated();
        prop_assert_eq!(reversal.check(), Ok(()));
        prop_assert_eq!(reversal.after(), case.year);
        prop_assert_eq!(reversal.medfee_sumamt + b.medfee_sumamt, Fen::ZERO);
        prop_assert_eq!(reversal.negated(), b);
    }

    /// F(with) − F(without): without caps, the parts of a stay sum to the stay settled at once.
    #[test]
    fn parts_sum_to_the_whole(policy in any_policy(), case in any_case(), parts in vec(any_fen(), 1..5)) {
        let policy = uncapped(&policy);
        let claim = case.claim(&policy);
        let totals = BillTotals { in_scope: parts.iter().copied().sum(), ..BillTotals::default() };
        let whole = run(&Claim { totals, ..claim });
        let results = in_parts(&claim, &parts);
        let amounts: [fn(&Breakdown) -> Fen; 5] =
            [|b| b.hifp_pay, |b| b.act_pay_dedc, |b| b.extra_first_pay, Breakdown::burden, |b| b.hifmi_pay];
        for amount in amounts {
            prop_assert_eq!(sum(&results, amount), amount(&whole));
        }
        prop_assert_eq!(results.iter().map(|b| b.change.admissions).sum::<i64>(), 1);
        prop_assert_eq!(results[0].dedc_std, whole.dedc_std);
    }

    /// Whatever the caps, parts never get past them and hold the identities (which `compute` proves).
    #[test]
    fn capped_parts_stay_under_the_cap(
        policy in any_policy(),
        case in any_case(),
        parts in vec(any_fen(), 1..5),
    ) {
        let results = in_parts(&case.claim(&policy), &parts);
        let SchemeRules::Basic(rules) = &policy.rules else { panic!("basic") };
        let last = results.last().map(Breakdown::after).unwrap();
        prop_assert!(rules.pool_cap.is_none_or(|cap| last.hifp <= cap.max(case.year.hifp)));
    }

    /// More in scope never gets less from the pool, nor leaves less deductible paid.
    #[test]
    fn the_pool_grows_with_the_bill(policy in any_policy(), case in any_case(), more in any_fen()) {
        let claim = case.claim(&policy);
        let totals = BillTotals { in_scope: case.totals.in_scope + more, ..case.totals };
        let (small, large) = (run(&claim), run(&Claim { totals, ..claim }));
        prop_assert!(small.hifp_pay <= large.hifp_pay);
        prop_assert!(small.act_pay_dedc <= large.act_pay_dedc);
    }

    /// No reduction by filing ever pays more than none.
    #[test]
    fn a_reduction_never_pays_more(policy in any_policy(), case in any_case()) {
        let full = changed(&policy, |rules| rules.filing.active.referral.reduction = Reduction::None);
        let claim = Claim { level: BenefitLevel::Referral, ..case.claim(&policy) };
        let unreduced = run(&Claim { policy: &full, ..claim });
        prop_assert!(run(&claim).hifp_pay <= unreduced.hifp_pay);
    }

    /// The account changes who pays the person's part, never how much it is.
    #[test]
    fn the_account_never_changes_the_funds(policy in any_policy(), case in any_case(), balance in any_fen()) {
        let claim = case.claim(&policy);
        let without = run(&Claim { account: Account::NotUsed, ..claim });
        let with = run(&Claim { account: Account::Used { balance }, ..claim });
        prop_assert!(with.acct_pay <= balance);
        prop_assert_eq!(with.psn_part_amt, without.psn_cash_pay);
        prop_assert_eq!(with.funds, without.funds);
    }

    /// 大病 of a year does not depend on how its burden is cut into bills.
    #[test]
    fn serious_illness_does_not_depend_on_the_cut(scale in any_scale(), bills in vec(any_fen(), 1..6)) {
        let policy = resident_with(|rules| {
            let general = IllnessScale { cap: None, ..scale };
            rules.serious_illness = Some(SeriousIllness { general, overrides: vec![] });
            rules.ratios.active = Bands::flat(ByLevel::all(Rate::ZERO));
        });
        let paid = |bills: &[Fen]| {
            bills.iter().fold(Accumulators::ZERO, |year, bill| {
                let totals = BillTotals { in_scope: *bill, ..BillTotals::default() };
                run(&Claim { totals, year, ..claim(&policy, "0") }).after()
            })
        };
        let year: Fen = bills.iter().copied().sum();
        prop_assert_eq!(paid(&bills).hifmi, paid(&[year]).hifmi);
        prop_assert_eq!(paid(&bills).burden, year);
    }
}
