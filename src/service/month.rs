//! The clearing month: totals by region and hospital, and the settlements behind each figure.

use crate::domain::calendar::Month;
use crate::domain::clearing::GroupKey;
use crate::domain::clearing::Month as ClearingMonth;
use crate::ledger::ClearingRow;
use crate::service::Service;
use crate::service::error::ServiceError;

impl Service {
    /// A month as it stands now. Complete once the month has ended and its floor was raised.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn clearing_month(&self, _month: Month) -> Result<ClearingMonth, ServiceError> {
        unimplemented!()
    }

    /// The settlements, reversals and revivals behind one figure of a month, in the order of their ids.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn clearing_rows(
        &self,
        _month: Month,
        _group: &GroupKey,
    ) -> Result<Vec<ClearingRow>, ServiceError> {
        unimplemented!()
    }
}
