//! Owns how filings are made, changed and ended, and what is refused.

use crate::domain::calendar::Day;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::FilingId;
use crate::domain::ids::RegionCode;
use crate::domain::parameters::FilingTerms;

/// A filing that someone wants to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFiling {
    pub id: FilingId,
    pub category: FilingCategory,
    /// Already mapped to a city, a municipality or a province by the region table.
    pub target: RegionCode,
    pub from: Day,
    /// `None`: as the pack says for its category.
    pub to: Option<Day>,
    pub made_on: Day,
    pub proof: FilingProof,
    pub by: FiledBy,
}

/// The wish to end a filing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndFiling {
    /// The first day on which it shall stand no longer.
    pub from: Day,
    pub today: Day,
    /// The latest admission of a live settlement that used it.
    pub last_used: Option<Day>,
}

/// Why a filing is not made, changed or ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilingRefusal {
    #[error(
        "a filing is never back-dated: it begins on {from}, but was made on {made_on}; begin it on {made_on} or later"
    )]
    BackDated { from: Day, made_on: Day },
    #[error("the filing ends on {to}, before it begins on {from}")]
    EndsBeforeItBegins { from: Day, to: Day },
    #[error("{target} is her own pool; care at home needs no filing")]
    TargetIsHome { target: RegionCode },
    #[error("a referral comes from a hospital of {home} or from its center, not from a hospital of {pool}")]
    ReferralFromElsewhere { home: RegionCode, pool: RegionCode },
    #[error("a referral comes from a hospital or the center; she can file as other temporary care herself")]
    ReferralByHerself,
    #[error("the long-term filing {id} stands: change it instead of making a second")]
    LongTermStands { id: FilingId },
    #[error("the long-term filing {id} may be changed or ended from {first_day} on")]
    Locked { id: FilingId, first_day: Day },
    #[error("a settled stay admitted on {admitted} used the filing: end it on a later day")]
    Used { admitted: Day },
    #[error("a filing is not ended in the past: today is {today}")]
    EndBackDated { today: Day },
    #[error("the filing was ended already, from {from} on")]
    AlreadyEnded { from: Day },
    #[error("only a long-term filing is changed; make a new temporary filing")]
    NotLongTerm,
}

/// Makes a filing for a person of the pool `home` who has `filings`.
pub fn make(
    order: NewFiling,
    home: RegionCode,
    filings: &[Filing],
    terms: &FilingTerms,
) -> Result<Filing, FilingRefusal> {
    check_dates(&order)?;
    check_maker(&order, home)?;
    check_no_second(&order, filings)?;
    let to = order.to.or_else(|| usual_end(&order, terms));
    Ok(Filing {
        id: order.id,
        category: order.category,
        target: order.target,
        from: order.from,
        to,
        made_on: order.made_on,
        proof: order.proof,
        by: order.by,
        ended_from: None,
    })
}

/// Ends a filing.
pub fn end(filing: &Filing, order: EndFiling, terms: &FilingTerms) -> Result<Filing, FilingRefusal> {
    if let Some(from) = filing.ended_from {
        return Err(FilingRefusal::AlreadyEnded { from });
    }
    if order.from < order.today {
        return Err(FilingRefusal::EndBackDated { today: order.today });
    }
    if let Some(admitted) = order.last_used.filter(|admitted| order.from <= *admitted) {
        return Err(FilingRefusal::Used { admitted });
    }
    check_lock(filing, order.today, terms)?;
    Ok(Filing { ended_from: Some(order.from), ..filing.clone() })
}

/// Replaces a long-term filing by another: the old one ends on the day on which the new one begins. The old one first.
pub fn change(
    old: &Filing,
    order: NewFiling,
    home: RegionCode,
    filings: &[Filing],
    last_used: Option<Day>,
    terms: &FilingTerms,
) -> Result<(Filing, Filing), FilingRefusal> {
    if !old.category.is_long_term() || !order.category.is_long_term() {
        return Err(FilingRefusal::NotLongTerm);
    }
    let ended = end(old, EndFiling { from: order.from, today: order.made_on, last_used }, terms)?;
    let others: Vec<Filing> = filings.iter().filter(|filing| filing.id != old.id).cloned().collect();
    let made = make(order, home, &others, terms)?;
    Ok((ended, made))
}

fn check_dates(order: &NewFiling) -> Result<(), FilingRefusal> {
    let (from, made_on) = (order.from, order.made_on);
    if from < made_on {
        return Err(FilingRefusal::BackDated { from, made_on });
    }
    let early = order.to.filter(|to| *to < from);
    early.map_or(Ok(()), |to| Err(FilingRefusal::EndsBeforeItBegins { from, to }))
}

fn check_maker(order: &NewFiling, home: RegionCode) -> Result<(), FilingRefusal> {
    if order.target == home {
        return Err(FilingRefusal::TargetIsHome { target: home });
    }
    if order.category != FilingCategory::Referral {
        return Ok(());
    }
    match &order.by {
        FiledBy::Hospital { pool, .. } if *pool != home => {
            Err(FilingRefusal::ReferralFromElsewhere { home, pool: *pool })
        }
        FiledBy::Person => Err(FilingRefusal::ReferralByHerself),
        FiledBy::Hospital { .. } | FiledBy::Center | FiledBy::Import => Ok(()),
    }
}

/// At most one long-term filing stands at a time.
fn check_no_second(order: &NewFiling, filings: &[Filing]) -> Result<(), FilingRefusal> {
    if !order.category.is_long_term() {
        return Ok(());
    }
    let standing =
        filings.iter().find(|filing| filing.category.is_long_term() && filing.stands_on(order.from));
    standing.map_or(Ok(()), |filing| Err(FilingRefusal::LongTermStands { id: filing.id.clone() }))
}

fn check_lock(filing: &Filing, today: Day, terms: &FilingTerms) -> Result<(), FilingRefusal> {
    let first_day = filing.made_on.plus_months(i32::from(terms.long_term_lock_months));
    if filing.category.is_long_term() && today < first_day {
        return Err(FilingRefusal::Locked { id: filing.id.clone(), first_day });
    }
    Ok(())
}

/// Last day of a filing that names none.
fn usual_end(order: &NewFiling, terms: &FilingTerms) -> Option<Day> {
    let months = match (order.category.is_long_term(), order.proof) {
        (false, FilingProof::Documents | FilingProof::Commitment) => Some(terms.temporary_months),
        (true, FilingProof::Commitment) => terms.commitment_months,
        (true, FilingProof::Documents) => None,
    };
    months.map(|months| order.from.plus_months(i32::from(months)).previous())
}
