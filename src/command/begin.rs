//! Owns how a command begins that works on a ledger: its settings and keys are read, and what is wrong with them is told.

use std::io;
use std::path::Path;

use crate::app::secrets;
use crate::command::Console;
use crate::command::Exit;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::ledger::secrets::Secrets;

/// The settings; else what the command ends with, everything told.
pub(super) fn settings(config: &Path, console: &mut Console) -> Result<Gateway, Exit> {
    Gateway::read(config).map_err(|faults| {
        console.tell(&format!("banyan: {faults}"));
        Exit::BadInput
    })
}

/// The settings and the keys that they name.
pub(super) fn with_keys(config: &Path, console: &mut Console) -> Result<(Gateway, Secrets), Exit> {
    let config = settings(config, console)?;
    let secrets = secrets(&config).map_err(|cause| {
        console.tell(&format!("banyan: {}", told(&cause)));
        Exit::BadInput
    })?;
    Ok((config, secrets))
}

/// Says why it cannot go on.
pub(super) fn stop(console: &mut Console, exit: Exit, why: &str) -> io::Result<Exit> {
    console.tell(&format!("banyan: {why}"));
    Ok(exit)
}
