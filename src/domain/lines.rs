//! Owns the fee lines of a stay: which stand, which are settled, which were withdrawn; folded from the stay's records.

use std::collections::HashMap;

use crate::domain::breakdown::BillTotals;
use crate::domain::calendar::Day;
use crate::domain::ids::LineNo;
use crate::domain::ids::SettlementId;
use crate::domain::money::Fen;
use crate::domain::record::Body;
use crate::domain::record::Line;
use crate::domain::record::LineTotals;
use crate::domain::record::MessageKey;
use crate::domain::record::Withdrawal;
use crate::domain::split::LineSplit;

/// One line that has not been withdrawn.
#[derive(Clone, Debug)]
pub struct Standing {
    pub line: Line,
    /// The message that uploaded it.
    pub uploaded_by: MessageKey,
    /// The settlement that holds it, if one stands.
    pub settled_by: Option<SettlementId>,
}

/// The standing lines of one stay in the order of upload.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    rows: Vec<Standing>,
    by_no: HashMap<LineNo, usize>,
}

impl Lines {
    /// Takes in the next record of the stay, in the order of versions. Records that are not about lines pass by.
    pub fn apply(&mut self, key: &MessageKey, body: &Body) {
        match body {
            Body::LinesUploaded(lines) => lines.iter().for_each(|line| self.push(line.clone(), key)),
            Body::LinesWithdrawn(withdrawal) => self.withdraw(&withdrawal.lines),
            Body::Settled(settlement) => self.settle(settlement.part, settlement.up_to, &settlement.id),
            Body::Revived(revival) => {
                let s = &revival.settlement;
                self.settle(s.part, s.up_to, &s.id);
            }
            Body::Reversed(reversal) => self.free(&reversal.original),
            Body::Registered(_)
            | Body::BalanceTaken(_)
            | Body::OutsideEvent(_)
            | Body::FilingMade(_)
            | Body::FilingEnded(_)
            | Body::Admitted(_)
            | Body::AdmissionChanged(_)
            | Body::AdmissionCancelled
            | Body::Discharged(_)
            | Body::DischargeCancelled
            | Body::Fenced(_)
            | Body::UndoneWithoutEffect(_) => {}
        }
    }

    pub fn find(&self, no: &LineNo) -> Option<&Standing> {
        self.by_no.get(no).map(|at| &self.rows[*at])
    }

    pub fn iter(&self) -> impl Iterator<Item = &Standing> {
        self.rows.iter()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Standing refunds of a line.
    pub fn refunds_of(&self, no: &LineNo) -> impl Iterator<Item = &Line> {
        self.rows.iter().map(|row| &row.line).filter(move |line| line.refunds.as_ref() == Some(no))
    }

    /// What a withdrawal of these lines is as a record. The lines must stand and be open; the caller has checked it.
    pub fn withdrawal(&self, lines: &[LineNo]) -> Withdrawal {
        let standing: Vec<&Standing> = lines.iter().filter_map(|no| self.find(no)).collect();
        let mut uploads: Vec<MessageKey> = standing.iter().map(|row| row.uploaded_by.clone()).collect();
        uploads.sort();
        uploads.dedup();
        let days = by_day(standing.iter().map(|row| &row.line));
        Withdrawal { lines: standing.iter().map(|row| row.line.no.clone()).collect(), days, uploads }
    }

    fn push(&mut self, line: Line, key: &MessageKey) {
        self.by_no.insert(line.no.clone(), self.rows.len());
        self.rows.push(Standing { line, uploaded_by: key.clone(), settled_by: None });
    }

    fn withdraw(&mut self, gone: &[LineNo]) {
        gone.iter().for_each(|no| {
            self.by_no.remove(no);
        });
        let by_no = &self.by_no;
        let mut at = 0;
        self.rows.retain(|row| {
            let keep = by_no.get(&row.line.no) == Some(&at);
            at += 1;
            keep
        });
        self.by_no = self.rows.iter().enumerate().map(|(at, row)| (row.line.no.clone(), at)).collect();
    }

    /// A part settles the open lines up to its day, a final settlement all that are open.
    fn settle(&mut self, part: bool, up_to: Day, id: &SettlementId) {
        let open = self.rows.iter_mut().filter(|row| row.settled_by.is_none());
        open.filter(|row| !part || row.line.counts_on <= up_to)
            .for_each(|row| row.settled_by = Some(id.clone()));
    }

    fn free(&mut self, id: &SettlementId) {
        self.rows
            .iter_mut()
            .filter(|row| row.settled_by.as_ref() == Some(id))
            .for_each(|row| row.settled_by = None);
    }
}

impl Line {
    /// The line as a reversal tells it: count and amounts with their sign turned.
    pub fn negated(&self) -> Line {
        let nothing = LineSplit { amount: Fen::ZERO, parts: BillTotals::default() };
        Line {
            count: -self.count,
            amount: Fen::ZERO - self.amount,
            split: nothing - self.split,
            ..self.clone()
        }
    }
}

/// Totals of lines by the day under which they count, in order of days.
pub fn by_day<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<(Day, LineTotals)> {
    let mut days = std::collections::BTreeMap::<Day, LineTotals>::new();
    for line in lines {
        let so_far = days.entry(line.counts_on).or_default();
        *so_far = [*so_far, LineTotals::of(line)].into_iter().sum();
    }
    days.into_iter().collect()
}
