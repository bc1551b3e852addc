//! Verifying a whole ledger, with progress on the terminal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::app::ledger_place;
use crate::command::Console;
use crate::command::Exit;
use crate::command::begin;
use crate::command::begin::stop;
use crate::command::database::as_options;
use crate::command::exit_of_ledger;
use crate::command::progress::watched;
use crate::command::told;
use crate::command::verify::Arguments;
use crate::command::witness::written;
use crate::ledger::LedgerError;
use crate::ledger::Progress;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::service::seams::Clock;

pub(super) fn run(arguments: &Arguments, clock: &dyn Clock, console: &mut Console) -> io::Result<Exit> {
    let config = match begin::settings(&arguments.config, console) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let live = ledger_place(&config);
    let named = arguments.ledger.as_deref();
    let place = match named.map_or_else(|| Ok(live.clone()), |named| arguments.database.place(&live, named)) {
        Ok(place) => place,
        Err(what) => return stop(console, Exit::BadInput, &what),
    };
    let told = |cause: &LedgerError| if named.is_some() { as_options(&told(cause)) } else { told(cause) };
    if arguments.head {
        return match place.head() {
            Ok(Some(head)) => console.say(&written(&head)).map(|()| Exit::Done),
            Ok(None) => stop(console, Exit::Refused, "nothing is anchored yet"),
            Err(cause) => stop(console, exit_of_ledger(&cause), &told(&cause)),
        };
    }
    let (_, secrets) = match begin::with_keys(&arguments.config, console) {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let progress = Arc::new(Progress::default());
    let faults_max = usize::from(arguments.faults);
    let wish = Verify { faults_max, witness: arguments.witness, progress: Arc::clone(&progress) };
    let begun = clock.now();
    let verified = watched(&progress, || place.verify(&secrets, &wish));
    match verified {
        Ok(verified) => report(
            arguments,
            &verified,
            Duration::from_millis((clock.now().0 - begun.0).unsigned_abs()),
            console,
        ),
        Err(cause) => stop(console, exit_of_ledger(&cause), &told(&cause)),
    }
}

fn report(
    arguments: &Arguments,
    verified: &Verified,
    took: Duration,
    console: &mut Console,
) -> io::Result<Exit> {
    let exit = if verified.faults.is_empty() { Exit::Done } else { Exit::Refused };
    let head = verified.head.as_ref().map(written);
    if arguments.json {
        let object = json!({
            "records": verified.records,
            "blocks": verified.blocks,
            "anchors": verified.anchors,
            "tail": verified.tail,
            "head": head,
            "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "faults": verified.faults,
        });
        console.say(&object.to_string())?;
        return Ok(exit);
    }
    let Verified { records, blocks, anchors, tail, .. } = verified;
    let a_second = u128::from(*records) * 1_000 / took.as_millis().max(1);
    console.say(&format!(
        "{records} records in {blocks} blocks under {anchors} anchors, {a_second} records a second"
    ))?;
    console.say(&format!("tail not anchored yet: {tail} records"))?;
    if let Some(head) = head {
        console.say(&format!("last anchor: {head}"))?;
    }
    for fault in &verified.faults {
        console.say(&format!("✗ {fault}"))?;
    }
    match (exit, verified.faults.len()) {
        (Exit::Done, _) => console.say(
            "✓ nothing was changed: every record is what was sealed, every table what its records make",
        )?,
        (_, told) if told >= usize::from(arguments.faults) => {
            console.say(&format!("the first {told} faults; --faults shows more"))?;
        }
        (_, told) => {
            let faults = if told == 1 { "fault" } else { "faults" };
            console.say(&format!("{told} {faults}; keep the ledger as it is, and restore from a backup"))?;
        }
    }
    Ok(exit)
}
