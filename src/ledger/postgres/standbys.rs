//! Owns whether the server's commits wait for standbys, so that standbys are blamed only where there must be some.

use tokio_postgres::Error;
use tokio_postgres::GenericClient;

/// TRUE where they do. Anybody may read the setting; a server that lacks it waits for none.
pub(in crate::ledger) const AWAITED: &str =
    "COALESCE(current_setting('synchronous_standby_names', TRUE), '') <> ''";

pub(in crate::ledger) async fn are_awaited(client: &impl GenericClient) -> Result<bool, Error> {
    Ok(client.query_one(&format!("SELECT {AWAITED}"), &[]).await?.get(0))
}
