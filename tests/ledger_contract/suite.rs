//! What every ledger must do, whatever database stands behind it, by topic.

use std::sync::Arc;

use banyan::ledger::Ledger;

pub(crate) mod bounds;
pub(crate) mod contention;
pub(crate) mod messages;
pub(crate) mod reading;

async fn books_agree(ledger: &Arc<dyn Ledger>) {
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
}
