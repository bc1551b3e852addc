//! The reference's packs as the domain's.
use crate::reference::number::{Fen as RefFen, Parts};
use crate::reference::pack::{
    AccountScope as RefAccount, Band as RefBand, Benefit, DeductibleBasis as RefBasis, MaternityRule,
    Pack as RefPack, Reduction as RefReduction, Scheme as RefScheme, SchemeRules,
    SeriousIllness as RefIllness,
};
use banyan::domain::bands::{Band, Bands};
use banyan::domain::calendar::{Day, YearStart};
use banyan::domain::codes::{AssistanceCategory, ByLevel, CareKind, InsuranceCode, MaternityKind};
use banyan::domain::dated::{Dated, Timeline, Trust};
use banyan::domain::ids::RegionCode;
use banyan::domain::money::{Fen, Rate};
use banyan::domain::pack::{BasicParameters, Pack, PackParts, PackStatus};
use banyan::domain::parameters::{
    AccountScope, AdmissionFactors, AgeBonuses, Assistance, AssistanceTable, Deductible, DeductibleBasis,
    FilingRow, FilingRows, FilingTable, FilingTerms, IllnessScale, InProvinceCare, InjuryRules, LargeAmount,
    MaternityPay, MaternityRules, Ratios, Reduction, SeriousIllness, StayRules, UnfiledClaims,
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::sync::Arc;

pub(super) fn day(date: Date) -> Day {
    Day::new(date.year(), date.month(), date.day()).unwrap()
}

pub(super) fn decimal(number: Parts) -> Decimal {
    Decimal::new(number, 4)
}

fn rate(number: Parts) -> Rate {
    Rate(decimal(number))
}

pub(super) fn category(number: u8) -> AssistanceCategory {
    match number {
        1 => AssistanceCategory::MinimumLiving,
        2 => AssistanceCategory::ExtremeHardship,
        _ => AssistanceCategory::LowIncome,
    }
}

/// One value from each version of the pool's pack.
fn dated<T>(versions: &[Arc<RefPack>], value: impl Fn(&RefPack) -> T) -> Timeline<T> {
    let one = |pack: &Arc<RefPack>| Dated {
        from: day(pack.from),
        value: value(pack),
        source: "generated".into(),
        checked_on: None,
        trust: Trust::Synthetic,
    };
    Timeline::new(versions.iter().map(one).collect()).unwrap()
}

pub(super) fn pack(versions: &[Arc<RefPack>]) -> Pack {
    let parts = PackParts {
        region: RegionCode(440_700),
        name: "generated".into(),
        status: PackStatus::Synthetic,
        hash: "generated".into(),
        year_start: dated(versions, |pack| YearStart::new(pack.year_start, 1).unwrap()),
        filing_terms: dated(versions, filing_terms),
        stays: dated(versions, |pack| StayRules {
            new_year_is_new_axis: pack.new_year_new_axis,
            ..StayRules::USUAL
        }),
        employee: Some(basic(versions, RefScheme::Employee)),
        resident: Some(basic(versions, RefScheme::Resident)),
        maternity: dated(versions, maternity),
        work_injury: dated(versions, |_| InjuryRules { insurance: InsuranceCode(410) }),
    };
    Pack::new(parts).unwrap()
}

fn filing_terms(pack: &RefPack) -> FilingTerms {
    FilingTerms {
        unfiled: if pack.unfiled_settles { UnfiledClaims::Settle } else { UnfiledClaims::Refuse },
        in_province: if pack.in_province_free {
            InProvinceCare::NoFilingNeeded
        } else {
            InProvinceCare::AsCrossProvince
        },
        temporary_months: 6,
        long_term_lock_months: 6,
        commitment_months: None,
        emergency_window_days: None,
    }
}

fn basic(versions: &[Arc<RefPack>], scheme: RefScheme) -> BasicParameters {
    BasicParameters {
        deductible: dated(versions, |pack| deductible(&pack.schemes[&scheme])),
        ratios: dated(versions, |pack| ratios(&pack.schemes[&scheme])),
        filing: dated(versions, |pack| FilingRows {
            active: filing_table(&pack.schemes[&scheme]),
            retired: None,
        }),
        pool_cap: dated(versions, |pack| pack.schemes[&scheme].pool_cap.map(Fen)),
        large_amount: dated(versions, |pack| {
            let large = pack.schemes[&scheme].large;
            large.map(|(ratio, cap)| LargeAmount { ratio: rate(ratio), cap: cap.map(Fen) })
        }),
        serious_illness: dated(versions, |pack| serious_illness(&pack.schemes[&scheme])),
        civil_servant: dated(versions, |pack| rate(pack.schemes[&scheme].civil_servant.unwrap_or(0))),
        assistance: dated(versions, assistance),
        account: dated(versions, |pack| account(pack.schemes[&scheme].account)),
    }
}

fn deductible(rules: &SchemeRules) -> Deductible {
    let [one, two, three, primary] = rules.deductible.map(Fen);
    let basis = match &rules.basis {
        RefBasis::Admission(factors) => {
            let factors: Vec<Decimal> = factors.iter().map(|factor| decimal(*factor)).collect();
            DeductibleBasis::Admission(AdmissionFactors::new(&factors).unwrap())
        }
        RefBasis::Year => DeductibleBasis::Year,
        RefBasis::InstitutionYear => DeductibleBasis::InstitutionYear,
    };
    Deductible {
        amount: ByLevel { primary: Some(primary), one, two, three },
        retired_reduction: ByLevel::all(Fen(rules.retiree_reduction)),
        basis,
    }
}

fn ratio_at(bands: &[RefBand], edge: Option<RefFen>) -> Parts {
    let holds = |band: &&RefBand| match (band.to, edge) {
        (None, _) => true,
        (Some(to), Some(edge)) => edge <= to,
        (Some(_), None) => false,
    };
    bands.iter().find(holds).unwrap().rate
}

/// The domain cuts all levels at the same edges, so here is every edge of any level.
fn segments(levels: &[Vec<RefBand>; 4]) -> Bands<ByLevel<Rate>> {
    let mut edges: Vec<RefFen> = levels.iter().flatten().filter_map(|band| band.to).collect();
    edges.sort_unstable();
    edges.dedup();
    let edges = edges.into_iter().map(Some).chain([None]);
    let band = |edge: Option<RefFen>| {
        let [one, two, three, primary] = [0, 1, 2, 3].map(|level| rate(ratio_at(&levels[level], edge)));
        Band { to: edge.map(Fen), value: ByLevel { primary: Some(primary), one, two, three } }
    };
    Bands::new(edges.map(band).collect()).unwrap()
}

fn ratios(rules: &SchemeRules) -> Ratios {
    let bonus = |(from, bonus): &(i64, Parts)| (i32::try_from(*from).unwrap(), rate(*bonus));
    Ratios {
        active: segments(&rules.segments),
        retired: rules.retired_segments.as_ref().map(segments),
        retired_bonus: rate(rules.retiree_bonus),
        age_bonuses: AgeBonuses::new(rules.age_bonus.iter().map(bonus).collect()),
    }
}

fn filing_table(rules: &SchemeRules) -> FilingTable {
    let row = |benefit: Benefit| {
        let row = rules.filing[&benefit];
        let reduction = match row.reduction {
            RefReduction::Points(0) => Reduction::None,
            RefReduction::Points(off) => Reduction::Points(rate(off)),
            RefReduction::Times(factor) => Reduction::Multiply(rate(factor)),
            RefReduction::Prepay(share) => Reduction::FirstPay(rate(share)),
        };
        FilingRow { reduction, deductible_factor: decimal(row.deductible_factor) }
    };
    FilingTable {
        local: row(Benefit::Local),
        long_term_home: row(Benefit::LongTermHome),
        in_province: row(Benefit::InProvince),
        long_term: row(Benefit::LongTerm),
        referral: row(Benefit::Referral),
        emergency: row(Benefit::Emergency),
        other_temporary: row(Benefit::OtherTemporary),
        unfiled: row(Benefit::Unfiled),
    }
}

fn scale(terms: &RefIllness) -> IllnessScale {
    let tiers = terms.tiers.iter().map(|tier| Band { to: tier.to.map(Fen), value: rate(tier.rate) });
    IllnessScale {
        start: Fen(terms.start),
        tiers: Bands::new(tiers.collect()).unwrap(),
        cap: terms.cap.map(Fen),
    }
}

fn serious_illness(rules: &SchemeRules) -> Option<SeriousIllness> {
    let special = rules.serious_by_category.iter();
    let overrides = special.map(|(number, terms)| (category(*number), scale(terms))).collect();
    rules.serious.as_ref().map(|terms| SeriousIllness { general: scale(terms), overrides })
}

fn assistance(pack: &RefPack) -> AssistanceTable {
    pack.assistance.iter().fold(AssistanceTable::none(), |table, (number, (ratio, cap))| {
        table.with(category(*number), Assistance { ratio: rate(*ratio), cap: cap.map(Fen) })
    })
}

fn account(scope: RefAccount) -> AccountScope {
    match scope {
        RefAccount::Nothing => AccountScope::NOTHING,
        RefAccount::InScope => AccountScope::IN_SCOPE,
        RefAccount::Everything => {
            AccountScope { first_pay: true, in_scope: true, class_c: true, over_limit: true }
        }
    }
}

/// `matn_type` of the reference's two kinds of birth.
pub(super) const BIRTHS: [u8; 2] = [1, 4];

fn maternity(pack: &RefPack) -> MaternityRules {
    let pay = |rule: MaternityRule| match rule {
        MaternityRule::Ratio(share) => MaternityPay::Ratio(rate(share)),
        MaternityRule::Limit(most) => MaternityPay::Limit(Fen(most)),
        MaternityRule::Fixed(sum) => MaternityPay::Fixed(Fen(sum)),
    };
    let row = |(kind, levels): (&u8, &[MaternityRule; 4])| {
        let [one, two, three, primary] = levels.map(pay);
        (MaternityKind(*kind), ByLevel { primary: Some(primary), one, two, three })
    };
    let delivery = |insurance| (insurance, Some(CareKind::DELIVERY));
    MaternityRules {
        claims: vec![delivery(InsuranceCode::EMPLOYEE), delivery(InsuranceCode::RESIDENT)],
        rows: BIRTHS.iter().zip(&pack.maternity).map(row).collect(),
        account: AccountScope::NOTHING,
    }
}
