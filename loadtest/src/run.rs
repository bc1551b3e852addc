//! Owns one run: both sides in turns over the same bytes, as often as asked.

use serde::Serialize;

use crate::case::Case;
use crate::day;
use crate::drive::Journey;
use crate::failed::Failed;
use crate::measured::Figures;
use crate::measured::Ratio;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Scenario;
use crate::replay;
use crate::stage::Kind;
use crate::stage::Leg;
use crate::stage::Side;
use crate::stage::Stage;
use crate::stage::Whereabouts;
use crate::step::Step;

/// How often the floor gets what the gateway gets once when saturated: it is so much faster that it would be measured
/// for a moment only.
const FLOOR_TIMES: usize = 12;
/// The same of a mixed day and of whole stays, whose journeys are many calls.
const FLOOR_TIMES_LONG: usize = 2;
/// How often the gateway prices the same stays: a pre-settlement leaves nothing behind.
const QUOTE_TIMES: usize = 8;

/// Both sides of one repeat.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    pub gateway: Figures,
    pub opponent: Figures,
}

/// Gateway to opponent, over the repeats.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratios {
    pub throughput: Ratio,
    /// Processor time of the server for a journey.
    pub cpu: Ratio,
}

pub fn ratios(pairs: &[Pair]) -> Ratios {
    Ratios {
        throughput: Ratio::of(pairs.iter().map(|pair| pair.gateway.per_second / pair.opponent.per_second)),
        cpu: Ratio::of(pairs.iter().map(|pair| pair.gateway.server_us / pair.opponent.server_us)),
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

/// What one repeat sends.
pub async fn journeys(stage: &mut Stage, plan: &Plan) -> Result<Vec<Journey>, Failed> {
    let (count, lines) = (plan.stays_a_repeat(), plan.lines);
    let (step, whereabouts) = match plan.scenario {
        Scenario::Stay => {
            let fresh = stage.fresh(count, lines, Whereabouts::Anywhere)?;
            return Ok(fresh.iter().map(Case::whole_stay).collect());
        }
        Scenario::Day => return day::journeys(stage, count, lines).await,
        Scenario::Upload => (Step::Upload, Whereabouts::Anywhere),
        Scenario::Quote => (Step::Quote, Whereabouts::Anywhere),
        Scenario::HotHospital => (Step::Settle, Whereabouts::OneHospital),
        Scenario::Settle | Scenario::Replay | Scenario::HotRegion => (Step::Settle, Whereabouts::Anywhere),
    };
    let cases = stage.prepared(count, lines, step, whereabouts).await?;
    let journeys: Vec<Journey> = cases.iter().map(|case| case.journey(step)).collect();
    Ok(if plan.scenario == Scenario::Replay { replay::storm(&journeys) } else { journeys })
}

/// Drives the gateway and the floor over the same bytes; who begins changes with each repeat.
pub async fn pair(
    stage: &mut Stage,
    plan: &Plan,
    journeys: Vec<Journey>,
    repeat: usize,
) -> Result<Pair, Failed> {
    let in_one_call = !matches!(plan.scenario, Scenario::Stay | Scenario::Day);
    let kind = Kind { lines: plan.lines, in_one_call };
    stage.need_floor(kind).await?;
    against(stage, plan, Side::Floor(kind), journeys, repeat).await
}

/// The same against any opponent that stands.
pub async fn against(
    stage: &mut Stage,
    plan: &Plan,
    opponent: Side,
    journeys: Vec<Journey>,
    repeat: usize,
) -> Result<Pair, Failed> {
    let leg = |journeys: &[Journey]| Leg {
        // Of a day or a storm each stay is many journeys.
        warm_up: journeys.len() * plan.warm_up / plan.stays_a_repeat().max(1),
        ..Leg::of(plan)
    };
    let (for_gateway, for_opponent) = both(plan, opponent, journeys);
    let (of_gateway, of_opponent) = (leg(&for_gateway), leg(&for_opponent));
    let (gateway, opponent) = if repeat.is_multiple_of(2) {
        let gateway = stage.drive(Side::Gateway, for_gateway, of_gateway).await?;
        (gateway, stage.drive(opponent, for_opponent, of_opponent).await?)
    } else {
        let opponent = stage.drive(opponent, for_opponent, of_opponent).await?;
        (stage.drive(Side::Gateway, for_gateway, of_gateway).await?, opponent)
    };
    Ok(Pair { gateway: Figures::of(&gateway), opponent: Figures::of(&opponent) })
}

/// What each side gets, so that both run for about as long.
fn both(plan: &Plan, opponent: Side, journeys: Vec<Journey>) -> (Vec<Journey>, Vec<Journey>) {
    if plan.arrivals != Arrivals::Saturating || opponent == Side::Plain {
        return (journeys.clone(), journeys);
    }
    let many = |times: usize| std::iter::repeat_n(&journeys, times).flatten().cloned().collect();
    let times = match plan.scenario {
        Scenario::Stay | Scenario::Day | Scenario::Replay => FLOOR_TIMES_LONG,
        Scenario::Settle
        | Scenario::Quote
        | Scenario::Upload
        | Scenario::HotHospital
        | Scenario::HotRegion => FLOOR_TIMES,
    };
    let floor = many(times);
    let gateway = if plan.scenario == Scenario::Quote { many(QUOTE_TIMES) } else { journeys };
    (gateway, floor)
}
