//! Owns what 2302 takes back.

use std::collections::HashSet;

use crate::domain::ids::LineNo;
use crate::domain::lines::Lines;
use crate::domain::record::Withdrawal;
use crate::domain::refusal::LineFault;
use crate::domain::refusal::LineRefusal;
use crate::domain::refusal::Refusal;

/// The `feedetl_sn` that means every line, and so none alone.
pub const EVERY_LINE: &str = "0000";

/// Which lines 2302 names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// "0000": every line that is not settled.
    All,
    These(Vec<LineNo>),
}

/// `None`: "0000", and nothing is there to withdraw.
///
/// # Errors
/// `Lines` with every line that does not stand, is settled, or is named by a refund that would stay.
pub fn withdraw(lines: &Lines, which: &Which) -> Result<Option<Withdrawal>, Refusal> {
    let wanted = match which {
        Which::All => open(lines),
        Which::These(numbers) => checked(lines, numbers)?,
    };
    Ok((!wanted.is_empty()).then(|| lines.withdrawal(&wanted)))
}

fn open(lines: &Lines) -> Vec<LineNo> {
    lines.iter().filter(|row| row.settled_by.is_none()).map(|row| row.line.no.clone()).collect()
}

fn checked(lines: &Lines, numbers: &[LineNo]) -> Result<Vec<LineNo>, Refusal> {
    let wanted: HashSet<&LineNo> = numbers.iter().collect();
    let mut seen = HashSet::new();
    let once: Vec<&LineNo> = numbers.iter().filter(|no| seen.insert(*no)).collect();
    let fault = |no: &LineNo| fault(lines, no, &wanted).map(|cause| LineFault { no: no.clone(), cause });
    let faults: Vec<LineFault> = once.iter().filter_map(|no| fault(no)).collect();
    if faults.is_empty() { Ok(once.into_iter().cloned().collect()) } else { Err(Refusal::Lines(faults)) }
}

fn fault(lines: &Lines, no: &LineNo, wanted: &HashSet<&LineNo>) -> Option<LineRefusal> {
    let Some(standing) = lines.find(no) else { return Some(LineRefusal::Unknown) };
    if let Some(settlement) = standing.settled_by.clone() {
        return Some(LineRefusal::Settled { settlement });
    }
    let kept = lines.refunds_of(no).find(|refund| !wanted.contains(&refund.no))?;
    Some(LineRefusal::Refunded { by: kept.no.clone() })
}
