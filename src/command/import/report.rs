//! Owns what an import tells: faults, what would change or has changed, what was left out and why. Personal values are
//! masked, person numbers too.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use serde::Serialize;

use crate::command::Exit;
use crate::command::import::Arguments;
use crate::command::import::check::Checked;
use crate::command::import::failed::Failed;
use crate::domain::ids::PersonKey;
use crate::protocol::files::faults::List;
use crate::protocol::files::faults::WARNINGS_LISTED_MAX;
use crate::protocol::files::sheet::Said;
use crate::service::import::apply::Outcome;
use crate::service::import::apply::Skip;
use crate::service::import::differences::Difference;
use crate::service::import::differences::FieldCounts;
use crate::service::import::shared_tables::Counts;

/// Persons whose differences are shown; all go into the file of `--differences`.
pub const EXAMPLES_MAX: usize = 10;

/// What became of the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub new: u64,
    pub changed: u64,
    pub recorded: u64,
    pub unchanged: u64,
    /// By reason.
    pub skipped: BTreeMap<&'static str, u64>,
    pub fields: FieldCounts,
    /// The first ones, by line.
    pub examples: Vec<Example>,
    /// Certificates that another person of the register has, by line.
    pub certificates: Vec<(u64, String)>,
    pub more_certificates: u64,
}

/// One entry whose change, or omission, is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    pub line: u64,
    pub person: String,
    pub told: Vec<String>,
}

impl Tally {
    pub(super) fn take(&mut self, said: &Said, outcome: Outcome) {
        let told = match outcome {
            Outcome::New => return self.new += 1,
            Outcome::Recorded => return self.recorded += 1,
            Outcome::Unchanged => return self.unchanged += 1,
            Outcome::Changed(differences) => {
                self.changed += 1;
                self.fields.take(&differences);
                differences.iter().map(show).collect()
            }
            Outcome::Skipped(skip) => {
                *self.skipped.entry(reason(&skip)).or_default() += 1;
                vec![format!("left out: {}", explain(&skip))]
            }
        };
        let person = said.what.person().map(|person| format!("{person:?}")).unwrap_or_default();
        self.example(Example { line: said.line, person, told });
    }

    pub(super) fn warn_of_certificate(&mut self, line: u64, other: &PersonKey) {
        let told = format!(
            "line {line}, column certno: {other:?} of the register has the same certificate: is she one person with two \
             numbers?"
        );
        self.certificate(line, told);
    }

    fn certificate(&mut self, line: u64, told: String) {
        let at = self.certificates.partition_point(|(held, _)| *held < line);
        self.certificates.insert(at, (line, told));
        if self.certificates.len() > WARNINGS_LISTED_MAX {
            self.certificates.truncate(WARNINGS_LISTED_MAX);
            self.more_certificates += 1;
        }
    }

    fn example(&mut self, example: Example) {
        let at = self.examples.partition_point(|held| held.line < example.line);
        if at < EXAMPLES_MAX {
            self.examples.insert(at, example);
            self.examples.truncate(EXAMPLES_MAX);
        }
    }

    pub(super) fn merge(&mut self, other: Tally) {
        self.new += other.new;
        self.changed += other.changed;
        self.recorded += other.recorded;
        self.unchanged += other.unchanged;
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        for (field, count) in other.fields.0 {
            *self.fields.0.entry(field).or_default() += count;
        }
        other.examples.into_iter().for_each(|example| self.example(example));
        self.more_certificates += other.more_certificates;
        other.certificates.into_iter().for_each(|(line, told)| self.certificate(line, told));
    }
}

fn show(difference: &Difference) -> String {
    let Difference { field, before, after } = difference;
    match (before.is_empty(), after.is_empty()) {
        (true, _) => format!("{field}: + {after}"),
        (_, true) => format!("{field}: − {before}"),
        (false, false) => format!("{field}: {before} → {after}"),
    }
}

fn reason(skip: &Skip) -> &'static str {
    match skip {
        Skip::UnknownPerson => "unknown_person",
        Skip::OlderBalance { .. } => "older_balance",
        Skip::OtherContent => "other_content",
        Skip::FilingUsed { .. } => "filing_used",
    }
}

fn explain(skip: &Skip) -> String {
    match skip {
        Skip::UnknownPerson => "the register does not know her; import her from the register first".into(),
        Skip::OlderBalance { held } => {
            format!("the extract held was taken on {}, this one is not newer", held.moment())
        }
        Skip::OtherContent => {
            "the source sent something else under this id before; correct it by an entry with an id of its own".into()
        }
        Skip::FilingUsed { admitted } => {
            format!("a settled stay admitted on {admitted} used the filing; it can end later than that day and its own first day only")
        }
    }
}

/// Everything that is told.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub kind: String,
    pub source: String,
    pub file: String,
    pub entries: u64,
    pub faults: Vec<String>,
    /// Beyond those listed.
    pub more_faults: u64,
    pub warnings: Vec<String>,
    pub more_warnings: u64,
    pub new: u64,
    pub changed: u64,
    pub recorded: u64,
    pub unchanged: u64,
    pub skipped: BTreeMap<&'static str, u64>,
    pub changed_fields: BTreeMap<&'static str, u64>,
    pub examples: Vec<Example>,
    /// Whether the ledger has it now. Without it the figures say what would become of the entries.
    pub applied: bool,
    /// Why the import did not come to its end.
    pub failure: Option<String>,
    #[serde(skip)]
    declined: bool,
    #[serde(skip)]
    certificates_told: bool,
}

impl Report {
    fn empty(arguments: &Arguments) -> Report {
        Report {
            kind: arguments.kind.to_string(),
            source: arguments.source.clone(),
            file: arguments.file.display().to_string(),
            entries: 0,
            faults: Vec::new(),
            more_faults: 0,
            warnings: Vec::new(),
            more_warnings: 0,
            new: 0,
            changed: 0,
            recorded: 0,
            unchanged: 0,
            skipped: BTreeMap::new(),
            changed_fields: BTreeMap::new(),
            examples: Vec::new(),
            applied: false,
            failure: None,
            declined: !arguments.dry_run,
            certificates_told: false,
        }
    }

    pub(super) fn of(arguments: &Arguments, checked: &Checked) -> Report {
        let told = |list: &List| list.listed().iter().map(ToString::to_string).collect();
        let (faults, warnings) = (&checked.findings.faults, &checked.findings.warnings);
        Report {
            entries: checked.entries,
            faults: told(faults),
            more_faults: faults.more(),
            warnings: told(warnings),
            more_warnings: warnings.more(),
            ..Report::empty(arguments)
        }
    }

    pub(super) fn of_failure(arguments: &Arguments, failed: &Failed) -> Report {
        Report { failure: Some(failed.chain()), ..Report::empty(arguments) }
    }

    pub(super) fn take(&mut self, tally: Tally) {
        self.new = tally.new;
        self.changed = tally.changed;
        self.recorded = tally.recorded;
        self.unchanged = tally.unchanged;
        self.skipped = tally.skipped;
        self.changed_fields = tally.fields.0;
        self.examples = tally.examples;
        // The second sweep finds again what the first one told.
        if !std::mem::replace(&mut self.certificates_told, true) {
            self.warnings.extend(tally.certificates.into_iter().map(|(_, told)| told));
            self.more_warnings += tally.more_certificates;
        }
    }

    pub(super) fn take_counts(&mut self, counts: Counts) {
        (self.new, self.changed, self.unchanged) = (counts.new, counts.changed, counts.unchanged);
    }

    pub(super) fn take_table_faults(&mut self, faults: impl Iterator<Item = String>) {
        const LISTED_MAX: usize = crate::protocol::files::faults::FAULTS_LISTED_MAX;
        let mut all: Vec<String> = faults.collect();
        self.more_faults = all.len().saturating_sub(LISTED_MAX) as u64;
        all.truncate(LISTED_MAX);
        self.faults = all;
    }

    pub fn would_change(&self) -> bool {
        self.new + self.changed + self.recorded > 0
    }

    /// 0 done or nothing to do, 1 faults, 4 not confirmed.
    pub fn exit_code(&self) -> Exit {
        match (self.faults.is_empty(), self.applied) {
            (false, _) => Exit::Refused,
            (true, false) if self.declined && self.would_change() => Exit::NotConfirmed,
            (true, _) => Exit::Done,
        }
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(failure) = &self.failure {
            return writeln!(out, "{failure}");
        }
        list(out, "warning", &self.warnings, self.more_warnings)?;
        if !self.faults.is_empty() {
            list(out, "fault", &self.faults, self.more_faults)?;
            let count = self.faults.len() as u64 + self.more_faults;
            return writeln!(
                out,
                "{count} faults in {}: nothing was applied. Mend them and import again.",
                self.file
            );
        }
        self.write_changes(out)
    }

    fn write_changes(&self, out: &mut dyn Write) -> io::Result<()> {
        for example in &self.examples {
            writeln!(out, "line {} {}", example.line, example.person)?;
            example.told.iter().try_for_each(|told| writeln!(out, "    {told}"))?;
        }
        if !self.changed_fields.is_empty() {
            writeln!(out, "persons in whom a field differs:")?;
            let mut fields = self.changed_fields.iter();
            fields.try_for_each(|(field, count)| writeln!(out, "    {field:<16} {count}"))?;
        }
        for (reason, count) in &self.skipped {
            writeln!(out, "left out ({reason}): {count}")?;
        }
        let (verb, Report { entries, new, changed, recorded, unchanged, .. }) =
            (if self.applied { "applied" } else { "would apply" }, self);
        writeln!(
            out,
            "{} of {}: {entries} entries checked; {verb} {new} new, {changed} changed, {recorded} recorded; \
             {unchanged} unchanged",
            self.kind, self.file
        )?;
        if !self.applied && self.declined && self.would_change() {
            writeln!(out, "Nothing was applied. Apply it with --yes.")?;
        }
        Ok(())
    }
}

fn list(out: &mut dyn Write, what: &str, all: &[String], more: u64) -> io::Result<()> {
    all.iter().try_for_each(|one| writeln!(out, "{what}: {one}"))?;
    if more > 0 { writeln!(out, "… and {more} more {what}s") } else { Ok(()) }
}
