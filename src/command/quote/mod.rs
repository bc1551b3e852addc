//! Owns `banyan quote`: settles written stays offline by a pack, one or thousands, and explains them.

mod answer;
mod input;
mod table;

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::command::Console;
use crate::command::Exit;
use crate::command::quote::answer::Answer;
use crate::command::quote::input::Input;
use crate::command::quote::input::NotOpened;
use crate::config::packs;
use crate::config::packs::PackFile;
use crate::config::reader::Fault;
use crate::config::stay;
use crate::config::stay::WrittenStay;
use crate::domain::catalogue::Catalogue;

const AFTER_HELP: &str = "\
A stay is TOML or JSON; many stays are JSON lines, one a line. docs/quote.md lists every field, with examples.
With many stays a bad one is named by line and field, and the rest go on.

Examples:
  banyan quote --pack config/packs/sandbox/440700.toml --stay docs/examples/bill-m.toml
  banyan quote --pack config/packs/sandbox/440700.toml --stays docs/examples/many.jsonl --json";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct QuoteArguments {
    /// The policy pack to settle by
    #[arg(long, value_name = "FILE")]
    pack: PathBuf,
    /// One stay as TOML or JSON, or JSON lines; - reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "stays")]
    stay: Option<PathBuf>,
    /// Many stays as JSON lines; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "stay")]
    stays: Option<PathBuf>,
    /// Catalogue (CSV) for lines that name a code
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// One JSON object a stay instead of tables
    #[arg(long)]
    json: bool,
    /// Leave out the steps and the lines
    #[arg(long)]
    brief: bool,
}

/// What every stay of a run is settled by.
struct Desk {
    file: PackFile,
    catalogue: Option<Catalogue>,
    json: bool,
    brief: bool,
}

/// Runs the command.
///
/// # Errors
/// Where the answer cannot be written.
pub fn run(arguments: &QuoteArguments, console: &mut Console) -> io::Result<Exit> {
    let opened = open(arguments);
    let (desk, input) = match opened {
        Ok(both) => both,
        Err(refusal) => {
            console.tell(&refusal.message);
            return Ok(refusal.exit);
        }
    };
    match input {
        Input::One(stay) => desk.answer(*stay, None, None, console),
        Input::Many(lines) => desk.answer_all(lines, console),
    }
}

/// Why a run does not begin.
struct Refusal {
    exit: Exit,
    message: String,
}

fn open(arguments: &QuoteArguments) -> Result<(Desk, Input), Refusal> {
    let bad = |message: String| Refusal { exit: Exit::BadInput, message };
    let file = packs::load_file(&arguments.pack).map_err(|faults| Refusal {
        exit: if faults.unreadable { Exit::CannotReach } else { Exit::BadInput },
        message: faults.to_string(),
    })?;
    let catalogue = match &arguments.catalogue {
        Some(path) => Some(input::catalogue(path, file.pack.region()).map_err(refusal)?),
        None => None,
    };
    let input = match (&arguments.stay, &arguments.stays) {
        (Some(path), _) => input::open(path),
        (None, Some(path)) => input::open_lines(path),
        (None, None) => {
            return Err(bad("name a stay with --stay FILE, or many with --stays FILE".to_owned()));
        }
    };
    let desk = Desk { file, catalogue, json: arguments.json, brief: arguments.brief };
    Ok((desk, input.map_err(refusal)?))
}

fn refusal(cause: NotOpened) -> Refusal {
    let exit = if cause.is_reach() { Exit::CannotReach } else { Exit::BadInput };
    Refusal { exit, message: cause.to_string() }
}

impl Desk {
    fn answer_all(&self, lines: input::Lines, console: &mut Console) -> io::Result<Exit> {
        let (mut worst, mut counts) = (Exit::Done, [0_u64; 5]);
        for line in lines {
            let exit = match line.stay {
                Ok(stay) => self.answer(stay, line.id, Some(line.number), console)?,
                Err(cause) => {
                    console.tell(&format!("line {}: cannot be read: {cause}", line.number));
                    Exit::CannotReach
                }
            };
            counts[usize::from(exit.code())] += 1;
            worst = worst.max(exit);
        }
        if counts.iter().sum::<u64>() == 0 {
            console.tell("the file holds no stay: expected a JSON object a line");
            return Ok(Exit::BadInput);
        }
        let [settled, refused, bad, unread, ours] = counts;
        console.tell(&format!(
            "{settled} settled, {refused} refused, {bad} badly written, {unread} unreadable, {ours} failed"
        ));
        Ok(worst)
    }

    /// `line`: of the file, where there are many.
    fn answer(
        &self,
        stay: Result<WrittenStay, Vec<Fault>>,
        id: Option<String>,
        line: Option<u64>,
        console: &mut Console,
    ) -> io::Result<Exit> {
        let answer = self.settle(stay, id, line);
        if self.json {
            console.say(&answer.to_json(&self.file.pack, self.brief).to_string())?;
        } else {
            for row in table::rows(&answer, &self.file.pack, self.brief) {
                console.say(&row)?;
            }
        }
        Ok(answer.exit())
    }

    fn settle(&self, stay: Result<WrittenStay, Vec<Fault>>, id: Option<String>, line: Option<u64>) -> Answer {
        let stay = match stay {
            Ok(stay) => stay,
            Err(faults) => return Answer::bad(id, line, &faults),
        };
        let pack = &self.file.pack;
        match stay::settle(&stay, pack, self.catalogue.as_ref()) {
            Ok(outcome) => {
                let otherwise = answer::otherwise(&stay, &outcome, pack, self.catalogue.as_ref());
                Answer::settled(line, stay, outcome, otherwise)
            }
            Err(refused) => Answer::refused(stay.id.clone(), line, refused),
        }
    }
}
