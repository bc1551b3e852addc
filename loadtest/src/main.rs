//! The program: arguments in, figures out.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;

use banyan::sandbox::folder::Folder;
use clap::Parser;
use loadtest::bars;
use loadtest::bars::Amount;
use loadtest::failed::Failed;
use loadtest::failed::cannot;
use loadtest::failed::told;
use loadtest::floor;
use loadtest::plan::Arrivals;
use loadtest::plan::Plan;
use loadtest::plan::Scenario;
use loadtest::plan::Store;
use loadtest::report;
use loadtest::report::Report;
use loadtest::run;
use loadtest::stage::Setup;
use loadtest::stage::Stage;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Drives a Banyan gateway and the floor in one run, and checks the ledger afterwards.
///
/// Ends with 0 when all is well, 1 when a bar was missed or the ledger differs, 3 when it could not run.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
enum Program {
    /// One scenario.
    Run(RunArguments),
    /// Every bar that can be measured now.
    Bars(BarsArguments),
    /// The opponent; started by the others.
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        sandbox: PathBuf,
        #[arg(long)]
        answers: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The gateway's program; made by cargo when not given.
    #[arg(long)]
    gateway: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Store::Sqlite)]
    store: Store,
    /// Folder to be made for the run, on the disk that shall be measured.
    #[arg(long, default_value = "target/loadtest")]
    folder: PathBuf,
    /// Insured in the register; by default as many as the stays need.
    #[arg(long)]
    persons: Option<u64>,
    /// Leave the folder behind.
    #[arg(long)]
    keep: bool,
    /// Also write the figures here.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    #[command(flatten)]
    common: Common,
    #[arg(long, value_enum, default_value_t = Scenario::Settle)]
    scenario: Scenario,
    /// Arrivals a second, at random moments; without it each connection sends as fast as it is answered.
    #[arg(long)]
    rate: Option<u32>,
    /// Fee lines of a stay.
    #[arg(long, default_value_t = 20)]
    lines: usize,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Stays counted in each repeat.
    #[arg(long, default_value_t = 3_000)]
    stays: usize,
    #[arg(long, default_value_t = 300)]
    warm_up: usize,
    #[arg(long, default_value_t = 3)]
    repeats: usize,
}

#[derive(Debug, clap::Args)]
struct BarsArguments {
    #[command(flatten)]
    common: Common,
    /// Stays of 20 lines counted in each repeat; of 200 lines a tenth of it.
    #[arg(long, default_value_t = 3_000)]
    stays: usize,
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    #[arg(long, default_value_t = 64)]
    connections: usize,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the one place that tells why there are no figures")]
async fn main() -> ExitCode {
    let done = match Program::parse() {
        Program::Run(arguments) => run_once(&arguments).await,
        Program::Bars(arguments) => run_bars(&arguments).await,
        Program::Floor { sandbox, answers } => {
            floor::serve(&Folder::new(&sandbox), &answers, |at| say(&format!("hospitals  https://{at}")))
                .await
                .map(|()| true)
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failed) => {
            eprintln!("loadtest: {}", told(&failed));
            ExitCode::from(if matches!(failed, Failed::NotReconciled(_)) { 1 } else { 3 })
        }
    }
}

async fn run_once(arguments: &RunArguments) -> Result<bool, Failed> {
    let plan = Plan {
        scenario: arguments.scenario,
        arrivals: arguments.rate.map_or(Arrivals::Saturating, Arrivals::PerSecond),
        lines: arguments.lines,
        connections: arguments.connections,
        stays: arguments.stays,
        warm_up: arguments.warm_up,
        repeats: arguments.repeats,
    };
    let needed = plan.stays_a_repeat() * plan.repeats + 1;
    let mut stage = Stage::build(&arguments.common.setup(needed)?).await?;
    let pairs = run::run(&mut stage, &plan).await?;
    let closed = stage.close().await?;
    let report = Report::of(&plan, &pairs, closed);
    say(&report.text());
    arguments.common.write(&report)?;
    Ok(true)
}

async fn run_bars(arguments: &BarsArguments) -> Result<bool, Failed> {
    let BarsArguments { common, stays, repeats, connections } = arguments;
    let amount = Amount { stays: *stays, repeats: *repeats, connections: *connections };
    let mut stage = Stage::build(&common.setup(amount.stays_needed())?).await?;
    let mut bars = bars::measure(&mut stage, amount).await?;
    let closed = stage.close().await?;
    bars.closed = Some(closed);
    say(&format!("{}\n{}", bars.text(), report::closed(&closed)));
    common.write(&bars)?;
    Ok(bars.held())
}

impl Common {
    fn setup(&self, stays_needed: usize) -> Result<Setup, Failed> {
        let loadtest = std::env::current_exe().map_err(cannot("find this program"))?;
        let gateway = match &self.gateway {
            Some(gateway) => gateway.clone(),
            None => built(&loadtest)?,
        };
        // About every fifth person has a stay that is fit to be driven.
        let persons = self.persons.unwrap_or((stays_needed as u64 * 6).max(2_000));
        let (root, store, keep) = (self.folder.clone(), self.store, self.keep);
        Ok(Setup { gateway, loadtest, store, root, persons, keep })
    }

    fn write(&self, report: &impl serde::Serialize) -> Result<(), Failed> {
        self.json.as_deref().map_or(Ok(()), |file| report::write_json(file, report))
    }
}

/// The gateway that stands beside this program. When cargo runs us it is made first, so that what is measured is what
/// the sources say; the same features as ours, so that nothing is built twice.
fn built(loadtest: &Path) -> Result<PathBuf, Failed> {
    let gateway = loadtest.with_file_name("banyan");
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--package", "banyan", "--package", "loadtest", "--bin", "banyan"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let made = command.status().map_err(cannot("run cargo"))?;
        if !made.success() {
            return Err(Failed::Said("the gateway could not be built".into()));
        }
    }
    if gateway.exists() {
        Ok(gateway)
    } else {
        Err(Failed::Said(format!("{} is missing: give --gateway", gateway.display())))
    }
}

#[expect(clippy::print_stdout, reason = "the one door to the terminal")]
fn say(text: &str) {
    println!("{text}");
}
