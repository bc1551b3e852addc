//! The bars that take long: a ledger of millions, its months, its memory and its start.

use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crate::bars::Amount;
use crate::bars::Bar;
use crate::bars::Bars;
use crate::bars::Evidence;
use crate::bars::quick::close;
use crate::drive::Kept;
use crate::failed::Failed;
use crate::failed::cannot;
use crate::measured::Ratio;
use crate::pace::now;
use crate::place::Population;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Scenario;
use crate::plan::Store;
use crate::run::Pair;
use crate::run::journeys;
use crate::run::pair;
use crate::stage::Leg;
use crate::stage::Setup;
use crate::stage::Side;
use crate::stage::Stage;
use crate::stage::Whereabouts;
use crate::step::Step;
use crate::sweep::persons_for;

const LINES: usize = 20;
/// Settlements a second while a month is drawn up: a quarter of what a small gateway reaches.
const MONTH_SECONDS: usize = 5;
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// What the disk must keep free.
const FREE_BYTES: u64 = 4 << 30;

/// How large the large ledger is.
#[derive(Clone, Copy, Debug)]
pub struct Large {
    pub persons: u64,
    pub history: usize,
    /// Settlements of the month that is drawn up.
    pub month: usize,
    pub connections: usize,
    /// Codes in the catalogue of each place of care.
    pub codes: u64,
}

/// Measures all of them, a small ledger beside the large one.
pub async fn measure(setup: &Setup, amount: Amount, large: Large, bars: &mut Bars) -> Result<(), Failed> {
    let plan = amount.plan(Scenario::Settle, LINES);
    // Saturated and at half of the rate, and before and beside a month.
    let stays = plan.stays_a_repeat() * (plan.repeats * 4 + 2) + 8;
    let small = Setup {
        root: setup.root.with_extension("small"),
        population: Population { persons: persons_for(stays, setup.pools), ..setup.population },
        store: Store::Sqlite,
        history: 0,
        ..setup.clone()
    };
    let persons = large.persons.max(persons_for(stays, setup.pools));
    let population = Population { persons, codes: large.codes };
    let big = Setup { population, store: Store::Sqlite, history: 0, ..setup.clone() };
    let mut big = Stage::build(&big).await?;
    let mut small = Stage::build(&small).await?;
    big.grow(large.month).await?;
    month(&mut big, plan, bars).await?;
    let wanted = large.history.max(large.month);
    let reached = grow_as_far_as_the_disk_allows(&mut big, wanted).await?;
    if reached < wanted {
        let why = format!("the disk has room for {reached} settlements of so many insured");
        bars.owes(format!("a ledger of {wanted} settlements"), why);
    }
    growth(&mut small, &mut big, plan, bars).await?;
    start(&mut big, bars)?;
    memory(&mut big, large, bars).await?;
    close(small, bars).await?;
    close(big, bars).await
}

/// Grows step by step and stops before the disk is full.
async fn grow_as_far_as_the_disk_allows(stage: &mut Stage, wanted: usize) -> Result<usize, Failed> {
    const STEP: usize = 100_000;
    let before = (stage.place.made.history, stage.place.ledger_bytes()?);
    loop {
        let reached = stage.place.made.history;
        if reached >= wanted {
            return Ok(reached);
        }
        let grown = (reached - before.0).max(1) as u64;
        let each = stage.place.ledger_bytes()?.saturating_sub(before.1) / grown;
        if free_bytes(stage)? < FREE_BYTES + each * STEP as u64 * 2 {
            return Ok(reached);
        }
        stage.grow(wanted.min(reached + STEP)).await?;
    }
}

fn free_bytes(stage: &Stage) -> Result<u64, Failed> {
    let room = rustix::fs::statvfs(stage.place.folder.root()).map_err(cannot("ask for the disk's room"))?;
    Ok(room.f_bavail * room.f_frsize)
}

/// Draws up the month while settling goes on, and compares the latency of settling with that of a moment before. In turns as
/// often as anything: one leg in which the disk holds everything up for a moment says nothing.
async fn month(stage: &mut Stage, plan: Plan, bars: &mut Bars) -> Result<(), Failed> {
    let rows = stage.place.made.history;
    let rate = (plan.stays / MONTH_SECONDS).max(1);
    let arrivals = Arrivals::PerSecond(u32::try_from(rate).unwrap_or(u32::MAX));
    let leg = Leg { arrivals, ..Leg::of(&plan) };
    let p99 = |seen: &hdrhistogram::Histogram<u64>| seen.value_at_quantile(0.99) as f64 / 1000.0;
    let (mut alone, mut during, mut drawn) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.repeats {
        let before = journeys(stage, &plan).await?;
        alone.push(p99(&stage.drive(Side::Gateway, before, leg).await?.whole));
        let beside = journeys(stage, &plan).await?;
        let month = stage.today().month().number().to_string();
        let (gateway, settings) = (stage.setup().gateway.clone(), stage.place.folder.settings());
        let drawing = std::thread::spawn(move || draw_up(&gateway, &month, &settings));
        during.push(p99(&stage.drive(Side::Gateway, beside, leg).await?.whole));
        let took = drawing.join();
        drawn.push(took.map_err(|_| Failed::Said("the drawing up of the month fell over".into()))??);
    }
    let name = format!("drawing up a month of {rows} settlements, s");
    bars.bars.push(
        Bar::at_most(name, Ratio::of(drawn.iter().map(Duration::as_secs_f64)), 60.0, 2.0)
            .noted(format!("by `banyan clear` while {rate} a second were settled")),
    );
    let ratios = during.iter().zip(&alone).map(|(during, alone)| during / alone.max(f64::EPSILON));
    let name = "p99 of settle while a month is drawn up : before";
    let bar = Bar::at_most(name, Ratio::of(ratios), 1.5, 1.2);
    let told = |p99: &[f64]| p99.iter().map(|ms| format!("{ms:.1}")).collect::<Vec<_>>().join(", ");
    bars.bars.push(bar.noted(format!("{} ms before, {} ms during the legs", told(&alone), told(&during))));
    Ok(())
}

fn draw_up(gateway: &std::path::Path, month: &str, settings: &std::path::Path) -> Result<Duration, Failed> {
    let mut command = Command::new(gateway);
    command.args(["clear", "--month", month, "--json", "--config"]).arg(settings);
    let began = now();
    let done = command.stdin(Stdio::null()).output().map_err(cannot("run banyan clear"))?;
    if done.status.success() {
        return Ok(began.elapsed());
    }
    Err(Failed::Said(format!("banyan clear failed: {}", String::from_utf8_lossy(&done.stderr))))
}

/// The same settlements on the small ledger and on the large one, in turns.
async fn growth(small: &mut Stage, big: &mut Stage, plan: Plan, bars: &mut Bars) -> Result<(), Failed> {
    let (mut of_small, mut of_big) = (Vec::new(), Vec::new());
    for repeat in 0..plan.repeats {
        // Each side's floor shows what the machine gave it; whoever begins changes.
        let (for_small, for_big) = (journeys(small, &plan).await?, journeys(big, &plan).await?);
        if repeat.is_multiple_of(2) {
            of_small.push(pair(small, &plan, for_small, repeat).await?);
            of_big.push(pair(big, &plan, for_big, repeat).await?);
        } else {
            of_big.push(pair(big, &plan, for_big, repeat).await?);
            of_small.push(pair(small, &plan, for_small, repeat).await?);
        }
    }
    let rate = Ratio::of(of_small.iter().map(|pair| pair.gateway.per_second)).median;
    let half = Plan { arrivals: Arrivals::PerSecond((rate / 2.0).max(1.0) as u32), ..plan };
    let (mut slow_small, mut slow_big) = (Vec::new(), Vec::new());
    for repeat in 0..plan.repeats {
        let (for_small, for_big) = (journeys(small, &half).await?, journeys(big, &half).await?);
        slow_small.push(pair(small, &half, for_small, repeat).await?);
        slow_big.push(pair(big, &half, for_big, repeat).await?);
    }
    let ledger =
        format!("{} insured, {} settlements", big.place.made.population.persons, big.place.made.history);
    let over = |big: &[Pair], small: &[Pair], figure: fn(&Pair) -> f64| {
        Ratio::of(big.iter().zip(small).map(|(big, small)| figure(big) / figure(small).max(f64::EPSILON)))
    };
    let rates = over(&of_big, &of_small, |pair| pair.gateway.per_second);
    let p99 = over(&slow_big, &slow_small, |pair| pair.gateway.whole.p99 as f64);
    let name = format!("settle rate, {ledger} : empty");
    bars.bars.push(Bar::at_least(name, rates, 0.85, 0.95));
    bars.bars.push(Bar::at_most(format!("settle p99, {ledger} : empty"), p99, 1.15, 1.05));
    for (plan, pairs) in [(plan, of_small), (plan, of_big), (half, slow_small), (half, slow_big)] {
        bars.evidence.push(Evidence { store: Store::Sqlite, opponent: "floor", plan, pairs });
    }
    Ok(())
}

/// From the start of the program to its address, after an orderly stop.
fn start(stage: &mut Stage, bars: &mut Bars) -> Result<(), Failed> {
    let starts: Vec<f64> =
        (0..3).map(|_| stage.restart().map(|took| took.as_secs_f64())).collect::<Result<_, _>>()?;
    bars.bars.push(Bar::at_most("start to ready with that ledger, s", Ratio::of(starts), 5.0, 1.0));
    Ok(())
}

/// With so many connections open, each of which has made a call.
async fn memory(stage: &mut Stage, large: Large, bars: &mut Bars) -> Result<(), Failed> {
    let cases = stage.prepared(64, LINES, Step::Quote, Whereabouts::Anywhere).await?;
    let journeys = cases.iter().map(|case| case.journey(Step::Quote)).cycle();
    let journeys = journeys.take(large.connections * 2).collect();
    let leg = Leg {
        connections: large.connections,
        in_flight: 64.min(large.connections),
        warm_up: 0,
        arrivals: Arrivals::Saturating,
        kept: Kept::Booked,
    };
    stage.drive(Side::Gateway, journeys, leg).await?;
    let held = stage.memory() as f64 / GIB;
    let name = format!(
        "memory, GiB: {} insured, {} codes a place, {} connections",
        stage.place.made.population.persons, large.codes, large.connections
    );
    bars.bars.push(Bar::at_most(name, Ratio::of([held]), 2.0, 1.0));
    Ok(())
}
