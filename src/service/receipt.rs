//! The proof that a settlement was recorded, for whoever may see it.

use crate::domain::ids::SettlementId;
use crate::domain::refusal::Refusal;
use crate::ledger::Receipted;
use crate::ledger::seal::receipt::Receipt;
use crate::service::Service;
use crate::service::error::ServiceError;

impl Service {
    /// `None` for a moment after it was recorded, until its anchor is there.
    ///
    /// # Errors
    /// `SettlementUnknown`, or the ledger's.
    pub async fn receipt(&self, id: &SettlementId) -> Result<Option<Box<Receipt>>, ServiceError> {
        match self.ledger.receipt(id).await? {
            Receipted::Receipt(receipt) => Ok(Some(receipt)),
            Receipted::NotYet => Ok(None),
            Receipted::Unknown => Err(Refusal::SettlementUnknown { settlement: id.clone() }.into()),
        }
    }
}
