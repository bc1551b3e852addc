//! A PostgreSQL primary with its synchronous standbys, and what an operator does when one of them fails.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use banyan::sandbox::postgres::Server;
use tokio::time::Instant;

pub(crate) const DATABASE: &str = "banyan";
/// Longer than anything here takes; what waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    servers: Vec<Server>,
    primary: usize,
}

/// Blocks the thread in all it does.
impl Cluster {
    /// A commit waits for one of the standbys, if there are any.
    pub(crate) fn start(count: usize) -> Cluster {
        Cluster::start_in(&std::env::temp_dir(), count)
    }

    /// With the primary's folder below another one.
    pub(crate) fn start_in(parent: &Path, count: usize) -> Cluster {
        let settings = [
            ("shared_buffers", "32MB"),
            ("max_connections", "80"),
            ("wal_keep_size", "256MB"),
            ("wal_retrieve_retry_interval", "100ms"),
        ];
        let mut servers = vec![Server::start_in(parent, &settings).unwrap()];
        servers[0].query("postgres", &format!("CREATE DATABASE {DATABASE}")).unwrap();
        for standby in 1..count {
            servers.push(Server::standby_of(&servers[0], &format!("s{standby}")).unwrap());
        }
        // The first is called `primary`, also when it comes back as a standby. Each has the others in its list, so that
        // whichever is promoted waits for those that are left.
        if count > 1 {
            let names: Vec<_> = servers.iter().map(Server::name).collect();
            let any = format!("ANY 1 ({})", names.join(", "));
            servers.iter().for_each(|server| server.set("synchronous_standby_names", &any).unwrap());
        }
        let cluster = Cluster { servers, primary: 0 };
        cluster.until_followed_by(count - 1);
        cluster
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| ([127, 0, 0, 1], server.port()).into()).collect()
    }

    pub(crate) fn primary(&self) -> usize {
        self.primary
    }

    pub(crate) fn query(&self, sql: &str) -> String {
        self.servers[self.primary].query(DATABASE, sql).unwrap()
    }

    pub(crate) fn kill_primary(&mut self) {
        self.servers[self.primary].kill().unwrap();
    }

    /// Started again if it has ended by itself; answers questions when this returns.
    pub(crate) fn bring_back_primary(&mut self) {
        let begun = Instant::now();
        let primary = &mut self.servers[self.primary];
        while primary.query("postgres", "SELECT 1").is_err() {
            assert!(begun.elapsed() < PATIENCE, "the primary did not come back: {}", primary.log());
            if primary.has_ended() {
                primary.restart().unwrap();
            }
        }
    }

    fn standbys(&self) -> impl Iterator<Item = usize> + use<> {
        let primary = self.primary;
        (0..self.servers.len()).filter(move |at| *at != primary)
    }

    pub(crate) fn kill_standbys(&mut self) {
        self.standbys().for_each(|at| self.servers[at].kill().unwrap());
    }

    pub(crate) fn restart_standbys(&mut self, count: usize) {
        self.standbys().take(count).for_each(|at| self.servers[at].restart().unwrap());
    }

    /// After the primary is gone: the standby that has most takes over, and the others follow it.
    pub(crate) fn fail_over(&mut self) {
        let standbys: Vec<_> = self.standbys().collect();
        // What was on the way to a standby when its primary died is there or lost; only then can they be compared.
        for at in &standbys {
            self.until(
                "let go of the dead primary",
                *at,
                "SELECT COUNT(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'",
                "0",
            );
        }
        let received = "SELECT pg_last_wal_receive_lsn() - '0/0'::pg_lsn";
        let has = |at: &usize| self.servers[*at].query("postgres", received).unwrap().parse::<u64>().unwrap();
        let best = *standbys.iter().max_by_key(|at| has(at)).unwrap();
        let promoted = &self.servers[best];
        promoted.promote().unwrap();
        standbys.iter().filter(|at| **at != best).for_each(|at| self.servers[*at].follow(promoted).unwrap());
        self.primary = best;
    }

    /// What was killed comes back as a standby.
    pub(crate) fn rebuild(&mut self, killed: usize) {
        let primary = self.primary;
        let [back, primary] = self.servers.get_disjoint_mut([killed, primary]).unwrap();
        back.rebuild_from(primary).unwrap();
        self.until_followed_by(self.servers.len() - 1);
    }

    pub(crate) fn until_followed_by(&self, count: usize) {
        let sql = "SELECT COUNT(*) FROM pg_stat_replication WHERE state = 'streaming'";
        self.until("be followed", self.primary, sql, &count.to_string());
    }

    fn until(&self, what: &str, server: usize, sql: &str, told: &str) {
        let begun = Instant::now();
        while self.servers[server].query("postgres", sql).unwrap() != told {
            assert!(begun.elapsed() < PATIENCE, "a server did not {what}: {}", self.servers[server].log());
        }
    }
}
