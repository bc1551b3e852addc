//! Owns the cutting of dated parameters into stretches of days on which none of them changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::calendar::Day;
use crate::domain::codes::Scheme;
use crate::domain::dated::Timeline;
use crate::domain::money::Rate;
use crate::domain::pack::BasicParameters;
use crate::domain::pack::BasicRules;
use crate::domain::pack::PackParts;
use crate::domain::pack::Policy;
use crate::domain::pack::SchemeRules;
use crate::domain::parameters::AccountScope;
use crate::domain::parameters::AssistanceTable;

/// The policies of a scheme, oldest first. None before the first day on which all that must be set is set.
pub(super) fn periods(parts: &PackParts, scheme: Scheme) -> Vec<Arc<Policy>> {
    let days: Vec<Day> = changes(parts, scheme).into_iter().collect();
    let untils = days.iter().skip(1).copied().map(Some).chain([None]);
    days.iter()
        .zip(untils)
        .filter_map(|(from, until)| policy(parts, scheme, *from, until))
        .map(Arc::new)
        .collect()
}

fn changes(parts: &PackParts, scheme: Scheme) -> BTreeSet<Day> {
    let mut days: BTreeSet<Day> = parts.year_start.changes().collect();
    days.extend(parts.filing_terms.changes());
    days.extend(parts.stays.changes());
    match scheme {
        Scheme::Employee => days.extend(parts.employee.iter().flat_map(basic_changes)),
        Scheme::Resident => days.extend(parts.resident.iter().flat_map(basic_changes)),
        Scheme::Maternity => days.extend(parts.maternity.changes()),
        Scheme::WorkInjury => days.extend(parts.work_injury.changes()),
    }
    days
}

fn basic_changes(basic: &BasicParameters) -> BTreeSet<Day> {
    let mut days: BTreeSet<Day> = basic.deductible.changes().collect();
    days.extend(basic.ratios.changes());
    days.extend(basic.filing.changes());
    days.extend(basic.pool_cap.changes());
    days.extend(basic.large_amount.changes());
    days.extend(basic.serious_illness.changes());
    days.extend(basic.civil_servant.changes());
    days.extend(basic.assistance.changes());
    days.extend(basic.account.changes());
    days
}

fn policy(parts: &PackParts, scheme: Scheme, from: Day, until: Option<Day>) -> Option<Policy> {
    Some(Policy {
        region: parts.region,
        pack_hash: Arc::clone(&parts.hash),
        scheme,
        from,
        until,
        year_start: value(&parts.year_start, from)?,
        filing_terms: value(&parts.filing_terms, from)?,
        stays: value(&parts.stays, from)?,
        rules: rules(parts, scheme, from)?,
    })
}

fn rules(parts: &PackParts, scheme: Scheme, day: Day) -> Option<SchemeRules> {
    match scheme {
        Scheme::Employee => basic_rules(parts.employee.as_ref()?, day).map(Box::new).map(SchemeRules::Basic),
        Scheme::Resident => basic_rules(parts.resident.as_ref()?, day).map(Box::new).map(SchemeRules::Basic),
        Scheme::Maternity => value(&parts.maternity, day).map(SchemeRules::Maternity),
        Scheme::WorkInjury => value(&parts.work_injury, day).map(SchemeRules::WorkInjury),
    }
}

fn basic_rules(basic: &BasicParameters, day: Day) -> Option<BasicRules> {
    Some(BasicRules {
        deductible: value(&basic.deductible, day)?,
        ratios: value(&basic.ratios, day)?,
        filing: value(&basic.filing, day)?,
        pool_cap: value(&basic.pool_cap, day).flatten(),
        large_amount: value(&basic.large_amount, day).flatten(),
        serious_illness: value(&basic.serious_illness, day).flatten(),
        civil_servant: value(&basic.civil_servant, day).unwrap_or(Rate::ZERO),
        assistance: value(&basic.assistance, day).unwrap_or(AssistanceTable::none()),
        account: value(&basic.account, day).unwrap_or(AccountScope::NOTHING),
    })
}

fn value<T: Clone>(line: &Timeline<T>, day: Day) -> Option<T> {
    line.at(day).map(|dated| dated.value.clone())
}
