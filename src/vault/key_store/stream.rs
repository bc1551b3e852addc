//! Owns keys that are made for one stream of bytes, such as a backup, and stand beside it, wrapped by the master.

use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::vault::cipher;
use crate::vault::cipher::BadBlob;
use crate::vault::cipher::RawKey;
use crate::vault::cipher::Sealing;
use crate::vault::hex;
use crate::vault::key_store::KeyStore;
use crate::vault::master::MasterKey;

/// Encrypts the parts of one stream.
pub struct StreamKey(Sealing);

impl StreamKey {
    /// Appends an encrypted part to `out`. Opening needs the same context.
    pub fn seal(&self, context: &[u8], plain: &[u8], out: &mut Vec<u8>) {
        self.0.seal(context, plain, out);
    }

    /// # Errors
    /// When the part was changed, or belongs to another place or stream.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, BadBlob> {
        self.0.open(context, sealed)
    }
}

/// By how much an encrypted part is longer than what it holds.
pub const STREAM_OVERHEAD: usize = cipher::SEAL_OVERHEAD;

/// A stream's key as it stands beside the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedStreamKey {
    /// Fingerprint of the master.
    pub master: String,
    /// Nonce, ciphertext and tag in hexadecimal digits.
    pub wrapped: String,
}

/// Why a stream's key cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadStreamKey {
    #[error("needs master key {wanted}, the settings name {held}")]
    OtherMaster { wanted: String, held: String },
    #[error("carries a key that was changed, or that belongs to another file")]
    NotAuthentic,
}

impl KeyStore {
    /// A new key for a stream that `context` names, under the master that wraps new keys.
    pub fn make_stream_key(&self, context: &[u8]) -> (StreamKey, WrappedStreamKey) {
        let masters = self.masters.load();
        let fingerprint = self.ring.load().content.master.clone();
        let master = masters.find(&fingerprint).expect("a store is open only under its own master");
        let raw = RawKey::new(cipher::random());
        (StreamKey(Sealing::new(&raw)), wrap(master, context, &raw))
    }

    /// # Errors
    /// When no master that is held wraps it, or it was changed.
    pub fn open_stream_key(&self, context: &[u8], key: &WrappedStreamKey) -> Result<StreamKey, BadStreamKey> {
        self.unwrap_stream_key(context, key).map(|raw| StreamKey(Sealing::new(&raw)))
    }

    /// The same key under the master that wraps new keys; nothing when it is under it already.
    ///
    /// # Errors
    /// As `open_stream_key`.
    pub fn rewrap_stream_key(
        &self,
        context: &[u8],
        key: &WrappedStreamKey,
    ) -> Result<Option<WrappedStreamKey>, BadStreamKey> {
        let masters = self.masters.load();
        let current = self.ring.load().content.master.clone();
        let raw = self.unwrap_stream_key(context, key)?;
        let master = masters.find(&current).filter(|_| current != key.master);
        Ok(master.map(|master| wrap(master, context, &raw)))
    }

    fn unwrap_stream_key(&self, context: &[u8], key: &WrappedStreamKey) -> Result<RawKey, BadStreamKey> {
        let masters = self.masters.load();
        let other = || BadStreamKey::OtherMaster { wanted: key.master.clone(), held: masters.fingerprints() };
        let master = masters.find(&key.master).ok_or_else(other)?;
        let sealed = hex::decode(&key.wrapped).ok_or(BadStreamKey::NotAuthentic)?;
        let plain =
            master.wrapping().open(&named(context), &sealed).map_err(|_| BadStreamKey::NotAuthentic)?;
        let mut raw = RawKey::default();
        if plain.len() != raw.len() {
            return Err(BadStreamKey::NotAuthentic);
        }
        raw.copy_from_slice(&plain);
        Ok(raw)
    }
}

fn wrap(master: &MasterKey, context: &[u8], raw: &RawKey) -> WrappedStreamKey {
    let mut sealed = Vec::new();
    master.wrapping().seal(&named(context), raw.as_slice(), &mut sealed);
    WrappedStreamKey { master: master.fingerprint(), wrapped: hex::encode(&sealed) }
}

fn named(context: &[u8]) -> Vec<u8> {
    [b"stream key ", context].concat()
}
