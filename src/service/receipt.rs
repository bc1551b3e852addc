//! The proof that a settlement was recorded, for whoever may see it.

use crate::domain::ids::SettlementId;
use crate::domain::refusal::Refusal;
use crate::ledger::Receipted;
use crate::ledger::seal::anchor::ANCHOR_EVERY_MS;
use crate::service::Service;
use crate::service::error::ServiceError;

/// Within this time the receipt of what was just recorded is there.
pub const READY_WITHIN_MS: u64 = ANCHOR_EVERY_MS;

impl Service {
    /// The receipt as a file's text. `None` for a moment after it was recorded, until its anchor is there.
    ///
    /// # Errors
    /// `SettlementUnknown`, or the ledger's.
    pub async fn receipt(&self, id: &SettlementId) -> Result<Option<String>, ServiceError> {
        match self.ledger.receipt(id).await? {
            Receipted::Receipt(receipt) => Ok(Some(receipt.text() + "\n")),
            Receipted::NotYet => Ok(None),
            Receipted::Unknown => Err(Refusal::SettlementUnknown { settlement: id.clone() }.into()),
        }
    }
}
