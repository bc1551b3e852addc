//! Owns how a lane comes to its connection and to its row in the database.

use tokio::time::Instant as Deadline;
use tokio::time::timeout_at;

use crate::domain::calendar::Instant;
use crate::ledger::LedgerError;
use crate::ledger::lane::Standing;
use crate::ledger::postgres::Settings;
use crate::ledger::postgres::batch::Lane;
use crate::ledger::postgres::batch::Stand;
use crate::ledger::postgres::connection::Link;
use crate::ledger::postgres::connection::Target;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::fault::late;
use crate::ledger::postgres::fault::server;
use crate::ledger::postgres::no_connection::NoServer;
use crate::ledger::postgres::outage::Outage;
use crate::ledger::postgres::standbys::AWAITED;
use crate::ledger::postgres::statements;
use crate::ledger::postgres::statements::Statements;
use crate::ledger::seal::block;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::storage;

/// A connection that writes durably, its statements prepared.
pub(super) async fn connect(
    target: &Target,
    settings: &Settings,
    deadline: Deadline,
    tell: &(dyn Fn(&NoServer) + Send + Sync),
    outage: &Outage,
) -> Result<(Link, Statements), LedgerError> {
    // A transaction that waits for another's row longer than its callers do holds its own rows for nothing.
    let session = format!("{} -c lock_timeout={}", statements::SESSION, settings.answer_within.as_millis());
    let link = target.connect_telling(&session, deadline, tell).await?;
    let durable = format!(
        "SELECT {AWAITED}, CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
             THEN set_config('synchronous_commit', 'on', FALSE) END"
    );
    let prepared = async {
        outage.standbys_are_awaited(link.client.query_one(&durable, &[]).await?.get(0));
        Statements::prepare(&link.client).await
    };
    const WHAT: &str = "prepare its statements";
    let statements = timeout_at(deadline, prepared).await.map_err(late(WHAT))?;
    Ok((link, statements.map_err(server(WHAT))?))
}

/// A new lane: no other writer, of this or an earlier start, has its number. It begins at the highest floor; raising
/// the floor takes the same row first, so that neither misses the other.
pub(super) async fn take_lane(
    link: &mut Link,
    bucket: i64,
    deadline: Deadline,
    late: Fault,
) -> Result<Stand, LedgerError> {
    const NUMBER: &str =
        "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'lanes'
         RETURNING CAST(value AS BIGINT)";
    const FLOOR: &str = "SELECT COALESCE(MAX(floor_ms), 0) FROM lane";
    const LANE: &str = "INSERT INTO lane (bucket, lane, epoch, sequence, last_ms, floor_ms)
         VALUES ($1, $2, 1, 0, 0, $3)";
    let taken = async {
        let all = link.client.transaction().await?;
        let number: i64 = all.query_one(NUMBER, &[]).await?.get(0);
        let floor: i64 = all.query_one(FLOOR, &[]).await?.get(0);
        all.execute(LANE, &[&bucket, &number, &floor]).await?;
        all.commit().await?;
        Ok::<_, tokio_postgres::Error>((number, floor))
    };
    let unconfirmed = |_| fault("take a lane")(late);
    let taken = timeout_at(deadline, taken).await.map_err(unconfirmed)?;
    let (number, floor) = taken.map_err(server("take a lane"))?;
    let number = u32::try_from(number).map_err(storage("take a lane"))?;
    Ok(Stand {
        lane: Lane { bucket, number, epoch: 1 },
        standing: Standing { last: Instant::default(), sequence: 0 },
        chain: block::BEGINNING,
        floor: Instant(floor),
    })
}

/// From the columns sequence, chain, last_ms, floor_ms.
pub(super) fn stand_of(lane: Lane, row: &tokio_postgres::Row) -> Stand {
    let chain: Option<Vec<u8>> = row.get(1);
    let chain = chain.map_or(block::BEGINNING, |chain| Hash::try_from(chain).unwrap_or_default());
    let standing = Standing { sequence: row.get::<_, i64>(0).unsigned_abs(), last: Instant(row.get(2)) };
    Stand { lane, standing, chain, floor: Instant(row.get(3)) }
}
