//! 2601: settles a call of unknown outcome in one round trip.

use crate::domain::ids::MessageId;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Undo {
    /// `psn_no`
    pub number: String,
    /// `omsgid`
    pub message: MessageId,
    /// `oinfno`, four digits: 2304A counts as 2304.
    pub transaction: u16,
}

impl Service {
    /// The record is `Reversed`, `Revived`, `AdmissionCancelled`, `Fenced` or `UndoneWithoutEffect`.
    ///
    /// # Errors
    /// `InsuredRegionMissing`, `RegionUnknown`, `RegionNotConnected`, `PersonUnknown`, `NotUndoable`, `SettleAgain`,
    /// and those of `reverse` and `cancel_admission`.
    pub async fn undo(&self, _call: &Call, _order: Undo) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
