//! Owns which stays of the sandbox are driven: those that end in a settlement whatever else is driven before them.

use std::collections::HashSet;

use banyan::domain::ids::RegionCode;
use banyan::domain::person::CoverageStatus;
use banyan::sandbox::population::Insured;
use banyan::sandbox::province::Province;
use banyan::sandbox::stays::Stay;

/// The pool whose sandbox pack refuses stays that nobody filed.
const REFUSES_UNFILED: RegionCode = RegionCode(442_000);
/// No stay of the sandbox lies further back.
const MONTHS: i32 = 24;

/// One stay a person, so that nobody is in two hospitals at once.
pub fn stock(province: &Province) -> Vec<Stay> {
    let since = province.today.plus_months(-MONTHS);
    let covered = |insured: &Insured| {
        let coverages = &insured.register.coverages;
        let begun = coverages.first().is_some_and(|coverage| coverage.from <= since);
        let unbroken = coverages.iter().all(|coverage| coverage.status == CoverageStatus::Active);
        begun && unbroken && insured.person.pool != REFUSES_UNFILED
    };
    let persons = province.population.iter().filter(covered);
    let mut persons: HashSet<String> = persons.map(|insured| insured.person.number().to_owned()).collect();
    province.stays().filter(|stay| persons.remove(&stay.psn_no)).collect()
}
