//! Owns what a deed does to every table beside `record`: the one fold that commit and replay share.

use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::BenefitYear;
use crate::domain::codes::Scheme;
use crate::domain::identities::BrokenIdentity;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::money::Fen;
use crate::domain::posting::Entry;
use crate::domain::posting::imbalance;
use crate::domain::posting::swapped;
use crate::domain::record::Body;
use crate::domain::record::MessageKey;
use crate::domain::record::Settlement;
use crate::domain::state::BrokenFold;
use crate::domain::state::Folded;
use crate::domain::state::StayState;
use crate::domain::state::Told;

/// What a record does to messages and to the settlements of its month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Messages whose first answer no longer stands.
    pub undoes: Vec<MessageKey>,
    /// The message whose first answer stands again.
    pub restores: Option<MessageKey>,
    /// The message that must not be done any more.
    pub fences: Option<MessageKey>,
    pub settlement: Option<SettlementRow>,
}

/// Whether a row of a month is a settlement, its negative, or one that stands again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettlementKind {
    Settled,
    Reversed,
    Revived,
}

impl SettlementKind {
    pub fn word(self) -> &'static str {
        match self {
            SettlementKind::Settled => "settled",
            SettlementKind::Reversed => "reversed",
            SettlementKind::Revived => "revived",
        }
    }
}

/// What clearing reads of a settlement. Person, version, stay and time are those of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementRow {
    pub id: SettlementId,
    pub kind: SettlementKind,
    pub original: Option<SettlementId>,
    pub institution: InstitutionCode,
    pub care_pool: RegionCode,
    pub insured_pool: RegionCode,
    pub scheme: Scheme,
    pub year: BenefitYear,
    /// Signs turned when it is a reversal.
    pub breakdown: Breakdown,
}

/// A record that contradicts itself or what came before it.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error(transparent)]
    Fold(#[from] BrokenFold),
    #[error(transparent)]
    Identity(#[from] BrokenIdentity),
    #[error("the entries of settlement {id} do not balance: {by} is left")]
    Unbalanced { id: SettlementId, by: Fen },
    #[error("reversal {0} is not the exact negative of its settlement")]
    NotTheNegative(SettlementId),
    #[error("a deed that does not guard the person changes her")]
    Unguarded,
    #[error("the facts lack the stay of the deed")]
    NoStayFacts,
}

/// Takes a record into the fold and says what else it does.
pub fn take(folded: &mut Folded, told: Told<'_>, body: &Body) -> Result<Effect, Unfit> {
    let effect = effect(body, folded.stay.as_ref())?;
    folded.apply(told, body)?;
    Ok(effect)
}

/// Holds money to its identities: before a record is written, and when it is read back.
pub fn verify(body: &Body) -> Result<(), Unfit> {
    match body {
        Body::Settled(settlement) => verify_settlement(settlement),
        Body::Reversed(reversal) => {
            verify_settlement(&reversal.settlement)?;
            let negative = swapped(&reversal.settlement.entries) == reversal.entries;
            if negative { Ok(()) } else { Err(Unfit::NotTheNegative(reversal.id.clone())) }
        }
        Body::Revived(revival) => {
            verify_settlement(&revival.settlement)?;
            verify_entries(&revival.id, &revival.entries)
        }
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
        | Body::UndoneWithoutEffect(_) => Ok(()),
    }
}

fn verify_settlement(settlement: &Settlement) -> Result<(), Unfit> {
    settlement.breakdown.check()?;
    verify_entries(&settlement.id, &settlement.entries)
}

fn verify_entries(id: &SettlementId, entries: &[Entry]) -> Result<(), Unfit> {
    let by = imbalance(entries);
    if by.is_zero() { Ok(()) } else { Err(Unfit::Unbalanced { id: id.clone(), by }) }
}

/// `stay` as it was before the record: cancelling an admission undoes the message that made it.
fn effect(body: &Body, stay: Option<&StayState>) -> Result<Effect, Unfit> {
    let undoing = |undoes: Vec<MessageKey>| Effect { undoes, ..Effect::default() };
    let before = || stay.ok_or(Unfit::NoStayFacts);
    Ok(match body {
        Body::Settled(settlement) => {
            let row = row(settlement, settlement.id.clone(), SettlementKind::Settled, None);
            Effect { settlement: Some(row), ..Effect::default() }
        }
        Body::Reversed(reversal) => {
            let original = Some(reversal.original.clone());
            let row = row(&reversal.settlement, reversal.id.clone(), SettlementKind::Reversed, original);
            Effect { settlement: Some(row), ..undoing(vec![reversal.undoes.clone()]) }
        }
        Body::Revived(revival) => {
            let original = Some(revival.settlement.id.clone());
            let row = row(&revival.settlement, revival.id.clone(), SettlementKind::Revived, original);
            let restores = Some(revival.restores.clone());
            Effect { settlement: Some(row), restores, ..undoing(vec![revival.undoes.clone()]) }
        }
        Body::Fenced(key) => Effect { fences: Some(key.clone()), ..Effect::default() },
        Body::LinesWithdrawn(withdrawal) => undoing(withdrawal.uploads.clone()),
        Body::FilingEnded(ended) => undoing(ended.cancels.iter().cloned().collect()),
        Body::AdmissionCancelled => undoing(vec![before()?.admitted_by.clone()]),
        Body::DischargeCancelled => undoing(before()?.discharged_by.iter().cloned().collect()),
        Body::Registered(_)
        | Body::BalanceTaken(_)
        | Body::OutsideEvent(_)
        | Body::FilingMade(_)
        | Body::Admitted(_)
        | Body::AdmissionChanged(_)
        | Body::Discharged(_)
        | Body::LinesUploaded(_)
        | Body::UndoneWithoutEffect(_) => Effect::default(),
    })
}

fn row(
    settlement: &Settlement,
    id: SettlementId,
    kind: SettlementKind,
    original: Option<SettlementId>,
) -> SettlementRow {
    let forward = &settlement.breakdown;
    let breakdown = if kind == SettlementKind::Reversed { forward.negated() } else { forward.clone() };
    SettlementRow {
        id,
        kind,
        original,
        institution: settlement.institution.clone(),
        care_pool: settlement.institution_pool,
        insured_pool: settlement.insured_pool,
        scheme: settlement.scheme,
        year: settlement.year,
        breakdown,
    }
}
