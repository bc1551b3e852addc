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
    /// A day of all hospitals: as many of each call as stays begin, go on and end, in any order.
    Day,
    /// Settlements that are sent again and again by many at once, from before the first was answered.
    Replay,
    /// 2304 of stays that all lie in one hospital.
    HotHospital,
    /// 2304 of stays whose persons are all insured in the largest pool.
    HotRegion,
}

impl Scenario {
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Settle => "settle",
            Scenario::Quote => "pre-settle",
            Scenario::Upload => "upload",
            Scenario::Stay => "full stay",
            Scenario::Day => "hospital day",
            Scenario::Replay => "replay storm",
            Scenario::HotHospital => "settle in one hospital",
            Scenario::HotRegion => "settle in one region",
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

/// Behind which ledger the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    pub fn name(self) -> &'static str {
        match self {
            Store::Sqlite => "SQLite",
            Store::Postgres => "PostgreSQL",
        }
    }
}

/// How the loader proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// TLS with a certificate on both sides.
    Mtls,
    /// TLS with the gateway's certificate alone; each call carries the `x-tif-*` signature.
    Tls,
}

impl Proof {
    pub fn name(self) -> &'static str {
        match self {
            Proof::Mtls => "mutual TLS",
            Proof::Tls => "TLS and signed calls",
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Plan {
    pub scenario: Scenario,
    pub arrivals: Arrivals,
    /// Fee lines of a stay.
    pub lines: usize,
    /// Open connections, and of these how many are used at once.
    pub connections: usize,
    pub in_flight: usize,
    /// Stays that are driven and counted in each repeat, on each side.
    pub stays: usize,
    /// Stays driven before them and not counted.
    pub warm_up: usize,
    /// How often both sides run, in turns.
    pub repeats: usize,
}

impl Plan {
    /// Stays that one repeat is asked to count, with those before them.
    pub fn stays_a_repeat(&self) -> usize {
        self.stays + self.warm_up
    }

    /// Stays that one repeat uses up.
    pub fn stays_used(&self) -> usize {
        match self.scenario {
            Scenario::Day => crate::day::stays_used(self.stays_a_repeat()),
            Scenario::Settle
            | Scenario::Quote
            | Scenario::Upload
            | Scenario::Stay
            | Scenario::Replay
            | Scenario::HotHospital
            | Scenario::HotRegion => self.stays_a_repeat(),
        }
    }
}
