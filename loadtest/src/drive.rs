//! Owns the loader: so many connections that work off journeys, timed from when each should have begun.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use banyan::sandbox::his::Connection;
use bytes::Bytes;
use hdrhistogram::Histogram;
use hyper::StatusCode;
use tokio::task::JoinSet;

use crate::child::Meter;
use crate::child::Used;
use crate::client::Client;
use crate::client::Connections;
use crate::failed::Failed;
use crate::pace::Pace;
use crate::pace::now;
use crate::plan::Arrivals;
use crate::step::Step;

/// Stands in a body for the number that the admission before it will give; as long as one.
pub const MDTRT_ID: &str = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";

/// One call, ready to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    pub step: Step,
    pub body: Bytes,
}

/// Calls that go one after the other over one connection.
#[derive(Clone, Debug)]
pub struct Journey {
    pub calls: Vec<Call>,
}

/// How a journey ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The last answer that was to be kept; all calls were answered well.
    Done(Bytes),
    /// An answer that says no.
    Refused(Step, Bytes),
    /// No answer: what became of the call is not known here.
    Unknown(Step, String),
}

/// Which answers are kept, each as a copy: a piece of what was read would keep its whole buffer, and the loader would pay
/// for a fresh one in every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Of opponents.
    None,
    /// Those that the gate holds against the ledger.
    Booked,
    /// Those that the next step of a stay needs, too.
    All,
}

impl Kept {
    fn keeps(self, step: Step) -> bool {
        match self {
            Kept::None => false,
            Kept::Booked => step.is_booked(),
            Kept::All => true,
        }
    }
}

/// Whom to drive, and how.
#[derive(Clone)]
pub struct Drive<'a> {
    pub client: &'a Arc<Client>,
    /// Whose processor time counts as the server's.
    pub server: &'a Meter,
    /// Open connections, and how many of them are used at once.
    pub connections: usize,
    pub in_flight: usize,
    pub kept: Kept,
    /// The first so many journeys are driven but not counted.
    pub warm_up: usize,
    pub arrivals: Arrivals,
}

/// What was seen.
#[derive(Debug)]
pub struct Driven {
    /// Journeys counted, their calls, and the time from the first of them to the last answer.
    pub journeys: usize,
    pub calls: u64,
    pub elapsed: Duration,
    /// Latency by step and of whole journeys, in µs.
    pub steps: BTreeMap<Step, Histogram<u64>>,
    pub whole: Histogram<u64>,
    /// One for each journey, in their order, the warm-up's too.
    pub outcomes: Vec<Outcome>,
    pub server: Used,
    pub loader: Used,
    /// For one journey, where the machine tells.
    pub fsyncs: Option<f64>,
}

/// What all connections share.
struct Shared {
    journeys: Vec<Journey>,
    next: AtomicUsize,
    connections: Connections,
    client: Arc<Client>,
    warm_up: usize,
    kept: Kept,
    pace: Pace,
    server: Meter,
    /// Taken by whoever begins the first journey that counts.
    mark: OnceLock<Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    server: Used,
    loader: Used,
}

impl Mark {
    fn take(server: &Meter) -> Mark {
        Mark { at: now(), server: server.used(), loader: Meter::this().used() }
    }
}

/// What one connection has seen.
struct Worker {
    shared: Arc<Shared>,
    steps: BTreeMap<Step, Histogram<u64>>,
    whole: Histogram<u64>,
    outcomes: Vec<(usize, Outcome)>,
}

/// Drives all journeys.
///
/// # Errors
/// When a connection cannot be opened at the beginning. Later breaks are outcomes.
pub async fn drive(drive: &Drive<'_>, journeys: Vec<Journey>) -> Result<Driven, Failed> {
    let total = journeys.len();
    let connections = drive.client.open(drive.connections).await?;
    let shared = Arc::new(Shared {
        journeys,
        next: AtomicUsize::new(0),
        connections,
        client: Arc::clone(drive.client),
        warm_up: drive.warm_up,
        kept: drive.kept,
        pace: Pace::begin(drive.arrivals, total),
        server: drive.server.clone(),
        mark: OnceLock::new(),
    });
    let mut workers = JoinSet::new();
    for _ in 0..drive.in_flight.min(drive.connections).min(total) {
        workers.spawn(Worker::new(Arc::clone(&shared)).work());
    }
    let workers = workers.join_all().await;
    let end = Mark::take(drive.server);
    Ok(gather(&shared, workers, end))
}

fn gather(shared: &Shared, workers: Vec<Worker>, end: Mark) -> Driven {
    let mark = shared.mark.get().copied().unwrap_or(end);
    let mut steps: BTreeMap<Step, Histogram<u64>> = BTreeMap::new();
    let (mut whole, mut outcomes) = (histogram(), Vec::new());
    for worker in workers {
        for (step, seen) in worker.steps {
            steps.entry(step).or_insert_with(histogram).add(seen).expect("both have the same bounds");
        }
        whole.add(worker.whole).expect("both have the same bounds");
        outcomes.extend(worker.outcomes);
    }
    outcomes.sort_by_key(|(at, _)| *at);
    Driven {
        calls: steps.values().map(Histogram::len).sum(),
        journeys: shared.journeys.len().saturating_sub(shared.warm_up),
        elapsed: end.at.saturating_duration_since(mark.at),
        steps,
        whole,
        outcomes: outcomes.into_iter().map(|(_, outcome)| outcome).collect(),
        server: end.server.since(mark.server),
        loader: end.loader.since(mark.loader),
        fsyncs: None,
    }
}

/// From a microsecond to a minute, three digits. What takes longer counts as a minute.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are in order")
}

pub fn record(seen: &mut Histogram<u64>, took: Duration) {
    seen.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
}

impl Worker {
    fn new(shared: Arc<Shared>) -> Worker {
        Worker { shared, steps: BTreeMap::new(), whole: histogram(), outcomes: Vec::new() }
    }

    async fn work(mut self) -> Worker {
        let shared = Arc::clone(&self.shared);
        loop {
            shared.pace.wait().await;
            let at = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(journey) = shared.journeys.get(at) else { return self };
            if at == shared.warm_up {
                shared.mark.get_or_init(|| Mark::take(&shared.server));
            }
            let begun = shared.pace.intended(at);
            let counts = at >= shared.warm_up;
            let mut connection = shared.connections.take();
            let outcome = self.travel(&mut connection, journey, begun, counts).await;
            shared.connections.give_back(connection);
            if counts {
                record(&mut self.whole, now().saturating_duration_since(begun));
            }
            self.outcomes.push((at, outcome));
        }
    }

    /// Makes the calls of a journey until one is not answered well. The first is timed from `begun`.
    async fn travel(
        &mut self,
        connection: &mut Option<Connection>,
        journey: &Journey,
        begun: Instant,
        counts: bool,
    ) -> Outcome {
        let mut mdtrt_id: Option<String> = None;
        let (mut sent, mut kept) = (begun, Bytes::new());
        for call in &journey.calls {
            let body = match &mdtrt_id {
                None => call.body.clone(),
                Some(id) => filled(&call.body, id),
            };
            let answer = match answered(&self.shared.client, connection, call.step, body).await {
                Ok(answer) => answer,
                Err(outcome) => return outcome,
            };
            let received = now();
            if counts {
                let seen = self.steps.entry(call.step).or_insert_with(histogram);
                record(seen, received.saturating_duration_since(sent));
            }
            sent = received;
            if call.step == Step::Admit {
                mdtrt_id = admitted_as(&answer);
            }
            if self.shared.kept.keeps(call.step) {
                kept = Bytes::copy_from_slice(&answer);
            }
        }
        Outcome::Done(kept)
    }
}

/// An answer that says yes. A broken connection is opened anew for the next call.
pub async fn answered(
    client: &Client,
    connection: &mut Option<Connection>,
    step: Step,
    body: Bytes,
) -> Result<Bytes, Outcome> {
    match client.post(connection, step, body).await {
        Ok((StatusCode::OK, answer)) if answer.starts_with(YES) => Ok(answer),
        Ok((_, answer)) => Err(Outcome::Refused(step, answer)),
        Err(cause) => Err(Outcome::Unknown(step, told_chain(&cause))),
    }
}

fn told_chain(cause: &dyn std::error::Error) -> String {
    match cause.source() {
        None => cause.to_string(),
        Some(deeper) => format!("{cause}: {}", told_chain(deeper)),
    }
}

/// How an answer begins that says yes.
const YES: &[u8] = br#"{"infcode":0,"#;

fn filled(body: &Bytes, mdtrt_id: &str) -> Bytes {
    let text = std::str::from_utf8(body).expect("a body that we wrote is text");
    text.replace(MDTRT_ID, mdtrt_id).into()
}

/// The `mdtrt_id` that an answer of 2401 gives.
pub fn admitted_as(answer: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    Some(answer["output"]["result"]["mdtrt_id"].as_str()?.to_owned())
}

/// The `setl_id` that an answer of 2304 gives.
pub fn settled_as(answer: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    Some(answer["output"]["setlinfo"]["setl_id"].as_str()?.to_owned())
}
