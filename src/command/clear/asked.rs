//! Owns whether a region or institution that was asked for can be meant: what is never found is refused, so that it is
//! not taken for a quiet month.

use crate::command::clear::Arguments;
use crate::domain::calendar::Month;
use crate::domain::clearing;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::reference::Reference;
use crate::domain::region::Region;
use crate::domain::region::Regions;

/// What stands in the month can be meant, whatever the tables say of it by now.
pub(super) fn check(
    arguments: &Arguments,
    totals: &clearing::Month,
    reference: &Reference,
) -> Result<(), String> {
    let Arguments { month, region, institution, .. } = arguments;
    let has_region = |code| totals.groups.keys().any(|(home, care, _)| *home == code || *care == code);
    let has_institution = |code| totals.groups.keys().any(|(_, _, hospital)| hospital == code);
    if let Some(code) = region.filter(|code| !has_region(*code)) {
        is_pool(code, *month, &reference.regions)?;
    }
    match institution {
        Some(code) if !has_institution(code) => is_known(code, reference),
        Some(_) | None => Ok(()),
    }
}

/// Code and name of what was asked for; empty where nothing was.
pub(super) fn in_words(arguments: &Arguments, reference: &Reference) -> String {
    let day = arguments.month.first_day();
    let region = arguments.region.map(|code| format!("{code} {}", reference.regions.name(code, day)));
    let institution = arguments.institution.as_ref().map(|code| {
        reference
            .institution(code, day)
            .map_or_else(|| code.to_string(), |row| format!("{code} {}", row.name))
    });
    [region, institution].into_iter().flatten().collect::<Vec<_>>().join("、")
}

fn is_pool(code: RegionCode, month: Month, regions: &Regions) -> Result<(), String> {
    let Some(row) = row(code, month, regions) else {
        return Err(format!("no region has the code {code}: ask for a pool, like 440700"));
    };
    if row.pool != code {
        let name = regions.name(row.pool, month.first_day());
        return Err(format!("{code} is in pool {} ({name}): ask for that", row.pool));
    }
    let has_pools = || regions.rows().any(|below| below.parent == Some(code) && below.pool != code);
    if row.parent.is_none() && has_pools() {
        return Err(format!("{code} ({}) is a province of several pools: ask for one of them", row.name));
    }
    Ok(())
}

/// As the table has it in the month; else its last row, of a region that is no more or not yet.
fn row(code: RegionCode, month: Month, regions: &Regions) -> Option<&Region> {
    let (first, last) = (month.first_day(), month.next().first_day().previous());
    let in_month = regions.on(code, first).or_else(|| regions.on(code, last));
    in_month.or_else(|| regions.rows().filter(|row| row.code == code).max_by_key(|row| row.from))
}

fn is_known(code: &InstitutionCode, reference: &Reference) -> Result<(), String> {
    if reference.institutions.contains_key(code) {
        return Ok(());
    }
    Err(format!("the register knows no institution {code}"))
}
