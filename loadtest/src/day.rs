//! Owns a day of all hospitals: as many of each call as stays begin, go on and end, in any order.
//!
//! For a hundred stays that begin: 100 times who is she, her entitlement and the admission, one after the other; 1,000
//! uploads; 100 discharges; 100 times two pre-settlements and the settlement; 100 look-ups of a settlement, 20 sign-ins,
//! 5 reversals, and 2 reconciliations where the gateway knows them.

use crate::case::Case;
use crate::drive::Journey;
use crate::failed::Failed;
use crate::pace::Chance;
use crate::stage::Stage;
use crate::stage::Whereabouts;
use crate::step::Step;

/// Of the stays that begin, one of so many is reversed, looked up (so many times), signs a desk in, or is reconciled.
const REVERSED: usize = 20;
const LOOKED_UP: usize = 5;
const SIGNED_IN: usize = 5;
const RECONCILED: usize = 50;

/// Stays that a day with so many admissions uses up.
pub fn stays_used(begun: usize) -> usize {
    begun * 4 + begun.div_ceil(LOOKED_UP) + begun.div_ceil(REVERSED)
}

/// The calls of a day on which so many stays begin.
pub async fn journeys(stage: &mut Stage, begun: usize, lines: usize) -> Result<Vec<Journey>, Failed> {
    let anywhere = Whereabouts::Anywhere;
    let beginning = stage.fresh(begun, lines, anywhere)?;
    let lying = stage.prepared(begun, lines, Step::Upload, anywhere).await?;
    let leaving = stage.prepared(begun, lines, Step::Discharge, anywhere).await?;
    let ending = stage.prepared(begun, lines, Step::Settle, anywhere).await?;
    let looked_up = stage.prepared(begun.div_ceil(LOOKED_UP), lines, Step::Look, anywhere).await?;
    let reversed = stage.prepared(begun.div_ceil(REVERSED), lines, Step::Reverse, anywhere).await?;

    let mut journeys = Vec::new();
    let arrival = [Step::Identify, Step::Entitle, Step::Admit];
    journeys.extend(beginning.iter().map(|case| case.journey_of(&arrival)));
    journeys.extend(lying.iter().flat_map(Case::uploads));
    journeys.extend(leaving.iter().map(|case| case.journey(Step::Discharge)));
    journeys.extend(ending.iter().map(|case| case.journey_of(&[Step::Quote, Step::Quote, Step::Settle])));
    let many = |case: &Case| std::iter::repeat_n(case.journey(Step::Look), LOOKED_UP);
    journeys.extend(looked_up.iter().flat_map(many));
    journeys.extend(reversed.iter().map(|case| case.journey(Step::Reverse)));
    journeys.extend(beginning.iter().step_by(SIGNED_IN).map(|case| case.journey(Step::SignIn)));
    if Step::Totals.is_known() {
        journeys.extend(ending.iter().step_by(RECONCILED).map(|case| case.journey(Step::Totals)));
    }
    Chance::default().shuffle(&mut journeys);
    Ok(journeys)
}
