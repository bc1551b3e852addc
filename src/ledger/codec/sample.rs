//! Owns samples of everything that is kept, drawn by chance: every shape makes its own, so that none can be forgotten.

use std::sync::Arc;

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::domain::benefit::Account;
use crate::domain::benefit::Insured;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Fund;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::PersonType;
use crate::domain::filing::FiledBy;
use crate::domain::filing::FilingCategory;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::record::Body;
use crate::domain::record::ClaimFacts;
use crate::domain::record::LineTotals;
use crate::domain::record::Private;
use crate::domain::record::Reversal;
use crate::domain::record::Revival;
use crate::domain::record::Settlement;

pub(crate) type Chance = ChaCha8Rng;

pub(crate) trait Sample {
    fn sample(chance: &mut Chance) -> Self;
}

pub(super) fn one_of<'a, T>(chance: &mut Chance, each: &'a [T]) -> &'a T {
    each.choose(chance).expect("there is one")
}

/// No blanks, up to 30 characters, some of them beyond ASCII.
pub(super) fn identifier(chance: &mut Chance) -> String {
    let length = chance.random_range(1..=30);
    (0..length).map(|_| *one_of(chance, &['A', 'z', '0', '9', '-', '"', '\\', '/', '就', '𝟙'])).collect()
}

/// Empty half the time, so that what is left out when it has its default is met.
impl Sample for SmolStr {
    fn sample(chance: &mut Chance) -> SmolStr {
        String::sample(chance).into()
    }
}

impl Sample for String {
    fn sample(chance: &mut Chance) -> String {
        if chance.random_bool(0.5) {
            return String::new();
        }
        let length = chance.random_range(1..20);
        (0..length).map(|_| *one_of(chance, &['a', ' ', '"', '\\', '\n', '\u{0}', '{', '医', '😷'])).collect()
    }
}

impl Sample for Box<str> {
    fn sample(chance: &mut Chance) -> Box<str> {
        String::sample(chance).into()
    }
}

impl<T: Sample> Sample for Arc<T> {
    fn sample(chance: &mut Chance) -> Arc<T> {
        Arc::new(T::sample(chance))
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(chance: &mut Chance) -> Option<T> {
        chance.random_bool(0.5).then(|| T::sample(chance))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(chance: &mut Chance) -> Vec<T> {
        let length = chance.random_range(0..4);
        (0..length).map(|_| T::sample(chance)).collect()
    }
}

impl<A: Sample, B: Sample> Sample for (A, B) {
    fn sample(chance: &mut Chance) -> (A, B) {
        (A::sample(chance), B::sample(chance))
    }
}

impl Sample for [u8; 32] {
    fn sample(chance: &mut Chance) -> [u8; 32] {
        chance.random()
    }
}

impl Sample for [u8; 16] {
    fn sample(chance: &mut Chance) -> [u8; 16] {
        chance.random()
    }
}

impl Sample for bool {
    fn sample(chance: &mut Chance) -> bool {
        chance.random()
    }
}

macro_rules! any_number {
    ($($number:ty),*) => {$(
        impl Sample for $number {
            fn sample(chance: &mut Chance) -> $number {
                *one_of(chance, &[0, 1, <$number>::MAX, <$number>::MIN, 17])
            }
        }
    )*};
}
any_number!(u8, u16, u32, u64, i32, i64);

impl Sample for Decimal {
    fn sample(chance: &mut Chance) -> Decimal {
        let digits = chance.random_range(-999_999_999_999_i64..=999_999_999_999);
        Decimal::new(digits, chance.random_range(0..=20))
    }
}

macro_rules! wrapped {
    ($($type:ident),*) => {$(
        impl Sample for $type {
            fn sample(chance: &mut Chance) -> $type {
                $type(Sample::sample(chance))
            }
        }
    )*};
}
wrapped!(RegionCode, Instant, BenefitYear, MaternityKind, Rate);

impl Sample for Fen {
    fn sample(chance: &mut Chance) -> Fen {
        *one_of(chance, &[Fen::ZERO, Fen(1), Fen(17), Fen::LIMIT, -Fen::LIMIT])
    }
}

impl Sample for Day {
    fn sample(chance: &mut Chance) -> Day {
        let first = Day::new(1900, 1, 1).expect("a day");
        let last = Day::new(2199, 12, 31).expect("a day");
        first.plus_days(chance.random_range(0..=last.days_since(first)))
    }
}

impl Sample for Moment {
    fn sample(chance: &mut Chance) -> Moment {
        let (hour, minute) = (chance.random_range(0..24), chance.random_range(0..60));
        Moment::new(Day::sample(chance), hour, minute, chance.random_range(0..60)).expect("a moment")
    }
}

impl Sample for PersonType {
    fn sample(chance: &mut Chance) -> PersonType {
        PersonType::new(chance.random_range(10..1_000_000)).expect("a person type")
    }
}

impl Sample for AssistanceCategory {
    fn sample(chance: &mut Chance) -> AssistanceCategory {
        *one_of(chance, &AssistanceCategory::ALL)
    }
}

impl Sample for Fund {
    fn sample(chance: &mut Chance) -> Fund {
        *one_of(chance, &Fund::ALL)
    }
}

impl Sample for FilingCategory {
    fn sample(chance: &mut Chance) -> FilingCategory {
        *one_of(chance, &FilingCategory::ALL)
    }
}

impl Sample for Account {
    fn sample(chance: &mut Chance) -> Account {
        Option::sample(chance).map_or(Account::NotUsed, |balance| Account::Used { balance })
    }
}

impl Sample for FiledBy {
    fn sample(chance: &mut Chance) -> FiledBy {
        let hospital = FiledBy::Hospital { code: Sample::sample(chance), pool: Sample::sample(chance) };
        one_of(chance, &[hospital, FiledBy::Center, FiledBy::Person, FiledBy::Import]).clone()
    }
}

impl Sample for Private {
    fn sample(chance: &mut Chance) -> Private {
        let each: [fn(&mut Chance) -> Private; 5] = [
            |_| Private::None,
            |chance| Private::Person(Sample::sample(chance)),
            |chance| Private::Admission(Sample::sample(chance)),
            |chance| Private::Filing(Sample::sample(chance)),
            |chance| Private::Discharge(Sample::sample(chance)),
        ];
        one_of(chance, &each)(chance)
    }
}

macro_rules! sampled {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Sample for $type {
            fn sample(chance: &mut Chance) -> $type {
                $type { $($field: Sample::sample(chance)),* }
            }
        }
    )*};
}

sampled! {
    Insured { status, age, civil_servant, assistance }
    ClaimFacts {
        hospital, insured, level, totals, year, earlier, closes_stay, institution_deductible, account, maternity,
    }
    Breakdown {
        direction, medfee_sumamt, fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt, extra_first_pay,
        dedc_std, act_pay_dedc, hifp_pay, hifob_pay, hifmi_pay, hifes_pay, cvlserv_pay, maf_pay, hifdm_pay, oth_pay,
        fund_pay_sumamt, psn_part_amt, hosp_part_amt, acct_pay, acct_mulaid_pay, psn_cash_pay, pool_rate,
        owed_to_person, funds, before, change,
    }
    LineTotals { amount, class_c, over_limit, first_pay, in_scope, count }
    Settlement {
        id, part, up_to, scheme, insutype, med_type, person_type, civil_servant, year, admitted, policy_day, pack,
        institution, institution_region, institution_pool, insured_region, insured_pool, clearing_agency,
        clearing_type, clearing_way, filing, facts, breakdown, days, balance_left, psn_setlway, credential_type,
        invoice, entries,
    }
    Reversal { id, original, original_version, original_at, settlement, undoes, balance_left, entries }
    Revival { id, settlement, restores, original_version, reversal, undoes, balance_left, entries }
}

/// One body of each kind.
pub(super) fn bodies(chance: &mut Chance) -> [Body; 17] {
    [
        Body::Registered(Sample::sample(chance)),
        Body::BalanceTaken(Sample::sample(chance)),
        Body::OutsideEvent(Sample::sample(chance)),
        Body::FilingMade(Sample::sample(chance)),
        Body::FilingEnded(Sample::sample(chance)),
        Body::Admitted(Sample::sample(chance)),
        Body::AdmissionChanged(Sample::sample(chance)),
        Body::AdmissionCancelled,
        Body::Discharged(Sample::sample(chance)),
        Body::DischargeCancelled,
        Body::LinesUploaded(Sample::sample(chance)),
        Body::LinesWithdrawn(Sample::sample(chance)),
        Body::Settled(Box::new(Sample::sample(chance))),
        Body::Reversed(Box::new(Sample::sample(chance))),
        Body::Revived(Box::new(Sample::sample(chance))),
        Body::Fenced(Sample::sample(chance)),
        Body::UndoneWithoutEffect(Sample::sample(chance)),
    ]
}
