//! Owns the making of the coming months' keys, so that a store can be copied to nodes that do not share its folder.

use crate::command::Console;
use crate::command::Exit;
use crate::command::keys::Confirmed;
use crate::command::keys::failed::Failed;
use crate::command::keys::plan::Plan;
use crate::config::gateway::KeysSection;
use crate::domain::calendar::Month;
use crate::service::seams::Clock;
use crate::vault::key_store::Class;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::State;

/// Makes what is lacking of this month's keys and of those of `months` more.
pub fn ahead(
    keys: &KeysSection,
    months: u8,
    confirmed: Confirmed,
    clock: &dyn Clock,
    console: &mut Console,
) -> Result<Exit, Failed> {
    let store = KeyStore::to_make_ahead(keys)?;
    let this = clock.now().day().month();
    let all: Vec<Month> =
        std::iter::successors(Some(this), |month| Some(month.next())).take(usize::from(months) + 1).collect();
    let last = all.last().copied().unwrap_or(this);
    let data = store.inventory().data;
    let is_there = |class, month| {
        data.iter().any(|key| (key.class, key.month, key.state) == (class, month, State::Active))
    };
    let wanted = all.iter().flat_map(|month| Class::ALL.map(|class| (class, month.number().unsigned_abs())));
    let lacking: Vec<(Class, u32)> = wanted.filter(|(class, month)| !is_there(*class, *month)).collect();
    if lacking.is_empty() {
        console.say(&format!("every key of {this} to {last} is there already"))?;
        return Ok(Exit::Done);
    }
    let (count, place) = (lacking.len(), keys.store.display());
    let plan = Plan::new(format!("This makes {count} keys, of {this} to {last}, in {place}."))
        .and("Run it on one node only. Copy the store to every node that has one of its own, and send gateways a SIGHUP,")
        .and("before a month begins whose keys a node lacks: with `copied` it writes no personal data then, without it makes")
        .and("other keys under the same numbers.");
    if !plan.confirm(confirmed, console) {
        return Ok(Exit::NotConfirmed);
    }
    for (class, month) in lacking {
        store.data_key(class, month)?;
    }
    console.say(&format!("made {count} keys: those of {this} to {last} are there"))?;
    Ok(Exit::Done)
}
