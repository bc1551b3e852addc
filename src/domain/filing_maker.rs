//! Owns who may file what for whom: the maker, the place and the person of a filing, before `filing_change` judges its
//! dates.

use crate::domain::calendar::Day;
use crate::domain::codes::Scheme;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::filing_change;
use crate::domain::filing_change::EndFiling;
use crate::domain::filing_change::NewFiling;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::pack::NoPolicy;
use crate::domain::parameters::FilingTerms;
use crate::domain::record::FilingEnded;
use crate::domain::record::MessageKey;
use crate::domain::reference::Reference;
use crate::domain::refusal::Refusal;
use crate::domain::scene;
use crate::domain::state::PersonState;

/// What a decision about a filing reads.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub reference: &'a Reference,
    /// Her pool.
    pub home: RegionCode,
    pub person: &'a PersonState,
    pub today: Day,
}

/// What someone wants to file.
#[derive(Clone, Debug)]
pub struct Wish {
    pub category: FilingCategory,
    /// Any region code; a district stands for its city.
    pub target: RegionCode,
    pub from: Day,
    pub to: Option<Day>,
    pub proof: FilingProof,
    pub by: FiledBy,
}

/// A hospital as the maker of a referral: designated today, and not suspended.
pub fn hospital(
    reference: &Reference,
    code: &InstitutionCode,
    home: RegionCode,
    today: Day,
) -> Result<FiledBy, Refusal> {
    let row = scene::institution(reference, code, today)?;
    let pool = reference.regions.pool_of(row.region, today);
    let pool = pool.ok_or(Refusal::RegionUnknown { region: row.region })?;
    let reach = reference.reach(home, pool);
    row.admits(reach, today).map_err(|cause| Refusal::NotDesignated {
        institution: code.clone(),
        day: today,
        cause,
    })?;
    Ok(FiledBy::Hospital { code: code.clone(), pool })
}

/// The hospital that a referral names must lie where the referral is for, as far as the register knows it.
///
/// # Errors
/// `ReferralPlaceDiffers`.
pub fn check_receiver(
    reference: &Reference,
    code: &InstitutionCode,
    target: RegionCode,
    today: Day,
) -> Result<(), Refusal> {
    let regions = &reference.regions;
    let Some(row) = reference.institution(code, today) else { return Ok(()) };
    let Some(place) = scene::place(regions, row.region, today) else { return Ok(()) };
    let Some(filed) = scene::filing_target(regions, target, today) else { return Ok(()) };
    let same_pool = regions.pool_of(target, today) == Some(place.pool);
    if same_pool || filed == place.city || filed == place.province {
        return Ok(());
    }
    let (hospital, name, region) = (code.clone(), row.name.clone(), row.region);
    Err(Refusal::ReferralPlaceDiffers { hospital, name, region, target })
}

/// Makes a filing.
///
/// # Errors
/// `FilingPlaceUnknown`, `FilingNotInsured`, `RegionNotConnected`, `NoPolicy`, `Filing`.
pub fn make(facts: &Facts<'_>, id: FilingId, wish: &Wish) -> Result<Filing, Refusal> {
    let target = scene::filing_target(&facts.reference.regions, wish.target, facts.today)
        .ok_or(Refusal::FilingPlaceUnknown { region: wish.target })?;
    if scene::covered_by(&facts.person.register, facts.today).is_empty() {
        return Err(Refusal::FilingNotInsured { day: facts.today });
    }
    let order = NewFiling {
        id,
        category: wish.category,
        target,
        from: wish.from,
        to: wish.to,
        made_on: facts.today,
        proof: wish.proof,
        by: wish.by.clone(),
    };
    let terms = terms(facts)?;
    filing_change::make(order, facts.home, &facts.person.filings, &terms).map_err(Refusal::Filing)
}

/// # Errors
/// `FilingUnknown`.
pub fn find<'a>(facts: &Facts<'a>, id: &FilingId) -> Result<&'a Filing, Refusal> {
    let found = facts.person.filings.iter().find(|filing| filing.id == *id);
    found.ok_or_else(|| Refusal::FilingUnknown { filing: id.clone() })
}

/// Ends a filing from a day on. `made_by`: the message that made it, undone when the filing never covers a day.
///
/// # Errors
/// `Filing`.
pub fn end(
    facts: &Facts<'_>,
    filing: &Filing,
    from: Day,
    reason: &str,
    made_by: Option<MessageKey>,
) -> Result<FilingEnded, Refusal> {
    let last_used = facts.person.last_admitted_under(&filing.id);
    let order = EndFiling { from, today: facts.today, last_used };
    filing_change::end(filing, order, &terms(facts)?).map_err(Refusal::Filing)?;
    Ok(FilingEnded {
        filing: filing.id.clone(),
        last_day: from.previous(),
        reason: reason.into(),
        cancels: made_by.filter(|_| from <= filing.from),
    })
}

/// How her pool makes and judges filings today: the same whatever the scheme.
fn terms(facts: &Facts<'_>) -> Result<FilingTerms, Refusal> {
    let (home, day) = (facts.home, facts.today);
    scene::held_pool(facts.reference, home, day)?;
    let ruled = |scheme| facts.reference.packs.get(&home).and_then(|pack| pack.policy(scheme, day).ok());
    let policy = Scheme::ALL.into_iter().find_map(ruled);
    let none = NoPolicy::SchemeNotRuled { region: home, scheme: Scheme::Employee };
    policy.map(|policy| policy.filing_terms).ok_or(Refusal::NoPolicy(none))
}
