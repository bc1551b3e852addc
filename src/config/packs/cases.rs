//! Owns the golden cases of a pack: a written stay each, and the figures that must come out.

use crate::config::packs::PackFile;
use crate::config::reader::Table;
use crate::config::stay;
use crate::config::stay::Outcome;
use crate::config::stay::Settled;
use crate::config::stay::WrittenStay;
use crate::domain::codes::BenefitLevel;
use crate::domain::money::Fen;
use crate::domain::money::Rate;

/// A stay and what must come out.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    /// What it shows and where its figures come from.
    pub why: String,
    /// Of the file, for messages.
    pub line: Option<usize>,
    pub stay: WrittenStay,
    pub expected: Expected,
}

#[derive(Clone, Debug)]
pub enum Expected {
    /// One entry for each settlement and reversal of the stay.
    Figures(Vec<Figures>),
    /// The code of the refusal.
    Refused(String),
}

/// The figures that a case names; others may be anything.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    amounts: Vec<(&'static str, Fen)>,
    level: Option<BenefitLevel>,
    pool_rate: Option<Rate>,
    admissions_after: Option<i64>,
    after: Vec<(&'static str, Fen)>,
}

/// A case that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFault {
    pub case: String,
    pub line: Option<usize>,
    /// As `hifp_pay is 29987.49, expected 29987.48`.
    pub message: String,
}

/// Reads `[[cases]]`; faults are kept by the reader.
pub(super) fn read(root: &Table<'_>) -> Vec<Case> {
    root.tables("cases").into_iter().filter_map(case).collect()
}

fn case(table: Table<'_>) -> Option<Case> {
    let name = table.need::<String>("name", "a name for the case");
    let why = table.need::<String>("why", "what the case shows and where its figures come from");
    let line = table.line;
    if !table.has("stay") {
        table.missing("stay", "the written stay (docs/quote.md)");
    }
    let stay = table.table("stay").and_then(stay::read);
    let expected = expected(&table);
    table.close();
    Some(Case { name: name?, why: why?, line, stay: stay?, expected: expected? })
}

fn expected(table: &Table<'_>) -> Option<Expected> {
    let blocks = table.tables("expect");
    match (table.has("refused"), !table.has("expect")) {
        (true, true) => table.get("refused").map(Expected::Refused),
        (false, false) => Some(Expected::Figures(blocks.into_iter().map(figures).collect())),
        (true, false) => {
            table.fault("refused", "stands beside expect: a stay is refused or has figures");
            None
        }
        (false, true) => {
            table.missing("expect", "the figures that must come out, such as { hifp_pay = \"29987.49\" }");
            None
        }
    }
}

fn figures(table: Table<'_>) -> Figures {
    use crate::config::reader::SignedFen;
    let (names, before) = (stay::amount_names(), table.faults_so_far());
    let amount = |name: &'static str| table.get::<SignedFen>(name).map(|amount| (name, amount.0));
    let amounts: Vec<_> = names.into_iter().filter_map(amount).collect();
    let levels: Vec<_> = BenefitLevel::ALL.into_iter().map(|level| (level.name(), level)).collect();
    let (level, pool_rate) = (table.word("benefit_level", &levels), table.get::<Rate>("pool_rate"));
    let (mut admissions_after, mut after) = (None, Vec::new());
    if let Some(year) = table.table("after") {
        admissions_after = year.get::<i64>("admissions");
        let names = stay::accumulators(&Default::default()).map(|(name, _)| name);
        after =
            names.into_iter().filter_map(|name| year.get::<Fen>(name).map(|amount| (name, amount))).collect();
        year.close();
    }
    if amounts.is_empty() && table.faults_so_far() == before {
        table.fault_here("names no amount: expected at least one, such as hifp_pay");
    }
    table.close();
    Figures { amounts, level, pool_rate, admissions_after, after }
}

/// Runs the cases of a pack.
pub fn run(file: &PackFile) -> Vec<CaseFault> {
    file.cases.iter().flat_map(|case| run_one(case, file)).collect()
}

fn run_one(case: &Case, file: &PackFile) -> Vec<CaseFault> {
    let fault = |message: String| CaseFault { case: case.name.clone(), line: case.line, message };
    let outcome = stay::settle(&case.stay, &file.pack, None);
    match (&case.expected, outcome) {
        (Expected::Refused(code), Err(refused)) if refused.code() == code => Vec::new(),
        (Expected::Refused(code), Err(refused)) => {
            vec![fault(format!("is refused with {}, expected {code}: {refused}", refused.code()))]
        }
        (Expected::Refused(code), Ok(_)) => vec![fault(format!("is settled, expected the refusal {code}"))],
        (Expected::Figures(_), Err(refused)) => {
            vec![fault(format!("is refused ({}): {refused}", refused.code()))]
        }
        (Expected::Figures(all), Ok(outcome)) => compare_all(all, &outcome).into_iter().map(fault).collect(),
    }
}

fn compare_all(expected: &[Figures], outcome: &Outcome) -> Vec<String> {
    let made = outcome.settlements.len();
    if expected.len() != made {
        return vec![format!("has {made} settlements, but {} expect blocks", expected.len())];
    }
    let pairs = expected.iter().zip(&outcome.settlements).zip(1..);
    pairs
        .flat_map(|((figures, settled), n)| {
            let place = if made > 1 { format!("expect[{n}]: ") } else { String::new() };
            compare(figures, settled).into_iter().map(move |message| format!("{place}{message}"))
        })
        .collect()
}

fn compare(expected: &Figures, settled: &Settled) -> Vec<String> {
    let (b, after) = (&settled.breakdown, settled.breakdown.after());
    let mut faults = differing("", &expected.amounts, &stay::amounts(b));
    faults.extend(differing("after.", &expected.after, &stay::accumulators(&after)));
    let admissions = expected.admissions_after.filter(|n| *n != after.admissions);
    faults.extend(admissions.map(|n| format!("after.admissions is {}, expected {n}", after.admissions)));
    let level = expected.level.filter(|level| *level != settled.level);
    faults.extend(level.map(|level| format!("benefit_level is {}, expected {level}", settled.level)));
    let rate = expected.pool_rate.filter(|rate| *rate != b.pool_rate);
    faults.extend(rate.map(|rate| format!("pool_rate is {}, expected {}", b.pool_rate.0, rate.0)));
    faults
}

fn differing(prefix: &str, expected: &[(&str, Fen)], found: &[(&str, Fen)]) -> Vec<String> {
    let is = |name: &str| found.iter().find(|(of, _)| *of == name).map_or(Fen::ZERO, |(_, amount)| *amount);
    let other = expected.iter().filter(|(name, amount)| is(name) != *amount);
    other.map(|(name, amount)| format!("{prefix}{name} is {}, expected {amount}", is(name))).collect()
}
