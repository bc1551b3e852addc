//! Owns how a stay begins, is changed, ends, and how beginning and end are taken back.

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::PersonType;
use crate::domain::codes::Scheme;
use crate::domain::filing;
use crate::domain::filing::Filing;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::PersonKey;
use crate::domain::ids::StayId;
use crate::domain::record::Admission;
use crate::domain::record::Discharge;
use crate::domain::reference::Reference;
use crate::domain::refusal::Bound;
use crate::domain::refusal::Caution;
use crate::domain::refusal::Refusal;
use crate::domain::scene;
use crate::domain::scene::Scene;
use crate::domain::settle::check_act;
use crate::domain::settle::check_recognised;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::domain::stay::Act;

/// `med_type` 24: emergency by itself.
const EMERGENCY: &str = "24";
/// `med_type` 22: an injury needs the signed commitment.
const INJURY: &str = "22";

/// `med_type` of outpatients, pharmacies and care at home. What the code tables of the regions give to hospitals or
/// leave open stays admitted; 9903 is psychiatric inpatient care in one of them.
const NOT_INPATIENT: [&str; 20] = [
    "11", "12", "13", "14", "15", "16", "19", "41", "51", "53", "61", "81", "91", "93", "3102", "9107",
    "9901", "9906", "140104", "140201",
];

/// What a decision about admission reads.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionFacts<'a> {
    pub reference: &'a Reference,
    pub key: &'a PersonKey,
    pub person: &'a PersonState,
    pub today: Day,
}

/// A stay with its id.
#[derive(Clone, Copy, Debug)]
pub struct StayInHand<'a> {
    pub id: &'a StayId,
    pub state: &'a StayState,
}

/// An admission that may be recorded, and what is to be told beside it.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub admission: Admission,
    pub cautions: Vec<Caution>,
}

/// Whether it is an emergency by kind of care or flag.
pub fn is_emergency(med_type: &str, flag: bool) -> bool {
    flag || med_type == EMERGENCY
}

/// Whether nothing about an injury stands in the way: none, or the commitment is on file.
pub fn is_injury_cleared(med_type: &str, commitment: bool) -> bool {
    med_type != INJURY || commitment
}

/// Begins a stay. `admission.institution_region` is filled in from the register.
///
/// # Errors
/// In this order: a kind of care outside hospitals, a day in the future, region and institution, an open stay, coverage, policy, recognition.
pub fn admit(facts: &AdmissionFacts<'_>, mut admission: Admission) -> Result<Admitted, Refusal> {
    let day = admission.begun.day();
    check_inpatient(&admission.med_type)?;
    check_not_future("begntime", day, facts.today)?;
    let scene = Scene::set(facts.reference, facts.key.pool, &admission.institution, day)?;
    scene.check_admits()?;
    scene.level()?;
    check_nowhere_else(facts, &admission.institution, false)?;
    admission.institution_region = scene.institution.region;
    admission.work_injury = check_insured(facts, &scene, &admission)?;
    let mut cautions = cautions(facts, &scene, &admission);
    cautions.extend(overlap(facts, day));
    Ok(Admitted { admission, cautions })
}

/// A settled stay of hers within which the new one begins. Told and not refused: clocks differ, and who is moved to another
/// hospital lies in both on one day.
fn overlap(facts: &AdmissionFacts<'_>, begun: Day) -> Option<Caution> {
    let around = facts.person.live().filter(|live| live.admitted <= begun && begun < live.policy_day);
    let last = around.max_by_key(|live| live.policy_day)?;
    let (region, to) = (last.institution_region, last.policy_day);
    let region_name = facts.reference.regions.name(region, to);
    Some(Caution::StaysOverlap { from: last.admitted, to, region, region_name })
}

fn check_inpatient(med_type: &str) -> Result<(), Refusal> {
    if NOT_INPATIENT.contains(&med_type) {
        return Err(Refusal::NotInpatient { med_type: med_type.into() });
    }
    Ok(())
}

/// One open stay per person anywhere.
fn check_nowhere_else(
    facts: &AdmissionFacts<'_>,
    caller: &InstitutionCode,
    resuming: bool,
) -> Result<(), Refusal> {
    let Some(open) = &facts.person.open else { return Ok(()) };
    let own = open.institution == *caller;
    let row = facts.reference.institution(&open.institution, facts.today);
    Err(Refusal::OpenStay {
        institution: open.institution.clone(),
        name: row.map(|row| row.name.clone()).unwrap_or_default(),
        since: open.since,
        own,
        stay: own.then(|| open.stay.clone()),
        resuming,
    })
}

/// Covered, ruled and, for work injury, recognised. Says whether the stay runs as work injury.
fn check_insured(
    facts: &AdmissionFacts<'_>,
    scene: &Scene<'_>,
    admission: &Admission,
) -> Result<bool, Refusal> {
    let day = admission.begun.day();
    let coverage = scene::coverage(&facts.person.register, &admission.insutype, day)?;
    scene::person_type(coverage)?;
    let scheme = scene.scheme(&admission.insutype, &admission.med_type, admission.work_injury, day)?;
    scene.policy(scheme, day)?;
    check_recognised(facts.person, scheme, day)?;
    Ok(scheme == Scheme::WorkInjury)
}

fn cautions(facts: &AdmissionFacts<'_>, scene: &Scene<'_>, admission: &Admission) -> Vec<Caution> {
    let mut cautions = Vec::new();
    if admission.third_party {
        cautions.push(Caution::ThirdParty);
    }
    if !admission.injury_cleared {
        cautions.push(Caution::CommitmentMissing);
    }
    let decision = filing_of(scene, admission, &facts.person.filings, facts.today);
    if decision.is_some_and(|decision| decision.level == BenefitLevel::Unfiled) {
        cautions.push(Caution::Unfiled { place: scene.care.city });
    }
    cautions
}

/// What her filings make of a stay that is not settled yet, as of a day. `None` where no policy rules it.
pub fn filing_of<'f>(
    scene: &Scene<'_>,
    admission: &Admission,
    filings: &'f [Filing],
    today: Day,
) -> Option<filing::Decision<'f>> {
    let day = admission.begun.day();
    let scheme = scene.scheme(&admission.insutype, &admission.med_type, admission.work_injury, day);
    let policy = scheme.and_then(|scheme| scene.policy(scheme, day)).ok()?;
    let stay = scene.for_filing(admission.emergency, today);
    Some(filing::decide(&stay, filings, &policy.filing_terms))
}

/// Changes what an admission said: `changed` holds every field as it shall stand.
///
/// # Errors
/// The state of the stay, days, what a settled part or standing lines forbid, and all that a new admission on the new
/// day would be refused for, the open stay apart.
pub fn change(
    facts: &AdmissionFacts<'_>,
    stay: StayInHand<'_>,
    mut changed: Admission,
) -> Result<Admitted, Refusal> {
    check_act(stay.id, stay.state, Act::Change)?;
    let day = changed.begun.day();
    check_not_future("begntime", day, facts.today)?;
    if changed.med_type != stay.state.admission.med_type {
        check_inpatient(&changed.med_type)?;
    }
    check_before_all_else(stay.state, changed.begun)?;
    check_parts(stay.state, &changed)?;
    let scene = Scene::set(facts.reference, facts.key.pool, &changed.institution, day)?;
    scene.check_serves()?;
    changed.institution_region = scene.institution.region;
    changed.work_injury = check_insured(facts, &scene, &changed)?;
    check_splits(facts, stay.state, &changed)?;
    let cautions = cautions(facts, &scene, &changed);
    Ok(Admitted { admission: changed, cautions })
}

fn check_before_all_else(stay: &StayState, begun: Moment) -> Result<(), Refusal> {
    let day = begun.day();
    let field = "begntime";
    if let Some((first, _)) = stay.unsettled.first().filter(|(first, _)| *first < day) {
        return Err(Refusal::TooLate { field, day, latest: *first, because: Bound::FirstLine });
    }
    match &stay.discharge {
        Some(discharge) if discharge.ended < begun => {
            Err(Refusal::TooLate { field, day, latest: discharge.ended.day(), because: Bound::Discharge })
        }
        Some(_) | None => Ok(()),
    }
}

/// What a settled part was computed with stays.
fn check_parts(stay: &StayState, changed: &Admission) -> Result<(), Refusal> {
    if stay.parts.is_empty() {
        return Ok(());
    }
    let was = &stay.admission;
    let fields = [
        ("begntime", was.begun.day() != changed.begun.day()),
        ("med_type", was.med_type != changed.med_type),
        ("recer_sys_code", was.work_injury != changed.work_injury),
    ];
    let differs = fields.into_iter().find(|(_, differs)| *differs);
    differs.map_or(Ok(()), |(field, _)| Err(Refusal::ChangeAfterPart { field }))
}

/// What lines were split by.
#[derive(PartialEq, Eq)]
struct SplitBasis {
    level: HospitalLevel,
    person: PersonType,
    work_injury: bool,
}

/// A split is fixed when the line is uploaded, so nothing that it rests on may change while lines stand.
fn check_splits(facts: &AdmissionFacts<'_>, stay: &StayState, changed: &Admission) -> Result<(), Refusal> {
    let count = stay.open_totals().count;
    if count == 0 || split_basis(facts, &stay.admission)? == split_basis(facts, changed)? {
        return Ok(());
    }
    Err(Refusal::ChangeWouldSplitAnew { count })
}

fn split_basis(facts: &AdmissionFacts<'_>, admission: &Admission) -> Result<SplitBasis, Refusal> {
    let day = admission.begun.day();
    let scene = Scene::set(facts.reference, facts.key.pool, &admission.institution, day)?;
    let coverage = scene::coverage(&facts.person.register, &admission.insutype, day)?;
    let parties = scene.parties(coverage)?;
    Ok(SplitBasis { level: parties.hospital, person: parties.person, work_injury: admission.work_injury })
}

/// Takes an admission back. Its lines must be withdrawn first.
pub fn cancel(stay: StayInHand<'_>) -> Result<(), Refusal> {
    check_act(stay.id, stay.state, Act::CancelAdmission)?;
    match stay.state.open_totals().count {
        0 => Ok(()),
        count => Err(Refusal::LinesStand { count }),
    }
}

/// Ends a stay: not in the future, not before its admission, its last line or its last part.
pub fn discharge(stay: StayInHand<'_>, order: &Discharge, today: Day) -> Result<(), Refusal> {
    check_act(stay.id, stay.state, Act::Discharge)?;
    let day = order.ended.day();
    let field = "endtime";
    check_not_future(field, day, today)?;
    let begun = stay.state.admission.begun;
    if day < begun.day() {
        return Err(Refusal::TooEarly { field, day, earliest: begun.day(), because: Bound::Admission });
    }
    let last_line = stay.state.last_line_day().map(|day| (day, Bound::LastLine));
    let last_part = stay.state.parts.iter().map(|part| (part.up_to, Bound::LastPart)).max_by_key(|p| p.0);
    let latest = last_line.into_iter().chain(last_part).max_by_key(|(day, _)| *day);
    match latest {
        Some((earliest, because)) if day < earliest => {
            Err(Refusal::TooEarly { field, day, earliest, because })
        }
        Some(_) | None => Ok(()),
    }
}

/// Takes a discharge back: no other stay of hers may be open.
pub fn cancel_discharge(facts: &AdmissionFacts<'_>, stay: StayInHand<'_>) -> Result<(), Refusal> {
    check_act(stay.id, stay.state, Act::CancelDischarge)?;
    check_nowhere_else(facts, &stay.state.admission.institution, true)
}

fn check_not_future(field: &'static str, day: Day, today: Day) -> Result<(), Refusal> {
    if day > today { Err(Refusal::InFuture { field, day, today }) } else { Ok(()) }
}
