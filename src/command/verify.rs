//! `banyan verify`: proves that nothing was changed behind the gateway's back: a ledger, a copy of one, a backup, or a receipt.

mod backup;
mod ledger;
mod receipt;

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::command::Console;
use crate::command::Exit;
use crate::command::database::DatabaseFiles;
use crate::command::witness;
use crate::ledger::Witness;
use crate::service::seams::Clock;
use crate::vault::signing::PublicKey;

/// Prove that nothing was changed: a whole ledger, a copy of it, a backup, or one receipt.
///
/// A ledger is read as of one instant, also while a gateway works on it: every record is held to its seal, every block
/// to its anchor, every anchor to its signature, and every table to the fold of the records.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan verify --config gateway.toml
  banyan verify --config gateway.toml --head            print the last anchor; keep it elsewhere, as a witness
  banyan verify --config gateway.toml --witness 20:5f0c…
  banyan verify --config gateway.toml --ledger postgres://banyan@db4/banyan --ca-file ca.pem --password-file db4.password
  banyan verify --config gateway.toml --backup /mnt/backup
  banyan verify receipt.json --key signing-keys.pem      offline, with the public key alone

Exit codes: 0 nothing was changed, 1 something was, or the receipt proves nothing, 2 wrong arguments, settings or keys,
3 it cannot be read.")]
pub struct Arguments {
    /// A receipt. Without one, the ledger of the settings is verified.
    pub receipt: Option<PathBuf>,
    /// Public signing keys in PEM, as `banyan keys export` prints them; without this, those of the settings.
    #[arg(long, value_name = "FILE", requires = "receipt")]
    pub key: Option<PathBuf>,
    /// The gateway's settings; they name the ledger and its keys.
    #[arg(long, default_value = "gateway.toml")]
    pub config: PathBuf,
    /// Another ledger than the settings name, such as a copy: a file, or the address of a database.
    #[arg(long, value_name = "FILE|URL", conflicts_with = "receipt")]
    pub ledger: Option<String>,
    #[command(flatten)]
    pub database: DatabaseFiles,
    /// A folder of backups, instead of the ledger; nothing is restored.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["receipt", "ledger", "head"])]
    pub backup: Option<PathBuf>,
    /// Only print the last anchor, as a witness to be kept elsewhere.
    #[arg(long, conflicts_with_all = ["receipt", "witness"])]
    pub head: bool,
    /// An anchor that was kept elsewhere, as `--head` printed it: the ledger must still lead to it.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = witness::parse, conflicts_with = "receipt")]
    pub witness: Option<Witness>,
    /// Tell no more faults than these.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub faults: u16,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &Arguments, clock: &dyn Clock, console: &mut Console) -> io::Result<Exit> {
    match (&arguments.receipt, &arguments.backup) {
        (Some(file), _) => receipt::run(arguments, file, console),
        (None, Some(folder)) => backup::run(arguments, folder, console),
        (None, None) => ledger::run(arguments, clock, console),
    }
}

/// Every public key of a PEM file.
fn keys_of(path: &Path) -> Result<Vec<PublicKey>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| format!("{} cannot be read: {cause}", path.display()))?;
    let keys = PublicKey::all_from_pem(&text);
    keys.ok().filter(|keys| !keys.is_empty()).ok_or_else(|| {
        format!("{} holds no public key in PEM; `banyan keys export` prints them", path.display())
    })
}
