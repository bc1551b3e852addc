//! The steps of a settlement, computed anew from what it was given and the pack that it was settled by.

use tracing::error;

use crate::domain::benefit;
use crate::domain::record::Body;
use crate::domain::refusal::Refusal;
use crate::domain::reverse::settlement_of;
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
    pub async fn explain(&self, id: &SettlementId) -> Result<Explanation, ServiceError> {
        let record = self.ledger.settlement(id).await?;
        let record = record.ok_or_else(|| Refusal::SettlementUnknown { settlement: id.clone() })?;
        let settlement = match &record.body {
            Body::Reversed(reversal) => reversal.settlement.clone(),
            _ => settlement_of(&record, id)?.clone(),
        };
        let policy = self.policy_of(&settlement)?;
        let mut steps = Steps::default();
        let again = benefit::compute(&settlement.facts.claim(&policy), &mut steps);
        let mismatch = again.as_ref() != Ok(&settlement.breakdown);
        if mismatch {
            error!(setl.id = %settlement.id, "an explanation leads to other figures than those settled");
        }
        let breakdown = settlement.breakdown.clone();
        Ok(Explanation { settlement, breakdown, policy, steps, mismatch, record })
    }

    /// The very policy that it was settled by.
    fn policy_of(&self, settlement: &Settlement) -> Result<Arc<Policy>, Refusal> {
        let missing = || Refusal::Broken { what: format!("policy pack {} is not held", settlement.pack) };
        let reference = self.reference.load();
        let pack = reference.packs_by_hash.get(&settlement.pack).ok_or_else(missing)?;
        pack.policy(settlement.scheme, settlement.policy_day).map_err(|_| missing())
    }
}
