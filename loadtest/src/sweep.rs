//! Owns a run over several sizes: every combination of what was asked for, in the order in which a ledger can grow.

use serde::Serialize;

use crate::failed::Failed;
use crate::place::Population;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Scenario;
use crate::run::Pair;
use crate::run::Ratios;
use crate::run::ratios;
use crate::run::run;
use crate::stage::Closed;
use crate::stage::Setup;
use crate::stage::Stage;

/// What is tried. Each list has one entry at least.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    pub scenario: Scenario,
    /// Insured; absent: as many as the stays need.
    pub populations: Vec<Option<u64>>,
    /// Settlements in the ledger beforehand, rising.
    pub histories: Vec<usize>,
    pub lines: Vec<usize>,
    pub connections: Vec<usize>,
    pub arrivals: Vec<Arrivals>,
    pub in_flight: usize,
    pub stays: usize,
    pub warm_up: usize,
    pub repeats: usize,
}

/// One combination, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    pub population: u64,
    pub history: usize,
    pub plan: Plan,
    pub pairs: Vec<Pair>,
    pub gateway_to_floor: Ratios,
    /// Memory that the gateway has held at most, bytes.
    pub memory: u64,
}

/// One ledger that was filled, driven and held against what was seen.
#[derive(Clone, Debug, Serialize)]
pub struct Ledgers {
    pub population: Population,
    pub import_seconds: f64,
    pub history_seconds: f64,
    pub closed: Closed,
}

/// About every third person has a stay that is fit to be driven; a pool's insured are a part of all.
pub fn persons_for(stays: usize, pools: usize) -> u64 {
    const USUAL_MIN: u64 = 2_000;
    // The largest pool holds a seventh of the province.
    let share = if pools >= 15 { 1 } else { (8_u64).div_ceil(pools.max(1) as u64) };
    (stays as u64 * 3 * share).max(USUAL_MIN)
}

impl Sweep {
    fn plans(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for lines in &self.lines {
            for connections in &self.connections {
                for arrivals in &self.arrivals {
                    plans.push(self.plan(*lines, *connections, *arrivals));
                }
            }
        }
        plans
    }

    fn plan(&self, lines: usize, connections: usize, arrivals: Arrivals) -> Plan {
        Plan {
            scenario: self.scenario,
            arrivals,
            lines,
            connections,
            in_flight: self.in_flight,
            stays: self.stays,
            warm_up: self.warm_up,
            repeats: self.repeats,
        }
    }

    /// Stays that one ledger uses up; each kind of bill needs one more, whose answers the floor gives.
    fn stays_needed(&self) -> usize {
        let plans: usize = self.plans().iter().map(|plan| plan.stays_used() * plan.repeats).sum();
        plans * self.histories.len() + self.lines.len()
    }

    /// Tries all of it. `setup` says where.
    pub async fn run(&self, setup: &Setup) -> Result<(Vec<Point>, Vec<Ledgers>), Failed> {
        let (mut points, mut ledgers) = (Vec::new(), Vec::new());
        for population in &self.populations {
            let needed = persons_for(self.stays_needed(), setup.pools);
            let persons = population.unwrap_or(needed);
            let history = self.histories.first().copied().unwrap_or(0);
            let population = Population { persons, ..setup.population };
            let mut stage = Stage::build(&Setup { population, history, ..setup.clone() }).await?;
            for history in &self.histories {
                stage.grow(*history).await?;
                for plan in self.plans() {
                    let pairs = run(&mut stage, &plan).await?;
                    points.push(Point {
                        population: stage.place.made.population.persons,
                        history: *history,
                        plan,
                        gateway_to_floor: ratios(&pairs),
                        pairs,
                        memory: stage.memory(),
                    });
                }
            }
            let made = stage.place.made.clone();
            let closed = stage.close().await?;
            ledgers.push(Ledgers {
                population: made.population,
                import_seconds: made.import_seconds,
                history_seconds: made.history_seconds,
                closed,
            });
        }
        Ok((points, ledgers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_tried() {
        let sweep = Sweep {
            scenario: Scenario::Settle,
            populations: vec![None],
            histories: vec![0, 100],
            lines: vec![20, 200],
            connections: vec![1, 64, 1_000],
            arrivals: vec![Arrivals::Saturating],
            in_flight: 256,
            stays: 90,
            warm_up: 10,
            repeats: 2,
        };
        assert_eq!(sweep.plans().len(), 6);
        assert_eq!(sweep.stays_needed(), 2 * 6 * 100 * 2 + 2);
    }
}
