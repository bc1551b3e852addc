//! Owns the numbers: how many, how slow, how full, how many refused and why.
//!
//! Labels come from closed sets (`&'static str` of a route, a refusal's code, an enum), never from what a caller sent, so
//! no caller can make the number of series grow. Handles are made once and kept by whoever counts: counting is then an
//! addition, without a look-up.

use crate::telemetry::cache;
use crate::telemetry::health;
use crate::telemetry::ledger;
use crate::transport::Event;
use metrics::Counter;
use metrics::Gauge;
use metrics::Histogram;
use metrics::Unit;
use metrics::counter;
use metrics::describe_counter;
use metrics::describe_gauge;
use metrics::describe_histogram;
use metrics::gauge;
use metrics::histogram;
use metrics_exporter_prometheus::BuildError;
use metrics_exporter_prometheus::Matcher;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio::time::interval;

const REQUESTS: &str = "banyan_requests_total";
const LATENCY: &str = "banyan_request_seconds";
const REFUSALS: &str = "banyan_refusals_total";
const SHED: &str = "banyan_shed_total";
const IN_FLIGHT: &str = "banyan_requests_in_flight";
const OPEN: &str = "banyan_connections_open";
const OVER_CAP: &str = "banyan_connections_over_cap_total";
const ACCEPT_FAILURES: &str = "banyan_accept_failures_total";
const HANDSHAKE_FAILURES: &str = "banyan_handshake_failures_total";
const DISTRUSTED: &str = "banyan_client_certificates_distrusted_total";
const TRANSPORT_REFUSALS: &str = "banyan_transport_refusals_total";
const NOT_TAKEN: &str = "banyan_answers_not_taken_total";
const BODY_BYTES: &str = "banyan_body_bytes_total";

/// Upper ends, seconds. Finer below 10 ms, where the bars are.
const LATENCY_BUCKETS: [f64; 16] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// How often what was recorded is folded; between two times every record of a histogram lies in memory by itself.
const UPKEEP: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
#[error("metrics were started twice in this process, or cannot be started")]
pub struct MetricsError {
    #[source]
    cause: BuildError,
}

/// The recorder, installed for the whole process.
#[derive(Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
}

impl Metrics {
    /// To be called once and first: a handle made before counts nothing.
    pub fn start() -> Result<Metrics, MetricsError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(LATENCY.to_owned()), &LATENCY_BUCKETS)
            .and_then(|builder| with_ledger(builder)?.install_recorder())
            .map_err(|cause| MetricsError { cause })?;
        describe();
        Ok(Metrics { recorder })
    }

    /// In Prometheus's text format.
    pub fn render(&self) -> String {
        self.recorder.render()
    }

    /// Keeps the recorder small for as long as it is polled; never returns.
    pub async fn keep_small(self) {
        let mut ticks = interval(UPKEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.recorder.run_upkeep();
        }
    }
}

fn with_ledger(builder: PrometheusBuilder) -> Result<PrometheusBuilder, BuildError> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    builder
        .set_buckets_for_metric(full(ledger::COMMIT_SECONDS), &LATENCY_BUCKETS)?
        .set_buckets_for_metric(full(ledger::BATCH_SECONDS), &LATENCY_BUCKETS)?
        .set_buckets_for_metric(full(ledger::BATCH_DEEDS), &ledger::DEEDS_BUCKETS)
}

fn describe() {
    cache::describe();
    health::describe();
    ledger::describe();
    describe_counter!(REQUESTS, "Requests by transaction and outcome");
    describe_histogram!(LATENCY, Unit::Seconds, "From the head's arrival to the answer's being ready");
    describe_counter!(REFUSALS, "Refusals by their stable code");
    describe_counter!(SHED, "Requests turned away before any work, by reason");
    describe_gauge!(IN_FLIGHT, "Requests being worked on");
    describe_gauge!(OPEN, "Open connections by listener");
    describe_counter!(OVER_CAP, "Connections closed at once because the listener was full");
    describe_counter!(ACCEPT_FAILURES, "Connections that the system would not give us");
    describe_counter!(HANDSHAKE_FAILURES, "TLS handshakes that failed, by listener and reason");
    describe_counter!(
        DISTRUSTED,
        "Connections with a client certificate that is not trusted, by listener and reason"
    );
    describe_counter!(TRANSPORT_REFUSALS, "Requests answered below the protocol, by listener and reason");
    describe_counter!(NOT_TAKEN, "Answers that the client did not read in time");
    describe_counter!(BODY_BYTES, Unit::Bytes, "Request bodies read");
}

/// How a request ended, seen by its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done as asked.
    Done,
    /// The first answer of an earlier, same request.
    Replayed,
    /// Refused for a reason that lies with the request.
    Refused,
    /// Turned away before any work: may be sent again.
    Shed,
    /// Broken on our side.
    Failed,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Replayed => "replayed",
            Outcome::Refused => "refused",
            Outcome::Shed => "shed",
            Outcome::Failed => "failed",
        }
    }
}

/// The numbers of one transaction; its route keeps it.
pub struct TransactionMeter {
    done: Counter,
    replayed: Counter,
    refused: Counter,
    shed: Counter,
    failed: Counter,
    latency: Histogram,
}

impl TransactionMeter {
    /// `infno` is one that we route, or a word such as `unknown` for all others.
    pub fn new(infno: &'static str) -> TransactionMeter {
        let by = |outcome: Outcome| counter!(REQUESTS, "infno" => infno, "outcome" => outcome.name());
        TransactionMeter {
            done: by(Outcome::Done),
            replayed: by(Outcome::Replayed),
            refused: by(Outcome::Refused),
            shed: by(Outcome::Shed),
            failed: by(Outcome::Failed),
            latency: histogram!(LATENCY, "infno" => infno),
        }
    }

    pub fn ended(&self, outcome: Outcome, elapsed: Duration) {
        let counter = match outcome {
            Outcome::Done => &self.done,
            Outcome::Replayed => &self.replayed,
            Outcome::Refused => &self.refused,
            Outcome::Shed => &self.shed,
            Outcome::Failed => &self.failed,
        };
        counter.increment(1);
        self.latency.record(elapsed.as_secs_f64());
    }
}

/// `code` is the stable code that stands in brackets after the sentence.
pub fn refused(code: &'static str) {
    counter!(REFUSALS, "code" => code).increment(1);
}

/// `why` is a reason of [`crate::transport::limits::Why`].
pub fn shed(why: &'static str) {
    counter!(SHED, "reason" => why).increment(1);
}

/// Requests being worked on: one more for as long as a [`InFlight`] lives.
#[derive(Clone)]
pub struct InFlightMeter(Gauge);

impl Default for InFlightMeter {
    fn default() -> Self {
        InFlightMeter(gauge!(IN_FLIGHT))
    }
}

impl InFlightMeter {
    pub fn enter(&self) -> InFlight<'_> {
        self.0.increment(1);
        InFlight(&self.0)
    }
}

pub struct InFlight<'a>(&'a Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// What [`crate::transport`] tells, counted under the listener's name. Give it to the listener as its observer.
pub fn transport_observer(listener: &'static str) -> impl Fn(Event) + Send + Sync + 'static {
    let open = gauge!(OPEN, "listener" => listener);
    let over_cap = counter!(OVER_CAP, "listener" => listener);
    let accept_failures = counter!(ACCEPT_FAILURES, "listener" => listener);
    let not_taken = counter!(NOT_TAKEN, "listener" => listener);
    let body_bytes = counter!(BODY_BYTES, "listener" => listener);
    move |event| match event {
        Event::ConnectionOpened => open.increment(1),
        Event::ConnectionClosed => open.decrement(1),
        Event::ConnectionOverCap => over_cap.increment(1),
        Event::AcceptFailed => accept_failures.increment(1),
        Event::HandshakeFailed(fault) => {
            counter!(HANDSHAKE_FAILURES, "listener" => listener, "reason" => fault.name()).increment(1);
        }
        Event::CertificateDistrusted(why) => {
            counter!(DISTRUSTED, "listener" => listener, "reason" => why.name()).increment(1);
        }
        Event::BodyRead { bytes } => body_bytes.increment(bytes as u64),
        Event::Refused(refusal) => {
            counter!(TRANSPORT_REFUSALS, "listener" => listener, "reason" => refusal.name()).increment(1);
        }
        Event::AnswerNotTaken => not_taken.increment(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Space;
    use crate::cache::redis::event::Event as RedisEvent;
    use crate::cache::redis::event::Lost;
    use crate::cache::redis::event::Use;
    use crate::transport::Refusal;
    use crate::transport::tls::HandshakeFault;

    #[test]
    fn what_was_counted_is_rendered() {
        let metrics = Metrics::start().expect("once in this process");
        TransactionMeter::new("2304").ended(Outcome::Replayed, Duration::from_millis(4));
        refused("already-settled");
        shed("busy");
        let meter = InFlightMeter::default();
        let in_flight = meter.enter();
        let observe = transport_observer("hospitals");
        for event in [
            Event::ConnectionOpened,
            Event::ConnectionOpened,
            Event::ConnectionClosed,
            Event::ConnectionOverCap,
            Event::HandshakeFailed(HandshakeFault::OutOfDate),
            Event::BodyRead { bytes: 4096 },
            Event::Refused(Refusal::BodyTooLarge),
        ] {
            observe(event);
        }
        let redis = cache::cache_observer();
        redis(RedisEvent::Up(true));
        redis(RedisEvent::Up(false));
        redis(RedisEvent::Lost(Lost::Late));
        redis(RedisEvent::FellBack(Use::Entry(Space::Session)));
        redis(RedisEvent::FellBack(Use::Limit));
        let text = metrics.render();
        for line in [
            "banyan_cache_redis_up 0",
            r#"banyan_cache_redis_changes_total{to="up"} 1"#,
            r#"banyan_cache_redis_changes_total{to="down"} 1"#,
            r#"banyan_cache_errors_total{reason="late"} 1"#,
            r#"banyan_cache_fallbacks_total{use="session"} 1"#,
            r#"banyan_cache_fallbacks_total{use="limit"} 1"#,
            r#"banyan_requests_total{infno="2304",outcome="replayed"} 1"#,
            r#"banyan_request_seconds_bucket{infno="2304",le="0.005"} 1"#,
            r#"banyan_request_seconds_bucket{infno="2304",le="0.003"} 0"#,
            r#"banyan_refusals_total{code="already-settled"} 1"#,
            r#"banyan_shed_total{reason="busy"} 1"#,
            "banyan_requests_in_flight 1",
            r#"banyan_connections_open{listener="hospitals"} 1"#,
            r#"banyan_connections_over_cap_total{listener="hospitals"} 1"#,
            r#"banyan_handshake_failures_total{listener="hospitals",reason="out_of_date"} 1"#,
            r#"banyan_body_bytes_total{listener="hospitals"} 4096"#,
            r#"banyan_transport_refusals_total{listener="hospitals",reason="body_too_large"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        drop(in_flight);
        assert!(metrics.render().contains("banyan_requests_in_flight 0"));
    }
}
