//! Owns the decision that 2303 and 2304 share: what a stay, or a part of it, would be settled at, or why not.

use std::sync::Arc;

use crate::domain::accumulators::EarlierParts;
use crate::domain::accumulators::SettledPart;
use crate::domain::benefit;
use crate::domain::benefit::Account;
use crate::domain::benefit::Insured;
use crate::domain::benefit::NoBenefit;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::Scheme;
use crate::domain::explain::NoTrace;
use crate::domain::filing;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::filing::Reason;
use crate::domain::ids::FilingId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::pack::Policy;
use crate::domain::person::Coverage;
use crate::domain::posting;
use crate::domain::posting::Movement;
use crate::domain::record::ClaimFacts;
use crate::domain::record::LineTotals;
use crate::domain::record::Settlement;
use crate::domain::reference::Reference;
use crate::domain::refusal::Bound;
use crate::domain::refusal::NothingLeft;
use crate::domain::refusal::Refusal;
use crate::domain::refusal::SettledAs;
use crate::domain::refusal::UnfiledTold;
use crate::domain::scene;
use crate::domain::scene::Scene;
use crate::domain::state::Part;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::domain::stay::Act;
use crate::domain::stay::next;

/// What the decision reads.
#[derive(Clone, Copy, Debug)]
pub struct SettleFacts<'a> {
    pub reference: &'a Reference,
    pub key: &'a PersonKey,
    pub birth: Option<Day>,
    pub person: &'a PersonState,
    pub stay_id: &'a StayId,
    pub stay: &'a StayState,
    pub today: Day,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SettleOrder {
    pub id: SettlementId,
    /// A quote may come before the discharge: today stands for it.
    pub quote: bool,
    pub part: bool,
    /// Last day of a part.
    pub up_to: Option<Day>,
    pub fee: Fen,
    pub account_used: bool,
    /// Empty: not told.
    pub insutype: String,
    pub psn_setlway: String,
    pub credential_type: String,
    pub invoice: String,
    pub clearing_type: String,
    pub clearing_way: String,
}

/// The stretch of a stay that is settled.
#[derive(Clone, Debug)]
struct Stretch {
    up_to: Day,
    days: Vec<(Day, LineTotals)>,
    totals: LineTotals,
}

/// What the computation rests on, once nothing speaks against it.
struct Basis<'a> {
    scene: Scene<'a>,
    coverage: &'a Coverage,
    scheme: Scheme,
    policy: Arc<Policy>,
}

/// The settlement as it would be recorded.
///
/// # Errors
/// Refusals in order of precedence: the stay's state, days, totals, region and institution, coverage, injury, policy,
/// filing, computation.
pub fn settle(facts: &SettleFacts<'_>, order: &SettleOrder) -> Result<Settlement, Refusal> {
    let (stretch, basis) = prepare(facts, order)?;
    let decision = basis.filing(facts, &facts.person.filings);
    let claim = basis.claim(facts, order, &stretch, decision.level)?;
    let breakdown = basis.compute(&claim).map_err(|cause| match (cause, decision.reason) {
        (Refusal::UnfiledRefused, Reason::EmergencyNotFiledInTime) => {
            not_filed(basis.policy.filing_terms.emergency_window_days)
        }
        (cause, _) => cause,
    })?;
    Ok(basis.settlement(facts, order, stretch, claim, breakdown, decision.filing.map(|f| f.id.clone())))
}

/// Both cash figures of a stay that no filing covers, or `None` where a filing would change nothing.
///
/// # Errors
/// Those of `settle` that have nothing to do with the filing.
pub fn unfiled(facts: &SettleFacts<'_>, order: &SettleOrder) -> Result<Option<UnfiledTold>, Refusal> {
    let (stretch, basis) = prepare(facts, order)?;
    if basis.filing(facts, &facts.person.filings).level != BenefitLevel::Unfiled {
        return Ok(None);
    }
    let cash = |level| {
        let claim = basis.claim(facts, order, &stretch, level)?;
        basis.compute(&claim).map(|breakdown| breakdown.psn_cash_pay)
    };
    let cash_unfiled = match cash(BenefitLevel::Unfiled) {
        Ok(cash) => Some(cash),
        Err(Refusal::UnfiledRefused) => None,
        Err(other) => return Err(other),
    };
    let filings = [filing_today(facts, &basis)?];
    let cash_filed = cash(basis.filing(facts, &filings).level)?;
    let told = UnfiledTold { cash_unfiled, cash_filed, place: basis.scene.care.city };
    Ok((cash_unfiled != Some(cash_filed)).then_some(told))
}

/// 其他临时外出就医 filed today for the place of care.
fn filing_today(facts: &SettleFacts<'_>, basis: &Basis<'_>) -> Result<Filing, Refusal> {
    let id = FilingId::parse("today").map_err(|_| Refusal::Broken { what: "a filing id".into() })?;
    Ok(Filing {
        id,
        category: FilingCategory::OtherTemporary,
        target: basis.scene.care.city,
        from: facts.today,
        to: None,
        made_on: facts.today,
        proof: FilingProof::Documents,
        by: FiledBy::Person,
        ended_from: None,
    })
}

fn prepare<'a>(facts: &SettleFacts<'a>, order: &SettleOrder) -> Result<(Stretch, Basis<'a>), Refusal> {
    check_insurance(facts.stay, &order.insutype)?;
    check_state(facts, order)?;
    let stretch = stretch(facts, order)?;
    check_total(order, &stretch)?;
    let basis = basis(facts, stretch.up_to)?;
    Ok((stretch, basis))
}

/// `insutype` cannot change after admission.
pub fn check_insurance(stay: &StayState, insutype: &str) -> Result<(), Refusal> {
    let admitted = &stay.admission.insutype;
    if insutype.is_empty() || insutype == admitted {
        return Ok(());
    }
    Err(Refusal::InsuranceDiffers { given: insutype.into(), admitted: admitted.clone() })
}

/// May the act be done to the stay as it stands? Names the settlement that stands in its way.
pub fn check_act(stay_id: &StayId, stay: &StayState, act: Act) -> Result<(), Refusal> {
    next(stay.state, act, stay.parts.len()).map(|_| ()).map_err(|cause| {
        let settled = stay.last_settled().map(|(settlement, by)| SettledAs {
            settlement: settlement.clone(),
            message: by.message.clone(),
        });
        Refusal::OutOfOrder { stay: stay_id.clone(), cause, settled }
    })
}

fn check_state(facts: &SettleFacts<'_>, order: &SettleOrder) -> Result<(), Refusal> {
    let act = match (order.part, order.quote) {
        (true, _) => Act::SettlePart,
        (false, true) => Act::Quote,
        (false, false) => Act::Settle,
    };
    check_act(facts.stay_id, facts.stay, act)
}

fn stretch(facts: &SettleFacts<'_>, order: &SettleOrder) -> Result<Stretch, Refusal> {
    let up_to = if order.part { part_end(facts, order.up_to)? } else { stay_end(facts) };
    let days = if order.part { facts.stay.open_days(up_to) } else { facts.stay.unsettled.clone() };
    let totals: LineTotals = days.iter().map(|(_, totals)| *totals).sum();
    if totals.count == 0 && (order.part || facts.stay.parts.is_empty()) {
        return Err(nothing_left(facts.stay, up_to));
    }
    Ok(Stretch { up_to, days, totals })
}

/// Why no line up to a day is left.
fn nothing_left(stay: &StayState, up_to: Day) -> Refusal {
    Refusal::NothingToSettle(match (stay.unsettled.first(), stay.parts.last()) {
        (Some((first, _)), _) => NothingLeft::OnlyLater { up_to, first: *first },
        (None, Some(part)) => {
            NothingLeft::AllSettled { settlement: part.settlement.clone(), up_to: part.up_to }
        }
        (None, None) => NothingLeft::NoLines { discharged: stay.discharge.is_some() },
    })
}

/// The day of discharge, or today where a quote comes before it.
fn stay_end(facts: &SettleFacts<'_>) -> Day {
    facts.stay.discharge.as_ref().map_or(facts.today, |discharge| discharge.ended.day())
}

/// The last day of a part, which stands for its discharge: as told, else that of its last line. Parts follow each other.
fn part_end(facts: &SettleFacts<'_>, told: Option<Day>) -> Result<Day, Refusal> {
    let stay = facts.stay;
    let (begun, today) = (stay.admission.begun.day(), facts.today);
    let last_part = stay.parts.iter().map(|part| part.up_to).max();
    let Some(day) = told else {
        let last_line = stay.last_line_day().ok_or_else(|| nothing_left(stay, today))?;
        return Ok(last_part.map_or(last_line, |part| part.max(last_line)));
    };
    let field = "dscg_time";
    if day > today {
        return Err(Refusal::InFuture { field, day, today });
    }
    let (earliest, because) = last_part.map_or((begun, Bound::Admission), |part| (part, Bound::LastPart));
    if day < earliest {
        return Err(Refusal::TooEarly { field, day, earliest, because });
    }
    Ok(day)
}

fn check_total(order: &SettleOrder, stretch: &Stretch) -> Result<(), Refusal> {
    let (given, lines, count) = (order.fee, stretch.totals.amount, stretch.totals.count);
    if given == lines {
        return Ok(());
    }
    Err(Refusal::TotalDiffers { given, lines, count, up_to: order.part.then_some(stretch.up_to) })
}

fn basis<'a>(facts: &SettleFacts<'a>, policy_day: Day) -> Result<Basis<'a>, Refusal> {
    let admission = &facts.stay.admission;
    let admitted = admission.begun.day();
    let scene = Scene::set(facts.reference, facts.key.pool, &admission.institution, admitted)?;
    scene.check_serves()?;
    let coverage = scene::coverage(&facts.person.register, &admission.insutype, admitted)?;
    if admission.third_party {
        return Err(Refusal::ThirdParty);
    }
    if !admission.injury_cleared {
        return Err(Refusal::CommitmentMissing);
    }
    let scheme = scene.scheme(&admission.insutype, &admission.med_type, admission.work_injury, policy_day)?;
    check_recognised(facts.person, scheme, admitted)?;
    let policy = scene.policy(scheme, policy_day)?;
    Ok(Basis { scene, coverage, scheme, policy })
}

/// Work injury needs a recognition that covers the admission.
pub fn check_recognised(person: &PersonState, scheme: Scheme, admitted: Day) -> Result<(), Refusal> {
    let missing = scheme == Scheme::WorkInjury && person.register.recognition_on(admitted).is_none();
    if missing { Err(Refusal::NotRecognised { day: admitted }) } else { Ok(()) }
}

impl Basis<'_> {
    fn filing<'f>(&self, facts: &SettleFacts<'_>, filings: &'f [Filing]) -> filing::Decision<'f> {
        let stay = self.scene.for_filing(facts.stay.admission.emergency, facts.today);
        filing::decide(&stay, filings, &self.policy.filing_terms)
    }

    fn claim(
        &self,
        facts: &SettleFacts<'_>,
        order: &SettleOrder,
        stretch: &Stretch,
        level: BenefitLevel,
    ) -> Result<ClaimFacts, Refusal> {
        let year = self.policy.year_start.year_of(stretch.up_to);
        let account = if order.account_used {
            Account::Used { balance: facts.person.available_balance() }
        } else {
            Account::NotUsed
        };
        let institution = &facts.stay.admission.institution;
        Ok(ClaimFacts {
            hospital: self.scene.level()?,
            insured: insured(facts, self.coverage)?,
            level,
            totals: bill(&stretch.totals),
            year: facts.person.used(self.scheme, year),
            earlier: self.earlier(facts.stay, year),
            closes_stay: !order.part,
            institution_deductible: facts.person.deductible_at(self.scheme, year, institution),
            account,
            maternity: maternity_kind(facts.stay),
        })
    }

    fn earlier(&self, stay: &StayState, year: BenefitYear) -> Option<EarlierParts> {
        let part = |part: &Part| SettledPart {
            year: part.year,
            in_scope: part.totals.in_scope,
            act_pay_dedc: part.act_pay_dedc,
            admissions_before: part.admissions_before,
        };
        let parts: Vec<SettledPart> = stay.parts.iter().map(part).collect();
        EarlierParts::on_axis(&parts, year, self.policy.stays.new_year_is_new_axis)
    }

    fn compute(&self, claim: &ClaimFacts) -> Result<Breakdown, Refusal> {
        benefit::compute(&claim.claim(&self.policy), &mut NoTrace).map_err(no_benefit)
    }

    fn settlement(
        &self,
        facts: &SettleFacts<'_>,
        order: &SettleOrder,
        stretch: Stretch,
        claim: ClaimFacts,
        breakdown: Breakdown,
        filing: Option<FilingId>,
    ) -> Settlement {
        let admission = &facts.stay.admission;
        let institution = admission.institution.clone();
        let movement = Movement {
            insured_pool: self.scene.home,
            care_pool: self.scene.care.pool,
            institution: &institution,
            funds: &breakdown.funds,
            account: breakdown.acct_pay,
            cash: breakdown.psn_cash_pay,
        };
        let entries = posting::entries(&movement);
        let care_region = self.scene.institution.region;
        let regions = &facts.reference.regions;
        let clearing_agency =
            regions.on(care_region, facts.today).map_or(self.scene.care.pool, |row| row.clearing_agency);
        Settlement {
            id: order.id.clone(),
            part: order.part,
            up_to: stretch.up_to,
            scheme: self.scheme,
            insutype: admission.insutype.clone(),
            med_type: admission.med_type.clone(),
            person_type: self.coverage.person_type.clone(),
            civil_servant: self.coverage.civil_servant,
            year: self.policy.year_start.year_of(stretch.up_to),
            admitted: admission.begun.day(),
            policy_day: stretch.up_to,
            pack: self.policy.pack_hash.to_string(),
            institution,
            institution_region: care_region,
            institution_pool: self.scene.care.pool,
            insured_region: self.coverage.region,
            insured_pool: self.scene.home,
            clearing_agency,
            clearing_type: order.clearing_type.clone(),
            clearing_way: order.clearing_way.clone(),
            filing,
            facts: claim,
            balance_left: facts.person.available_balance().less(breakdown.acct_pay),
            breakdown,
            days: stretch.days,
            psn_setlway: order.psn_setlway.clone(),
            credential_type: order.credential_type.clone(),
            invoice: order.invoice.clone(),
            entries,
        }
    }
}

fn insured(facts: &SettleFacts<'_>, coverage: &Coverage) -> Result<Insured, Refusal> {
    let admitted = facts.stay.admission.begun.day();
    let category = facts.person.register.assistance_on(admitted).map(|span| span.category.as_str());
    Ok(Insured {
        status: scene::person_type(coverage)?.status(),
        age: facts.birth.map_or(0, |birth| admitted.years_since(birth)),
        civil_servant: coverage.civil_servant,
        assistance: category.and_then(|code| code.parse().ok()).and_then(AssistanceCategory::from_code),
    })
}

fn bill(totals: &LineTotals) -> BillTotals {
    BillTotals {
        full_own_pay: totals.class_c,
        over_limit: totals.over_limit,
        first_pay: totals.first_pay,
        in_scope: totals.in_scope,
    }
}

/// 生育类别: as told at discharge, else at admission.
fn maternity_kind(stay: &StayState) -> Option<MaternityKind> {
    let at_discharge = stay.discharge.as_ref().map(|discharge| discharge.matn_type.as_str());
    let told = at_discharge.filter(|told| !told.is_empty()).unwrap_or(&stay.admission.matn_type);
    told.parse().ok().map(MaternityKind)
}

/// Why an emergency that no filing covers is refused, by the window that it missed.
pub(crate) fn not_filed(window: Option<u16>) -> Refusal {
    window.map_or(Refusal::UnfiledRefused, |days| Refusal::EmergencyNotFiled { days })
}

fn no_benefit(cause: NoBenefit) -> Refusal {
    match cause {
        NoBenefit::UnfiledRefused => Refusal::UnfiledRefused,
        NoBenefit::MaternityKindMissing => Refusal::MaternityKindMissing,
        NoBenefit::MaternityKindNotRuled(kind) => {
            Refusal::MaternityKindNotRuled { matn_type: kind.to_string() }
        }
        NoBenefit::NegativeTotal { field, amount } => Refusal::NegativeTotal { field, amount },
        NoBenefit::OutOfRange(_) => Refusal::OutOfRange,
        NoBenefit::Broken(broken) => Refusal::Broken { what: broken.to_string() },
    }
}
