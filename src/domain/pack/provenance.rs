//! Owns the list of a pack's numbers with their sources, for the reports that say which of them nobody has
//! checked.

use crate::domain::codes::Scheme;
use crate::domain::dated::Timeline;
use crate::domain::pack::BasicParameters;
use crate::domain::pack::PackParts;
use crate::domain::pack::Provenance;

/// Every dated value, in the order in which a pack is written.
pub(super) fn of(parts: &PackParts) -> Vec<Provenance<'_>> {
    let mut list = Vec::new();
    push(&mut list, "year_start", &parts.year_start);
    push(&mut list, "filing_terms", &parts.filing_terms);
    push(&mut list, "stays", &parts.stays);
    let [employee, resident] = [EMPLOYEE, RESIDENT];
    parts.employee.iter().for_each(|basic| push_basic(&mut list, &employee, basic));
    parts.resident.iter().for_each(|basic| push_basic(&mut list, &resident, basic));
    push(&mut list, "maternity", &parts.maternity);
    push(&mut list, "work_injury", &parts.work_injury);
    list
}

/// Which of the blocks that a scheme must have begins last, the scheme's own before those of all schemes.
pub(super) fn last_to_begin(parts: &PackParts, scheme: Scheme) -> &'static str {
    let basic = |names: [&'static str; 9]| names[..3].to_vec();
    let mut needed = match scheme {
        Scheme::Employee => basic(EMPLOYEE),
        Scheme::Resident => basic(RESIDENT),
        Scheme::Maternity => vec!["maternity"],
        Scheme::WorkInjury => vec!["work_injury"],
    };
    needed.extend(["stays", "filing_terms", "year_start"]);
    let all = of(parts);
    let first = |name: &str| all.iter().filter(|value| value.parameter == name).map(|value| value.from).min();
    let later = |best: &'static str, name: &'static str| if first(name) > first(best) { name } else { best };
    needed.iter().skip(1).fold(needed[0], |best, name| later(best, name))
}

/// Names of the parameters of a basic scheme, in the order of [`BasicParameters`].
pub(super) type BasicNames = [&'static str; 9];

pub(super) const EMPLOYEE: BasicNames = [
    "employee.deductible",
    "employee.ratios",
    "employee.filing",
    "employee.pool_cap",
    "employee.large_amount",
    "employee.serious_illness",
    "employee.civil_servant",
    "employee.assistance",
    "employee.account",
];

pub(super) const RESIDENT: BasicNames = [
    "resident.deductible",
    "resident.ratios",
    "resident.filing",
    "resident.pool_cap",
    "resident.large_amount",
    "resident.serious_illness",
    "resident.civil_servant",
    "resident.assistance",
    "resident.account",
];

fn push_basic<'a>(list: &mut Vec<Provenance<'a>>, names: &BasicNames, basic: &'a BasicParameters) {
    push(list, names[0], &basic.deductible);
    push(list, names[1], &basic.ratios);
    push(list, names[2], &basic.filing);
    push(list, names[3], &basic.pool_cap);
    push(list, names[4], &basic.large_amount);
    push(list, names[5], &basic.serious_illness);
    push(list, names[6], &basic.civil_servant);
    push(list, names[7], &basic.assistance);
    push(list, names[8], &basic.account);
}

fn push<'a, T>(list: &mut Vec<Provenance<'a>>, parameter: &'static str, line: &'a Timeline<T>) {
    list.extend(line.values().map(|dated| Provenance {
        parameter,
        from: dated.from,
        source: &dated.source,
        checked_on: dated.checked_on,
        trust: dated.trust,
    }));
}
