//! Owns what is shown of a run: a table for people, JSON for programs.

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
use crate::run::Pair;
use crate::run::Ratios;
use crate::run::ratios;
use crate::stage::Closed;

/// Where and when: figures of different machines must not be compared.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub at: String,
}

impl Machine {
    pub fn this() -> Machine {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name"));
        Machine {
            processor: model.map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':'])).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            at: SystemClock.now().moment().to_string(),
        }
    }
}

/// All of a run.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    pub machine: Machine,
    pub plan: &'a Plan,
    pub pairs: &'a [Pair],
    pub gateway_to_floor: Ratios,
    pub closed: Closed,
}

impl<'a> Report<'a> {
    pub fn of(plan: &'a Plan, pairs: &'a [Pair], closed: Closed) -> Report<'a> {
        Report { machine: Machine::this(), plan, pairs, gateway_to_floor: ratios(pairs), closed }
    }

    /// The table.
    pub fn text(&self) -> String {
        let Plan { scenario, arrivals, lines, connections, .. } = self.plan;
        let arrivals = match arrivals {
            Arrivals::Saturating => "saturated".to_owned(),
            Arrivals::PerSecond(rate) => format!("{rate} a second"),
        };
        let mut text = format!(
            "{}, {lines} lines a stay, {connections} connections, {arrivals}, mutual TLS\n\n{HEAD}\n",
            scenario.name()
        );
        for (at, pair) in self.pairs.iter().enumerate() {
            text.push_str(&row(&format!("gateway {}", at + 1), &pair.gateway));
            text.push_str(&row(&format!("floor {}", at + 1), &pair.floor));
        }
        if let Some(pair) = self.pairs.last().filter(|pair| pair.gateway.steps.len() > 1) {
            text.push_str("\nby call, last repeat:\n");
            for (step, latency) in &pair.gateway.steps {
                let _infallible = writeln!(text, "{:<12}{}", step.name(), latency_text(latency));
            }
        }
        let Ratios { throughput, cpu } = self.gateway_to_floor;
        let _infallible =
            writeln!(text, "\ngateway : floor   rate {}   processor {}", spread(throughput), spread(cpu));
        text + &closed(&self.closed)
    }
}

const HEAD: &str =
    "              per second   p50 ms   p90 ms   p99 ms  p99.9 ms   max ms  server µs  loader µs  written B";

fn row(name: &str, figures: &Figures) -> String {
    format!(
        "{name:<12}{:>12.0}{}{:>11.1}{:>11.1}{:>11.0}\n",
        figures.per_second,
        latency_text(&figures.whole),
        figures.server_us,
        figures.loader_us,
        figures.written_bytes,
    )
}

fn latency_text(latency: &Latency) -> String {
    let ms = |us: u64| us as f64 / 1000.0;
    let Latency { p50, p90, p99, p999, max } = *latency;
    format!("{:>9.2}{:>9.2}{:>9.2}{:>10.2}{:>9.2}", ms(p50), ms(p90), ms(p99), ms(p999), ms(max))
}

/// The middle and, in brackets, the lowest and highest.
pub fn spread(ratio: Ratio) -> String {
    format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.low, ratio.high)
}

/// The gate's sentence.
pub fn closed(closed: &Closed) -> String {
    let books = closed.books;
    let settlements = books.settlements.max(1) as u64;
    format!(
        "ledger reconciled: {} settlements, each acknowledged once ({} of them never answered), fund {} fen, cash {} fen; \
         {} bytes on disk for each, with its stay\n",
        books.settlements,
        books.unanswered,
        books.fund_fen,
        books.cash_fen,
        closed.ledger_grew / settlements,
    )
}

/// Writes a report as JSON.
pub fn write_json(file: &Path, report: &impl Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(report).map_err(cannot("write JSON"))?;
    fs::write(file, text + "\n").map_err(cannot("write the report"))
}
