//! Owns how personal data is kept: encrypted under the key of its class and month, tied to the seal by a salted
//! commitment, and read back, or found to be forgotten.

use std::path::Path;
use std::sync::Arc;

use ring::rand::SecureRandom as _;
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::record::Private;
use crate::ledger::LedgerError;
use crate::ledger::codec;
use crate::ledger::seal;
use crate::ledger::seal::merkle::Hash;
use crate::vault::key_file;
use crate::vault::key_file::BadKeyFile;
use crate::vault::key_store::Class;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::KeyStoreError;
use crate::vault::key_store::Opened;
use crate::vault::lookup::LookupKey;
use crate::vault::master::MasterKey;

/// The keys that a ledger works with.
#[derive(Clone)]
pub struct Secrets {
    /// Finds persons; never changes.
    pub lookup: LookupKey,
    /// Hides and reveals personal data, and signs.
    pub keys: Arc<KeyStore>,
}

/// Personal data as a record keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) ciphertext: Vec<u8>,
    pub(super) commitment: Hash,
}

/// Personal data read back, with what its commitment needs.
pub(super) struct Revealed {
    pub(super) salt: [u8; SALT],
    pub(super) plain: Zeroizing<Vec<u8>>,
}

const SALT: usize = 16;

/// Why the keys of a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadKeys {
    #[error(transparent)]
    File(#[from] BadKeyFile),
    #[error(transparent)]
    Store(#[from] KeyStoreError),
}

impl Secrets {
    /// The keys that lie together in a folder, as a sandbox has them: `lookup.key`, `master.key` and `store.json`.
    ///
    /// # Errors
    /// When one is missing, open to others or not what it should be.
    pub fn open_in(folder: &Path) -> Result<Secrets, BadKeys> {
        let lookup = LookupKey::new(&key_file::read(&folder.join("lookup.key"))?);
        let master = MasterKey::new(&key_file::read(&folder.join("master.key"))?);
        let keys = Arc::new(KeyStore::open(&folder.join("store.json"), &master)?);
        Ok(Secrets { lookup, keys })
    }

    /// Makes them there, for a new ledger.
    ///
    /// # Errors
    /// When one is there already, or the folder cannot be written.
    pub fn make_in(folder: &Path, now: Instant) -> Result<Secrets, BadKeys> {
        let lookup = LookupKey::new(&key_file::make(&folder.join("lookup.key"))?);
        let master = MasterKey::new(&key_file::make(&folder.join("master.key"))?);
        let keys = Arc::new(KeyStore::create(&folder.join("store.json"), &master, now.0)?);
        Ok(Secrets { lookup, keys })
    }

    /// # Errors
    /// `Storage` when the key store cannot give the month's key or the system no randomness.
    pub(super) fn hide(
        &self,
        person: &str,
        private: &Private,
        month: Month,
    ) -> Result<Option<Hidden>, LedgerError> {
        let class = match private {
            Private::None | Private::Erased => return Ok(None),
            Private::Person(_) | Private::Filing(_) => Class::Contact,
            Private::Admission(_) | Private::Discharge(_) => Class::Medical,
        };
        let text = Zeroizing::new(codec::encode(private));
        let mut salt = [0; SALT];
        SystemRandom::new().fill(&mut salt).map_err(|_| no_randomness())?;
        let mut salted = Zeroizing::new(Vec::with_capacity(SALT + text.len()));
        salted.extend_from_slice(&salt);
        salted.extend_from_slice(text.as_bytes());
        let key = self
            .keys
            .data_key(class, month.number().unsigned_abs())
            .map_err(failed("get a key for personal data"))?;
        Ok(Some(Hidden {
            ciphertext: key.encrypt(person.as_bytes(), &salted),
            commitment: seal::commitment(&salt, text.as_bytes()),
        }))
    }

    /// What a ciphertext hides; `None` when its key was destroyed after its term.
    ///
    /// # Errors
    /// `Damaged` when it is not hers, was altered, or its key is not in the store.
    pub(super) fn reveal(&self, person: &str, ciphertext: &[u8]) -> Result<Option<Revealed>, LedgerError> {
        let damaged = |what: String| LedgerError::Damaged { at: format!("personal data of {person}"), what };
        match self.keys.decrypt(person.as_bytes(), ciphertext) {
            Err(cause) => Err(damaged(cause.to_string())),
            Ok(Opened::Erased) => Ok(None),
            Ok(Opened::Plain(salted)) => {
                let Some((salt, plain)) = salted.split_first_chunk::<SALT>() else {
                    return Err(damaged("it is too short".into()));
                };
                Ok(Some(Revealed { salt: *salt, plain: Zeroizing::new(plain.to_vec()) }))
            }
        }
    }

    /// Personal data of a record, held to the commitment that ties it to the seal, or of a person's row, which has none.
    pub(super) fn private(
        &self,
        person: &str,
        ciphertext: Option<&[u8]>,
        commitment: Option<&Hash>,
    ) -> Result<Private, LedgerError> {
        let Some(ciphertext) = ciphertext else { return Ok(Private::None) };
        let Some(revealed) = self.reveal(person, ciphertext)? else { return Ok(Private::Erased) };
        let damaged = |what: &dyn std::fmt::Display| LedgerError::Damaged {
            at: format!("personal data of {person}"),
            what: what.to_string(),
        };
        let ties = |commitment: &Hash| seal::commitment(&revealed.salt, &revealed.plain) == *commitment;
        if !commitment.is_none_or(ties) {
            return Err(damaged(&"it is not what its commitment ties to the seal"));
        }
        let text = std::str::from_utf8(&revealed.plain).map_err(|cause| damaged(&cause))?;
        codec::decode("private", text).map_err(|cause| damaged(&cause))
    }
}

fn no_randomness() -> LedgerError {
    failed("get randomness")(std::io::Error::other("the system gave none"))
}

fn failed<E: std::error::Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> LedgerError {
    move |cause| LedgerError::Storage { what, cause: Box::new(cause) }
}
