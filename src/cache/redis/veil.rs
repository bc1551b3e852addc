//! Owns how what is put into Redis is hidden there: keys are keyed hashes, values are encrypted and bound to their keys.
//!
//! Whoever reads a Redis learns no name of a session, no code and nobody's number, and whoever writes into it makes no
//! session: what does not open is taken for nothing. It may be deleted, and an older value of the same key put back
//! until that one's end.

use crate::cache::Space;
use crate::domain::calendar::Instant;
use crate::vault::cipher::RawKey;
use crate::vault::cipher::Sealing;
use crate::vault::hex;
use crate::vault::lookup::LookupKey;

/// Bytes of a key's hash: 128 bits are enough against finding two keys of one hash.
const HASH_BYTES: usize = 16;
const END_BYTES: usize = 8;

/// All nodes have the look-up key, so all see through it.
pub(super) struct Veil {
    names: LookupKey,
    values: Sealing,
    namespace: String,
}

impl Veil {
    pub(super) fn new(key: &LookupKey, namespace: &str) -> Veil {
        let derived = key.hash("cache values", &[]);
        let half: [u8; 16] = core::array::from_fn(|at| derived[at]);
        Veil { names: key.clone(), values: Sealing::new(&RawKey::new(half)), namespace: namespace.to_owned() }
    }

    /// What a key of ours is called in Redis.
    pub(super) fn name(&self, space: Space, key: &str) -> String {
        let hash = self.names.hash("cache key", &[space.name().as_bytes(), key.as_bytes()]);
        format!("{}:{}:{}", self.namespace, space.name(), hex::encode(&hash[..HASH_BYTES]))
    }

    /// A name that is no secret.
    pub(super) fn plain_name(&self, what: &str, key: &str) -> String {
        format!("{}:{what}:{key}", self.namespace)
    }

    pub(super) fn seal(&self, name: &str, value: &[u8], until: Instant) -> Vec<u8> {
        let plain = [&until.0.to_be_bytes(), value].concat();
        let mut sealed = Vec::with_capacity(plain.len() + 32);
        self.values.seal(name.as_bytes(), &plain, &mut sealed);
        sealed
    }

    /// What was sealed under that name and has not ended.
    pub(super) fn open(&self, name: &str, sealed: &[u8], now: Instant) -> Option<Vec<u8>> {
        let plain = self.values.open(name.as_bytes(), sealed).ok()?;
        let (until, value) = plain.split_first_chunk::<END_BYTES>()?;
        (i64::from_be_bytes(*until) > now.0).then(|| value.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::key_file::Secret;

    fn veil(key: u8) -> Veil {
        Veil::new(&LookupKey::new(&Secret::new([key; 32])), "banyan")
    }

    #[test]
    fn a_name_tells_its_space_and_nothing_of_the_key() {
        let name = veil(1).name(Space::Session, "secret name");
        assert!(name.starts_with("banyan:session:") && !name.contains("secret"), "{name}");
        assert_eq!(name.len(), "banyan:session:".len() + 2 * HASH_BYTES);
        assert_eq!(name, veil(1).name(Space::Session, "secret name"));
        assert_ne!(name, veil(2).name(Space::Session, "secret name"));
        assert_ne!(name[15..], veil(1).name(Space::Code, "secret name")[12..]);
    }

    #[test]
    fn a_value_opens_under_its_name_until_its_end() {
        let veil = veil(1);
        let sealed = veil.seal("a", b"440700 44070000000001", Instant(10));
        assert!(!sealed.windows(6).any(|part| part == b"440700"));
        assert_eq!(veil.open("a", &sealed, Instant(9)).as_deref(), Some(&b"440700 44070000000001"[..]));
        assert_eq!(veil.open("a", &sealed, Instant(10)), None);
        assert_eq!(veil.open("b", &sealed, Instant(9)), None);
        assert_eq!(veil.open("a", &sealed[1..], Instant(9)), None);
        assert_eq!(veil.open("a", b"rubbish", Instant(9)), None);
    }
}
