//! Owns `[ledger]`: whether the ledger is kept in a file or in a database, and how it is spoken to.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::database_url;
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

/// How often a call waits for a database at most: to look up, to write, and to ask what became of what it wrote.
const WAITS_OF_A_CALL: u32 = 3;

impl DatabaseSection {
    /// The longest wait with which a call is still told the truth before its time is over.
    pub(super) fn longest_wait(request_timeout: Duration) -> Duration {
        request_timeout / WAITS_OF_A_CALL
    }
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

/// Read only where there is a database.
const OF_DATABASES: [&str; 6] =
    ["ca_file", "password_file", "lanes", "readers", "connect_timeout_ms", "answer_within_ms"];

pub(super) fn ledger(s: &mut Section) -> LedgerSection {
    let kept = match (s.has("file"), s.has("url")) {
        (true, true) => {
            s.fault("url", "must not stand beside file: a ledger is in a file or in a database");
            LedgerKept::Database(database(s))
        }
        (false, true) => LedgerKept::Database(database(s)),
        (true, false) => {
            let only = "belongs to a database: leave it out, or write url in the place of file";
            OF_DATABASES.iter().for_each(|key| s.refuse(key, only));
            LedgerKept::File(s.required_path("file"))
        }
        (false, false) => neither(s),
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

fn neither(s: &mut Section) -> LedgerKept {
    if OF_DATABASES.iter().any(|key| s.has(key)) {
        s.fault(
            "url",
            format!(
                "must be set, {}, or file in the place of all that belongs to a database",
                database_url::FORM
            ),
        );
        return LedgerKept::Database(database(s));
    }
    let url = database_url::FORM;
    s.fault("file", format!("must be set, for a ledger in one file, or url for one in PostgreSQL, {url}"));
    LedgerKept::File(PathBuf::new())
}

fn database(s: &mut Section) -> DatabaseSection {
    let url = s.optional_text("url").unwrap_or_default();
    // The text is not shown: it may hold a password.
    if let Err(what) = database_url::check(&url)
        && !url.is_empty()
    {
        s.fault("url", what);
    }
    DatabaseSection {
        url,
        authority: s.path("ca_file"),
        password_file: s.path("password_file"),
        lanes: s.size("lanes", 1..=1_024, 1),
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
        for (text, key) in [
            ("", "file: must be set, for a ledger in one file, or url"),
            ("lanes = 2", "url: must be set, postgres://"),
            ("url = \"\"", "url = \"\": must be a text that is not empty"),
            ("url = \"postgres://db1/b\"", "url: must name the user"),
        ] {
            let faults = read(text).unwrap_err();
            assert!(faults.len() == 1 && faults[0].to_string().starts_with(key), "{text}: {faults:?}");
        }
        let beside = read("lanes = 2\nfile = \"l.db\"").unwrap_err();
        assert_eq!(beside.len(), 1, "a file has no lanes");
        assert!(beside[0].to_string().starts_with("lanes: belongs to a database"), "{beside:?}");
    }
}
