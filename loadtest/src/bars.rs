//! Owns the bars: what must be reached, what is aimed at, and whether it was.

use serde::Serialize;

use crate::failed::Failed;
use crate::measured::Ratio;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Scenario;
use crate::report::Machine;
use crate::report::spread;
use crate::run::Pair;
use crate::run::pair;
use crate::run::ratios;
use crate::run::run;
use crate::stage::Closed;
use crate::stage::Stage;
use crate::step::Step;

/// A bar and what this run says of it.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    pub name: String,
    pub unit: Unit,
    pub measured: Ratio,
    pub must: f64,
    pub aim: f64,
    pub held: bool,
    pub aim_held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A ratio of both sides: more is better.
    Ratio,
    /// Milliseconds: less is better.
    Milliseconds,
}

/// Bars that this version cannot measure yet, and what is missing.
pub const NOT_MEASURED: [(&str, &str); 7] = [
    ("settle on SQLite : plain", "the opponent plain"),
    ("settle on PostgreSQL : plain", "the ledger on PostgreSQL, the opponent plain"),
    ("4 million insured and 10 million settlements against an empty ledger", "a filled ledger"),
    ("closing a month of 1 million settlements", "the closing of a month"),
    ("seals and encryption on, against off", "seals and encryption"),
    ("memory with 4 million insured and 10,000 connections", "a filled ledger"),
    ("cold start to ready with that ledger", "a filled ledger"),
];

/// How much is driven for the bars.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    pub stays: usize,
    pub repeats: usize,
    pub connections: usize,
}

impl Amount {
    const LONG_BILL: usize = 200;
    const SHORT_BILL: usize = 20;

    /// Stays with long bills: a tenth as many, of ten times the length.
    fn long_stays(self) -> usize {
        self.stays / 10
    }

    fn warm_up(stays: usize) -> usize {
        stays / 10
    }

    /// Stays that all of it uses up.
    pub fn stays_needed(self) -> usize {
        let short = self.stays + Amount::warm_up(self.stays);
        let long = self.long_stays() + Amount::warm_up(self.long_stays());
        (short + long) * self.repeats + short + 2
    }

    fn plan(self, scenario: Scenario, lines: usize) -> Plan {
        let stays = if lines == Amount::LONG_BILL { self.long_stays() } else { self.stays };
        Plan {
            scenario,
            arrivals: Arrivals::Saturating,
            lines,
            connections: self.connections,
            stays,
            warm_up: Amount::warm_up(stays),
            repeats: self.repeats,
        }
    }
}

/// What both sides did for one bar, kept for the report.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    pub plan: Plan,
    pub pairs: Vec<Pair>,
}

#[derive(Debug, Serialize)]
pub struct Bars {
    pub machine: Machine,
    pub bars: Vec<Bar>,
    pub not_measured: [(&'static str, &'static str); 7],
    pub evidence: Vec<Evidence>,
    pub closed: Option<Closed>,
}

/// Measures every bar that can be measured now.
pub async fn measure(stage: &mut Stage, amount: Amount) -> Result<Bars, Failed> {
    let mut evidence = life(stage, amount, Amount::SHORT_BILL).await?;
    evidence.extend(life(stage, amount, Amount::LONG_BILL).await?);
    let mut bars: Vec<Bar> = evidence.iter().filter_map(against_floor).collect();
    let half = half_loaded(stage, amount, &evidence).await?;
    bars.push(latency(&half));
    evidence.push(half);
    Ok(Bars { machine: Machine::this(), bars, not_measured: NOT_MEASURED, evidence, closed: None })
}

/// Upload, pre-settle and settle of the same stays, one after the other, both sides in turns.
async fn life(stage: &mut Stage, amount: Amount, lines: usize) -> Result<Vec<Evidence>, Failed> {
    let scenarios = [Scenario::Upload, Scenario::Quote, Scenario::Settle];
    let mut evidence = scenarios.map(|it| Evidence { plan: amount.plan(it, lines), pairs: Vec::new() });
    for repeat in 0..amount.repeats {
        let cases = stage.prepared(evidence[0].plan.stays_a_repeat(), lines, Step::Upload).await?;
        for Evidence { plan, pairs } in &mut evidence {
            let step = match plan.scenario {
                Scenario::Upload => Step::Upload,
                Scenario::Quote => Step::Quote,
                Scenario::Settle | Scenario::Stay => Step::Settle,
            };
            let journeys = cases.iter().map(|case| case.journey(step)).collect();
            pairs.push(pair(stage, plan, journeys, repeat).await?);
            if step == Step::Upload {
                stage.advance(&cases, Step::Discharge).await?;
            }
        }
    }
    Ok(evidence.into())
}

fn against_floor(evidence: &Evidence) -> Option<Bar> {
    let Plan { scenario, lines, .. } = evidence.plan;
    let (must, aim) = match (scenario, lines) {
        (Scenario::Quote, _) => (0.45, 0.6),
        (Scenario::Settle, _) => (0.2, 0.4),
        (Scenario::Upload, Amount::SHORT_BILL) => (0.2, 0.35),
        (Scenario::Upload | Scenario::Stay, _) => return None,
    };
    let name = format!("{} of {lines} lines on SQLite : floor", scenario.name());
    let measured = ratios(&evidence.pairs).throughput;
    let (held, aim_held) = (measured.median >= must, measured.median >= aim);
    Some(Bar { name, unit: Unit::Ratio, measured, must, aim, held, aim_held })
}

/// Settles at half of the rate that was reached before, arrivals at random.
async fn half_loaded(stage: &mut Stage, amount: Amount, before: &[Evidence]) -> Result<Evidence, Failed> {
    let saturated = before.iter().find(|it| it.plan.scenario == Scenario::Settle).map(|it| &it.pairs);
    let reached = Ratio::of(saturated.into_iter().flatten().map(|pair| pair.gateway.per_second)).median;
    let plan = Plan {
        arrivals: Arrivals::PerSecond((reached / 2.0) as u32),
        repeats: 1,
        ..amount.plan(Scenario::Settle, Amount::SHORT_BILL)
    };
    let pairs = run(stage, &plan).await?;
    Ok(Evidence { plan, pairs })
}

fn latency(half: &Evidence) -> Bar {
    let measured = Ratio::of(half.pairs.iter().map(|pair| pair.gateway.whole.p99 as f64 / 1000.0));
    let (must, aim) = (10.0, 5.0);
    Bar {
        name: "p99 of settle at half of the saturated rate, ms".to_owned(),
        unit: Unit::Milliseconds,
        measured,
        must,
        aim,
        held: measured.median <= must,
        aim_held: measured.median <= aim,
    }
}

impl Bars {
    pub fn held(&self) -> bool {
        self.bars.iter().all(|bar| bar.held)
    }

    pub fn text(&self) -> String {
        let Machine { processor, cores, at } = &self.machine;
        let head = format!(
            "{processor}, {cores} cores, {at}; both sides in this run, mutual TLS, durable commits\n\n"
        );
        let title = format!("{:<52}{:>22}{:>8}{:>8}\n", "bar", "measured", "must", "aim");
        let bars = self.bars.iter().map(|bar| {
            let verdict = match (bar.held, bar.aim_held) {
                (false, _) => "MISSED",
                (true, false) => "held",
                (true, true) => "aim",
            };
            format!("{:<52}{:>22}{:>8}{:>8}  {verdict}\n", bar.name, spread(bar.measured), bar.must, bar.aim)
        });
        let missing =
            self.not_measured.iter().map(|(name, what)| format!("not measured: {name} (needs {what})\n"));
        head + &title + &bars.collect::<String>() + "\n" + &missing.collect::<String>()
    }
}
