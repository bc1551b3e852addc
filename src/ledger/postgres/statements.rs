//! Owns the statements of a lane: those that write its batches, and those that ask what became of one.

use futures_util::future::try_join_all;
use tokio_postgres::Client;
use tokio_postgres::Statement;

use crate::ledger::postgres::batch_sql::BatchStatements;

/// Of every session of a lane: each statement is planned once, by the primary keys, however few rows there are yet.
pub(super) const SESSION: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
     -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off -c jit=off \
     -c idle_in_transaction_session_timeout=10s";

const PERSONS_NOW: &str = "SELECT u.n, p.version, p.last_ms
     FROM unnest($1::BIGINT[], $2::TEXT[]) WITH ORDINALITY AS u (bucket, person, n)
     JOIN person p ON p.bucket = u.bucket AND p.person = u.person";

const STAYS_NOW: &str = "SELECT u.n, s.version, s.person
     FROM unnest($1::BIGINT[], $2::TEXT[]) WITH ORDINALITY AS u (bucket, stay, n)
     JOIN stay s ON s.bucket = u.bucket AND s.stay = u.stay";

const MESSAGES_NOW: &str = "SELECT u.n
     FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[])
         AS u (bucket, msgid, institution, infno, person, n)
     JOIN message m ON m.bucket = u.bucket AND m.turned_msgid = u.msgid AND m.institution = u.institution
       AND m.infno = u.infno AND m.person = u.person";

const LANE_NOW: &str = "SELECT sequence, chain, last_ms, floor_ms FROM lane
     WHERE bucket = $1 AND lane = $2 AND epoch = $3";

/// After this, nothing that was begun under an earlier epoch can still be committed; what was committed is seen.
const FENCE: &str = "UPDATE lane SET epoch = $3 WHERE bucket = $1 AND lane = $2 AND epoch < $3
     RETURNING sequence, chain, last_ms, floor_ms";

pub(super) struct Statements {
    pub(super) batches: BatchStatements,
    pub(super) persons_now: Statement,
    pub(super) stays_now: Statement,
    pub(super) messages_now: Statement,
    pub(super) lane_now: Statement,
    pub(super) fence: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> Result<Statements, tokio_postgres::Error> {
        const ALL: [&str; 5] = [PERSONS_NOW, STAYS_NOW, MESSAGES_NOW, LANE_NOW, FENCE];
        let batches = BatchStatements::prepare(client).await?;
        let all = try_join_all(ALL.map(|sql| client.prepare(sql))).await?;
        let [persons_now, stays_now, messages_now, lane_now, fence] = <[Statement; 5]>::try_from(all)
            .unwrap_or_else(|_| unreachable!("each was prepared or the first error is told"));
        Ok(Statements { batches, persons_now, stays_now, messages_now, lane_now, fence })
    }
}
