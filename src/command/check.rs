//! Owns `banyan check`: are the packs sound, do their cases come out, which numbers has nobody verified; or, with
//! `--config`, would a gateway start with these settings.

pub(crate) mod settings;

use std::io;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use serde_json::json;

use crate::command::Console;
use crate::command::Exit;
use crate::config::packs;
use crate::config::packs::CaseFault;
use crate::config::packs::FileFaults;
use crate::config::packs::Mode;
use crate::config::packs::NotAdmitted;
use crate::config::packs::PackFile;
use crate::config::packs::PackSet;
use crate::config::packs::Unverified;
use crate::config::packs::Warning;
use crate::domain::ids::RegionCode;
use crate::domain::pack::PackStatus;
use crate::service::seams::Clock;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  banyan check --packs config/packs
  banyan check --config gateway.toml

No server is asked: `banyan migrate` and `banyan serve` connect to the database, `serve` to Redis.

Exit codes: 0 all as wished, 1 a case differs or production would refuse a pack, 2 packs or settings are wrong, or name a
ca_file or password_file that is not there, 3 another file cannot be read or used.")]
pub struct CheckArguments {
    /// A gateway's settings: tells every fault of the file and of all that it names; starts nothing, writes nothing,
    /// connects to no database and no Redis
    #[arg(long, value_name = "FILE", conflicts_with_all = ["packs", "production", "allow"])]
    config: Option<PathBuf>,
    /// Folder with one pack per pool; folders below it are sets of their own
    #[arg(long, value_name = "DIR", default_value = "config/packs")]
    packs: PathBuf,
    /// Ask also whether the gateway would start with them in production
    #[arg(long)]
    production: bool,
    /// A region whose pack may decide in production although it is not official (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = region)]
    allow: Vec<RegionCode>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn region(text: &str) -> Result<RegionCode, String> {
    RegionCode::parse(text).map_err(|cause| cause.to_string())
}

/// What was found.
struct Findings {
    set: PackSet,
    faults: Vec<FileFaults>,
    cases: Vec<(RegionCode, CaseFault)>,
    unverified: Vec<Unverified>,
    not_admitted: Vec<NotAdmitted>,
    warnings: Vec<Warning>,
}

impl Findings {
    fn exit(&self) -> Exit {
        if self.faults.iter().any(|file| file.unreadable) {
            Exit::CannotReach
        } else if !self.faults.is_empty() {
            Exit::BadInput
        } else if self.cases.is_empty() && self.not_admitted.is_empty() {
            Exit::Done
        } else {
            Exit::Refused
        }
    }
}

/// Runs the command.
pub fn run(arguments: &CheckArguments, clock: &dyn Clock, console: &mut Console) -> io::Result<Exit> {
    if let Some(file) = &arguments.config {
        let looked = settings::look(file, clock.now().day().month());
        if arguments.json {
            console.say(&looked.json().to_string())?;
        } else {
            console.say(
                format!("{}\n{}{}", looked.told(), looked.cautions_told(), looked.unasked_told()).trim_end(),
            )?;
        }
        return Ok(looked.exit());
    }
    let findings = look(&arguments.packs, arguments);
    if arguments.json {
        console.say(&to_json(&findings).to_string())?;
    } else {
        print(&findings, &arguments.packs, console)?;
    }
    Ok(findings.exit())
}

fn look(folder: &Path, arguments: &CheckArguments) -> Findings {
    let (set, faults) = match packs::load_set(folder) {
        Ok(set) => (set, Vec::new()),
        Err(faults) => (PackSet::default(), faults),
    };
    let of_pack = |file: &PackFile| {
        let region = file.pack.region();
        packs::run_cases(file).into_iter().map(move |fault| (region, fault)).collect::<Vec<_>>()
    };
    let cases = set.files().iter().flat_map(of_pack).collect();
    let unverified = packs::unverified(&set);
    let mode = if arguments.production { Mode::Production } else { Mode::Sandbox };
    let not_admitted = packs::admit(&set, mode, &arguments.allow).err().unwrap_or_default();
    let warnings = packs::warnings(&set);
    Findings { set, faults, cases, unverified, not_admitted, warnings }
}

fn print(findings: &Findings, folder: &Path, console: &mut Console) -> io::Result<()> {
    for faults in &findings.faults {
        console.say(&faults.to_string())?;
    }
    if !findings.faults.is_empty() {
        let count: usize = findings.faults.iter().map(|file| file.faults.len()).sum();
        return console.say(&format!("{count} faults; nothing was loaded from {}", folder.display()));
    }
    for file in findings.set.files() {
        print_pack(file, findings, console)?;
    }
    for refused in &findings.not_admitted {
        console.say(&format!("production: {refused}"))?;
    }
    let (packs, faulty) = (findings.set.files().len(), findings.cases.len());
    console.say(&format!("{packs} packs load; {faulty} figures of their cases differ"))
}

fn print_pack(file: &PackFile, findings: &Findings, console: &mut Console) -> io::Result<()> {
    let (pack, cases) = (&file.pack, file.cases.len());
    let short = pack.hash().get(..12).unwrap_or_default();
    console.say(&format!("{} {}  version {short}, {cases} cases", pack.region(), pack.name()))?;
    for (_, fault) in findings.cases.iter().filter(|(region, _)| *region == pack.region()) {
        let line = fault.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        console.say(&format!("  case {}{line}: {}", fault.case, fault.message))?;
    }
    for warning in findings.warnings.iter().filter(|warning| warning.region == pack.region()) {
        console.say(&format!("  warning: {}", warning.message))?;
    }
    let open: Vec<_> = findings.unverified.iter().filter(|value| value.region == pack.region()).collect();
    console.say(&format!("  {} of {} values are not verified", open.len(), pack.provenance().len()))?;
    // Every number of a synthetic pack is invented, so naming each would hide the others.
    for value in open.into_iter().filter(|_| pack.status() != PackStatus::Synthetic) {
        console.say(&format!(
            "    {} from {}: {}; {}",
            value.parameter, value.from, value.trust, value.source
        ))?;
    }
    Ok(())
}

fn to_json(findings: &Findings) -> Value {
    let faults = findings.faults.iter().flat_map(|file| {
        file.faults.iter().map(|fault| {
            json!({ "file": file.file.display().to_string(), "line": fault.line, "path": fault.path, "message": fault.message })
        })
    });
    let packs = findings.set.files().iter().map(|file| pack_json(file, findings));
    let refused = findings
        .not_admitted
        .iter()
        .map(|refused| json!({ "region": refused.region.to_string(), "message": refused.to_string() }));
    json!({
        "ok": findings.exit() == Exit::Done,
        "faults": faults.collect::<Vec<_>>(),
        "packs": packs.collect::<Vec<_>>(),
        "not_admitted": refused.collect::<Vec<_>>(),
    })
}

fn pack_json(file: &PackFile, findings: &Findings) -> Value {
    let region = file.pack.region();
    let differing = findings.cases.iter().filter(|(of, _)| *of == region);
    let open = findings.unverified.iter().filter(|value| value.region == region);
    let warnings = findings.warnings.iter().filter(|warning| warning.region == region);
    json!({
        "region": region.to_string(),
        "name": file.pack.name(),
        "status": packs::status_word(file.pack.status()),
        "hash": &**file.pack.hash(),
        "values": file.pack.provenance().len(),
        "cases": file.cases.len(),
        "differing": differing
            .map(|(_, fault)| json!({ "case": fault.case, "line": fault.line, "message": fault.message }))
            .collect::<Vec<_>>(),
        "warnings": warnings.map(|warning| &*warning.message).collect::<Vec<_>>(),
        "unverified": open
            .map(|value| json!({
                "parameter": value.parameter,
                "from": value.from.to_string(),
                "trust": value.trust,
                "source": value.source,
            }))
            .collect::<Vec<_>>(),
    })
}
