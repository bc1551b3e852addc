//! Owns what makes a pack sound: nothing missing, rates between 0 and 1, no amount or factor below zero.

use rust_decimal::Decimal;

use crate::domain::bands::Bands;
use crate::domain::calendar::Day;
use crate::domain::codes::ByLevel;
use crate::domain::codes::InsuranceCode;
use crate::domain::dated::Timeline;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::pack::BasicParameters;
use crate::domain::pack::PackFault;
use crate::domain::pack::PackFaultCause;
use crate::domain::pack::PackParts;
use crate::domain::pack::provenance::BasicNames;
use crate::domain::pack::provenance::EMPLOYEE;
use crate::domain::pack::provenance::RESIDENT;
use crate::domain::parameters::AssistanceTable;
use crate::domain::parameters::Cap;
use crate::domain::parameters::Deductible;
use crate::domain::parameters::DeductibleBasis;
use crate::domain::parameters::FilingRow;
use crate::domain::parameters::FilingRows;
use crate::domain::parameters::FilingTable;
use crate::domain::parameters::IllnessScale;
use crate::domain::parameters::InjuryRules;
use crate::domain::parameters::LargeAmount;
use crate::domain::parameters::MaternityPay;
use crate::domain::parameters::MaternityRules;
use crate::domain::parameters::Ratios;
use crate::domain::parameters::Reduction;
use crate::domain::parameters::SeriousIllness;

/// What is wrong with one value.
type Causes = Vec<PackFaultCause>;

/// All faults of a pack; none when it is sound.
pub(super) fn faults(parts: &PackParts) -> Vec<PackFault> {
    let mut faults = Vec::new();
    require("year_start", &parts.year_start, &mut faults);
    require("filing_terms", &parts.filing_terms, &mut faults);
    require("stays", &parts.stays, &mut faults);
    parts.employee.iter().for_each(|basic| check_basic(&EMPLOYEE, basic, &mut faults));
    parts.resident.iter().for_each(|basic| check_basic(&RESIDENT, basic, &mut faults));
    check("maternity", &parts.maternity, maternity, &mut faults);
    check("work_injury", &parts.work_injury, work_injury, &mut faults);
    faults
}

fn check_basic(names: &BasicNames, basic: &BasicParameters, faults: &mut Vec<PackFault>) {
    require(names[0], &basic.deductible, faults);
    require(names[1], &basic.ratios, faults);
    require(names[2], &basic.filing, faults);
    check(names[0], &basic.deductible, deductible, faults);
    check(names[1], &basic.ratios, ratios, faults);
    check(names[2], &basic.filing, filing, faults);
    check(names[3], &basic.pool_cap, |value| cap(*value), faults);
    check(names[4], &basic.large_amount, |value| value.iter().flat_map(large_amount).collect(), faults);
    check(names[5], &basic.serious_illness, |value| value.iter().flat_map(serious_illness).collect(), faults);
    check(names[6], &basic.civil_servant, |value| rate(*value), faults);
    check(names[7], &basic.assistance, assistance, faults);
}

fn require<T>(parameter: &str, line: &Timeline<T>, faults: &mut Vec<PackFault>) {
    if line.is_never_set() {
        faults.push(PackFault {
            parameter: parameter.to_owned(),
            from: None,
            cause: PackFaultCause::Missing,
        });
    }
}

fn check<T>(parameter: &str, line: &Timeline<T>, causes: impl Fn(&T) -> Causes, faults: &mut Vec<PackFault>) {
    let fault = |from: Day, cause| PackFault { parameter: parameter.to_owned(), from: Some(from), cause };
    for dated in line.values() {
        faults.extend(causes(&dated.value).into_iter().map(|cause| fault(dated.from, cause)));
    }
}

fn deductible(value: &Deductible) -> Causes {
    let mut causes: Causes = value.amount.values().flat_map(amount).collect();
    causes.extend(value.retired_reduction.values().flat_map(amount));
    match &value.basis {
        DeductibleBasis::Admission(factors) => causes.extend(factors.values().flat_map(factor)),
        DeductibleBasis::Year | DeductibleBasis::InstitutionYear => {}
    }
    causes
}

fn ratios(value: &Ratios) -> Causes {
    let segments = [Some(&value.active), value.retired.as_ref()].into_iter().flatten();
    let mut causes: Causes = segments.flat_map(segment_rates).flat_map(rate).collect();
    causes.extend(rate(value.retired_bonus));
    causes.extend(value.age_bonuses.values().iter().flat_map(|(_, bonus)| rate(*bonus)));
    if value.retired.is_some() && value.retired_bonus != Rate::ZERO {
        causes.push(PackFaultCause::RetiredTwice);
    }
    causes
}

fn segment_rates(segments: &Bands<ByLevel<Rate>>) -> impl Iterator<Item = Rate> {
    segments.steps().iter().flat_map(|step| step.value.values().collect::<Vec<_>>())
}

fn filing(value: &FilingRows) -> Causes {
    [Some(&value.active), value.retired.as_ref()].into_iter().flatten().flat_map(filing_table).collect()
}

fn filing_table(table: &FilingTable) -> Causes {
    crate::domain::codes::BenefitLevel::ALL
        .into_iter()
        .flat_map(|level| filing_row(table.row(level)))
        .collect()
}

fn filing_row(row: FilingRow) -> Causes {
    let mut causes = factor(row.deductible_factor);
    match row.reduction {
        Reduction::None => {}
        Reduction::Points(by) | Reduction::Multiply(by) | Reduction::FirstPay(by) => causes.extend(rate(by)),
    }
    causes
}

fn large_amount(value: &LargeAmount) -> Causes {
    [rate(value.ratio), cap(value.cap)].concat()
}

fn serious_illness(value: &SeriousIllness) -> Causes {
    let mut causes = illness_scale(&value.general);
    let mut seen = Vec::new();
    for (category, scale) in &value.overrides {
        if seen.contains(category) {
            causes.push(PackFaultCause::CategoryTwice);
        }
        seen.push(*category);
        causes.extend(illness_scale(scale));
    }
    causes
}

fn illness_scale(scale: &IllnessScale) -> Causes {
    let tiers = scale.tiers.steps().iter().flat_map(|step| rate(step.value));
    amount(scale.start).into_iter().chain(tiers).chain(cap(scale.cap)).collect()
}

fn assistance(table: &AssistanceTable) -> Causes {
    table.values().flat_map(|entry| [rate(entry.ratio), cap(entry.cap)].concat()).collect()
}

fn maternity(value: &MaternityRules) -> Causes {
    let mut causes = Vec::new();
    let mut seen = Vec::new();
    for (kind, by_level) in &value.rows {
        if seen.contains(kind) {
            causes.push(PackFaultCause::MaternityTwice(*kind));
        }
        seen.push(*kind);
        causes.extend(by_level.values().flat_map(maternity_pay));
    }
    causes
}

fn maternity_pay(pay: MaternityPay) -> Causes {
    match pay {
        MaternityPay::Ratio(share) => rate(share),
        MaternityPay::Limit(sum) | MaternityPay::Fixed(sum) => amount(sum),
    }
}

fn work_injury(value: &InjuryRules) -> Causes {
    let taken = [InsuranceCode::EMPLOYEE, InsuranceCode::RESIDENT, InsuranceCode::MATERNITY];
    taken.into_iter().filter(|code| *code == value.insurance).map(PackFaultCause::InsuranceTaken).collect()
}

fn rate(value: Rate) -> Causes {
    if value == value.clamped() { Causes::new() } else { vec![PackFaultCause::NotARate(value.0)] }
}

fn factor(value: Decimal) -> Causes {
    if value < Decimal::ZERO { vec![PackFaultCause::NegativeFactor(value)] } else { Causes::new() }
}

fn amount(value: Fen) -> Causes {
    if value.is_negative() { vec![PackFaultCause::NegativeAmount(value)] } else { Causes::new() }
}

fn cap(value: Cap) -> Causes {
    value.map(amount).unwrap_or_default()
}
