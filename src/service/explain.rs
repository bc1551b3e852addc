//! The steps of a settlement, computed anew from what it was given and the pack that it was settled by.

use std::sync::Arc;

use crate::domain::breakdown::Breakdown;
use crate::domain::explain::Steps;
use crate::domain::ids::SettlementId;
use crate::domain::pack::Policy;
use crate::domain::record::Record;
use crate::domain::record::Settlement;
use crate::service::Service;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Explanation {
    pub settlement: Settlement,
    /// The stored figures: these count.
    pub breakdown: Breakdown,
    pub policy: Arc<Policy>,
    pub steps: Steps,
    /// The steps lead to other figures than those stored: code was mended since. The page says so.
    pub mismatch: bool,
    pub record: Arc<Record>,
}

impl Service {
    /// # Errors
    /// `SettlementUnknown`, `Broken` when the pack that it was settled by is not held.
    pub async fn explain(&self, _settlement: &SettlementId) -> Result<Explanation, ServiceError> {
        unimplemented!()
    }
}
