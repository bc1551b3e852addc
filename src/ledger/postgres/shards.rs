//! Owns which shard a bucket lies in, so that a batch never spans two.

use std::collections::HashMap;

use tokio_postgres::Client;

use crate::domain::ids::Bucket;
use crate::ledger::LedgerError;
use crate::ledger::postgres::fault::server;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shards {
    /// By bucket.
    shard: Vec<usize>,
    /// By shard: one of its buckets.
    home: Vec<i64>,
}

impl Shards {
    /// As Citus has placed them; without it there is one.
    pub(super) async fn read(client: &Client) -> Result<Shards, LedgerError> {
        const THERE: &str = "SELECT to_regproc('get_shard_id_for_distribution_column') IS NOT NULL";
        const SHARDS: &str = "SELECT get_shard_id_for_distribution_column('record'::regclass, bucket)
             FROM generate_series(0::BIGINT, $1::BIGINT - 1) AS bucket ORDER BY bucket";
        let failed = || server("read where its shards lie");
        let sharded: bool = client.query_one(THERE, &[]).await.map_err(failed())?.get(0);
        if !sharded {
            return Ok(Shards::of_ids(&[0; Bucket::COUNT as usize]));
        }
        let rows = client.query(SHARDS, &[&i64::from(Bucket::COUNT)]).await.map_err(failed())?;
        let ids = rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>();
        Ok(Shards::of_ids(&ids))
    }

    fn of_ids(ids: &[i64]) -> Shards {
        let mut known = HashMap::new();
        let mut home = Vec::new();
        let shard = ids.iter().zip(0..).map(|(id, bucket)| {
            *known.entry(*id).or_insert_with(|| {
                home.push(bucket);
                home.len() - 1
            })
        });
        Shards { shard: shard.collect(), home }
    }

    pub(super) fn count(&self) -> usize {
        self.home.len()
    }

    pub(super) fn of(&self, bucket: u16) -> usize {
        self.shard.get(usize::from(bucket)).copied().unwrap_or_default()
    }

    pub(super) fn home(&self, shard: usize) -> i64 {
        self.home.get(shard).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_has_a_shard_and_each_shard_a_home_of_its_own() {
        let ids: Vec<i64> = (0..4096).map(|bucket| 102_008 + bucket / 1_024).collect();
        let shards = Shards::of_ids(&ids);
        assert_eq!((shards.count(), shards.of(0), shards.of(1_024), shards.of(4_095)), (4, 0, 1, 3));
        assert_eq!((0..4).map(|shard| shards.home(shard)).collect::<Vec<_>>(), [0, 1_024, 2_048, 3_072]);
    }
}
