//! `banyan keys`: what is done with the keys of encryption and signatures. Each command says what it will do, and asks.

pub mod ahead;
pub mod failed;
pub mod list;
pub mod make;
pub mod plan;
pub mod rotate;

use std::io;
use std::path::PathBuf;

use crate::app::remembering;
use crate::cache::bus::Message;
use crate::command::Console;
use crate::command::Exit;
use crate::command::keys::failed::Failed;
use crate::command::keys::plan::Plan;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::config::gateway::KeysSection;
use crate::service::seams::Clock;
use crate::vault::key_store::Class;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::State;

/// Make, list, change, retire, destroy and export keys.
///
/// Keys lie in the key store that the settings name, wrapped by a master key. docs/keys.md tells how it hangs together
/// and how to change the master while gateways run.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan keys make --config gateway.toml
  banyan keys ahead --months 24 --config gateway.toml
  banyan keys list --config gateway.toml --json
  banyan keys rotate --signing --config gateway.toml
  banyan keys destroy --class contact --month 202001 --config gateway.toml
  banyan keys export --config gateway.toml > signing-keys.pem

Exit codes: 0 done, 1 refused and nothing was changed, 2 wrong arguments, settings or master key, 3 the key store cannot
be used, 5 not confirmed and nothing was changed.")]
pub struct Arguments {
    #[command(subcommand)]
    pub deed: Deed,
    /// The gateway's settings; their section `[keys]` names the store and the master key.
    #[arg(long, global = true, default_value = "gateway.toml")]
    pub config: PathBuf,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub enum Deed {
    /// Make the look-up key, the master key and the key store that the settings name, for a new ledger
    Make {
        /// Make the next master key, to which `rotate` shall change
        #[arg(long)]
        next: bool,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Make the keys of this month and of the coming ones now, for stores that are copied instead of shared
    Ahead {
        /// So many months beyond this one
        #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..=120))]
        months: u8,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Show every key: number or id, class and month, since when, state, which master wraps it; no secret
    List {
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Wrap every key under the next master key, while gateways run; cut short, run it again
    Rotate {
        /// Make a new signing key instead; the old one still verifies
        #[arg(long)]
        signing: bool,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Write no more under the key of a month: it still reads, what comes gets another
    Retire {
        #[command(flatten)]
        month: OfMonth,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Destroy the keys of a month: what was written under them is forgotten for ever
    Destroy {
        #[command(flatten)]
        month: OfMonth,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Print the public signing keys, with which anybody checks signatures
    Export {
        /// Only this key
        #[arg(long)]
        id: Option<String>,
        /// A JSON array instead of PEM
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Confirmed {
    /// Do it without asking
    #[arg(long)]
    pub yes: bool,
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub struct OfMonth {
    /// medical: kept 30 years; contact: names, numbers, phones, proofs
    #[arg(long, value_parser = class)]
    pub class: Class,
    /// The month, like 202611
    #[arg(long, value_parser = month)]
    pub month: u32,
}

fn class(text: &str) -> Result<Class, String> {
    let named = Class::ALL.into_iter().find(|class| class.name() == text);
    named.ok_or_else(|| "expected medical or contact".to_owned())
}

fn month(text: &str) -> Result<u32, String> {
    let number: Option<u32> = text.parse().ok().filter(|_| text.len() == 6);
    let month = number.filter(|number| (1..=12).contains(&(number % 100)));
    month.ok_or_else(|| "expected a month like 202611".to_owned())
}

/// Runs the command.
pub fn run(arguments: &Arguments, clock: &dyn Clock, console: &mut Console) -> io::Result<Exit> {
    let done = match settings(&arguments.config) {
        Ok(gateway) => perform(&arguments.deed, &gateway, clock, console),
        Err(failed) => Err(failed),
    };
    match done {
        Ok(exit) => {
            if exit == Exit::Done && arguments.deed.changes() {
                tell_nodes(&arguments.config);
            }
            Ok(exit)
        }
        Err(Failed::Terminal(cause)) => Err(cause),
        Err(failed) => {
            console.tell(&format!("banyan: {}", told(&failed)));
            Ok(failed.exit_code())
        }
    }
}

impl Deed {
    /// Whether the key store may be another one afterwards.
    fn changes(&self) -> bool {
        !matches!(self, Deed::List { .. } | Deed::Export { .. })
    }
}

/// Gateways that hear each other read the store anew at once; the others with a SIGHUP.
fn tell_nodes(config: &std::path::Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let (Ok(runtime), Ok(gateway)) = (runtime, Gateway::read(config)) {
        runtime.block_on(remembering::tell_nodes(&gateway, Message::KeysChanged));
    }
}

fn settings(config: &std::path::Path) -> Result<Gateway, Failed> {
    Gateway::read(config).map_err(|faults| Failed::Settings(faults.to_string()))
}

fn perform(
    deed: &Deed,
    Gateway { keys, lookup_key, .. }: &Gateway,
    clock: &dyn Clock,
    console: &mut Console,
) -> Result<Exit, Failed> {
    match deed {
        Deed::Make { next: false, confirmed } => make::make(keys, lookup_key, *confirmed, clock, console),
        Deed::Ahead { months, confirmed } => ahead::ahead(keys, *months, *confirmed, clock, console),
        Deed::Make { next: true, confirmed } => make::make_next(keys, *confirmed, console),
        Deed::List { json } => list::list(keys, *json, console),
        Deed::Rotate { signing: false, confirmed } => rotate::master(keys, *confirmed, console),
        Deed::Rotate { signing: true, confirmed } => rotate::signing(keys, *confirmed, clock, console),
        Deed::Retire { month, confirmed } => retire(keys, *month, *confirmed, console),
        Deed::Destroy { month, confirmed } => destroy(keys, *month, *confirmed, clock, console),
        Deed::Export { id, json } => list::export(keys, id.as_deref(), *json, console),
    }
}

fn retire(
    keys: &KeysSection,
    OfMonth { class, month }: OfMonth,
    confirmed: Confirmed,
    console: &mut Console,
) -> Result<Exit, Failed> {
    let store = KeyStore::from_settings(keys)?;
    let data = store.inventory().data;
    let active = data.iter().find(|key| (key.class, key.month, key.state) == (class, month, State::Active));
    let number = active.ok_or(Failed::NothingToDo { class, month })?.number;
    let plan = Plan::new(format!("This retires key {number} ({class}, {month}) in {}.", keys.store.display()))
        .and("What was written under it stays readable. What is written for that month from now on gets another key,")
        .and("in a gateway that runs as soon as it gets a SIGHUP.");
    if !plan.confirm(confirmed, console) {
        return Ok(Exit::NotConfirmed);
    }
    let number = store.retire(class, month)?;
    console.say(&format!("retired key {number} ({class}, {month})"))?;
    Ok(Exit::Done)
}

fn destroy(
    keys: &KeysSection,
    OfMonth { class, month }: OfMonth,
    confirmed: Confirmed,
    clock: &dyn Clock,
    console: &mut Console,
) -> Result<Exit, Failed> {
    let now = clock.now().day().month().number().unsigned_abs();
    let until = kept_until(class, month, now);
    if now <= until {
        return Err(Failed::WithinTerm { class, month, until });
    }
    let store = KeyStore::from_settings(keys)?;
    let data = store.inventory().data;
    let of_month = data.iter().filter(|key| (key.class, key.month) == (class, month));
    let standing: Vec<String> =
        of_month.filter(|key| key.state != State::Destroyed).map(|key| key.number.to_string()).collect();
    if standing.is_empty() {
        return Err(Failed::NothingToDo { class, month });
    }
    let numbers = standing.join(", ");
    let plan =
        Plan::new(format!("This destroys key {numbers} ({class}, {month}) in {}.", keys.store.display()))
            .and("Everything that was written under it, in the ledger and in every backup, can never be read again, by anybody.")
            .and("Seals and receipts stay whole. Gateways that run forget it with a SIGHUP.")
            .and("Copies of the key store that were made before still hold the key: replace them by a copy of the new one.");
    if !plan.confirm_by_typing(&month.to_string(), confirmed, console) {
        return Ok(Exit::NotConfirmed);
    }
    store.destroy(class, month)?;
    console.say(&format!("destroyed key {numbers} ({class}, {month})"))?;
    Ok(Exit::Done)
}

/// Last month in which a key must not be destroyed. Settlements are kept 30 years; other months may still be written to
/// while they are this one or the last.
fn kept_until(class: Class, month: u32, now: u32) -> u32 {
    const YEARS_30: u32 = 30 * 100;
    match class {
        Class::Medical => month.saturating_add(YEARS_30),
        Class::Contact if month > now => month,
        Class::Contact if month % 100 == 12 => month.saturating_add(89),
        Class::Contact => month.saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_kept_as_long_as_its_class_asks() {
        assert_eq!(kept_until(Class::Medical, 202_611, 202_612), 205_611);
        assert_eq!(kept_until(Class::Contact, 202_611, 202_701), 202_612);
        assert_eq!(kept_until(Class::Contact, 202_612, 202_701), 202_701);
        assert_eq!(kept_until(Class::Contact, 202_702, 202_701), 202_702);
    }
}
