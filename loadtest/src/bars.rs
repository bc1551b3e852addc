//! Owns the bars: what must be reached, what is aimed at, and whether it was.

pub mod long;
pub mod quick;
mod storm;

use serde::Serialize;

use crate::measured::Ratio;
use crate::overload::Overloaded;
use crate::plain::Pgbench;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Store;
use crate::report::Machine;
use crate::report::spread;
use crate::run::Pair;
use crate::seals::SealCost;
use crate::sweep::Ledgers;

/// A bar and what this run says of it.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    pub name: String,
    pub measured: Ratio,
    pub must: f64,
    pub aim: f64,
    pub better: Better,
    pub held: bool,
    pub aim_held: bool,
    /// What a reader must know of this figure.
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    More,
    Less,
}

impl Bar {
    /// Held when it is reached.
    pub fn at_least(name: impl Into<String>, measured: Ratio, must: f64, aim: f64) -> Bar {
        Bar::of(name.into(), measured, must, aim, Better::More)
    }

    /// Held when it is not passed.
    pub fn at_most(name: impl Into<String>, measured: Ratio, must: f64, aim: f64) -> Bar {
        Bar::of(name.into(), measured, must, aim, Better::Less)
    }

    fn of(name: String, measured: Ratio, must: f64, aim: f64, better: Better) -> Bar {
        let reaches = |wanted: f64| match better {
            Better::More => measured.median >= wanted,
            Better::Less => measured.median <= wanted,
        };
        let (held, aim_held) = (reaches(must), reaches(aim));
        Bar { name, measured, must, aim, better, held, aim_held, note: None }
    }

    pub fn noted(self, note: impl Into<String>) -> Bar {
        Bar { note: Some(note.into()), ..self }
    }
}

/// How much is driven for the bars.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Stays of 20 lines counted in each repeat; of 200 lines a fifth of it.
    pub stays: usize,
    pub repeats: usize,
    pub connections: usize,
}

/// What both sides did for one bar, kept for the report.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    pub store: Store,
    pub opponent: &'static str,
    pub plan: Plan,
    pub pairs: Vec<Pair>,
}

/// Five times as many calls as could be taken, and what was done of them.
#[derive(Clone, Debug, Serialize)]
pub struct Storm {
    pub done: &'static str,
    #[serde(flatten)]
    pub seen: Overloaded,
}

/// What this run does not show.
#[derive(Clone, Debug, Serialize)]
pub struct NotMeasured {
    pub name: String,
    pub why: String,
    /// The run was to show it, so that it is not held. Otherwise nobody asked for it, or there was nothing to measure.
    pub owed: bool,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Bars {
    pub machine: Machine,
    pub bars: Vec<Bar>,
    pub not_measured: Vec<NotMeasured>,
    pub evidence: Vec<Evidence>,
    pub pgbench: Vec<Pgbench>,
    pub storms: Vec<Storm>,
    pub seals: Option<SealCost>,
    pub ledgers: Vec<Ledgers>,
}

impl Default for Bars {
    fn default() -> Bars {
        Bars {
            machine: Machine::this(),
            bars: Vec::new(),
            not_measured: Vec::new(),
            evidence: Vec::new(),
            pgbench: Vec::new(),
            storms: Vec::new(),
            seals: None,
            ledgers: Vec::new(),
        }
    }
}

impl Bars {
    /// Whether every bar is held that this run was to show.
    pub fn held(&self) -> bool {
        self.bars.iter().all(|bar| bar.held) && self.not_measured.iter().all(|missing| !missing.owed)
    }

    fn owes(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.not_measured.push(NotMeasured { name: name.into(), why: why.into(), owed: true });
    }

    fn leaves_out(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.not_measured.push(NotMeasured { name: name.into(), why: why.into(), owed: false });
    }

    /// Names the bars that take hours and were not asked for.
    pub fn leave_out_the_long(&mut self) {
        let names = [
            "rate and p99 with 4 million insured and 10 million settlements : empty",
            "drawing up a month of 1 million settlements, while settling goes on",
            "memory with 4 million insured, 200,000 codes and 10,000 connections",
            "start to ready with that ledger",
        ];
        names.into_iter().for_each(|name| self.leaves_out(name, "takes hours: give --all"));
    }

    pub fn text(&self) -> String {
        let Machine { processor, cores, at, load } = &self.machine;
        let head = format!(
            "{processor}, {cores} cores, {at}, load {load} at the end; both sides in this run, mutual TLS, durable commits\n\n"
        );
        let title = format!("{:<62}{:>24}{:>8}{:>8}\n", "bar", "measured", "must", "aim");
        let mut text = head + &title;
        for bar in &self.bars {
            let verdict = match (bar.held, bar.aim_held) {
                (false, _) => "MISSED",
                (true, false) => "held",
                (true, true) => "aim",
            };
            let note = bar.note.as_ref().map(|note| format!("  ({note})")).unwrap_or_default();
            let measured = spread(bar.measured);
            text +=
                &format!("{:<62}{measured:>24}{:>8}{:>8}  {verdict}{note}\n", bar.name, bar.must, bar.aim);
        }
        for NotMeasured { name, why, owed } in &self.not_measured {
            let verdict = if *owed { ", so not held" } else { "" };
            text += &format!("not measured{verdict}: {name}: {why}\n");
        }
        text += &self.costs();
        text
    }

    /// What each kind of call costs the machine: the published figure of cost per claim.
    fn costs(&self) -> String {
        let mut text = format!(
            "\n{:<66}{:>14}{:>16}{:>12}{:>10}\n",
            "cost of one", "processor µs", "bytes written", "fsyncs", "p99 ms"
        );
        for Evidence { store, opponent, plan, pairs } in &self.evidence {
            let of = |figure: fn(&Pair) -> f64| Ratio::of(pairs.iter().map(figure)).median;
            let load = if plan.arrivals == Arrivals::Saturating { "" } else { " at half of the rate" };
            let (what, lines, store) = (plan.scenario.name(), plan.lines, store.name());
            let name = format!("{what} of {lines} lines{load}, {store}, beside {opponent}");
            let counted: Option<Vec<f64>> = pairs.iter().map(|pair| pair.gateway.fsyncs).collect();
            let fsyncs = counted.filter(|counted| !counted.is_empty()).map(|all| Ratio::of(all).median);
            text += &format!(
                "{name:<66}{:>14.0}{:>16.0}{:>12}{:>10.1}\n",
                of(|pair| pair.gateway.server_us),
                of(|pair| pair.gateway.written_bytes),
                fsyncs.map_or_else(|| "?".to_owned(), |count| format!("{count:.2}")),
                of(|pair| pair.gateway.whole.p99 as f64 / 1000.0),
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_held_on_its_own_side() {
        let at = |value: f64| Ratio::of([value]);
        let more = [0.1, 0.2, 0.4].map(|value| Bar::at_least("x", at(value), 0.2, 0.4));
        assert_eq!(more.map(|bar| (bar.held, bar.aim_held)), [(false, false), (true, false), (true, true)]);
        let less = [11.0, 10.0, 5.0].map(|value| Bar::at_most("x", at(value), 10.0, 5.0));
        assert_eq!(less.map(|bar| (bar.held, bar.aim_held)), [(false, false), (true, false), (true, true)]);
    }

    #[test]
    fn a_must_that_could_not_be_measured_is_not_held() {
        let mut bars = Bars::default();
        bars.leave_out_the_long();
        assert!(bars.held(), "nobody asked for these");
        bars.owes("settle : plain", "no PostgreSQL");
        assert!(!bars.held());
        assert!(bars.text().contains("not measured, so not held: settle : plain: no PostgreSQL"));
    }
}
