//! The storms of five times what the gateway can take: of settlements, which all find room in its line, and of long
//! uploads, most of which do not.

use std::sync::Arc;

use banyan::app::to_read;
use banyan::ledger::LookUp;
use banyan::service::seams::SystemClock;

use crate::bars::Amount;
use crate::bars::Bar;
use crate::bars::Bars;
use crate::bars::Storm;
use crate::bars::quick::LONG_BILL;
use crate::bars::quick::SHORT_BILL;
use crate::bars::quick::saturated;
use crate::case::Case;
use crate::drive::Call;
use crate::failed::Failed;
use crate::failed::cannot;
use crate::measured::Ratio;
use crate::overload;
use crate::overload::Fate;
use crate::overload::Overloaded;
use crate::plan::Scenario;
use crate::plan::Store;
use crate::stage::Stage;
use crate::stage::Whereabouts;
use crate::step::Step;

/// Stays for each of a repeat's: enough for seconds, so that the filling of the line at the beginning does not stand for the
/// whole of a storm.
pub(super) const SETTLEMENTS: usize = 10;
pub(super) const LONG_UPLOADS: usize = 2;
/// A storm in which one of so many moments found nothing to send was none.
const STARVED: usize = 20;
/// Differences that are told.
const TOLD_MAX: usize = 8;

pub(super) async fn settlements(stage: &mut Stage, amount: Amount, bars: &mut Bars) -> Result<(), Failed> {
    let count = amount.stays * SETTLEMENTS;
    let cases = stage.prepared(count, SHORT_BILL, Step::Settle, Whereabouts::Anywhere).await?;
    let peak = saturated(&bars.evidence, Store::Sqlite, Scenario::Settle, SHORT_BILL);
    let (seen, _) = overload::storm(stage.gateway(), stage.seen(), calls(&cases, Step::Settle), peak).await?;
    take(bars, "settled", seen);
    Ok(())
}

/// Of what was refused nothing is in the ledger, of what was taken all is: the gate of settlements does not look at lines.
pub(super) async fn long_uploads(stage: &mut Stage, amount: Amount, bars: &mut Bars) -> Result<(), Failed> {
    let count = amount.stays * LONG_UPLOADS;
    let cases = stage.prepared(count, LONG_BILL, Step::Upload, Whereabouts::Anywhere).await?;
    let peak = saturated(&bars.evidence, Store::Sqlite, Scenario::Upload, LONG_BILL);
    let calls = calls(&cases, Step::Upload);
    let (seen, fates) = overload::storm(stage.gateway(), stage.seen(), calls, peak).await?;
    compare_lines(stage, &cases, &fates).await?;
    let refusal = refusals(&seen);
    take(bars, "uploads of 200 lines taken", seen);
    match refusal {
        Some(bar) => bars.bars.push(bar),
        None => {
            bars.leaves_out("p99 of a refusal in it", "none was refused: all calls found room in the line")
        }
    }
    Ok(())
}

fn calls(cases: &[Case], step: Step) -> Vec<Call> {
    cases.iter().flat_map(|case| case.journey(step).calls).collect()
}

/// Looks at each stay in the ledger, beside the gateway that still runs.
async fn compare_lines(stage: &Stage, cases: &[Case], fates: &[Fate]) -> Result<(), Failed> {
    let service =
        to_read(&stage.place.settings()?, Arc::new(SystemClock)).await.map_err(cannot("read the ledger"))?;
    let mut faults = Vec::new();
    for (case, fate) in cases.iter().zip(fates) {
        let wanted = LookUp { lines: true, ..LookUp::of(case.whose()?) };
        let found = service.ledger.look_up(wanted).await.map_err(cannot("look up a stay"))?;
        let lines = found.facts.and_then(|facts| facts.lines).map_or(0, |lines| lines.len());
        let fits = match fate {
            Fate::Accepted => lines == LONG_BILL,
            Fate::Nothing => lines == 0,
            Fate::Unknown => lines == 0 || lines == LONG_BILL,
        };
        if !fits && faults.len() < TOLD_MAX {
            faults.push(format!("an upload of {LONG_BILL} lines was {fate:?} and left {lines}"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Failed::NotReconciled(faults)) }
}

fn take(bars: &mut Bars, done: &'static str, seen: Overloaded) {
    let arrivals = seen.accepted + seen.refused + seen.starved + seen.given_up;
    if seen.starved > arrivals / STARVED {
        let why = "nothing was left to send in the storm: give more --stays";
        bars.owes(format!("{done} at 5 times capacity, and recovery"), why);
    } else {
        bars.bars.extend(overloaded(done, &seen, bars.machine.cores));
    }
    bars.storms.push(Storm { done, seen });
}

fn overloaded(done: &str, storm: &Overloaded, cores: usize) -> [Bar; 2] {
    let Overloaded { peak, offered, sent, goodput, refused, starved, given_up, loader_in_storm, .. } = *storm;
    let name = format!("{done} at {:.1} times capacity : peak", offered / peak.max(1.0));
    let kept = Bar::at_least(name, Ratio::of([storm.kept(cores as f64)]), 0.9, 0.95).noted(format!(
        "for each core that the loader leaves; it took {loader_in_storm:.1} of {cores}. Peak {peak:.0} a second, due \
         {offered:.0}, sent {sent:.0}, done {goodput:.0}; refused {refused}, found no free line in time {given_up}, \
         nothing left to send {starved} times"
    ));
    let recovered = storm.recovered_after.map_or(f64::INFINITY, |seconds| seconds as f64);
    let recovered = Bar::at_most("seconds after it until p99 is normal", Ratio::of([recovered]), 5.0, 1.0)
        .noted(format!("before {:.1} ms", storm.before.p99 as f64 / 1000.0));
    [kept, recovered]
}

/// Where calls were refused.
fn refusals(storm: &Overloaded) -> Option<Bar> {
    let (p99, p50) = (storm.refusal.p99 as f64 / 1000.0, storm.refusal.p50 as f64 / 1000.0);
    let bar = Bar::at_most("p99 of a refusal in it, ms", Ratio::of([p99]), 5.0, 2.0);
    (storm.refused > 0).then(|| bar.noted(format!("p50 {p50:.1} ms, from when the call was sent")))
}
