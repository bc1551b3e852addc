//! Owns the master key: where it comes from, and the keys that are derived from it. It encrypts nothing but other keys.

use zeroize::Zeroizing;

use crate::config::gateway::KeysSection;
use crate::config::gateway::MasterSource;
use crate::vault::cipher::RawKey;
use crate::vault::cipher::Sealing;
use crate::vault::hex;
use crate::vault::key_file;
use crate::vault::key_file::BadKeyFile;
use crate::vault::key_file::Secret;
use crate::vault::lookup::LookupKey;

/// Why there is no master key. Each says what to mend; none shows a digit of it.
#[derive(Debug, thiserror::Error)]
pub enum BadMaster {
    #[error(transparent)]
    File(#[from] BadKeyFile),
    #[error("the environment variable {name} is not set; it must hold the master key, 64 hexadecimal digits")]
    NoVariable { name: String },
    #[error("the environment variable {name} must hold 64 hexadecimal digits, it holds {digits} characters")]
    Malformed { name: String, digits: usize },
}

/// The key under which all keys of a store are wrapped.
#[derive(Clone)]
pub struct MasterKey(LookupKey);

impl core::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "MasterKey({})", self.fingerprint())
    }
}

impl MasterKey {
    pub fn new(secret: &Secret) -> MasterKey {
        MasterKey(LookupKey::new(secret))
    }

    /// Reads it from where the settings say.
    pub fn read(source: &MasterSource) -> Result<MasterKey, BadMaster> {
        match source {
            MasterSource::File(path) => Ok(MasterKey::new(&key_file::read(path)?)),
            MasterSource::Environment(name) => from_environment(name),
        }
    }

    /// The same; nothing where there is none. One that is there and wrong is refused.
    pub fn read_if_there(source: &MasterSource) -> Result<Option<MasterKey>, BadMaster> {
        match MasterKey::read(source) {
            Ok(master) => Ok(Some(master)),
            Err(BadMaster::NoVariable { .. }) => Ok(None),
            Err(BadMaster::File(BadKeyFile::Unreadable { cause, .. }))
                if cause.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            Err(wrong) => Err(wrong),
        }
    }

    /// 16 hexadecimal digits that tell two masters apart and tell nothing about either.
    pub fn fingerprint(&self) -> String {
        hex::encode(&self.derived("master fingerprint")[..8])
    }

    /// What wraps keys.
    pub(crate) fn wrapping(&self) -> Sealing {
        let derived = self.derived("master wrapping");
        let mut key = RawKey::default();
        key.copy_from_slice(&derived[..16]);
        Sealing::new(&key)
    }

    /// Proves that a store is whole and was written by somebody who holds this key.
    pub(crate) fn proof(&self, content: &[u8]) -> [u8; 32] {
        self.0.hash("master proof of the store", &[content])
    }

    fn derived(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.hash(purpose, &[]))
    }
}

fn from_environment(name: &str) -> Result<MasterKey, BadMaster> {
    let text = std::env::var(name).map_err(|_unset| BadMaster::NoVariable { name: name.to_owned() })?;
    let text = Zeroizing::new(text);
    let mut secret = Secret::default();
    let digits = text.trim();
    hex::decode_into(digits, &mut secret)
        .ok_or_else(|| BadMaster::Malformed { name: name.to_owned(), digits: digits.chars().count() })?;
    Ok(MasterKey::new(&secret))
}

/// The master of a store and, while it is being changed for another, that one too.
#[derive(Clone, Debug)]
pub struct Masters(Vec<MasterKey>);

impl Masters {
    pub fn one(master: &MasterKey) -> Masters {
        Masters(vec![master.clone()])
    }

    pub fn both(master: &MasterKey, next: &MasterKey) -> Masters {
        Masters(vec![master.clone(), next.clone()])
    }

    /// Reads those that the settings name. The next one is there only while a change is under way.
    pub fn read(keys: &KeysSection) -> Result<Masters, BadMaster> {
        let master = MasterKey::read(&keys.master)?;
        let next = keys.next_master.as_ref().map(MasterKey::read_if_there).transpose()?.flatten();
        Ok(Masters(core::iter::once(master).chain(next).collect()))
    }

    pub(crate) fn find(&self, fingerprint: &str) -> Option<&MasterKey> {
        self.0.iter().find(|master| master.fingerprint() == fingerprint)
    }

    pub(crate) fn fingerprints(&self) -> String {
        self.0.iter().map(MasterKey::fingerprint).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_masters_apart_and_shows_nothing_of_them() {
        let (one, other) = (MasterKey::new(&Secret::new([1; 32])), MasterKey::new(&Secret::new([2; 32])));
        assert_eq!(one.fingerprint(), MasterKey::new(&Secret::new([1; 32])).fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(format!("{one:?}"), format!("MasterKey({})", one.fingerprint()));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let source = MasterSource::Environment("BANYAN_NO_SUCH_MASTER".to_owned());
        let refusal = MasterKey::read(&source).unwrap_err().to_string();
        assert!(refusal.contains("BANYAN_NO_SUCH_MASTER is not set"), "{refusal}");
    }
}
