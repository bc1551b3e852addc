//! 2305: the exact negative of a settlement, in the month of its commit.

use crate::domain::ids::SettlementId;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Reverse {
    pub stay: StayRef,
    pub settlement: SettlementId,
}

impl Service {
    /// The record is `Reversed`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `SettlementUnknown`, `IsReversal`, `AlreadyReversed`, `OutOfOrder`,
    /// `LaterPartStands`, `LaterStands`.
    pub async fn reverse(&self, _call: &Call, _order: Reverse) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
