//! `banyan migrate`: makes or moves forward the schema of a ledger in PostgreSQL.

use std::path::PathBuf;

use crate::app::database_settings;
use crate::app::secrets;
use crate::command::Console;
use crate::command::Exit;
use crate::command::exit_of_ledger;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::config::ledger::LedgerKept;
use crate::ledger::LedgerError;
use crate::ledger::postgres;
use crate::ledger::postgres::Climbed;

/// Make the tables of a ledger in PostgreSQL, or bring them to what this version needs.
///
/// Forward only. Run it once with the new version before the first of its nodes starts; nodes of the version before go
/// on meanwhile. A node whose database was not migrated does not start. An embedded ledger needs none of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  banyan migrate --config gateway.toml

The settings name the database, in the place of `file`:
  [ledger]
  url = \"postgres://banyan@db1.example,db2.example/banyan\"
  ca_file = \"tls/database-ca.pem\"
  password_file = \"keys/database.password\"
An empty database is enough; its user must own it. docs/postgres.md tells the rest.

Exit codes: 0 done, or nothing to do, 1 refused: tables that were changed by hand, 2 wrong settings or keys, or a
database that is not of these: another look-up key, a newer version, another program's, 3 the server cannot be used.")]
pub struct Arguments {
    /// The gateway's settings; they name the database and its keys.
    #[arg(long)]
    config: PathBuf,
}

pub fn run(arguments: &Arguments, console: &mut Console) -> std::io::Result<Exit> {
    let config = match Gateway::read(&arguments.config) {
        Ok(config) => config,
        Err(faults) => return refuse(console, &faults.to_string(), Exit::BadInput),
    };
    let LedgerKept::Database(section) = &config.ledger.kept else {
        console.say("nothing to do: an embedded ledger is brought up to date when a gateway opens it")?;
        return Ok(Exit::Done);
    };
    let secrets = match secrets(&config) {
        Ok(secrets) => secrets,
        Err(cause) => return refuse(console, &told(&cause), Exit::BadInput),
    };
    let settings = database_settings(&config, section);
    match postgres::migrate(&settings, &secrets) {
        Ok(Climbed { from, to }) if from == to => {
            console.say(&format!("nothing to do: the schema is at step {to}"))?;
            Ok(Exit::Done)
        }
        Ok(Climbed { from: 0, to }) => {
            console.say(&format!("made the tables: the schema is at step {to}"))?;
            Ok(Exit::Done)
        }
        Ok(Climbed { from, to }) => {
            console.say(&format!("moved the schema from step {from} to step {to}"))?;
            Ok(Exit::Done)
        }
        Err(cause @ LedgerError::Damaged { .. }) => refuse(console, &told(&cause), Exit::Refused),
        Err(cause) => refuse(console, &told(&cause), exit_of_ledger(&cause)),
    }
}

fn refuse(console: &mut Console, what: &str, exit: Exit) -> std::io::Result<Exit> {
    console.tell(&format!("banyan: {what}"));
    Ok(exit)
}
