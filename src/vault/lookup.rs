//! Owns keyed look-up hashes: HMAC-SM3, so that a table of them tells nothing to someone without the key.
//!
//! This key never rotates: what was looked up by it must be found by it for ever.

use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sm3::Sm3;

use crate::vault::key_file::Secret;

/// Hashes what is looked up. The purpose keeps hashes of different kinds apart.
#[derive(Clone)]
pub struct LookupKey(Hmac<Sm3>);

impl core::fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LookupKey(…)")
    }
}

impl LookupKey {
    pub fn new(secret: &Secret) -> LookupKey {
        let keyed = Hmac::<Sm3>::new_from_slice(secret.as_slice()).expect("HMAC takes a key of any length");
        LookupKey(keyed)
    }

    /// HMAC-SM3 over the purpose, a zero byte and each part after its length.
    pub fn hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_depend_on_key_purpose_and_the_cut_between_parts() {
        let key = LookupKey::new(&Secret::new([7; 32]));
        let same = key.hash("person", &[b"440700", b"1"]);
        assert_eq!(same, key.hash("person", &[b"440700", b"1"]));
        assert_ne!(same, LookupKey::new(&Secret::new([8; 32])).hash("person", &[b"440700", b"1"]));
        assert_ne!(same, key.hash("card", &[b"440700", b"1"]));
        assert_ne!(same, key.hash("person", &[b"4407001", b""]));
    }
}
