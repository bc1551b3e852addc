//! Owns reversal: which settlement may be taken back, in which order, and what its negative is.

use crate::domain::admission::StayInHand;
use crate::domain::calendar::Day;
use crate::domain::filing::Filing;
use crate::domain::ids::SettlementId;
use crate::domain::posting;
use crate::domain::record::Body;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::record::Reversal;
use crate::domain::record::Revival;
use crate::domain::record::Settlement;
use crate::domain::reference::Reference;
use crate::domain::refusal::Refusal;
use crate::domain::refusal::Since;
use crate::domain::settle::check_act;
use crate::domain::state::PersonState;
use crate::domain::stay::Act;
use crate::domain::stay::OutOfOrder;

/// What a reversal reads.
#[derive(Clone, Copy, Debug)]
pub struct ReversalFacts<'a> {
    pub reference: &'a Reference,
    pub person: &'a PersonState,
    pub stay: StayInHand<'a>,
    /// The record of the settlement, or of its revival.
    pub record: &'a Record,
    pub today: Day,
}

/// The settlement that a record holds: its own, or the one that it revives.
///
/// # Errors
/// `IsReversal`, `SettlementUnknown`.
pub fn settlement_of<'a>(record: &'a Record, asked: &SettlementId) -> Result<&'a Settlement, Refusal> {
    match &record.body {
        Body::Settled(settlement) => Ok(settlement),
        Body::Revived(revival) => Ok(&revival.settlement),
        Body::Reversed(_) => Err(Refusal::IsReversal { settlement: asked.clone() }),
        Body::Registered(_)
        | Body::BalanceTaken(_)
        | Body::OutsideEvent(_)
        | Body::FilingMade(_)
        | Body::FilingEnded(_)
        | Body::Admitted(_)
        | Body::AdmissionChanged(_)
        | Body::AdmissionCancelled
        | Body::Discharged(_)
        | Body::DischargeCancelled
        | Body::LinesUploaded(_)
        | Body::LinesWithdrawn(_)
        | Body::Fenced(_)
        | Body::UndoneWithoutEffect(_) => Err(Refusal::SettlementUnknown { settlement: asked.clone() }),
    }
}

/// Takes a settlement back, all or nothing.
///
/// # Errors
/// In this order: not a settlement, reversed already, the state of the stay, a later part, a later settlement of the
/// year.
pub fn reverse(
    facts: &ReversalFacts<'_>,
    asked: &SettlementId,
    id: SettlementId,
) -> Result<Reversal, Refusal> {
    let settlement = settlement_of(facts.record, asked)?;
    if facts.record.stay.as_ref().is_none_or(|(stay, _)| stay != facts.stay.id) {
        return Err(Refusal::SettlementUnknown { settlement: asked.clone() });
    }
    if !facts.stay.state.is_settled_by(&settlement.id) {
        return Err(Refusal::AlreadyReversed { settlement: settlement.id.clone() });
    }
    let (original_version, undoes) = first_told(facts.record);
    check_stay(facts, settlement)?;
    check_last(facts, settlement, original_version)?;
    Ok(Reversal {
        id,
        original: settlement.id.clone(),
        original_version,
        original_at: facts.record.at,
        undoes: undoes.clone(),
        balance_left: facts.person.available_balance() + settlement.breakdown.acct_pay,
        entries: posting::swapped(&settlement.entries),
        settlement: settlement.clone(),
    })
}

/// Person's version of the first record of a settlement, and the message whose answer it is.
fn first_told(record: &Record) -> (u64, &MessageKey) {
    match &record.body {
        Body::Revived(revival) => (revival.original_version, &revival.restores),
        _ => (record.version, &record.meta.key),
    }
}

fn check_stay(facts: &ReversalFacts<'_>, settlement: &Settlement) -> Result<(), Refusal> {
    let act = if settlement.part { Act::ReversePart } else { Act::Reverse };
    let stay = facts.stay;
    check_act(stay.id, stay.state, act)?;
    match stay.state.parts.last() {
        Some(last) if settlement.part && last.settlement != settlement.id => {
            Err(Refusal::LaterPartStands { settlement: last.settlement.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Last in, first out per person, scheme and year, unless the pack that settled it says otherwise.
fn check_last(facts: &ReversalFacts<'_>, settlement: &Settlement, version: u64) -> Result<(), Refusal> {
    let last = facts.person.last_live(settlement.scheme, settlement.year);
    let Some(later) = last.filter(|last| last.version > version) else { return Ok(()) };
    if any_order(facts.reference, settlement) {
        return Ok(());
    }
    // The city: a district's name alone says nothing to a hospital elsewhere.
    let regions = &facts.reference.regions;
    let region = regions.pool_of(later.institution_region, facts.today).unwrap_or(later.institution_region);
    Err(Refusal::LaterStands {
        scheme: settlement.scheme,
        year: settlement.year,
        day: later.policy_day,
        region,
        region_name: regions.name(region, facts.today),
    })
}

fn any_order(reference: &Reference, settlement: &Settlement) -> bool {
    let pack = reference.packs_by_hash.get(&settlement.pack);
    let policy = pack.and_then(|pack| pack.policy(settlement.scheme, settlement.policy_day).ok());
    policy.is_some_and(|policy| policy.stays.reversal_out_of_order)
}

/// What taking a reversal back reads.
#[derive(Clone, Copy, Debug)]
pub struct RevivalFacts<'a> {
    pub person: &'a PersonState,
    pub stay: StayInHand<'a>,
    /// Version of the stay now.
    pub stay_version: u64,
    /// The record of the reversal.
    pub record: &'a Record,
}

/// 2601 of 2305: the settlement stands again, if nothing of the person's year or of the stay came between.
///
/// # Errors
/// `SettleAgain` where anything came between, else the state of the stay.
pub fn revive(facts: &RevivalFacts<'_>, reversal: &Reversal, id: SettlementId) -> Result<Revival, Refusal> {
    let settlement = &reversal.settlement;
    let act = if settlement.part { Act::RevivePart } else { Act::Revive };
    let settle_again = |since| Refusal::SettleAgain { settlement: settlement.id.clone(), since };
    match check_act(facts.stay.id, facts.stay.state, act) {
        // The discharge was cancelled since: another one would not bring the settlement back.
        Err(Refusal::OutOfOrder { cause: OutOfOrder::NotDischarged, .. }) => {
            return Err(settle_again(Since::DischargeCancelled));
        }
        // What stands now must not be taken back for what stood before.
        Err(Refusal::OutOfOrder { cause: OutOfOrder::AlreadySettled, .. }) => {
            return Err(settle_again(Since::SettledAgain));
        }
        checked => checked?,
    }
    if let Some(since) = came_between(facts, settlement) {
        return Err(settle_again(since));
    }
    Ok(Revival {
        id,
        restores: reversal.undoes.clone(),
        original_version: reversal.original_version,
        reversal: reversal.id.clone(),
        undoes: facts.record.meta.key.clone(),
        balance_left: facts.person.available_balance().less(settlement.breakdown.acct_pay),
        entries: settlement.entries.clone(),
        settlement: settlement.clone(),
    })
}

fn came_between(facts: &RevivalFacts<'_>, settlement: &Settlement) -> Option<Since> {
    let since = facts.record.version;
    // Assistance counts over all schemes, so a change of any scheme of the year is one of this.
    let mut years = facts.person.years.iter().filter(|row| row.year == settlement.year);
    let year_moved = years.any(|row| row.touched > since);
    let stay_version = facts.record.stay.as_ref().map(|(_, version)| *version);
    let account_covers = facts.person.available_balance() >= settlement.breakdown.acct_pay;
    let filing_stands = settlement.filing.as_ref().is_none_or(|id| {
        let filing = facts.person.filings.iter().find(|filing| filing.id == *id);
        filing.is_some_and(|filing| was_standing(filing, settlement.admitted))
    });
    let all = [
        (year_moved, Since::YearMoved),
        (stay_version != Some(facts.stay_version), Since::StayMoved),
        (!account_covers, Since::AccountShort),
        (!filing_stands, Since::FilingGone),
    ];
    all.into_iter().find_map(|(came, since)| came.then_some(since))
}

/// Whether a filing that counted for an admission was not ended before it since.
fn was_standing(filing: &Filing, admitted: Day) -> bool {
    filing.ended_from.is_none_or(|ended| ended > admitted && ended > filing.from)
}
