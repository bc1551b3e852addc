//! Owns `[ledger]`: whether the ledger is kept in a file or in a database, and how it is spoken to.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::reading::Section;

#[derive(Clone, Debug)]
pub struct LedgerSection {
    pub kept: LedgerKept,
    /// Deeds waiting to be written; one more is shed.
    pub queue_max: usize,
    /// Deeds in one durable transaction.
    pub batch_max: usize,
}

/// Where the ledger is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerKept {
    /// File of the embedded ledger.
    File(PathBuf),
    Database(DatabaseSection),
}

/// A ledger in PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSection {
    /// `postgres://USER@HOST[,HOST…]/DATABASE`.
    pub url: String,
    /// Authorities that sign the servers' certificates.
    pub authority: Option<PathBuf>,
    pub password_file: Option<PathBuf>,
    /// Connections of this node that write, and that look up.
    pub lanes: usize,
    pub readers: usize,
    /// For one host to answer, and for anything that a call waits for.
    pub connect_timeout: Duration,
    pub answer_within: Duration,
}

impl LedgerSection {
    /// Of an embedded ledger.
    pub fn file(&self) -> Option<&Path> {
        match &self.kept {
            LedgerKept::File(file) => Some(file),
            LedgerKept::Database(_) => None,
        }
    }
}

pub(super) fn ledger(s: &mut Section) -> LedgerSection {
    let kept = match (s.has("file"), s.has("url")) {
        (true, true) => {
            s.fault("url", "must not stand beside file: a ledger is in a file or in a database");
            LedgerKept::Database(database(s))
        }
        (false, true) => LedgerKept::Database(database(s)),
        (_, false) => LedgerKept::File(s.required_path("file")),
    };
    if s.has("file") {
        let _beside = s.path("file");
    }
    LedgerSection {
        kept,
        queue_max: s.size("queue_max", 16..=1_000_000, 8_192),
        batch_max: s.size("batch_max", 1..=10_000, 256),
    }
}

fn database(s: &mut Section) -> DatabaseSection {
    let url = s.required_text("url");
    // The text is not shown: it may hold a password.
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        s.fault("url", "must be of the form postgres://USER@HOST[,HOST…]/DATABASE");
    }
    let user = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map_or("", |(user, _)| user);
    if user.contains(':') || url.contains("password=") {
        s.fault("url", "must not hold the password: name a file with it in password_file");
    }
    DatabaseSection {
        url,
        authority: s.path("ca_file"),
        password_file: s.path("password_file"),
        lanes: s.size("lanes", 1..=1_024, 2),
        readers: s.size("readers", 1..=1_024, 4),
        connect_timeout: s.milliseconds("connect_timeout_ms", 100..=60_000, 2_000),
        answer_within: s.milliseconds("answer_within_ms", 500..=120_000, 5_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reading::read_text;

    #[test]
    fn a_ledger_is_in_a_file_or_in_a_database_whose_password_stands_elsewhere() {
        let read = |text: &str| read_text(text, Path::new("/etc/banyan"), ledger);
        let kept = read("file = \"l.db\"").unwrap().kept;
        assert_eq!(kept, LedgerKept::File(PathBuf::from("/etc/banyan/l.db")));
        let url = "url = \"postgres://banyan@db1,db2/banyan\"";
        let kept = read(&format!("{url}\nca_file = \"ca.pem\"\nlanes = 3")).unwrap().kept;
        let LedgerKept::Database(database) = kept else { panic!("{kept:?}") };
        assert_eq!((database.lanes, database.authority), (3, Some(PathBuf::from("/etc/banyan/ca.pem"))));
        let both = read(&format!("{url}\nfile = \"l.db\"")).unwrap_err();
        assert_eq!(both.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), ["url"]);
        for bad in ["postgres://banyan:secret@db1/banyan", "mysql://secret@db1/banyan"] {
            let faults = read(&format!("url = \"{bad}\"")).unwrap_err();
            assert!(faults.iter().all(|fault| !fault.to_string().contains("secret")), "{bad}");
        }
        assert_eq!(read("lanes = 2\nfile = \"l.db\"").unwrap_err().len(), 1, "a file has no lanes");
    }
}
