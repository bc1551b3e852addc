//! The program: arguments in, figures out.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;

use banyan::sandbox::folder::Folder;
use banyan::sandbox::geography::CITIES;
use clap::CommandFactory as _;
use clap::Parser;
use clap::error::ErrorKind;
use loadtest::bars::Amount;
use loadtest::bars::long;
use loadtest::bars::long::Large;
use loadtest::bars::quick;
use loadtest::charts;
use loadtest::failed::Failed;
use loadtest::failed::cannot;
use loadtest::failed::told;
use loadtest::floor::Answers;
use loadtest::opponent;
use loadtest::place::Population;
use loadtest::plain::Plain;
use loadtest::plan::Arrivals;
use loadtest::plan::Proof;
use loadtest::plan::Scenario;
use loadtest::plan::Store;
use loadtest::report;
use loadtest::report::Report;
use loadtest::stage::Setup;
use loadtest::sweep::Sweep;
use rustix::process::Resource;
use rustix::process::getrlimit;
use rustix::process::setrlimit;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Drives a Banyan gateway and a named opponent in one run, and checks the ledger afterwards.
///
/// Ends with 0 when all is well, 1 when a bar was missed or the ledger differs, 2 for wrong arguments, 3 when it
/// could not run.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
enum Program {
    /// One scenario, at one size or at several.
    Run(RunArguments),
    /// Every bar that fits into ten minutes; with --all the long ones too.
    Bars(BarsArguments),
    /// The opponent that answers without thinking; started by the others.
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        sandbox: PathBuf,
        #[arg(long)]
        answers: PathBuf,
    },
    /// The opponent over PostgreSQL; started by the others.
    #[command(hide = true)]
    Plain {
        #[arg(long)]
        sandbox: PathBuf,
        #[arg(long)]
        answers: PathBuf,
        #[arg(long)]
        database: String,
        #[arg(long)]
        pool: usize,
    },
}

/// Each takes the loader about a kilobyte, in the stay and in the body that tells of it.
const LINES_AT_ONCE_MAX: usize = 4_000_000;

#[derive(Debug, clap::Args)]
struct Common {
    /// The gateway's program; made by cargo when not given.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// Folder to be made for the run, on the disk that shall be measured.
    #[arg(long, default_value = "target/loadtest")]
    folder: PathBuf,
    /// Stays are drawn from the insured of so many of the 21 pools, the largest first.
    #[arg(long, default_value_t = 21, value_parser = pools)]
    pools: usize,
    /// Leave the folder behind.
    #[arg(long)]
    keep: bool,
    /// Also write the figures here.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Lists are separated by commas, and every combination is tried:
  loadtest run --scenario settle --connections 1,64,1000,10000 --charts charts
  loadtest run --scenario settle --rate 500,1000,2000,4000 --charts charts
  loadtest run --scenario stay --lines 5,20,200
  loadtest run --scenario settle --population 100000,4000000 --history 0,100000")]
struct RunArguments {
    #[command(flatten)]
    common: Common,
    #[arg(long, value_enum, default_value_t = Scenario::Settle)]
    scenario: Scenario,
    /// Behind which ledger the gateway runs.
    #[arg(long, alias = "store", value_enum, default_value_t = Store::Sqlite)]
    ledger: Store,
    /// How the loader proves who it is.
    #[arg(long, value_enum, default_value_t = Proof::Mtls)]
    proof: Proof,
    /// Make a connection for each call.
    #[arg(long)]
    no_keep_alive: bool,
    /// Arrivals a second, at random moments; without it each connection sends as fast as it is answered.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    rate: Vec<u32>,
    /// Fee lines of a stay.
    #[arg(long, value_delimiter = ',', default_value = "20", value_parser = positive)]
    lines: Vec<usize>,
    /// Open connections.
    #[arg(long, value_delimiter = ',', default_value = "64", value_parser = positive)]
    connections: Vec<usize>,
    /// Connections that are used at once, at most; they take turns. More than the gateway's places would be refused.
    #[arg(long, default_value_t = 512, value_parser = positive)]
    in_flight: usize,
    /// Insured in the register; by default as many as the stays need.
    #[arg(long, alias = "persons", value_delimiter = ',')]
    population: Vec<u64>,
    /// Settlements that are put into the ledger beforehand, rising.
    #[arg(long, value_delimiter = ',', default_value = "0")]
    history: Vec<usize>,
    /// Fee lines of each of those.
    #[arg(long, default_value_t = 4)]
    history_lines: usize,
    /// Codes in the catalogue of each place of care.
    #[arg(long, default_value_t = 400)]
    codes: u64,
    /// Go on with the folder that a run with --keep has left, with its insured and its history. SQLite only.
    #[arg(long, conflicts_with = "population")]
    reuse: bool,
    /// Stays counted in each repeat.
    #[arg(long, default_value_t = 3_000, value_parser = positive)]
    stays: usize,
    #[arg(long, default_value_t = 300)]
    warm_up: usize,
    #[arg(long, default_value_t = 3, value_parser = positive)]
    repeats: usize,
    /// Also draw charts into this folder.
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct BarsArguments {
    #[command(flatten)]
    common: Common,
    /// Also the bars that take hours: millions of insured and settlements.
    #[arg(long)]
    all: bool,
    /// Only those.
    #[arg(long, conflicts_with = "all")]
    only_long: bool,
    /// Stays of 20 lines counted in each repeat; of 200 lines a fifth of it.
    #[arg(long, default_value_t = 6_000, value_parser = positive)]
    stays: usize,
    #[arg(long, default_value_t = 3, value_parser = positive)]
    repeats: usize,
    #[arg(long, default_value_t = 64, value_parser = positive)]
    connections: usize,
    /// Insured of the large ledger.
    #[arg(long, default_value_t = 4_000_000)]
    population: u64,
    /// Settlements in the large ledger; fewer where the disk has no room for them.
    #[arg(long, default_value_t = 10_000_000)]
    history: usize,
    /// Settlements of the month that is drawn up.
    #[arg(long, default_value_t = 1_000_000)]
    month: usize,
    /// Connections that memory is measured with.
    #[arg(long, default_value_t = 10_000, value_parser = positive)]
    connections_max: usize,
    /// Codes in the catalogue of each place of care of the large ledger.
    #[arg(long, default_value_t = 200_000)]
    codes: u64,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the one place that tells why there are no figures")]
async fn main() -> ExitCode {
    let program = Program::parse();
    if let Some(wrong) = program.wrong() {
        Program::command().error(ErrorKind::ValueValidation, wrong).exit();
    }
    let done = match program {
        Program::Run(arguments) => unless_stopped(run(&arguments)).await,
        Program::Bars(arguments) => unless_stopped(bars(&arguments)).await,
        Program::Floor { sandbox, answers } => floor(&sandbox, &answers).await,
        Program::Plain { sandbox, answers, database, pool } => {
            plain(&sandbox, &answers, &database, pool).await
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failed) => {
            eprintln!("loadtest: {}", told(&failed));
            ExitCode::from(match failed {
                Failed::NotReconciled(_) => 1,
                Failed::Arguments(_) => 2,
                _ => 3,
            })
        }
    }
}

impl Program {
    /// What is wrong with its arguments together.
    fn wrong(&self) -> Option<String> {
        match self {
            Program::Run(arguments) => arguments.wrong(),
            Program::Bars(arguments) => too_many(arguments.amount().lines_at_once()),
            Program::Floor { .. } | Program::Plain { .. } => None,
        }
    }
}

fn too_many(lines: usize) -> Option<String> {
    (lines > LINES_AT_ONCE_MAX).then(|| {
        format!(
            "--stays: {lines} fee lines at once with theirs, and no more than {LINES_AT_ONCE_MAX} are kept in memory: write \
             fewer stays, or fewer lines"
        )
    })
}

impl BarsArguments {
    fn amount(&self) -> Amount {
        Amount { stays: self.stays, repeats: self.repeats, connections: self.connections }
    }
}

impl RunArguments {
    fn wrong(&self) -> Option<String> {
        if !self.history.is_sorted() {
            return Some(
                "--history: write the numbers rising, since a ledger only grows: 0,100 and not 100,0".into(),
            );
        }
        let lines = self.lines.iter().max().copied().unwrap_or(0);
        too_many(lines.saturating_mul(self.stays.saturating_add(self.warm_up)))
    }
}

/// A run that is stopped ends its servers and removes its folder: both go with the work.
async fn unless_stopped(work: impl Future<Output = Result<bool, Failed>>) -> Result<bool, Failed> {
    let listen = |kind| signal(kind).map_err(cannot("listen for signals"));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err(Failed::Said("interrupted: there are no figures".into())),
        _ = terminate.recv() => Err(Failed::Said("stopped: there are no figures".into())),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "write a whole number above 0".to_owned())
}

fn pools(text: &str) -> Result<usize, String> {
    let there_are = CITIES.len();
    positive(text)
        .ok()
        .filter(|pools| *pools <= there_are)
        .ok_or_else(|| format!("write a whole number from 1 to {there_are}"))
}

async fn floor(sandbox: &Path, answers: &Path) -> Result<bool, Failed> {
    opponent::serve(&Folder::new(sandbox), Answers::read(answers)?, tell_address).await.map(|()| true)
}

async fn plain(sandbox: &Path, answers: &Path, database: &str, pool: usize) -> Result<bool, Failed> {
    let plain = Plain::connect(database, pool, Answers::read(answers)?).await?;
    opponent::serve(&Folder::new(sandbox), plain, tell_address).await.map(|()| true)
}

fn tell_address(at: std::net::SocketAddr) {
    say(&format!("hospitals  https://{at}"));
}

async fn run(arguments: &RunArguments) -> Result<bool, Failed> {
    let RunArguments { common, scenario, .. } = arguments;
    let rates = arguments.rate.iter().map(|rate| Arrivals::PerSecond(*rate));
    let sweep = Sweep {
        scenario: *scenario,
        populations: or_one(arguments.population.iter().map(|persons| Some(*persons)), None),
        histories: arguments.history.clone(),
        lines: arguments.lines.clone(),
        connections: arguments.connections.clone(),
        arrivals: or_one(rates, Arrivals::Saturating),
        in_flight: arguments.in_flight,
        stays: arguments.stays,
        warm_up: arguments.warm_up,
        repeats: arguments.repeats,
    };
    allow_connections(arguments.connections.iter().copied().max().unwrap_or(0))?;
    arguments.charts.as_deref().map_or(Ok(()), charts::make)?;
    let setup = Setup {
        store: arguments.ledger,
        reuse: arguments.reuse,
        population: Population { persons: 0, codes: arguments.codes },
        pools: if *scenario == Scenario::HotRegion { 1 } else { common.pools },
        history_lines: arguments.history_lines,
        proof: arguments.proof,
        keep_alive: !arguments.no_keep_alive,
        ..common.setup()?
    };
    let (points, ledgers) = sweep.run(&setup).await?;
    let report = Report::of(&setup, points, ledgers);
    say(&report.text());
    if let Some(folder) = &arguments.charts {
        charts::write(&report, folder)?;
    }
    common.write(&report)?;
    Ok(true)
}

fn or_one<T>(given: impl Iterator<Item = T>, usual: T) -> Vec<T> {
    let given: Vec<T> = given.collect();
    if given.is_empty() { vec![usual] } else { given }
}

async fn bars(arguments: &BarsArguments) -> Result<bool, Failed> {
    let BarsArguments { common, connections_max, .. } = arguments;
    let amount = arguments.amount();
    let long = arguments.all || arguments.only_long;
    allow_connections(if long { *connections_max } else { loadtest::overload::CONNECTIONS_MAX })?;
    let setup = common.setup()?;
    let mut bars = if arguments.only_long {
        loadtest::bars::Bars::default()
    } else {
        quick::measure(&setup, amount).await?
    };
    if long {
        let large = Large {
            persons: arguments.population,
            history: arguments.history,
            month: arguments.month,
            connections: *connections_max,
            codes: arguments.codes,
        };
        long::measure(&setup, amount, large, &mut bars).await?;
    } else {
        bars.leave_out_the_long();
    }
    bars.machine = report::Machine::this();
    let closed: String = bars.ledgers.iter().map(|ledger| report::closed(&ledger.closed)).collect();
    say(&format!("{}\n{closed}", bars.text()));
    common.write(&bars)?;
    Ok(bars.held())
}

/// Both the loader and each server need a descriptor a connection; servers inherit the limit.
fn allow_connections(most: usize) -> Result<(), Failed> {
    const OTHER_FILES: u64 = 300;
    let needed = most as u64 + OTHER_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        return Err(Failed::Arguments(format!(
            "{most} connections need {needed} open files, this shell allows {}: run `ulimit -Hn {needed}` as root, or \
             give fewer connections",
            limit.maximum.unwrap_or(0)
        )));
    }
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    limit.current = limit.maximum.or(Some(needed));
    setrlimit(Resource::Nofile, limit)
        .map_err(|cause| cannot("raise the limit of open files")(std::io::Error::from(cause)))
}

impl Common {
    fn setup(&self) -> Result<Setup, Failed> {
        let loadtest = std::env::current_exe().map_err(cannot("find this program"))?;
        let gateway = match &self.gateway {
            Some(gateway) => gateway.clone(),
            None => built(&loadtest)?,
        };
        if !gateway.is_file() {
            return Err(Failed::Arguments(format!("--gateway: there is no program {}", gateway.display())));
        }
        if let Some(json) = &self.json
            && json.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
        {
            let json = json.display();
            return Err(Failed::Arguments(format!("--json {json}: its folder is not there; make it first")));
        }
        Ok(Setup {
            gateway,
            loadtest,
            store: Store::Sqlite,
            root: self.folder.clone(),
            reuse: false,
            population: Population { persons: 0, codes: 400 },
            pools: self.pools,
            history: 0,
            history_lines: 4,
            proof: Proof::Mtls,
            keep_alive: true,
            keep: self.keep,
        })
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
        Err(Failed::Arguments(format!("{} is missing: give --gateway", gateway.display())))
    }
}

#[expect(clippy::print_stdout, reason = "the one door to the terminal")]
fn say(text: &str) {
    println!("{text}");
}
