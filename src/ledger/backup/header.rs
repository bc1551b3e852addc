//! Owns the beginning of a backup file: two lines of JSON, the facts and the wrapped key, before the encrypted body.
//!
//! Every chunk is bound to the line of facts. The key stands on a line of its own, so that another master could wrap it
//! without touching the rest.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde::Serialize;
use sm3::Digest as _;
use sm3::Sm3;

use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::codec;
use crate::ledger::seal::merkle::Hash;
use crate::vault::key_store::stream::WrappedStreamKey;

/// Names the form and its algorithms: SM4-GCM for the body, SM3 for every hash. Another form gets another name.
pub const FORMAT: &str = "banyan-backup-1";

/// Far more than a header needs.
const LINES_BYTES_MAX: u64 = 64 * 1024;

/// What is known of a file without opening it. No personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    /// Random; tells this file from every other.
    pub file: String,
    /// The first anchor of the ledger: tells ledgers apart.
    #[serde(with = "codec::hash_text")]
    pub ledger: Hash,
    /// Fingerprint of the look-up key.
    pub lookup: String,
    /// The anchor after which it begins; 0 for a file from the beginning.
    pub from: u64,
    #[serde(with = "codec::hash_text")]
    pub from_hash: Hash,
    /// Its last anchor.
    pub to: u64,
    #[serde(with = "codec::hash_text")]
    pub to_hash: Hash,
    pub records: u64,
    /// The highest lane that was taken: none of them is used again after a restore.
    pub lanes: u32,
    /// Nothing may get a time before it.
    pub floor_ms: i64,
    pub made_ms: i64,
}

impl Header {
    pub fn begin(&self) -> Witness {
        Witness { number: self.from, hash: self.from_hash }
    }

    pub fn end(&self) -> Witness {
        Witness { number: self.to, hash: self.to_hash }
    }
}

/// A file of a backup.
#[derive(Clone, Debug)]
pub struct Part {
    pub header: Header,
    pub key: WrappedStreamKey,
    /// Stands for the line of facts in every chunk.
    pub facts: Hash,
}

impl Part {
    /// The two lines, and what the chunks are bound to.
    pub fn lines(header: &Header, key: &WrappedStreamKey) -> (String, Hash) {
        let line = |text: Result<String, serde_json::Error>| {
            text.expect("texts and numbers can always be written as JSON")
        };
        let facts = line(serde_json::to_string(header));
        let hash = Sm3::digest(facts.as_bytes()).into();
        (format!("{facts}\n{}\n", line(serde_json::to_string(key))), hash)
    }

    /// Reads the beginning of a file, which is left at its body.
    ///
    /// # Errors
    /// `Disk`, `NotABackup` or `OtherForm`.
    pub fn open(path: &Path) -> Result<(Part, BufReader<File>), BackupError> {
        #[derive(Deserialize)]
        struct Form {
            format: String,
        }
        let file = File::open(path).map_err(BackupError::disk(path, "read"))?;
        let mut from = BufReader::with_capacity(1 << 20, file);
        let (facts, key) = (line(path, &mut from)?, line(path, &mut from)?);
        let not_one = || BackupError::NotABackup { path: path.to_owned() };
        let form: Form = serde_json::from_str(&facts).map_err(|_| not_one())?;
        if form.format != FORMAT {
            return Err(BackupError::OtherForm { path: path.to_owned(), form: form.format });
        }
        let header: Header = serde_json::from_str(&facts).map_err(|_| not_one())?;
        let key = serde_json::from_str(&key).map_err(|_| not_one())?;
        if header.to <= header.from {
            return Err(not_one());
        }
        Ok((Part { header, key, facts: Sm3::digest(facts.as_bytes()).into() }, from))
    }
}

fn line(path: &Path, from: &mut BufReader<File>) -> Result<String, BackupError> {
    let mut line = Vec::new();
    from.take(LINES_BYTES_MAX).read_until(b'\n', &mut line).map_err(BackupError::disk(path, "read"))?;
    let text = line.strip_suffix(b"\n").and_then(|line| String::from_utf8(line.to_vec()).ok());
    text.ok_or_else(|| BackupError::NotABackup { path: path.to_owned() })
}
