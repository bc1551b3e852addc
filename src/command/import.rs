//! `banyan import`: reads a whole file, tells every fault, shows what would change, and then applies it entry by entry.

pub mod check;
pub mod failed;
pub mod places;
pub mod report;
pub mod sweep;

use std::io::IsTerminal as _;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::ledger_place;
use crate::app::secrets;
use crate::command::Exit;
use crate::command::import::check::Checked;
use crate::command::import::check::Subject;
use crate::command::import::failed::Failed;
use crate::command::import::report::Report;
use crate::command::import::sweep::Mode;
use crate::command::import::sweep::Sweep;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::domain::region::Regions;
use crate::ledger::Ledger;
use crate::ledger::place::Place;
use crate::ledger::secrets::Secrets;
use crate::protocol::files::kind::Kind;
use crate::service::import::apply::Importer;
use crate::service::import::incoming::Incoming;
use crate::service::import::objections::Known;
use crate::service::import::shared_tables;
use crate::service::import::source::Authority;
use crate::service::import::source::SourceName;
use crate::service::seams::Clock;

/// Take a file in: check it whole, show what would change, apply it.
///
/// Kinds, in the order in which a new gateway is filled: regions, institutions, catalogue, persons, recognitions,
/// balances, year, filings. The columns of each are told in docs/import.md.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan import --kind regions --source nhsa regions.csv --config gateway.toml
  banyan import --kind persons --source register persons.csv --config gateway.toml --yes
  banyan import --kind persons --source civil assisted.csv --config gateway.toml --dry-run

Exit codes: 0 done, 1 the file has faults and nothing was applied, 2 wrong arguments, 3 stopped midway: run the same
command again, it resumes, 5 not confirmed and nothing was applied.")]
pub struct Arguments {
    /// The file, CSV in UTF-8 with a header.
    pub file: PathBuf,
    /// What it is about: persons, balances, year, recognitions, institutions, regions, catalogue or filings.
    #[arg(long)]
    pub kind: Kind,
    /// Where it comes from. For persons one of register, psb, tax, civil, card: each changes its own columns only.
    #[arg(long)]
    pub source: String,
    /// The gateway's settings; names the ledger and the look-up key.
    #[arg(long, default_value = "gateway.toml", conflicts_with = "ledger")]
    pub config: PathBuf,
    /// The ledger's file, or the address of its database, where there are no settings.
    #[arg(long, requires = "keys")]
    pub ledger: Option<PathBuf>,
    /// The folder of its keys, beside --ledger: lookup.key, master.key and store.json.
    #[arg(long, requires = "ledger")]
    pub keys: Option<PathBuf>,
    /// Apply without asking.
    #[arg(long)]
    pub yes: bool,
    /// Only check and show what would change.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Write every difference into this file (psn_no in full, personal values masked).
    #[arg(long)]
    pub differences: Option<PathBuf>,
    /// Report as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// What an import is connected to.
#[derive(Clone)]
pub struct Connected {
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    /// Who runs it, for the record.
    pub operator: String,
    /// Whether progress is shown on standard error.
    pub progress: bool,
}

/// Opens the ledger, imports and prints. Gives the exit code.
pub async fn run(arguments: &Arguments, clock: Arc<dyn Clock>, out: &mut dyn Write) -> Exit {
    let ask = |report: &Report| ask_on_terminal(arguments, report);
    let imported = match connect(arguments, clock) {
        Ok(connected) => import(arguments, &connected, &ask).await,
        Err(failed) => Err(failed),
    };
    let (report, code) = match imported {
        Ok(report) => {
            let code = report.exit_code();
            (report, code)
        }
        Err(failed) => (Report::of_failure(arguments, &failed), failed.exit_code()),
    };
    let written = if arguments.json { report.write_json(out) } else { report.write_text(out) };
    if written.is_err() { Exit::CannotReach } else { code }
}

fn connect(arguments: &Arguments, clock: Arc<dyn Clock>) -> Result<Connected, Failed> {
    let (place, secrets) = match (&arguments.ledger, &arguments.keys) {
        (Some(file), Some(keys)) => {
            let secrets = Secrets::open_in(keys).map_err(|cause| Failed::Settings(told(&cause)))?;
            (Place::at(file), secrets)
        }
        (Some(_) | None, _) => {
            let gateway =
                Gateway::read(&arguments.config).map_err(|faults| Failed::Settings(faults.to_string()))?;
            let secrets = secrets(&gateway).map_err(|cause| Failed::Settings(told(&cause)))?;
            (ledger_place(&gateway), secrets)
        }
    };
    let at = Arc::clone(&clock);
    let now = Arc::new(move || at.now());
    let ledger = place.in_bulk().open(secrets, now).map_err(Failed::Ledger)?;
    let operator = std::env::var("USER").unwrap_or_default();
    let progress = std::io::stderr().is_terminal();
    Ok(Connected { ledger, clock, operator, progress })
}

/// Imports a file. `confirm` is asked with what would change, unless the arguments say yes.
///
/// # Errors
/// See [`Failed`]. Faults of the file are no error: they are in the report, and nothing was applied.
pub async fn import(
    arguments: &Arguments,
    connected: &Connected,
    confirm: &(dyn Fn(&Report) -> bool + Sync),
) -> Result<Report, Failed> {
    let source = SourceName::parse(&arguments.source).map_err(Failed::Source)?;
    let authority = authority(arguments)?;
    let subject = Subject { kind: arguments.kind, authority, path: arguments.file.clone() };
    let held = connected.ledger.reference().await.map_err(Failed::Ledger)?;
    let regions = Regions::new(held.regions.clone());
    let checked = check_apart(&subject, connected, regions).await?;
    let mut report = Report::of(arguments, &checked);
    if !checked.findings.faults.is_empty() {
        return Ok(report);
    }
    if arguments.kind.is_shared_table() {
        let rows = checked.rows;
        import_table(arguments, connected, &source, &held, rows, &mut report, confirm).await?;
        return Ok(report);
    }
    let importer = Importer {
        ledger: Arc::clone(&connected.ledger),
        clock: Arc::clone(&connected.clock),
        source,
        may_introduce: authority.is_some_and(Authority::may_introduce) && arguments.kind == Kind::Persons,
        operator: connected.operator.clone(),
    };
    let (file, places) = (checked.file, Arc::new(checked.places));
    let sweep = Sweep { file, places, entries: checked.entries, importer, progress: connected.progress };
    if !arguments.yes {
        let differences = arguments.differences.as_deref();
        report.take(sweep.run(Mode::Plan, differences).await?);
        if arguments.dry_run || !report.would_change() || !confirm(&report) {
            return Ok(report);
        }
    }
    let differences = arguments.differences.as_deref().filter(|_| arguments.yes);
    report.take(sweep.run(Mode::Apply, differences).await?);
    report.applied = true;
    Ok(report)
}

/// Files of persons come from an authority that owns some of their columns; other kinds from any source.
fn authority(arguments: &Arguments) -> Result<Option<Authority>, Failed> {
    if arguments.kind != Kind::Persons {
        return Ok(None);
    }
    Authority::from_name(&arguments.source).map(Some).ok_or_else(|| Failed::NoSuchAuthority {
        name: arguments.source.clone(),
        known: Authority::ALL.map(Authority::name).join(", "),
    })
}

/// The check reads the whole file: on a thread that may block.
async fn check_apart(subject: &Subject, connected: &Connected, regions: Regions) -> Result<Checked, Failed> {
    let (subject, connected) = (subject.clone(), connected.clone());
    let checking = tokio::task::spawn_blocking(move || {
        let known = Known { regions: &regions, now: connected.clock.now() };
        check::check(&subject, &known, &|person| connected.ledger.bucket(person), connected.progress)
    });
    checking.await.map_err(|_| Failed::Broken)?
}

async fn import_table(
    arguments: &Arguments,
    connected: &Connected,
    source: &SourceName,
    held: &crate::ledger::ReferenceRows,
    rows: Vec<Incoming>,
    report: &mut Report,
    confirm: &(dyn Fn(&Report) -> bool + Sync),
) -> Result<(), Failed> {
    let changes = match shared_tables::compare(rows, held) {
        Ok(changes) => changes,
        Err(faults) => {
            report.take_table_faults(faults.iter().map(ToString::to_string));
            return Ok(());
        }
    };
    report.take_counts(changes.counts);
    if arguments.dry_run || (!arguments.yes && report.would_change() && !confirm(report)) {
        return Ok(());
    }
    shared_tables::record(&connected.ledger, source, changes).await.map_err(Failed::Ledger)?;
    report.applied = true;
    Ok(())
}

/// Shows the report and asks. Where nobody can answer, the answer is no.
fn ask_on_terminal(arguments: &Arguments, report: &Report) -> bool {
    let (mut terminal, input) = (std::io::stderr(), std::io::stdin());
    if arguments.json || !input.is_terminal() {
        return false;
    }
    let shown = report.write_text(&mut terminal).and_then(|()| {
        write!(terminal, "Apply it? [y/N] ")?;
        terminal.flush()
    });
    let mut answer = String::new();
    shown.and_then(|()| input.read_line(&mut answer)).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes" | "是")
}
