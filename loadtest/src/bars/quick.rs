//! The bars that fit into ten minutes.

use std::process::Command;
use std::process::Stdio;

use crate::bars::Amount;
use crate::bars::Bar;
use crate::bars::Bars;
use crate::bars::Evidence;
use crate::bars::storm;
use crate::case::Case;
use crate::failed::Failed;
use crate::measured::Ratio;
use crate::overload::Peak;
use crate::place::Population;
use crate::plain::FAIR;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Scenario;
use crate::plan::Store;
use crate::run::Pair;
use crate::run::against;
use crate::run::journeys;
use crate::run::pair;
use crate::run::ratios;
use crate::run::run;
use crate::seals;
use crate::stage::Kind;
use crate::stage::Setup;
use crate::stage::Side;
use crate::stage::Stage;
use crate::stage::Whereabouts;
use crate::step::Step;
use crate::sweep::Ledgers;
use crate::sweep::persons_for;

pub(super) const LONG_BILL: usize = 200;
pub(super) const SHORT_BILL: usize = 20;
/// Whole stays are ten times as many calls.
const FEWER_WHOLE: usize = 10;
/// Seconds of pgbench; one where so few stays are driven that no figure counts.
const PGBENCH_SECONDS: u32 = 5;
const FEW: usize = 100;
/// Anchors are signed once a second, whatever was settled: one signature of 120 µs.
const ANCHOR_US_A_SECOND: f64 = 120.0;
/// Processor time that a leg must take where a share of it is told: the system counts it in steps of 10 ms.
const LONG_ENOUGH_US: f64 = 50_000.0;

impl Amount {
    /// Fee lines that the loader holds at once: the storms' stays have the most.
    pub fn lines_at_once(self) -> usize {
        let (settlements, uploads) = (storm::SETTLEMENTS * SHORT_BILL, storm::LONG_UPLOADS * LONG_BILL);
        self.stays.saturating_mul(settlements.max(uploads))
    }

    /// Stays with long bills.
    fn long_stays(self) -> usize {
        self.stays / 5
    }

    fn warm_up(stays: usize) -> usize {
        stays / 10
    }

    /// Stays that all of it uses up, with the samples that opponents answer by.
    fn stays_needed(self) -> usize {
        let with_warm_up = |stays: usize| stays + Amount::warm_up(stays);
        let (short, long) = (with_warm_up(self.stays), with_warm_up(self.long_stays()));
        let whole = with_warm_up(self.stays / FEWER_WHOLE);
        // Beside the floor, at half of the rate, and beside plain.
        (3 * short + long) * self.repeats
            + whole
            + self.stays * (storm::SETTLEMENTS + storm::LONG_UPLOADS)
            + 4
    }

    /// The same on PostgreSQL, where only settlements are driven.
    fn stays_needed_on_postgres(self) -> usize {
        2 * (self.stays + Amount::warm_up(self.stays)) * self.repeats + 4
    }

    pub(super) fn plan(self, scenario: Scenario, lines: usize) -> Plan {
        let stays = match (scenario, lines) {
            (Scenario::Stay, _) => self.stays / FEWER_WHOLE,
            (_, LONG_BILL) => self.long_stays(),
            _ => self.stays,
        };
        Plan {
            scenario,
            arrivals: Arrivals::Saturating,
            lines,
            connections: self.connections,
            in_flight: self.connections,
            stays,
            warm_up: Amount::warm_up(stays),
            repeats: self.repeats,
        }
    }
}

/// Measures all of them: SQLite first, then PostgreSQL where the gateway can stand on it.
pub async fn measure(setup: &Setup, amount: Amount) -> Result<Bars, Failed> {
    let mut bars = Bars::default();
    let persons = setup.population.persons.max(persons_for(amount.stays_needed(), setup.pools));
    let population = Population { persons, ..setup.population };
    let mut stage = Stage::build(&Setup { population, store: Store::Sqlite, ..setup.clone() }).await?;
    on_sqlite(&mut stage, amount, &mut bars).await?;
    close(stage, &mut bars).await?;
    if stands_on_postgres(setup) {
        let persons =
            setup.population.persons.max(persons_for(amount.stays_needed_on_postgres(), setup.pools));
        let population = Population { persons, ..setup.population };
        let mut stage = Stage::build(&Setup { population, store: Store::Postgres, ..setup.clone() }).await?;
        on_postgres(&mut stage, amount, &mut bars).await?;
        close(stage, &mut bars).await?;
    } else {
        let why = "this gateway cannot stand on PostgreSQL: it has no `banyan migrate`";
        bars.owes("settle on PostgreSQL : plain", why);
    }
    Ok(bars)
}

/// Passes the gate.
pub(super) async fn close(stage: Stage, bars: &mut Bars) -> Result<(), Failed> {
    let made = stage.place.made.clone();
    let closed = stage.close().await?;
    let (import_seconds, history_seconds) = (made.import_seconds, made.history_seconds);
    bars.ledgers.push(Ledgers { population: made.population, import_seconds, history_seconds, closed });
    Ok(())
}

fn stands_on_postgres(setup: &Setup) -> bool {
    let mut command = Command::new(&setup.gateway);
    command.args(["migrate", "--help"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

async fn on_sqlite(stage: &mut Stage, amount: Amount, bars: &mut Bars) -> Result<(), Failed> {
    for lines in [SHORT_BILL, LONG_BILL] {
        bars.evidence.extend(life(stage, amount, lines).await?);
    }
    bars.bars.extend(bars.evidence.iter().filter_map(against_floor));
    let peak = saturated(&bars.evidence, Store::Sqlite, Scenario::Settle, SHORT_BILL).per_second;
    half_loaded(stage, amount, peak, bars).await?;
    plain(stage, amount, (Store::Sqlite, 3.0, 5.0), bars).await?;
    sealed(stage, amount, bars).await?;
    storm::settlements(stage, amount, bars).await?;
    storm::long_uploads(stage, amount, bars).await
}

async fn on_postgres(stage: &mut Stage, amount: Amount, bars: &mut Bars) -> Result<(), Failed> {
    plain(stage, amount, (Store::Postgres, 2.0, 3.0), bars).await?;
    let peak = saturated(&bars.evidence, Store::Postgres, Scenario::Settle, SHORT_BILL).per_second;
    half_loaded(stage, amount, peak, bars).await
}

/// Upload, pre-settle and settle of the same stays, one after the other, both sides in turns.
async fn life(stage: &mut Stage, amount: Amount, lines: usize) -> Result<Vec<Evidence>, Failed> {
    let scenarios =
        [(Scenario::Upload, Step::Upload), (Scenario::Quote, Step::Quote), (Scenario::Settle, Step::Settle)];
    let mut evidence =
        scenarios.map(|(scenario, _)| evidence(Store::Sqlite, "floor", amount.plan(scenario, lines)));
    for repeat in 0..amount.repeats {
        let count = evidence[0].plan.stays_a_repeat();
        let cases = stage.prepared(count, lines, Step::Upload, Whereabouts::Anywhere).await?;
        for (Evidence { plan, pairs, .. }, (_, step)) in evidence.iter_mut().zip(scenarios) {
            let journeys = cases.iter().map(|case| case.journey(step)).collect();
            pairs.push(pair(stage, plan, journeys, repeat).await?);
            if step == Step::Upload {
                stage.advance(&cases, Step::Discharge).await?;
            }
        }
    }
    Ok(evidence.into())
}

fn evidence(store: Store, opponent: &'static str, plan: Plan) -> Evidence {
    Evidence { store, opponent, plan, pairs: Vec::new() }
}

fn against_floor(evidence: &Evidence) -> Option<Bar> {
    let Plan { scenario, lines, .. } = evidence.plan;
    let (must, aim) = match (scenario, lines) {
        (Scenario::Quote, _) => (0.45, 0.6),
        (Scenario::Settle, _) => (0.2, 0.4),
        (Scenario::Upload, SHORT_BILL) => (0.2, 0.35),
        _ => return None,
    };
    let name = format!("{} of {lines} lines on SQLite : floor", scenario.name());
    Some(Bar::at_least(name, ratios(&evidence.pairs).throughput, must, aim))
}

/// What the gateway reached saturated with such calls, and what the loader took beside it.
pub(super) fn saturated(evidence: &[Evidence], store: Store, scenario: Scenario, lines: usize) -> Peak {
    let wanted = |it: &&Evidence| {
        it.store == store
            && it.plan.scenario == scenario
            && it.plan.lines == lines
            && it.plan.arrivals == Arrivals::Saturating
    };
    let legs = || evidence.iter().filter(wanted).flat_map(|it| &it.pairs).map(|pair: &Pair| &pair.gateway);
    Peak {
        per_second: Ratio::of(legs().map(|leg| leg.per_second)).median,
        loader_cores: Ratio::of(legs().map(|leg| leg.loader_us * leg.per_second / 1e6)).median,
    }
}

/// Settles at half of the rate that was reached before, arrivals at random.
async fn half_loaded(stage: &mut Stage, amount: Amount, peak: f64, bars: &mut Bars) -> Result<(), Failed> {
    let store = stage.setup().store;
    let arrivals = Arrivals::PerSecond((peak / 2.0).max(1.0) as u32);
    let plan = Plan { arrivals, ..amount.plan(Scenario::Settle, SHORT_BILL) };
    let pairs = run(stage, &plan).await?;
    let p99 = |of: fn(&Pair) -> u64| Ratio::of(pairs.iter().map(|pair| of(pair) as f64 / 1000.0));
    let floor = p99(|pair| pair.opponent.whole.p99).median;
    let name = format!("p99 of settle on {} at half of the saturated rate, ms", store.name());
    let bar = Bar::at_most(name, p99(|pair| pair.gateway.whole.p99), 10.0, 5.0);
    bars.bars.push(bar.noted(format!("{:.0} a second; floor at the same rate {floor:.1}", peak / 2.0)));
    bars.evidence.push(Evidence { pairs, ..evidence(store, "floor", plan) });
    Ok(())
}

/// Settles against the opponent over PostgreSQL, which must itself be a fair one.
async fn plain(
    stage: &mut Stage,
    amount: Amount,
    (store, must, aim): (Store, f64, f64),
    bars: &mut Bars,
) -> Result<(), Failed> {
    let on = store.name();
    let kind = Kind { lines: SHORT_BILL, in_one_call: true };
    match stage.need_plain(kind, amount.connections).await {
        Err(Failed::NoPostgres(why)) => {
            bars.owes(format!("settle of 20 lines on {on} : plain"), why);
            return Ok(());
        }
        other => other?,
    }
    let plan = amount.plan(Scenario::Settle, SHORT_BILL);
    let (mut pairs, mut fair, mut benches) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..plan.repeats {
        let journeys = journeys(stage, &plan).await?;
        let both = against(stage, &plan, Side::Plain, journeys, repeat).await?;
        let bench =
            stage.pgbench(amount.connections, if amount.stays < FEW { 1 } else { PGBENCH_SECONDS })?;
        fair.push(both.opponent.per_second / bench.per_second);
        benches.push(bench);
        pairs.push(both);
    }
    let bench = Ratio::of(benches.iter().map(|bench| bench.per_second)).median;
    let reached = Ratio::of(pairs.iter().map(|pair| pair.opponent.per_second)).median;
    let fair = Bar::at_least(format!("plain : pgbench, in the run on {on}"), Ratio::of(fair), FAIR, FAIR);
    let said =
        format!("plain {reached:.0} a second, pgbench {bench:.0}, {} clients each", amount.connections);
    let fair = fair.noted(said);
    let mut bar =
        Bar::at_least(format!("settle of 20 lines on {on} : plain"), ratios(&pairs).throughput, must, aim);
    if !fair.held {
        (bar.held, bar.aim_held) = (false, false);
        bar = bar.noted("does not count: plain is no fair opponent in this run");
    }
    bars.pgbench.extend(benches);
    bars.bars.extend([bar, fair]);
    bars.evidence.push(Evidence { pairs, ..evidence(store, "plain", plan) });
    Ok(())
}

/// Whole stays, and what seals and encryption are of their cost.
async fn sealed(stage: &mut Stage, amount: Amount, bars: &mut Bars) -> Result<(), Failed> {
    let plan = Plan { repeats: 1, ..amount.plan(Scenario::Stay, SHORT_BILL) };
    let cases = stage.fresh(plan.stays_a_repeat(), SHORT_BILL, Whereabouts::Anywhere)?;
    let journeys = cases.iter().map(Case::whole_stay).collect();
    let both = pair(stage, &plan, journeys, 0).await?;
    let last = cases.last().ok_or_else(|| Failed::Said("no stay was driven".into()))?;
    let cost = seals::cost(&stage.place, &last.person()?).await?;
    let anchors = ANCHOR_US_A_SECOND / both.gateway.per_second.max(1.0);
    let whole = both.gateway.server_us;
    bars.seals = Some(cost);
    bars.evidence.push(Evidence { pairs: vec![both], ..evidence(Store::Sqlite, "floor", plan) });
    if whole * (plan.stays_a_repeat() as f64) < LONG_ENOUGH_US {
        bars.owes("seals and encryption on : off", "too few stays for the system's clock of processor time");
        return Ok(());
    }
    let without = Ratio::of([1.0 - (cost.seal_us + cost.encrypt_us + anchors) / whole]);
    let bar = Bar::at_least("seals and encryption on : off, of a whole stay", without, 0.9, 0.95);
    bars.bars.push(bar.noted(format!(
        "reckoned: sealing takes {:.0} µs and encrypting {:.0} of the {whole:.0} µs of its {} records",
        cost.seal_us + anchors,
        cost.encrypt_us,
        cost.records
    )));
    Ok(())
}
