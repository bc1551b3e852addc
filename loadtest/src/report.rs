//! Owns what is shown of a run: a table for people, JSON for programs, charts for both.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use serde::Serialize;

use crate::failed::Failed;
use crate::failed::cannot;
use crate::measured::Figures;
use crate::measured::Latency;
use crate::measured::Ratio;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Proof;
use crate::plan::Store;
use crate::run::Ratios;
use crate::stage::Closed;
use crate::stage::Setup;
use crate::sweep::Ledgers;
use crate::sweep::Point;

/// Where and when: figures of different machines must not be compared.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub at: String,
    /// What others did on it when the run ended: processes that ran or wanted to, over a minute.
    pub load: String,
}

impl Machine {
    pub fn this() -> Machine {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name"));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Machine {
            processor: model.map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':'])).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            at: format!("{} +08:00", SystemClock.now().moment()),
            load: load.split_whitespace().next().unwrap_or("unknown").to_owned(),
        }
    }
}

/// All of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    pub store: Store,
    pub proof: Proof,
    pub keep_alive: bool,
    pub pools: usize,
    pub points: Vec<Point>,
    pub ledgers: Vec<Ledgers>,
}

impl Report {
    pub fn of(setup: &Setup, points: Vec<Point>, ledgers: Vec<Ledgers>) -> Report {
        let Setup { store, proof, keep_alive, pools, .. } = *setup;
        Report { machine: Machine::this(), store, proof, keep_alive, pools, points, ledgers }
    }

    /// The table.
    pub fn text(&self) -> String {
        let kept = if self.keep_alive { "connections kept" } else { "a connection a call" };
        let mut text =
            format!("{}, {}, {kept}, stays of {} pools\n", self.store.name(), self.proof.name(), self.pools);
        for point in &self.points {
            text.push_str(&one(point));
        }
        for ledger in &self.ledgers {
            let _infallible = writeln!(
                text,
                "\n{} insured written in {:.1} s, a history in {:.1} s",
                ledger.population.persons, ledger.import_seconds, ledger.history_seconds
            );
            text.push_str(&closed(&ledger.closed));
        }
        text
    }
}

fn one(point: &Point) -> String {
    let Plan { scenario, lines, connections, .. } = point.plan;
    let arrivals = match point.plan.arrivals {
        Arrivals::Saturating => "saturated".to_owned(),
        Arrivals::PerSecond(rate) => format!("{rate} a second"),
    };
    let mut text = format!(
        "\n{}, {lines} lines a stay, {connections} connections, {arrivals}; {} insured, {} settlements before\n\n{HEAD}\n",
        scenario.name(),
        point.population,
        point.history
    );
    for (at, pair) in point.pairs.iter().enumerate() {
        text.push_str(&row(&format!("gateway {}", at + 1), &pair.gateway));
        text.push_str(&row(&format!("floor {}", at + 1), &pair.opponent));
    }
    if let Some(pair) = point.pairs.last().filter(|pair| pair.gateway.steps.len() > 1) {
        text.push_str("\nby call, last repeat:\n");
        for (step, latency) in &pair.gateway.steps {
            let _infallible = writeln!(text, "{:<12}{}", step.name(), latency_text(latency));
        }
    }
    let Ratios { throughput, cpu } = point.gateway_to_floor;
    let _infallible = writeln!(
        text,
        "\ngateway : floor   rate {}   processor {}   memory of the gateway {} MiB",
        spread(throughput),
        spread(cpu),
        point.memory / 1024 / 1024
    );
    text
}

const HEAD: &str = "              per second   p50 ms   p90 ms   p99 ms  p99.9 ms   max ms  server µs  loader µs  written B  fsyncs";

fn row(name: &str, figures: &Figures) -> String {
    format!(
        "{name:<12}{:>12.0}{}{:>11.1}{:>11.1}{:>11.0}{:>8}\n",
        figures.per_second,
        latency_text(&figures.whole),
        figures.server_us,
        figures.loader_us,
        figures.written_bytes,
        figures.fsyncs.map_or_else(|| "?".to_owned(), |count| format!("{count:.2}")),
    )
}

fn latency_text(latency: &Latency) -> String {
    let ms = |us: u64| us as f64 / 1000.0;
    let Latency { p50, p90, p99, p999, max } = *latency;
    format!("{:>9.2}{:>9.2}{:>9.2}{:>10.2}{:>9.2}", ms(p50), ms(p90), ms(p99), ms(p999), ms(max))
}

/// The middle and, in brackets, the lowest and highest; exact enough to see on which side of a must below 1 it lies.
pub fn spread(ratio: Ratio) -> String {
    let digits = if ratio.median < 1.0 { 3 } else { 2 };
    format!("{:.digits$} ({:.digits$}–{:.digits$})", ratio.median, ratio.low, ratio.high)
}

/// The gate's sentence.
pub fn closed(closed: &Closed) -> String {
    let books = closed.books;
    let settlements = books.settlements.max(1) as u64;
    format!(
        "ledger reconciled: {} settlements and {} reversals, each acknowledged once ({} of them never answered), \
         {} answers repeated byte for byte, {} settlements of before; fund {} fen, account {}, cash {}; {} bytes on disk for each \
         settlement, with its stay\n",
        books.settlements,
        books.reversals,
        books.unanswered,
        books.replays,
        books.before,
        books.fund_fen,
        books.account_fen,
        books.cash_fen,
        closed.ledger_grew / settlements,
    )
}

/// Writes a report as JSON.
pub fn write_json(file: &Path, report: &impl Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(report).map_err(cannot("write JSON"))?;
    fs::write(file, text + "\n").map_err(cannot("write the report"))
}
