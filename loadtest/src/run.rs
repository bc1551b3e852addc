//! Owns one run: both sides in turns over the same bytes, as often as asked.

use serde::Serialize;

use crate::case::Case;
use crate::drive::Journey;
use crate::failed::Failed;
use crate::measured::Figures;
use crate::measured::Ratio;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Scenario;
use crate::stage::Kind;
use crate::stage::Leg;
use crate::stage::Side;
use crate::stage::Stage;
use crate::step::Step;

/// How often the floor gets what the gateway gets once when saturated: it is so much faster that it would be measured
/// for a moment only.
const FLOOR_TIMES: usize = 12;
/// How often the gateway prices the same stays: a pre-settlement leaves nothing behind.
const QUOTE_TIMES: usize = 4;

/// Both sides of one repeat.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    pub gateway: Figures,
    pub floor: Figures,
}

/// Gateway to floor, over the repeats.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratios {
    pub throughput: Ratio,
    /// Processor time of the server for a journey.
    pub cpu: Ratio,
}

pub fn ratios(pairs: &[Pair]) -> Ratios {
    Ratios {
        throughput: Ratio::of(pairs.iter().map(|pair| pair.gateway.per_second / pair.floor.per_second)),
        cpu: Ratio::of(pairs.iter().map(|pair| pair.gateway.server_us / pair.floor.server_us)),
    }
}

/// Prepares what each repeat needs and drives both sides.
pub async fn run(stage: &mut Stage, plan: &Plan) -> Result<Vec<Pair>, Failed> {
    let mut pairs = Vec::new();
    for repeat in 0..plan.repeats {
        let journeys = journeys(stage, plan).await?;
        pairs.push(pair(stage, plan, journeys, repeat).await?);
    }
    Ok(pairs)
}

async fn journeys(stage: &mut Stage, plan: &Plan) -> Result<Vec<Journey>, Failed> {
    let (count, lines) = (plan.stays_a_repeat(), plan.lines);
    let step = match plan.scenario {
        Scenario::Stay => return Ok(stage.fresh(count, lines)?.iter().map(Case::whole_stay).collect()),
        Scenario::Upload => Step::Upload,
        Scenario::Quote => Step::Quote,
        Scenario::Settle => Step::Settle,
    };
    Ok(stage.prepared(count, lines, step).await?.iter().map(|case| case.journey(step)).collect())
}

/// Drives both sides over the same bytes; who begins changes with each repeat.
pub async fn pair(
    stage: &mut Stage,
    plan: &Plan,
    journeys: Vec<Journey>,
    repeat: usize,
) -> Result<Pair, Failed> {
    let kind = Kind { lines: plan.lines, in_one_call: plan.scenario != Scenario::Stay };
    stage.need_floor(kind).await?;
    let leg = Leg { connections: plan.connections, warm_up: plan.warm_up, arrivals: plan.arrivals };
    let (for_gateway, for_floor) = both(plan, journeys);
    if repeat.is_multiple_of(2) {
        let gateway = stage.drive(Side::Gateway, for_gateway, leg).await?;
        let floor = stage.drive(Side::Floor(kind), for_floor, leg).await?;
        Ok(Pair { gateway: Figures::of(&gateway), floor: Figures::of(&floor) })
    } else {
        let floor = stage.drive(Side::Floor(kind), for_floor, leg).await?;
        let gateway = stage.drive(Side::Gateway, for_gateway, leg).await?;
        Ok(Pair { gateway: Figures::of(&gateway), floor: Figures::of(&floor) })
    }
}

/// What each side gets, so that both run for about as long.
fn both(plan: &Plan, journeys: Vec<Journey>) -> (Vec<Journey>, Vec<Journey>) {
    if plan.arrivals != Arrivals::Saturating {
        return (journeys.clone(), journeys);
    }
    let many = |times: usize| std::iter::repeat_n(&journeys, times).flatten().cloned().collect();
    let floor = many(FLOOR_TIMES);
    let gateway = if plan.scenario == Scenario::Quote { many(QUOTE_TIMES) } else { journeys };
    (gateway, floor)
}
