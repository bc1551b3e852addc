//! Owns what a run is asked to do.

use serde::Serialize;

/// What is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// 2304 of stays that are uploaded and discharged.
    Settle,
    /// 2303 of the same.
    Quote,
    /// 2301 with all lines of an admitted stay in one call.
    Upload,
    /// Admit, ten uploads, discharge, pre-settle, settle: each stay by one hospital, call after call.
    Stay,
}

impl Scenario {
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Settle => "settle",
            Scenario::Quote => "pre-settle",
            Scenario::Upload => "upload",
            Scenario::Stay => "full stay",
        }
    }
}

/// How calls arrive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Closed loop: each connection sends its next call as soon as it has its answer.
    Saturating,
    /// Open loop: so many a second on average, each at its own moment whether or not the last was answered.
    PerSecond(u32),
}

/// Behind which ledger the gateway runs. PostgreSQL gets its arm here, its settings in `place`, its opening in `stage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    Sqlite,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Plan {
    pub scenario: Scenario,
    pub arrivals: Arrivals,
    /// Fee lines of a stay.
    pub lines: usize,
    pub connections: usize,
    /// Stays that are driven and counted in each repeat, on each side.
    pub stays: usize,
    /// Stays driven before them and not counted.
    pub warm_up: usize,
    /// How often both sides run, in turns.
    pub repeats: usize,
}

impl Plan {
    /// Stays that one repeat uses up.
    pub fn stays_a_repeat(&self) -> usize {
        self.stays + self.warm_up
    }
}
