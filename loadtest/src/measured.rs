//! Owns the figures of a run: what one side reached, and the ratio of both with its spread over the repeats.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::drive::Driven;
use crate::step::Step;

/// Latency from the intended moment of sending, in µs, as its names in JSON say.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    #[serde(rename = "p50_us")]
    pub p50: u64,
    #[serde(rename = "p90_us")]
    pub p90: u64,
    #[serde(rename = "p99_us")]
    pub p99: u64,
    #[serde(rename = "p999_us")]
    pub p999: u64,
    #[serde(rename = "max_us")]
    pub max: u64,
}

/// What one side reached in one repeat. A journey is a call, or a whole stay.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub journeys: usize,
    pub seconds: f64,
    pub per_second: f64,
    pub calls_per_second: f64,
    pub whole: Latency,
    pub steps: BTreeMap<Step, Latency>,
    /// Processor time for one journey, both cores together.
    pub server_us: f64,
    pub loader_us: f64,
    /// Bytes that the server sent to the disk for one journey: log and file.
    pub written_bytes: f64,
    /// Of the warm-up too; absent where this machine does not tell.
    pub fsyncs: Option<f64>,
}

/// A ratio over the repeats.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratio {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Latency {
    pub fn of(seen: &Histogram<u64>) -> Latency {
        let at = |quantile| seen.value_at_quantile(quantile);
        Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: seen.max() }
    }
}

impl Figures {
    pub fn of(driven: &Driven) -> Figures {
        let each = |total: f64| total / (driven.journeys.max(1) as f64);
        let seconds = driven.elapsed.as_secs_f64();
        Figures {
            journeys: driven.journeys,
            seconds,
            per_second: driven.journeys as f64 / seconds.max(f64::EPSILON),
            calls_per_second: driven.calls as f64 / seconds.max(f64::EPSILON),
            whole: Latency::of(&driven.whole),
            steps: driven.steps.iter().map(|(step, seen)| (*step, Latency::of(seen))).collect(),
            server_us: each(micros(driven.server.cpu)),
            loader_us: each(micros(driven.loader.cpu)),
            written_bytes: each(driven.server.written as f64),
            fsyncs: driven.fsyncs,
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

impl Ratio {
    /// Of values one a repeat; there is at least one.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Ratio {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Ratio { median: at(last / 2), low: at(0), high: at(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_tells_its_middle_and_its_spread() {
        let ratio = Ratio::of([0.5, 0.3, 0.4]);
        assert_eq!((ratio.low, ratio.median, ratio.high), (0.3, 0.4, 0.5));
    }
}
