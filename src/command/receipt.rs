//! `banyan receipt`: gives the proof that a settlement was recorded, to be checked by anybody without the gateway.

use std::io;
use std::path::PathBuf;

use crate::app::ledger_place;
use crate::command::Console;
use crate::command::Exit;
use crate::command::begin;
use crate::command::exit_of_ledger;
use crate::command::told;
use crate::domain::ids::SettlementId;
use crate::ledger::Receipted;

/// Give the receipt of a settlement, reversal or revival: a small file that proves it was recorded.
///
/// Whoever has the public key checks it with `banyan verify RECEIPT --key signing-keys.pem`, offline. It says "was
/// recorded"; whether it still stands, only the gateway can say.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:
  banyan receipt 02F261126033632183000000200000 --config my-province/gateway.toml > receipt.json

Exit codes: 0 given, 1 no such settlement, or its anchor is still to come (a second later it is there), 2 wrong arguments
or settings, 3 the ledger cannot be read.")]
pub struct Arguments {
    /// 结算ID, as the settlement was answered.
    #[arg(value_parser = |text: &str| SettlementId::parse(text))]
    pub setl_id: SettlementId,
    /// The gateway's settings; they name the ledger.
    #[arg(long, default_value = "gateway.toml")]
    pub config: PathBuf,
}

pub fn run(arguments: &Arguments, console: &mut Console) -> io::Result<Exit> {
    let config = match begin::settings(&arguments.config, console) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    match ledger_place(&config).receipt(&arguments.setl_id) {
        Ok(Receipted::Receipt(receipt)) => console.say(&receipt.text()).map(|()| Exit::Done),
        Ok(Receipted::NotYet) => {
            console.tell("banyan: it is recorded, and anchored within a second: ask again");
            Ok(Exit::Refused)
        }
        Ok(Receipted::Unknown) => {
            console.tell(&format!("banyan: the ledger knows no settlement {}", arguments.setl_id));
            Ok(Exit::Refused)
        }
        Err(cause) => {
            console.tell(&format!("banyan: {}", told(&cause)));
            Ok(exit_of_ledger(&cause))
        }
    }
}
