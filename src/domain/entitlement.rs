//! Owns 2001: which funds would pay for a stay that begins on a day, and why the others would not.

use std::sync::Arc;

use crate::domain::admission::is_emergency;
use crate::domain::breakdown::Fund;
use crate::domain::calendar::Day;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::filing;
use crate::domain::filing::Reason;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::pack::BasicRules;
use crate::domain::pack::Policy;
use crate::domain::pack::SchemeRules;
use crate::domain::parameters::Cap;
use crate::domain::parameters::UnfiledClaims;
use crate::domain::person::Coverage;
use crate::domain::refusal::Refusal;
use crate::domain::scene;
use crate::domain::scene::Scene;
use crate::domain::settle::check_recognised;
use crate::domain::settle::not_filed;
use crate::domain::state::PersonState;

/// One row of `trtinfo`.
#[derive(Clone, Debug)]
pub struct FundEntitlement {
    pub fund: Fund,
    /// Why this fund pays nothing; `None`: it pays.
    pub denied: Option<Denied>,
    pub from: Day,
    pub to: Option<Day>,
    /// Room under this year's cap, where there is one.
    pub room: Option<Fen>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The claim as a whole would be refused.
    Refused(Box<Refusal>),
    /// Not a civil servant, or not in an assistance category on that day.
    NotInGroup,
    /// The pack gives nothing under this fund.
    NotRuled,
    /// The year's cap is used up.
    CapReached,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub insutype: &'a str,
    pub med_type: &'a str,
    pub emergency: bool,
    pub work_injury: bool,
    pub today: Day,
}

/// What a stay would run on.
#[derive(Clone, Debug)]
pub struct Ruled<'a> {
    pub policy: Arc<Policy>,
    pub filing: filing::Decision<'a>,
    pub coverage: &'a Coverage,
}

/// What a stay that begins on the scene's day would run on.
///
/// # Errors
/// What its admission or settlement would be refused for, whatever is done later.
pub fn ruled<'a>(
    scene: &Scene<'_>,
    person: &'a PersonState,
    asked: &Asked<'_>,
) -> Result<Ruled<'a>, Refusal> {
    scene.check_admits()?;
    scene.level()?;
    let coverage = scene::coverage(&person.register, asked.insutype, scene.admitted)?;
    let scheme = scene.scheme(asked.insutype, asked.med_type, asked.work_injury, scene.admitted)?;
    check_recognised(person, scheme, scene.admitted)?;
    let policy = scene.policy(scheme, scene.admitted)?;
    let emergency = is_emergency(asked.med_type, asked.emergency);
    let stay = scene.for_filing(emergency, asked.today.max(scene.admitted));
    let filing = filing::decide(&stay, &person.filings, &policy.filing_terms);
    Ok(Ruled { policy, filing, coverage })
}

/// The one row of a claim that is refused as a whole.
pub fn refused(insutype: &str, day: Day, cause: Refusal) -> FundEntitlement {
    let fund = match insutype {
        "390" => Fund::ResidentPool,
        "510" => Fund::Maternity,
        _ => Fund::EmployeePool,
    };
    let denied = Some(Denied::Refused(Box::new(cause)));
    FundEntitlement { fund, denied, from: day, to: None, room: None }
}

/// A row for every fund of the scheme.
pub fn funds(scene: &Scene<'_>, person: &PersonState, ruled: &Ruled<'_>) -> Vec<FundEntitlement> {
    let whole = |fund| vec![row(ruled, fund, None, None)];
    match &ruled.policy.rules {
        SchemeRules::Maternity(_) => whole(Fund::Maternity),
        SchemeRules::WorkInjury(_) => whole(Fund::WorkInjury),
        SchemeRules::Basic(rules) => basic(scene, person, ruled, rules),
    }
}

fn basic(
    scene: &Scene<'_>,
    person: &PersonState,
    ruled: &Ruled<'_>,
    rules: &BasicRules,
) -> Vec<FundEntitlement> {
    if ruled.filing.level == BenefitLevel::Unfiled
        && ruled.policy.filing_terms.unfiled == UnfiledClaims::Refuse
    {
        let window = ruled.policy.filing_terms.emergency_window_days;
        let late = window.filter(|_| ruled.filing.reason == Reason::EmergencyNotFiledInTime);
        let denied = Some(Denied::Refused(Box::new(not_filed(late))));
        return vec![row(ruled, pool_fund(ruled.policy.scheme), None, denied)];
    }
    let year = ruled.policy.year_start.year_of(scene.admitted);
    let used = person.used(ruled.policy.scheme, year);
    let employee = ruled.policy.scheme == Scheme::Employee;
    let category = assistance(person, scene.admitted);
    let scale = rules.serious_illness.as_ref().map(|rule| rule.scale(category));
    let help = category.and_then(|category| rules.assistance.get(category));
    let subsidy = rules.civil_servant != Rate::ZERO;
    let mut rows = vec![capped(ruled, pool_fund(ruled.policy.scheme), Some(rules.pool_cap), used.hifp)];
    if employee {
        rows.push(capped(ruled, Fund::LargeAmount, rules.large_amount.map(|rule| rule.cap), used.hifob));
    }
    rows.push(capped(ruled, illness_fund(ruled.policy.scheme), scale.map(|scale| scale.cap), used.hifmi));
    if employee {
        let denied = (!subsidy).then_some(Denied::NotRuled);
        let denied = denied.or_else(|| (!ruled.coverage.civil_servant).then_some(Denied::NotInGroup));
        rows.push(row(ruled, Fund::CivilServant, None, denied));
    }
    rows.push(match (category, help) {
        (None, _) => row(ruled, Fund::Assistance, None, Some(Denied::NotInGroup)),
        (Some(_), help) => capped(ruled, Fund::Assistance, help.map(|help| help.cap), used.maf),
    });
    rows
}

fn pool_fund(scheme: Scheme) -> Fund {
    if scheme == Scheme::Resident { Fund::ResidentPool } else { Fund::EmployeePool }
}

fn illness_fund(scheme: Scheme) -> Fund {
    if scheme == Scheme::Resident { Fund::ResidentSeriousIllness } else { Fund::EmployeeSeriousIllness }
}

fn assistance(person: &PersonState, day: Day) -> Option<AssistanceCategory> {
    let span = person.register.assistance_on(day)?;
    span.category.parse().ok().and_then(AssistanceCategory::from_code)
}

/// A fund with a yearly cap; no cap at all where the pack gives nothing under it.
fn capped(ruled: &Ruled<'_>, fund: Fund, cap: Option<Cap>, used: Fen) -> FundEntitlement {
    let room = cap.flatten().map(|cap| cap.less(used));
    let denied = match (cap, room) {
        (None, _) => Some(Denied::NotRuled),
        (Some(_), Some(room)) if room.is_zero() => Some(Denied::CapReached),
        (Some(_), _) => None,
    };
    row(ruled, fund, room, denied)
}

fn row(ruled: &Ruled<'_>, fund: Fund, room: Option<Fen>, denied: Option<Denied>) -> FundEntitlement {
    FundEntitlement { fund, denied, from: ruled.coverage.from, to: ruled.coverage.to, room }
}
