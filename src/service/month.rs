//! The clearing month: totals by region and hospital, and the settlements behind each figure.

use crate::domain::calendar::Month;
use crate::domain::clearing::GroupKey;
use crate::domain::clearing::Month as ClearingMonth;
use crate::domain::ids::SettlementId;
use crate::ledger::ClearingRow;
use crate::service::Service;
use crate::service::error::ServiceError;

/// Rows read from the ledger in one go.
const PAGE: usize = 2_000;

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

    /// The settlements, reversals and revivals behind one figure of a month, in the order of their ids.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn clearing_rows(
        &self,
        month: Month,
        group: &GroupKey,
    ) -> Result<Vec<ClearingRow>, ServiceError> {
        let mut rows = Vec::new();
        self.each_row(month, |row| {
            if is_of(&row, group) {
                rows.push(row);
            }
        })
        .await?;
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

fn is_of(row: &ClearingRow, (home, care, institution): &GroupKey) -> bool {
    let row = &row.row;
    row.insured_pool == *home && row.care_pool == *care && row.institution == *institution
}
