//! Owns the shape of a pack file: its head, its dated blocks, and what every block says about its source.

use std::sync::Arc;

use crate::config::packs::PackFile;
use crate::config::packs::cases;
use crate::config::packs::parameters;
use crate::config::reader::Fault;
use crate::config::reader::Faults;
use crate::config::reader::Table;
use crate::config::tree::from_toml;
use crate::domain::calendar::Day;
use crate::domain::dated::Dated;
use crate::domain::dated::Timeline;
use crate::domain::dated::Trust;
use crate::domain::pack::BasicParameters;
use crate::domain::pack::Pack;
use crate::domain::pack::PackParts;
use crate::domain::pack::PackStatus;

/// The words of `trust`, with what they stand for.
const TRUSTS: &[(&str, Trust)] = &[
    ("official", Trust::Verified),
    ("second-hand", Trust::Good),
    ("fair", Trust::Fair),
    ("low", Trust::Low),
    ("synthetic", Trust::Synthetic),
];

const STATUSES: &[(&str, PackStatus)] = &[
    ("official", PackStatus::Official),
    ("candidate", PackStatus::Candidate),
    ("synthetic", PackStatus::Synthetic),
];

/// Funds of the wire that no rule feeds yet.
const UNRULED: [(&str, &str); 3] = [
    ("hifes", "no rule for the employers' supplement (hifes_pay) exists yet: take it out"),
    ("hifdm", "no rule for the serious-illness supplement (hifdm_pay) exists yet: take it out"),
    ("oth", "oth_pay is work injury's alone: describe that under work_injury and take this out"),
];

/// The word of the file for a trust.
pub fn trust_word(trust: Trust) -> &'static str {
    TRUSTS.iter().find(|(_, of)| *of == trust).map_or("", |(word, _)| word)
}

/// The word of the file for a status.
pub fn status_word(status: PackStatus) -> &'static str {
    STATUSES.iter().find(|(_, of)| *of == status).map_or("", |(word, _)| word)
}

/// Reads a pack from its text.
///
/// # Errors
/// Every fault, in the order of the file.
pub(super) fn read(text: &str) -> Result<PackFile, Vec<Fault>> {
    let tree = from_toml(text).map_err(|cause| {
        vec![Fault { line: cause.line, path: String::new(), message: cause.message.trim().to_owned() }]
    })?;
    let faults = Faults::default();
    let read = Table::root(&tree, &faults).and_then(|root| {
        let parts = parts(&root, text);
        let cases = cases::read(&root);
        UNRULED.iter().for_each(|(key, reason)| refuse(&root, key, reason));
        root.close();
        Some((parts?, cases))
    });
    let Some((parts, cases)) = read.filter(|_| faults.count() == 0) else {
        return Err(faults.into_list());
    };
    let pack = Pack::new(parts).map_err(|causes| causes.iter().map(pack_fault).collect::<Vec<_>>())?;
    Ok(PackFile { pack: Arc::new(pack), cases, path: None, text: text.into() })
}

fn pack_fault(cause: &crate::domain::pack::PackFault) -> Fault {
    let from = cause.from.map(|day| format!(" (block from {day})")).unwrap_or_default();
    Fault { line: None, path: cause.parameter.clone(), message: format!("{}{from}", cause.cause) }
}

fn parts(root: &Table<'_>, text: &str) -> Option<PackParts> {
    let region = root.need("region", "the code of the pooling region, such as \"440700\"");
    let name = root.need::<String>("name", "a name for people, such as \"江门市\"");
    if !root.has("status") {
        root.missing("status", "\"official\", \"candidate\" or \"synthetic\"");
    }
    let status = root.word("status", STATUSES);
    let head = BlockRules { official: status == Some(PackStatus::Official) };
    let year_start = timeline(root, "year_start", head, parameters::year_start);
    let filing_terms = timeline(root, "filing_terms", head, parameters::filing_terms);
    let stays = timeline(root, "stays", head, parameters::stays);
    let (employee, resident) = (basic(root, "employee", head), basic(root, "resident", head));
    let maternity = timeline(root, "maternity", head, parameters::maternity);
    let work_injury = timeline(root, "work_injury", head, parameters::work_injury);
    // Only now: a fault of the head must not hide those of the blocks.
    Some(PackParts {
        region: region?,
        name: name?.into(),
        status: status?,
        hash: content_hash(text),
        year_start,
        filing_terms,
        stays,
        employee,
        resident,
        maternity,
        work_injury,
    })
}

/// SM3 of the text, in hexadecimal: the version of a pack.
pub fn content_hash(text: &str) -> Arc<str> {
    use sm3::Digest as _;
    let digest = sm3::Sm3::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn basic(root: &Table<'_>, key: &'static str, head: BlockRules) -> Option<BasicParameters> {
    let table = root.table(key)?;
    let parameters = BasicParameters {
        deductible: timeline(&table, "deductible", head, parameters::deductible),
        ratios: timeline(&table, "ratios", head, parameters::ratios),
        filing: timeline(&table, "filing", head, parameters::filing),
        pool_cap: timeline(&table, "pool_cap", head, parameters::pool_cap),
        large_amount: timeline(&table, "large_amount", head, parameters::large_amount),
        serious_illness: timeline(&table, "serious_illness", head, parameters::serious_illness),
        civil_servant: timeline(&table, "civil_servant", head, parameters::civil_servant),
        assistance: timeline(&table, "assistance", head, parameters::assistance),
        account: timeline(&table, "account", head, parameters::account),
    };
    UNRULED.iter().for_each(|(fund, reason)| refuse(&table, fund, reason));
    table.close();
    Some(parameters)
}

fn refuse(table: &Table<'_>, key: &'static str, reason: &str) {
    if table.has(key) {
        table.fault(key, reason);
    }
}

/// What the head of the pack asks of its blocks.
#[derive(Clone, Copy)]
struct BlockRules {
    official: bool,
}

/// The blocks of one parameter. Faults are kept by the reader; a faulty block is left out of the line.
fn timeline<T>(
    parent: &Table<'_>,
    key: &'static str,
    head: BlockRules,
    read: impl Fn(&Table<'_>) -> Option<T>,
) -> Timeline<T> {
    let blocks = parent.tables(key).into_iter();
    let dated = blocks.filter_map(|block| dated(block, head, &read)).collect();
    Timeline::new(dated).unwrap_or_else(|cause| {
        parent.fault(key, cause.to_string());
        Timeline::never()
    })
}

fn dated<T>(block: Table<'_>, head: BlockRules, read: impl Fn(&Table<'_>) -> Option<T>) -> Option<Dated<T>> {
    let from = block.need::<Day>("from", "the day from which this is in force, such as 2024-07-01");
    let source = block.need::<String>("source", "document, number and article that say so");
    let checked_on = block.get::<Day>("checked_on");
    if !block.has("trust") {
        block.missing("trust", "\"official\", \"second-hand\", \"fair\", \"low\" or \"synthetic\"");
    }
    let trust = block.word("trust", TRUSTS);
    if trust == Some(Trust::Verified) && checked_on.is_none() {
        block.missing(
            "checked_on",
            "an official value says on which day a person compared it with the document",
        );
    }
    if head.official && trust.is_some_and(|trust| trust != Trust::Verified) {
        block.fault(
            "trust",
            "is not official, but the pack's status is: check the value, or make the pack a candidate",
        );
    }
    let value = read(&block);
    block.close();
    Some(Dated { from: from?, value: value?, source: source?.into(), checked_on, trust: trust? })
}
