//! `banyan clear`: a month by region and hospital from the ledger, and the settlements behind its figures.

mod asked;
mod table;

use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use crate::app::to_read;
use crate::command::Exit;
use crate::command::exit_of_start;
use crate::command::serve::complain;
use crate::command::serve::note;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::domain::calendar::Month;
use crate::domain::clearing::MonthRow;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::protocol::center::behind;
use crate::protocol::center::month::MonthView;
use crate::protocol::center::month_state::MonthState;
use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::month::Behind;
use crate::service::seams::Clock;

/// Tell what regions owe each other for a month, by region and hospital, and hold that it adds up to zero.
///
/// It only reads. A gateway may be running on the same ledger; where processors are scarce, that one comes first.
/// docs/clear.md describes what it writes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan clear --month 202611 --config my-province/gateway.toml
  banyan clear --month 202611 --config my-province/gateway.toml --region 430100
  banyan clear --month 202611 --config my-province/gateway.toml --institution H43010200001 --settlements
  banyan clear --month 202611 --config my-province/gateway.toml --format csv > 202611.csv

Exit codes: 0 told (also of a month without settlements, and of a region or institution that has none in it: a note says so),
1 net positions do not add up to zero, 2 wrong arguments or settings (also a region that is no pool, or an institution that
the register does not know), 3 the ledger cannot be read.")]
pub struct Arguments {
    /// The clearing month, YYYYMM.
    #[arg(long, value_name = "YYYYMM", value_parser = read_month)]
    pub month: Month,
    /// The gateway's settings; names the ledger and the look-up key.
    #[arg(long, default_value = "gateway.toml")]
    pub config: PathBuf,
    /// Only what has to do with this pool, like 440700: its insured elsewhere, and visitors in its hospitals.
    #[arg(long, value_name = "CODE", value_parser = |text: &str| RegionCode::parse(text))]
    pub region: Option<RegionCode>,
    /// Only this hospital.
    #[arg(long, value_name = "CODE", value_parser = |text: &str| InstitutionCode::parse(text))]
    pub institution: Option<InstitutionCode>,
    /// The settlements, reversals and revivals behind the figures, in place of the figures.
    #[arg(long)]
    pub settlements: bool,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// One JSON object on standard output.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// To be read on a terminal.
    Table,
    /// For a spreadsheet: UTF-8 with its mark.
    Csv,
}

fn read_month(text: &str) -> Result<Month, String> {
    let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let month = if digits { text.parse().ok().and_then(Month::from_number) } else { None };
    month.ok_or_else(|| "write a month as YYYYMM, like 202611".to_owned())
}

pub async fn run(arguments: &Arguments, clock: Arc<dyn Clock>, out: &mut (dyn Write + Send)) -> Exit {
    let config = match Gateway::read(&arguments.config) {
        Ok(config) => config,
        Err(faults) => return complain(&faults.to_string(), Exit::BadInput),
    };
    if let Some(file) = config.ledger.file().filter(|file| !file.exists()) {
        let file = file.display();
        let message = format!("there is no ledger {file} yet: `banyan serve` or `banyan import` makes it");
        return complain(&message, Exit::CannotReach);
    }
    let service = match to_read(&config, clock).await {
        Ok(service) => service,
        Err(cause) => return complain(&told(&cause), exit_of_start(&cause)),
    };
    let report = match Report::read(&service, arguments).await {
        Ok(report) => report,
        Err(NotRead::NotMeant(why)) => return complain(&why, Exit::BadInput),
        Err(NotRead::Ledger(cause)) => return complain(&told(&cause), Exit::CannotReach),
    };
    report.end(arguments, out)
}

enum NotRead {
    /// What was asked for is never found.
    NotMeant(String),
    Ledger(ServiceError),
}

impl From<ServiceError> for NotRead {
    fn from(cause: ServiceError) -> NotRead {
        NotRead::Ledger(cause)
    }
}

/// What was found.
struct Report {
    view: MonthView,
    /// What was asked for, in words; empty without filters.
    filter: String,
    /// Read where they are asked for.
    behind: Vec<Behind>,
    /// Before filters: whether the month has settlements at all.
    month_is_empty: bool,
}

impl Report {
    async fn read(service: &Service, arguments: &Arguments) -> Result<Report, NotRead> {
        let Arguments { month, region, institution, .. } = arguments;
        let totals = service.clearing_month(*month).await?;
        let reference = service.reference.load();
        asked::check(arguments, &totals, &reference).map_err(NotRead::NotMeant)?;
        let wanted = |row: &MonthRow| {
            region.is_none_or(|code| row.insured_pool == code || row.care_pool == code)
                && institution.as_ref().is_none_or(|code| row.institution == *code)
        };
        let behind =
            if arguments.settlements { service.clearing_rows(*month, wanted).await? } else { Vec::new() };
        let view = MonthView::new(*month, service.today().month(), &totals, &reference);
        Ok(Report {
            filter: asked::in_words(arguments, &reference),
            view: view.only(*region, institution.as_ref()),
            behind,
            month_is_empty: totals.groups.is_empty(),
        })
    }

    fn end(&self, arguments: &Arguments, out: &mut dyn Write) -> Exit {
        let month = self.view.month;
        // The table says it itself.
        let for_a_program = arguments.json || arguments.format == Format::Csv;
        if for_a_program
            && self.view.state == MonthState::NotBegun
            && let Some((zh, en)) = self.view.state.hint()
        {
            note(&format!("{zh}{en}"));
        }
        if self.view.hospitals.is_empty() && !self.filter.is_empty() {
            let filter = &self.filter;
            note(&format!("{month}没有与{filter}有关的结算。Nothing in {month} has to do with {filter}."));
        }
        if let Err(cause) = self.write(arguments, out) {
            return match cause.kind() {
                io::ErrorKind::BrokenPipe => Exit::Done,
                _ => complain(&format!("cannot write the answer: {cause}"), Exit::CannotReach),
            };
        }
        if self.view.is_balanced() {
            return Exit::Done;
        }
        let sum: Fen = self.view.imbalance;
        complain(
            &format!("net positions add up to {sum}, not to zero: do not pay by these figures, report them"),
            Exit::Refused,
        )
    }

    fn settlements_json(&self) -> Value {
        json!({
            "month": self.view.month.to_string(),
            "state": self.view.state.code(),
            "net_sum": self.view.imbalance.to_string(),
            "balanced": self.view.is_balanced(),
            "settlements": behind::json(self.view.month, self.view.state, &self.behind),
        })
    }

    fn write(&self, arguments: &Arguments, out: &mut dyn Write) -> io::Result<()> {
        let month = self.view.month;
        match (arguments.json, arguments.format, arguments.settlements) {
            (true, _, false) => writeln!(out, "{:#}", self.view.json()),
            (true, _, true) => writeln!(out, "{:#}", self.settlements_json()),
            (false, Format::Csv, false) => write!(out, "{}", self.view.csv()),
            (false, Format::Csv, true) => {
                write!(out, "{}", behind::csv(month, self.view.state, &self.behind))
            }
            (false, Format::Table, _) => table::write(self, arguments.settlements, out),
        }
    }
}
