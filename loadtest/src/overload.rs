//! Owns the storm: a short one to warm up, quiet, then five times as many calls as the gateway can take, then quiet again.
//!
//! A call that is refused for want of room is sent again later under its own id, as its hospital would. What was refused
//! must not be in the ledger unless it was accepted afterwards: the gate sees to it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::child::Meter;
use crate::client::Client;
use crate::client::Connections;
use crate::drive::Call;
use crate::drive::Outcome;
use crate::drive::answered;
use crate::drive::histogram;
use crate::drive::record;
use crate::failed::Failed;
use crate::failed::cannot;
use crate::measured::Latency;
use crate::pace::Pace;
use crate::pace::moments;
use crate::pace::now;
use crate::reconcile::Seen;

/// How many times the peak the storm brings.
pub const TIMES: f64 = 5.0;
/// Connections: more than the gateway's places for calls that are worked on and calls that wait. Fewer where there are
/// few messages, so that these are not all on the line.
pub const CONNECTIONS_MAX: usize = 3_072;
const MESSAGES_A_CONNECTION: usize = 4;
/// The first storm of a process touches memory that the system has not given to anybody yet: it is driven and not counted.
const WARM_UP_MAX: Duration = Duration::from_secs(1);
/// After it, until the gateway's line is empty.
const PAUSE: Duration = Duration::from_secs(3);
const QUIET_BEFORE: Duration = Duration::from_secs(2);
const QUIET_AFTER: Duration = Duration::from_secs(6);
const STORM_MAX: Duration = Duration::from_secs(5);
/// What part of the messages each phase may use up at the peak's rate; what is left is for a storm that does better.
const SHARE_WARM_UP: f64 = 0.12;
const SHARE_BEFORE: f64 = 0.04;
const SHARE_STORM: f64 = 0.48;
const SHARE_AFTER: f64 = 0.12;
/// How long a hospital keeps a call for which it has no free line: afterwards it has given up, and nothing is sent.
const PATIENCE: Duration = Duration::from_millis(500);
/// Latency that counts as normal whatever it was before.
const ALWAYS_NORMAL_US: u64 = 10_000;

/// What was seen of the storm.
#[derive(Clone, Debug, Serialize)]
pub struct Overloaded {
    /// Calls a second that the gateway reached before, saturated.
    pub peak: f64,
    /// Calls a second that were due in the storm, and that found a free line in time and were sent.
    pub offered: f64,
    pub sent: f64,
    /// Calls a second that were done in the storm.
    pub goodput: f64,
    /// Cores that the loader itself took from the machine, before at the peak and in the storm.
    pub loader_at_peak: f64,
    pub loader_in_storm: f64,
    pub accepted: usize,
    pub refused: usize,
    /// Moments at which nothing was left to send: more stays would show more.
    pub starved: usize,
    /// Calls for which no line was free until their hospital gave up.
    pub given_up: usize,
    /// From the sending of a refused call to its refusal.
    pub refusal: Latency,
    pub before: Latency,
    /// Each second after the storm.
    pub after: Vec<Latency>,
    /// Seconds until p99 was normal again: no more than twice what it was before, or 10 ms. Absent: never.
    pub recovered_after: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Before,
    Storm,
    /// So many seconds after it.
    After(usize),
}

/// One call as it went.
#[derive(Clone, Copy, Debug)]
struct Went {
    phase: Phase,
    accepted: bool,
    /// From when it should have been sent, and from when it was.
    took: Duration,
    on_the_line: Duration,
    answered_at: Duration,
}

struct Shared {
    client: Arc<Client>,
    connections: Connections,
    pace: Pace,
    began: Instant,
    next: AtomicUsize,
    phases: Vec<Phase>,
    calls: Vec<Call>,
    /// Places in `calls` of those that are still to be sent.
    waiting: Mutex<VecDeque<usize>>,
}

/// What one worker has seen.
#[derive(Default)]
struct Told {
    went: Vec<Went>,
    accepted: Vec<(usize, Bytes)>,
    broken: Vec<usize>,
    /// Moments at which every message was under way or done: nothing was sent.
    starved: usize,
    given_up: usize,
    failed: Option<String>,
}

/// What became of a call in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Accepted,
    /// Refused each time, or never sent: nothing of it may be there.
    Nothing,
    /// The line broke.
    Unknown,
}

/// What the gateway reaches saturated, and what its loader took of the machine meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Peak {
    pub per_second: f64,
    pub loader_cores: f64,
}

impl Overloaded {
    /// Goodput to peak, each for the cores that the loader left to the gateway: hospitals do not send from its machine.
    pub fn kept(&self, cores: f64) -> f64 {
        let left = |taken: f64| (cores - taken).max(cores / 10.0);
        (self.goodput / left(self.loader_in_storm))
            / (self.peak / left(self.loader_at_peak)).max(f64::EPSILON)
    }
}

/// Drives the phases with calls that are ready to be sent, and tells what became of each. What was booked is
/// remembered for the gate.
pub async fn storm(
    client: Arc<Client>,
    seen: &mut Seen,
    calls: Vec<Call>,
    peak: Peak,
) -> Result<(Overloaded, Vec<Fate>), Failed> {
    let (moments, phases, storm) = schedule(calls.len(), peak.per_second);
    let connections = CONNECTIONS_MAX.min(calls.len() / MESSAGES_A_CONNECTION).max(1);
    let opened = client.open(connections).await?;
    let total = moments.len();
    let shared = Arc::new(Shared {
        client,
        connections: opened,
        pace: Pace::at(moments),
        began: now(),
        next: AtomicUsize::new(0),
        phases,
        waiting: Mutex::new((0..calls.len()).collect()),
        calls,
    });
    let loader = tokio::spawn(loader_between(storm));
    let mut workers = JoinSet::new();
    for _ in 0..connections.min(total) {
        workers.spawn(work(Arc::clone(&shared)));
    }
    let (mut went, mut starved, mut given_up) = (Vec::with_capacity(total), 0, 0);
    let mut fates = vec![Fate::Nothing; shared.calls.len()];
    for told in workers.join_all().await {
        if let Some(failed) = told.failed {
            return Err(Failed::Said(failed));
        }
        for at in told.broken {
            fates[at] = Fate::Unknown;
            if shared.calls[at].step.is_booked() {
                seen.unanswered();
            }
        }
        for (at, answer) in &told.accepted {
            fates[*at] = Fate::Accepted;
            let call = &shared.calls[*at];
            if call.step.is_booked() {
                seen.answered(&call.body, answer)?;
            }
        }
        starved += told.starved;
        given_up += told.given_up;
        went.extend(told.went);
    }
    let loader_in_storm = loader.await.map_err(cannot("measure the loader"))?;
    let (per_second, loader_at_peak) = (peak.per_second, peak.loader_cores);
    let summary = summary(&went, per_second, storm);
    let length = storm.1.saturating_sub(storm.0).as_secs_f64().max(f64::EPSILON);
    let offered = summary.offered + (given_up + starved) as f64 / length;
    Ok((Overloaded { offered, starved, given_up, loader_at_peak, loader_in_storm, ..summary }, fates))
}

/// Cores that this program uses from one moment to another, counted from now.
async fn loader_between((from, to): (Duration, Duration)) -> f64 {
    tokio::time::sleep(from).await;
    let (before, began) = (Meter::this().used(), now());
    tokio::time::sleep(to.saturating_sub(from)).await;
    let used = Meter::this().used().since(before).cpu;
    used.as_secs_f64() / began.elapsed().as_secs_f64().max(f64::EPSILON)
}

/// When calls are sent, in which phase each is, and from when to when the storm lasts.
fn schedule(messages: usize, peak: f64) -> (Vec<Duration>, Vec<Phase>, (Duration, Duration)) {
    let part = |share: f64| messages as f64 * share;
    let quiet = (part(SHARE_AFTER) / QUIET_AFTER.as_secs_f64())
        .min(part(SHARE_BEFORE) / QUIET_BEFORE.as_secs_f64())
        .min(peak / 4.0);
    let lasting = |share: f64, max: Duration| Duration::from_secs_f64(part(share) / peak.max(1.0)).min(max);
    let (warm_up, storm) = (lasting(SHARE_WARM_UP, WARM_UP_MAX), lasting(SHARE_STORM, STORM_MAX));
    let (mut all, mut phases) = (Vec::new(), Vec::new());
    let (mut begin, mut from) = (Duration::ZERO, Duration::ZERO);
    for (rate, length, phase, pause) in [
        (peak * TIMES, warm_up, Phase::WarmUp, PAUSE),
        (quiet, QUIET_BEFORE, Phase::Before, Duration::ZERO),
        (peak * TIMES, storm, Phase::Storm, Duration::ZERO),
        (quiet, QUIET_AFTER, Phase::After(0), Duration::ZERO),
    ] {
        let rate = rate.max(1.0);
        let count = (rate * length.as_secs_f64()) as usize;
        for moment in moments(rate as u32, count) {
            all.push(begin + moment);
            phases.push(match phase {
                Phase::After(_) => Phase::After(usize::try_from(moment.as_secs()).unwrap_or(0)),
                same => same,
            });
        }
        if phase == Phase::Storm {
            from = begin;
        }
        begin += length + pause;
    }
    // The last of a phase may come a little later than the first of the next.
    all.sort();
    (all, phases, (from, from + storm))
}

async fn work(shared: Arc<Shared>) -> Told {
    let mut told = Told::default();
    loop {
        shared.pace.wait().await;
        let at = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(phase) = shared.phases.get(at) else { return told };
        let counted = *phase != Phase::WarmUp;
        let due = shared.pace.intended(at);
        if now().saturating_duration_since(due) > PATIENCE {
            told.given_up += usize::from(counted);
            continue;
        }
        let next = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(message) = next else {
            told.starved += usize::from(counted);
            continue;
        };
        let call = &shared.calls[message];
        let mut connection = shared.connections.take();
        let sent = now();
        let outcome = answered(&shared.client, &mut connection, call.step, call.body.clone()).await;
        let end = now();
        shared.connections.give_back(connection);
        let accepted = match outcome {
            Ok(answer) => {
                let kept = if call.step.is_booked() { Bytes::copy_from_slice(&answer) } else { Bytes::new() };
                told.accepted.push((message, kept));
                true
            }
            Err(Outcome::Refused(_, answer)) if says_busy(&answer) => {
                shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(message);
                false
            }
            Err(Outcome::Unknown(..)) => {
                told.broken.push(message);
                false
            }
            Err(Outcome::Refused(_, answer) | Outcome::Done(answer)) => {
                told.failed = Some(format!("in the storm: {}", String::from_utf8_lossy(&answer)));
                return told;
            }
        };
        let went = Went {
            phase: *phase,
            accepted,
            took: end.saturating_duration_since(due),
            on_the_line: end.saturating_duration_since(sent),
            answered_at: end.saturating_duration_since(shared.began),
        };
        told.went.extend(counted.then_some(went));
    }
}

/// The refusal that says: nothing was done, send the same again.
fn says_busy(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    text.contains("[overloaded]") || text.contains("[rate-limited]")
}

fn summary(went: &[Went], peak: f64, (from, to): (Duration, Duration)) -> Overloaded {
    let latency = |wanted: &dyn Fn(&Went) -> Option<Duration>| {
        let mut seen = histogram();
        went.iter().filter_map(wanted).for_each(|took| record(&mut seen, took));
        Latency::of(&seen)
    };
    let of_phase = |phase: Phase| latency(&|one| (one.phase == phase && one.accepted).then_some(one.took));
    let before = of_phase(Phase::Before);
    let seconds = usize::try_from(QUIET_AFTER.as_secs()).unwrap_or(0);
    let after: Vec<Latency> = (0..seconds).map(|second| of_phase(Phase::After(second))).collect();
    let normal = (before.p99 * 2).max(ALWAYS_NORMAL_US);
    let in_storm = |one: &&Went| one.phase == Phase::Storm;
    let in_time = went.iter().filter(|one| one.accepted && one.answered_at >= from && one.answered_at < to);
    let length = to.saturating_sub(from).as_secs_f64().max(f64::EPSILON);
    let last = went.iter().filter(in_storm).map(|one| one.answered_at).max().unwrap_or(to);
    let took = last.saturating_sub(from).as_secs_f64().max(length);
    let sent = went.iter().filter(in_storm).count() as f64;
    Overloaded {
        peak,
        offered: sent / length,
        sent: sent / took,
        goodput: in_time.count() as f64 / length,
        accepted: went.iter().filter(|one| one.accepted).count(),
        refused: went.iter().filter(|one| !one.accepted).count(),
        starved: 0,
        given_up: 0,
        loader_at_peak: 0.0,
        loader_in_storm: 0.0,
        refusal: latency(&|one| (!one.accepted).then_some(one.on_the_line)),
        before,
        recovered_after: after.iter().position(|second| second.p99 > 0 && second.p99 <= normal),
        after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_brings_five_times_the_peak_between_two_quiet_spells_after_a_shorter_one_to_warm_up() {
        let (moments, phases, (from, to)) = schedule(10_000, 2_000.0);
        assert!(moments.is_sorted());
        assert_eq!(to - from, Duration::from_millis(2_400));
        let count = |wanted: Phase| phases.iter().filter(|phase| **phase == wanted).count();
        assert_eq!((count(Phase::WarmUp), count(Phase::Storm)), (6_000, 24_000));
        assert_eq!(phases.len() - 30_000, 1_600);
        assert!(
            moments[6_000] > moments[5_999] + PAUSE - Duration::from_secs(1),
            "the line is empty before it is counted"
        );
    }

    #[test]
    fn what_the_loader_takes_of_the_machine_is_not_held_against_the_gateway() {
        let quiet = summary(&[], 4_000.0, (Duration::ZERO, Duration::from_secs(1)));
        let storm = Overloaded { goodput: 2_000.0, loader_in_storm: 1.0, ..quiet };
        assert!((storm.kept(2.0) - 1.0).abs() < 1e-9, "half of the machine settles half as many");
    }

    #[test]
    fn only_a_refusal_for_want_of_room_is_sent_again() {
        assert!(says_busy("系统繁忙，请1秒后原样重发 [overloaded]".as_bytes()));
        assert!(!says_busy("人员不存在 [person-unknown]".as_bytes()));
    }
}
