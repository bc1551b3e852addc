//! Owns the change of the master key and of the signing key, while gateways run.

use std::io::IsTerminal as _;

use indicatif::ProgressBar;

use crate::command::Console;
use crate::command::Exit;
use crate::command::keys::Confirmed;
use crate::command::keys::failed::Failed;
use crate::command::keys::plan::Plan;
use crate::config::gateway::KeysSection;
use crate::service::seams::Clock;
use crate::vault::key_store::KeyStore;
use crate::vault::master::MasterKey;

/// Wraps every key under the next master.
pub fn master(keys: &KeysSection, confirmed: Confirmed, console: &mut Console) -> Result<Exit, Failed> {
    let place = keys.next_master.clone().ok_or(Failed::NoNextSetting)?;
    let next = MasterKey::read_if_there(&place)?.ok_or(Failed::NoNext { place: place.clone() })?;
    let store = KeyStore::from_settings(keys)?;
    let left = store.wrapped_by_others(&next);
    if left > 0 || !store.is_under(&next) {
        let begun = if store.is_under(&next) {
            "goes on with a change that was cut short: it wraps"
        } else {
            "wraps"
        };
        let plan = Plan::new(format!("This {begun} {left} keys of {} anew,", keys.store.display()))
            .and(format!("  under the master key {} ({place}).", next.fingerprint()))
            .and("Nothing that is encrypted is written again. Gateways that run go on if they have read the next master key")
            .and("(SIGHUP) before. Cut short, it is taken up by running it again.");
        if !plan.confirm(confirmed, console) {
            return Ok(Exit::NotConfirmed);
        }
        let bar = bar();
        let wrapped = store.change_master(&next, &mut |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        wrapped?;
        console.say(&format!("every key is wrapped under the master key {}", next.fingerprint()))?;
    } else {
        console.say(&format!("every key is wrapped under the master key {} already", next.fingerprint()))?;
    }
    console.tell(&format!(
        "What is left to do: put it in the place of the old one ({place} → {}), and",
        keys.master
    ));
    console.tell("send gateways a SIGHUP. The old master key opens older copies of the key store: destroy it with them.");
    Ok(Exit::Done)
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("wrapping {bar:30} {pos}/{len} keys")
        .expect("the template is written right");
    ProgressBar::new(0).with_style(style)
}

/// Makes a new signing key; the old one only verifies from then on.
pub fn signing(
    keys: &KeysSection,
    confirmed: Confirmed,
    clock: &dyn Clock,
    console: &mut Console,
) -> Result<Exit, Failed> {
    let store = KeyStore::from_settings(keys)?;
    let old = store.signing_key();
    let plan = Plan::new(format!("This makes a new signing key in {}.", keys.store.display()))
        .and(format!(
            "{} signs no more and its secret half is destroyed; what it signed stays valid.",
            old.id()
        ))
        .and(
            "Gateways that run sign with the new one as soon as they get a SIGHUP. Then give the public keys",
        )
        .and("(banyan keys export) to those who check signatures.");
    if !plan.confirm(confirmed, console) {
        return Ok(Exit::NotConfirmed);
    }
    let id = store.change_signing_key(clock.now().0)?;
    console.say(&format!("signing key {id} signs, {} is retired", old.id()))?;
    Ok(Exit::Done)
}
