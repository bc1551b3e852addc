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
        "a filing is never back-dated: made on {made_on}, it cannot begin on {from}; begin it then or later"
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
    #[error("the referral {id} stands for the same place until {to:?}: it needs no second")]
    ReferralStands { id: FilingId, to: Option<Day> },
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
    check_no_second_referral(&order, to, filings)?;
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
    if let Some(admitted) = in_the_way(filing, order.from, order.last_used) {
        return Err(FilingRefusal::Used { admitted });
    }
    check_lock(filing, order.today, terms)?;
    Ok(Filing { ended_from: Some(order.from), ..filing.clone() })
}

/// The admission of a live settlement from which an end on that day would take its filing away: it was not later than that
/// day, or the filing, made after it (补办), would never have stood.
pub fn in_the_way(filing: &Filing, from: Day, last_used: Option<Day>) -> Option<Day> {
    last_used.filter(|admitted| from <= *admitted || from <= filing.from)
}

/// Replaces a long-term filing by another: the old one ends on the day on which the new one begins. The old
/// one first.
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

/// A second referral for the same place begins after the first; what is imported is as its source has it.
fn check_no_second_referral(
    order: &NewFiling,
    to: Option<Day>,
    filings: &[Filing],
) -> Result<(), FilingRefusal> {
    if order.category != FilingCategory::Referral || order.by == FiledBy::Import {
        return Ok(());
    }
    let overlaps = |filing: &&Filing| {
        let last = last_day(filing);
        filing.category == FilingCategory::Referral
            && filing.target == order.target
            && last.is_none_or(|last| last >= order.from && last >= filing.from)
            && to.is_none_or(|to| to >= filing.from)
    };
    let standing = filings.iter().find(overlaps);
    standing.map_or(Ok(()), |filing| {
        Err(FilingRefusal::ReferralStands { id: filing.id.clone(), to: last_day(filing) })
    })
}

/// The last day on which a filing covers.
fn last_day(filing: &Filing) -> Option<Day> {
    let ended = filing.ended_from.map(Day::previous);
    match (filing.to, ended) {
        (Some(to), Some(ended)) => Some(to.min(ended)),
        (to, ended) => to.or(ended),
    }
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

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::domain::filing::tests::filing;
    use crate::domain::ids::InstitutionCode;
    use crate::domain::pack::tp1;
    use crate::domain::pack::tp1::day;

    use FilingCategory as C;
    use FilingRefusal as R;

    const HOME: RegionCode = RegionCode(440_700);

    fn terms() -> FilingTerms {
        FilingTerms { commitment_months: Some(12), ..tp1::filing_terms() }
    }

    /// For Nanning, by the center, on 10 June 2026, from that day.
    fn order(category: C) -> NewFiling {
        NewFiling {
            id: FilingId::parse("F2").unwrap(),
            category,
            target: RegionCode(450_100),
            from: day(20_260_610),
            to: None,
            made_on: day(20_260_610),
            proof: FilingProof::Documents,
            by: FiledBy::Center,
        }
    }

    fn hospital(pool: u32) -> FiledBy {
        FiledBy::Hospital { code: InstitutionCode::parse("H44070300001").unwrap(), pool: RegionCode(pool) }
    }

    fn made(order: NewFiling) -> Result<Filing, R> {
        make(order, HOME, &[], &terms())
    }

    #[test]
    fn a_filing_lasts_as_the_pack_says_for_its_category() {
        let commitment = |category| NewFiling { proof: FilingProof::Commitment, ..order(category) };
        for (order, to) in [
            (order(C::LongTermWorker), None),
            (commitment(C::LongTermWorker), Some(20_270_609)),
            (order(C::Referral), Some(20_261_209)),
            (order(C::Emergency), Some(20_261_209)),
            (commitment(C::OtherTemporary), Some(20_261_209)),
            (NewFiling { to: Some(day(20_260_610)), ..order(C::Referral) }, Some(20_260_610)),
        ] {
            assert_eq!(made(order.clone()).map(|filing| filing.to), Ok(to.map(day)), "{order:?}");
        }
        let open = make(commitment(C::LongTermWorker), HOME, &[], &tp1::filing_terms());
        assert_eq!(open.map(|filing| filing.to), Ok(None));
    }

    #[test]
    fn a_made_filing_keeps_what_was_ordered() {
        let filing = made(NewFiling { from: day(20_260_615), ..order(C::LongTermRetiree) }).unwrap();
        assert_eq!(
            (filing.id.as_str(), filing.category, filing.target.0),
            ("F2", C::LongTermRetiree, 450_100)
        );
        assert_eq!((filing.from, filing.made_on), (day(20_260_615), day(20_260_610)));
        assert_eq!(
            (filing.proof, filing.by, filing.ended_from),
            (FilingProof::Documents, FiledBy::Center, None)
        );
    }

    #[test]
    fn dates_and_targets_are_checked() {
        let (from, made_on, to) = (day(20_260_610), day(20_260_611), day(20_260_609));
        for (order, refusal) in [
            (NewFiling { made_on, ..order(C::Referral) }, R::BackDated { from, made_on }),
            (NewFiling { to: Some(to), ..order(C::Referral) }, R::EndsBeforeItBegins { from, to }),
            (NewFiling { target: HOME, ..order(C::Referral) }, R::TargetIsHome { target: HOME }),
        ] {
            assert_eq!(made(order), Err(refusal));
        }
    }

    #[test]
    fn a_referral_comes_from_home() {
        let pool = RegionCode(450_100);
        for (category, by, refusal) in [
            (C::Referral, hospital(440_700), None),
            (C::Referral, FiledBy::Center, None),
            (C::Referral, FiledBy::Import, None),
            (C::Referral, FiledBy::Person, Some(R::ReferralByHerself)),
            (C::Referral, hospital(450_100), Some(R::ReferralFromElsewhere { home: HOME, pool })),
            (C::OtherTemporary, FiledBy::Person, None),
            (C::Emergency, hospital(450_100), None),
        ] {
            assert_eq!(
                made(NewFiling { by: by.clone(), ..order(category) }).err(),
                refusal,
                "{category:?} {by:?}"
            );
        }
    }

    #[test]
    fn one_long_term_filing_stands_at_a_time() {
        let standing = filing(C::LongTermResident);
        let stands = Some(R::LongTermStands { id: standing.id.clone() });
        let ran_out = Filing { to: Some(day(20_260_609)), ..standing.clone() };
        for (existing, category, refusal) in [
            (standing.clone(), C::LongTermWorker, stands),
            (standing, C::OtherTemporary, None),
            (ran_out, C::LongTermWorker, None),
            (filing(C::Referral), C::LongTermWorker, None),
        ] {
            assert_eq!(make(order(category), HOME, &[existing], &terms()).err(), refusal);
        }
    }

    #[test]
    fn a_second_referral_for_the_same_place_begins_after_the_first() {
        let first = Filing { to: Some(day(20_260_615)), ..filing(C::Referral) };
        let stands = Some(R::ReferralStands { id: first.id.clone(), to: first.to });
        let second = order(C::Referral);
        let after = NewFiling { from: day(20_260_616), ..second.clone() };
        let elsewhere = NewFiling { target: RegionCode(430_100), ..second.clone() };
        let imported = NewFiling { by: FiledBy::Import, ..second.clone() };
        let ended = Filing { ended_from: Some(day(20_260_610)), ..first.clone() };
        let of_other_kind = Filing { category: C::Emergency, ..first.clone() };
        for (existing, order, refusal) in [
            (&first, second.clone(), stands),
            (&first, after, None),
            (&first, elsewhere, None),
            (&first, imported, None),
            (&ended, second.clone(), None),
            (&of_other_kind, second, None),
        ] {
            assert_eq!(make(order.clone(), HOME, from_ref(existing), &terms()).err(), refusal, "{order:?}");
        }
    }

    #[test]
    fn a_filing_ends_later_than_what_used_it_and_not_in_the_past() {
        let temporary = filing(C::Referral);
        let today = day(20_260_610);
        let ending = |from, last_used: Option<i32>| EndFiling {
            from: day(from),
            today,
            last_used: last_used.map(day),
        };
        for (order, refusal) in [
            (ending(20_260_610, None), None),
            (ending(20_260_609, None), Some(R::EndBackDated { today })),
            (ending(20_260_610, Some(20_260_609)), None),
            (ending(20_260_610, Some(20_260_610)), Some(R::Used { admitted: day(20_260_610) })),
            (ending(20_260_610, Some(20_260_611)), Some(R::Used { admitted: day(20_260_611) })),
        ] {
            assert_eq!(end(&temporary, order, &terms()).err(), refusal, "{order:?}");
        }
        let made_late = Filing { from: today, ..filing(C::Referral) };
        let used_before = ending(20_260_610, Some(20_260_601));
        let annulled = end(&made_late, used_before, &terms()).err();
        assert_eq!(annulled, Some(R::Used { admitted: day(20_260_601) }), "its only use would be gone");
        assert!(end(&made_late, ending(20_260_611, Some(20_260_601)), &terms()).is_ok());
        let ended = end(&temporary, ending(20_260_615, None), &terms()).unwrap();
        assert_eq!(ended, Filing { ended_from: Some(day(20_260_615)), ..temporary });
        let again = end(&ended, ending(20_260_620, None), &terms());
        assert_eq!(again, Err(R::AlreadyEnded { from: day(20_260_615) }));
    }

    #[test]
    fn a_long_term_filing_is_locked_for_its_months() {
        let long_term = filing(C::LongTermWorker);
        let first_day = day(20_260_701);
        let ending = |today| EndFiling { from: day(20_260_801), today: day(today), last_used: None };
        let locked = R::Locked { id: long_term.id.clone(), first_day };
        assert_eq!(end(&long_term, ending(20_260_630), &terms()), Err(locked));
        assert!(end(&long_term, ending(20_260_701), &terms()).is_ok());
        assert!(end(&filing(C::OtherTemporary), ending(20_260_630), &terms()).is_ok());
    }

    #[test]
    fn a_change_ends_the_old_filing_as_the_new_one_begins() {
        let old = filing(C::LongTermWorker);
        let july =
            NewFiling { from: day(20_260_715), made_on: day(20_260_710), ..order(C::LongTermResident) };
        let (ended, new) = change(&old, july.clone(), HOME, from_ref(&old), None, &terms()).unwrap();
        assert_eq!((ended.ended_from, ended.id.as_str()), (Some(day(20_260_715)), "F1"));
        assert_eq!((new.from, new.id.as_str()), (day(20_260_715), "F2"));

        let june = order(C::LongTermResident);
        let locked = R::Locked { id: old.id.clone(), first_day: day(20_260_701) };
        assert_eq!(change(&old, june, HOME, from_ref(&old), None, &terms()), Err(locked));
        let used = change(&old, july.clone(), HOME, from_ref(&old), Some(day(20_260_715)), &terms());
        assert_eq!(used, Err(R::Used { admitted: day(20_260_715) }));
        let other = Filing { id: FilingId::parse("F9").unwrap(), ..old.clone() };
        let second = change(&old, july.clone(), HOME, &[old.clone(), other.clone()], None, &terms());
        assert_eq!(second, Err(R::LongTermStands { id: other.id }));
        let temporary = NewFiling { category: C::Referral, ..july.clone() };
        assert_eq!(change(&old, temporary, HOME, &[], None, &terms()), Err(R::NotLongTerm));
        assert_eq!(change(&filing(C::Referral), july, HOME, &[], None, &terms()), Err(R::NotLongTerm));
    }
}
