//! `banyan sandbox`: writes a synthetic province as the very files that `banyan import` reads.

use std::io::IsTerminal as _;
use std::io::Write;
use std::path::PathBuf;

use crate::command::Exit;
use crate::domain::calendar::Day;
use crate::sandbox::province::Province;
use crate::sandbox::province::Size;
use crate::service::seams::Clock;

/// Write a synthetic province: 21 pools, their insured, institutions, catalogues, filings, balances, stays.
///
/// The same seed, sizes and day give the same files. Nothing in them is real: names hold 样, identity numbers begin with
/// county codes that were never given out, phone numbers begin with 100.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan sandbox --out province --persons 100000
  banyan sandbox --out province --seed 7 --persons 4000000 --codes 200000 --stays 1000000 --day 2026-11-24")]
pub struct Arguments {
    /// The folder; made where there is none, its files are replaced.
    #[arg(long)]
    pub out: PathBuf,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Insured over all pools.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=40_000_000))]
    pub persons: u64,
    /// Codes in the catalogue of each place of care.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(17..=900_000))]
    pub codes: u64,
    /// Stays to write, at most; a hundred persons have about a hundred over the year.
    #[arg(long, default_value_t = 1_000)]
    pub stays: u64,
    /// The day on which the province is as written: 2026-11-24. Today, when not given.
    #[arg(long, value_parser = day)]
    pub day: Option<Day>,
    /// Report as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

fn day(text: &str) -> Result<Day, String> {
    let number = text.replace('-', "").parse().ok().filter(|_| text.len() == 10);
    number.and_then(Day::from_number).ok_or_else(|| "expected a day like 2026-11-24".to_owned())
}

/// Writes the files and tells what was written. Gives the exit code: 0, or 3 when a file cannot be written.
pub fn run(arguments: &Arguments, clock: &dyn Clock, out: &mut dyn Write) -> Exit {
    let size = Size {
        seed: arguments.seed,
        persons: arguments.persons,
        codes: arguments.codes,
        stays: arguments.stays,
    };
    let province = Province::new(size, arguments.day.unwrap_or_else(|| clock.now().day()));
    let shown = std::io::stderr().is_terminal();
    let bar =
        if shown { indicatif::ProgressBar::new(size.persons) } else { indicatif::ProgressBar::hidden() };
    let written = province.write(&arguments.out, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    let told = match written {
        Ok(files) if arguments.json => serde_json::to_string(&files)
            .map_err(std::io::Error::from)
            .and_then(|text| writeln!(out, "{text}")),
        Ok(files) => files
            .iter()
            .try_for_each(|file| writeln!(out, "{:>9} rows  {}", file.rows, file.file))
            .and_then(|()| {
                writeln!(out, "Synthetic province of seed {} in {}.", size.seed, arguments.out.display())
            }),
        Err(cause) => {
            let _told = writeln!(out, "{} cannot be written: {cause}", arguments.out.display());
            return Exit::CannotReach;
        }
    };
    if told.is_err() { Exit::CannotReach } else { Exit::Done }
}
