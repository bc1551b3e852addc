//! `banyan serve`: runs a gateway until it is told to stop.

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::app::Addresses;
use crate::app::App;
use crate::command::Exit;
use crate::command::check;
use crate::command::exit_of_start;
use crate::command::notify;
use crate::command::sandbox_folder;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::config::gateway::LogSection;
use crate::config::reading::Fault;
use crate::service::seams::Clock;
use crate::telemetry;
use crate::telemetry::metrics::Metrics;

/// Run a gateway: hospitals, persons, the center and operators each at an address of their own.
///
/// SIGTERM or Ctrl-C stops it well; SIGHUP reads certificates, callers, keys and packs anew. Any number of gateways may
/// serve one ledger, where `[ledger] url` of the settings names a PostgreSQL database that `banyan migrate` has made ready.
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["config", "sandbox"])))]
#[command(after_help = "Examples:
  banyan serve --sandbox my-province
  banyan serve --config gateway.toml
  banyan migrate --config gateway.toml && banyan serve --config gateway.toml      over PostgreSQL

Exit codes: 0 stopped and nothing was cut, 1 calls were cut at the stop, 2 wrong settings or keys,
or a ledger that is not of these: another look-up key, a newer schema, another program's database,
3 it could not start: the ledger, a file or a port cannot be used, or the database needs
`banyan migrate`.")]
pub struct Arguments {
    /// The settings file; config/gateway.toml explains every key.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// A folder with everything: made on the first start (certificates, ledger, province, packs), used again after it.
    #[arg(long, value_name = "DIR")]
    pub sandbox: Option<PathBuf>,
    /// Insured in a new sandbox.
    #[arg(long, default_value_t = 2_000, requires = "sandbox", value_parser = clap::value_parser!(u64).range(21..=4_000_000))]
    pub persons: u64,
    /// Seed of a new sandbox: the same seed makes the same province.
    #[arg(long, default_value_t = 1, requires = "sandbox")]
    pub seed: u64,
}

/// Serves until a signal. Gives the exit code: 0 after a drain in which nothing was cut, 1 when something was cut,
/// 2 for wrong settings, 3 when it could not start.
pub async fn run(arguments: &Arguments, clock: Arc<dyn Clock>, out: &mut (dyn Write + Send)) -> Exit {
    let file = match settings_file(arguments, Arc::clone(&clock), out).await {
        Ok(file) => file,
        Err(told) => return complain(&told, Exit::CannotReach),
    };
    let looked = check::settings::look(&file, clock.now().day().month());
    let cautions = looked.cautions().to_vec();
    let config = match looked.sound() {
        Ok(config) => config,
        Err((faults, exit)) => return complain(&faults, exit),
    };
    if let Err(cause) = telemetry::start(&log_settings(&config.log)) {
        return complain(&told(&cause), Exit::BadInput);
    }
    for Fault { key, what } in cautions {
        tracing::warn!(key, "{what}");
    }
    let metrics = match Metrics::start() {
        Ok(metrics) => metrics,
        Err(cause) => return complain(&told(&cause), Exit::CannotReach),
    };
    tokio::spawn(metrics.clone().keep_small());
    let app = match App::start(config, clock, Some(metrics)).await {
        Ok(app) => app,
        Err(cause) => return complain(&told(&cause), exit_of_start(&cause)),
    };
    // Before anybody is told that it can be stopped.
    let Ok(signals) = Signals::follow() else { return complain(NO_SIGNALS, Exit::CannotReach) };
    let told = match &arguments.sandbox {
        Some(folder) => sandbox_folder::tell(folder, &app.addresses(), out),
        None => tell(&app.addresses(), out).and_then(|()| out.flush()),
    };
    if told.is_err() {
        return Exit::CannotReach;
    }
    notify::tell(notify::READY);
    until_stopped(app, signals, &file).await
}

/// As hospital systems know it; any other path is answered too.
pub(crate) const CALL_PATH: &str = "/fsi/api/rsfComIfsService/callService";

const NO_SIGNALS: &str = "signals cannot be followed on this machine";

/// Signals that come are kept from here on; until then they end the program.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn follow() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Follows the signals until one says stop. `settings` is the file that names the callers.
pub(crate) async fn until_stopped(app: App, mut signals: Signals, settings: &Path) -> Exit {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hangup.recv() => reload(&app, settings).await,
            () = app.follow_changes() => {}
            () = app.watch_health() => {}
        }
    }
    notify::tell(notify::STOPPING);
    let cut = app.drain().await;
    tracing::info!(cut, "stopped");
    if cut == 0 { Exit::Done } else { Exit::Refused }
}

async fn reload(app: &App, settings: &Path) {
    let faults = match Gateway::read(settings) {
        Ok(config) => app.reload(&config.callers).await,
        Err(faults) => vec![faults.to_string()],
    };
    if faults.is_empty() {
        tracing::info!("read certificates, callers, keys and packs anew");
    }
    for fault in faults {
        tracing::error!(fault, "not put in force; what was there before stays");
    }
}

async fn settings_file(
    arguments: &Arguments,
    clock: Arc<dyn Clock>,
    out: &mut (dyn Write + Send),
) -> Result<PathBuf, String> {
    match (&arguments.config, &arguments.sandbox) {
        (Some(file), _) => Ok(file.clone()),
        (None, Some(folder)) => {
            let size = sandbox_folder::size(arguments.seed, arguments.persons);
            sandbox_folder::make_once(folder, size, clock, out).await
        }
        (None, None) => Err("give --config FILE or --sandbox DIR".to_owned()),
    }
}

fn log_settings(section: &LogSection) -> telemetry::Settings {
    let format = if section.json { telemetry::Format::Json } else { telemetry::Format::Text };
    telemetry::Settings { format, level: section.level.clone() }
}

/// A line for each face: its name, then its whole address.
pub(crate) fn tell(at: &Addresses, out: &mut dyn Write) -> std::io::Result<()> {
    let scheme = |over_tls: bool| if over_tls { "https" } else { "http" };
    writeln!(out, "hospitals  https://{}{CALL_PATH}", at.hospital)?;
    writeln!(out, "persons    {}://{}/", scheme(at.persons_over_tls), at.persons)?;
    writeln!(out, "center     {}://{}/", scheme(at.center_over_tls), at.center)?;
    writeln!(out, "operators  http://{}/metrics", at.operators)
}

pub(crate) fn complain(what: &str, code: Exit) -> Exit {
    note(what);
    code
}

#[expect(clippy::print_stderr, reason = "what is said beside an answer, or before there is a log")]
pub(crate) fn note(what: &str) {
    eprintln!("banyan: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_is_told_with_its_whole_address() {
        let at = |port| ([127, 0, 0, 1], port).into();
        let addresses = Addresses {
            hospital: at(1),
            persons: at(2),
            persons_over_tls: true,
            center: at(3),
            center_over_tls: false,
            operators: at(4),
        };
        let mut told = Vec::new();
        tell(&addresses, &mut told).unwrap();
        let expected = "hospitals  https://127.0.0.1:1/fsi/api/rsfComIfsService/callService
persons    https://127.0.0.1:2/
center     http://127.0.0.1:3/
operators  http://127.0.0.1:4/metrics
";
        assert_eq!(String::from_utf8(told).unwrap(), expected);
    }
}
