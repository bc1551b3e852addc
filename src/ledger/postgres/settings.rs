//! Owns where the ledger of many nodes is, and the limits of one node.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant as Deadline;

use crate::ledger::event::Observer;
use crate::ledger::recent;

/// Where the ledger is, and the limits of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `postgres://USER@HOST[,HOST…]/DATABASE`; of several hosts the one that takes writes is used.
    pub url: String,
    /// Authorities that sign the servers' certificates (PEM). Without it servers are spoken to on this machine only.
    pub ca_file: Option<PathBuf>,
    pub password_file: Option<PathBuf>,
    /// Connections that write; at least one for each shard.
    pub lanes: usize,
    /// Connections that look up.
    pub readers: usize,
    /// Deeds waiting or being written in a lane; one more is shed.
    pub queue_limit: usize,
    /// Deeds in one transaction.
    pub batch_max: usize,
    /// For one host to answer.
    pub connect_timeout: Duration,
    /// For anything that a call waits for; then it is told that nobody knows what became of it.
    pub answer_within: Duration,
    /// Is told what happens.
    pub observer: Observer,
    /// What is kept in memory ready for deeds.
    pub recent: recent::Limits,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            url: String::new(),
            ca_file: None,
            password_file: None,
            lanes: 1,
            readers: 4,
            queue_limit: 8192,
            batch_max: 256,
            connect_timeout: Duration::from_secs(2),
            answer_within: Duration::from_secs(5),
            observer: Observer::default(),
            recent: recent::Limits::default(),
        }
    }
}

impl Settings {
    pub(super) fn deadline(&self) -> impl Fn() -> Deadline + use<> {
        let within = self.answer_within;
        move || Deadline::now() + within
    }
}
