//! Owns the synthetic pack TP-1 of rules.md §2.5, as the tests of this layer use it.

use rust_decimal::Decimal;

use crate::domain::bands::Band;
use crate::domain::bands::Bands;
use crate::domain::calendar::Day;
use crate::domain::calendar::YearStart;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::ByLevel;
use crate::domain::codes::CareKind;
use crate::domain::codes::InsuranceCode;
use crate::domain::codes::MaternityKind;
use crate::domain::dated::Dated;
use crate::domain::dated::Timeline;
use crate::domain::dated::Trust;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::pack::BasicParameters;
use crate::domain::pack::PackParts;
use crate::domain::pack::PackStatus;
use crate::domain::parameters::*;

pub(crate) fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

pub(crate) fn rate(text: &str) -> Rate {
    Rate(text.parse().unwrap())
}

pub(crate) fn yuan(text: &str) -> Fen {
    Fen::from_yuan(text.parse().unwrap()).unwrap()
}

/// In force from 2020 on.
pub(crate) fn always<T>(value: T) -> Timeline<T> {
    from_days(vec![(20_200_101, value)])
}

/// Each value from its day on.
pub(crate) fn from_days<T>(values: Vec<(i32, T)>) -> Timeline<T> {
    let entry = |(from, value)| Dated {
        from: day(from),
        value,
        source: "rules.md §2.5".into(),
        checked_on: None,
        trust: Trust::Synthetic,
    };
    Timeline::new(values.into_iter().map(entry).collect()).unwrap()
}

pub(crate) fn points(by: &str, factor: &str) -> FilingRow {
    let reduction = if rate(by) == Rate::ZERO { Reduction::None } else { Reduction::Points(rate(by)) };
    FilingRow { reduction, deductible_factor: factor.parse().unwrap() }
}

pub(crate) fn filing_table() -> FilingTable {
    FilingTable {
        local: FilingRow::FULL,
        in_province: FilingRow::FULL,
        long_term: FilingRow::FULL,
        long_term_home: points("0.10", "1"),
        referral: points("0.10", "1"),
        emergency: points("0.10", "1"),
        other_temporary: points("0.20", "1"),
        unfiled: points("0.30", "1.5"),
    }
}

pub(crate) fn segments(three_levels: [&str; 3]) -> Bands<ByLevel<Rate>> {
    let [one, two, three] = three_levels.map(rate);
    Bands::flat(ByLevel::new(one, two, three))
}

fn deductible(retired_reduction: &str) -> Deductible {
    let factors = AdmissionFactors::new(&[Decimal::ONE, Decimal::new(5, 1)]).unwrap();
    Deductible {
        amount: ByLevel::new(yuan("500"), yuan("600"), yuan("900")),
        retired_reduction: ByLevel::all(yuan(retired_reduction)),
        basis: DeductibleBasis::Admission(factors),
    }
}

fn basic(deductible: Deductible, ratios: Ratios, pool_cap: &str) -> BasicParameters {
    let low = Assistance { ratio: rate("0.70"), cap: Some(yuan("80000")) };
    BasicParameters {
        deductible: always(deductible),
        ratios: always(ratios),
        filing: always(FilingRows { active: filing_table(), retired: None }),
        pool_cap: always(Some(yuan(pool_cap))),
        civil_servant: always(rate("0.50")),
        assistance: always(AssistanceTable::none().with(AssistanceCategory::MinimumLiving, low)),
        account: always(AccountScope::IN_SCOPE),
        ..BasicParameters::default()
    }
}

fn employee() -> BasicParameters {
    let ratios = Ratios {
        active: segments(["0.93", "0.90", "0.83"]),
        retired: None,
        retired_bonus: rate("0.03"),
        age_bonuses: AgeBonuses::default(),
    };
    BasicParameters {
        large_amount: always(Some(LargeAmount { ratio: rate("0.90"), cap: Some(yuan("200000")) })),
        ..basic(deductible("100"), ratios, "600000")
    }
}

pub(crate) fn illness_scale() -> IllnessScale {
    let tier = |to: Option<&str>, ratio| Band { to: to.map(yuan), value: rate(ratio) };
    let tiers = vec![tier(Some("50000"), "0.60"), tier(Some("100000"), "0.70"), tier(None, "0.80")];
    IllnessScale { start: yuan("12000"), tiers: Bands::new(tiers).unwrap(), cap: Some(yuan("400000")) }
}

fn resident() -> BasicParameters {
    let ratios = Ratios {
        active: segments(["0.88", "0.82", "0.72"]),
        retired: None,
        retired_bonus: Rate::ZERO,
        age_bonuses: AgeBonuses::default(),
    };
    let illness = SeriousIllness { general: illness_scale(), overrides: vec![] };
    BasicParameters { serious_illness: always(Some(illness)), ..basic(deductible("0"), ratios, "540000") }
}

/// Fixed sums of rules.md §2.8 for natural delivery and dystocia, a ratio and a limit for other kinds.
pub(crate) fn maternity() -> MaternityRules {
    let row = |kind, pay| (MaternityKind(kind), ByLevel::all(pay));
    MaternityRules {
        claims: vec![
            (InsuranceCode::MATERNITY, None),
            (InsuranceCode::EMPLOYEE, Some(CareKind::DELIVERY)),
            (InsuranceCode::RESIDENT, Some(CareKind::DELIVERY)),
        ],
        rows: vec![
            row(1, MaternityPay::Fixed(yuan("1800"))),
            row(4, MaternityPay::Fixed(yuan("2300"))),
            row(3, MaternityPay::Limit(yuan("6000"))),
            row(5, MaternityPay::Ratio(rate("0.85"))),
        ],
        account: AccountScope::NOTHING,
    }
}

pub(crate) fn filing_terms() -> FilingTerms {
    FilingTerms {
        unfiled: UnfiledClaims::Settle,
        in_province: InProvinceCare::NoFilingNeeded,
        temporary_months: 6,
        long_term_lock_months: 6,
        commitment_months: None,
        emergency_window_days: None,
    }
}

pub(crate) fn tp1() -> PackParts {
    PackParts {
        region: RegionCode(440_700),
        name: "TP-1".into(),
        status: PackStatus::Synthetic,
        hash: "tp-1".into(),
        year_start: always(YearStart::JANUARY),
        filing_terms: always(filing_terms()),
        stays: always(StayRules::USUAL),
        employee: Some(employee()),
        resident: Some(resident()),
        maternity: always(maternity()),
        work_injury: always(InjuryRules { insurance: InsuranceCode(410) }),
    }
}
