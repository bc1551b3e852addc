//! The clearing month: totals by region and hospital, and the settlements behind each figure.

use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::clearing::Month as ClearingMonth;
use crate::domain::clearing::MonthRow;
use crate::domain::ids::SettlementId;
use crate::ledger::ClearingRow;
use crate::service::Service;
use crate::service::error::ServiceError;

/// Rows asked of the ledger at a time: bounds memory. What it tells it has first made durable, so few questions are better.
const PAGE: usize = 20_000;

/// What a row of a month does to its totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Settlement,
    Reversal,
    /// A reversal was undone: the settlement counts again.
    Revival,
}

/// One of the rows behind a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    pub id: SettlementId,
    /// For a reversal or a revival, the settlement it is about.
    pub original: Option<SettlementId>,
    pub at: Instant,
    pub row: MonthRow,
}

impl Behind {
    pub fn kind(&self) -> Kind {
        match (self.row.sign < 0, self.original.is_some()) {
            (true, _) => Kind::Reversal,
            (false, true) => Kind::Revival,
            (false, false) => Kind::Settlement,
        }
    }
}

impl From<ClearingRow> for Behind {
    fn from(row: ClearingRow) -> Behind {
        Behind { id: row.settlement, original: row.original, at: row.at, row: row.row }
    }
}

impl Service {
    /// A month as it stands now. Complete once the month has ended and its floor was raised.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn clearing_month(&self, month: Month) -> Result<ClearingMonth, ServiceError> {
        let mut totals = ClearingMonth::default();
        self.each_row(month, |row| totals.take(&row.row)).await?;
        Ok(totals)
    }

    /// The settlements, reversals and revivals behind a figure of a month, in the order of their times.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn clearing_rows(
        &self,
        month: Month,
        wanted: impl Fn(&MonthRow) -> bool + Send + Sync,
    ) -> Result<Vec<Behind>, ServiceError> {
        let mut rows = Vec::new();
        self.each_row(month, |row| {
            if wanted(&row.row) {
                rows.push(Behind::from(row));
            }
        })
        .await?;
        rows.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(rows)
    }

    async fn each_row(
        &self,
        month: Month,
        mut take: impl FnMut(ClearingRow) + Send,
    ) -> Result<(), ServiceError> {
        let mut after: Option<SettlementId> = None;
        loop {
            let page = self.ledger.month(month, after.as_ref(), PAGE).await?;
            let full = page.len() == PAGE;
            after = page.last().map(|row| row.settlement.clone());
            page.into_iter().for_each(&mut take);
            if !full {
                return Ok(());
            }
        }
    }
}
