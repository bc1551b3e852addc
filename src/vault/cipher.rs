//! Owns encryption with one data key: SM4-GCM under a fresh random nonce, bound to a context that is not stored with it.
//!
//! A blob is: format (1 byte, 1) ‖ number of the key (4, big-endian) ‖ nonce (12) ‖ ciphertext ‖ tag (16).
//! Nonces are random: up to 2³² blobs under one key keep the chance of a repeated one below 2⁻³².

use aes_gcm::AesGcm;
use aes_gcm::KeyInit as _;
use aes_gcm::Nonce;
use aes_gcm::Tag;
use aes_gcm::aead::AeadInOut as _;
use aes_gcm::aead::consts::U12;
use ring::rand::SecureRandom as _;
use ring::rand::SystemRandom;
use sm4::Sm4;
use zeroize::Zeroizing;

/// 16 secret bytes, wiped when dropped.
pub(crate) type RawKey = Zeroizing<[u8; 16]>;

const FORMAT: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const HEAD: usize = 1 + 4;
/// By how much a blob is longer than what it holds.
pub const OVERHEAD: usize = HEAD + SEAL_OVERHEAD;
/// The same for what is sealed without the number of a key.
pub(crate) const SEAL_OVERHEAD: usize = NONCE + TAG;

/// Why a blob does not open. Nothing of its content is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBlob {
    #[error("it is too short or of an unknown format")]
    NotABlob,
    #[error("it was changed, or belongs to another place or another key")]
    NotAuthentic,
}

/// A key that encrypts data, with the number under which the key store knows it.
pub struct DataKey {
    number: u32,
    sealing: Sealing,
}

impl core::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "DataKey({})", self.number)
    }
}

impl DataKey {
    pub(crate) fn new(number: u32, key: &RawKey) -> DataKey {
        DataKey { number, sealing: Sealing::new(key) }
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    /// Encrypts. Opening needs the same context: put into it what the blob must not be moved away from.
    pub fn encrypt(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut blob = Vec::with_capacity(plain.len() + OVERHEAD);
        blob.push(FORMAT);
        blob.extend_from_slice(&self.number.to_be_bytes());
        self.sealing.seal(context, plain, &mut blob);
        blob
    }

    /// Opens what this key encrypted.
    pub fn decrypt(&self, context: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, BadBlob> {
        let (number, sealed) = split(blob)?;
        if number != self.number {
            return Err(BadBlob::NotAuthentic);
        }
        self.sealing.open(context, sealed)
    }
}

/// Number of the key that a blob names.
pub fn key_number(blob: &[u8]) -> Result<u32, BadBlob> {
    split(blob).map(|(number, _)| number)
}

fn split(blob: &[u8]) -> Result<(u32, &[u8]), BadBlob> {
    let (format, rest) = blob.split_first().ok_or(BadBlob::NotABlob)?;
    let (number, sealed) = rest.split_first_chunk::<4>().ok_or(BadBlob::NotABlob)?;
    if *format != FORMAT || sealed.len() < NONCE + TAG {
        return Err(BadBlob::NotABlob);
    }
    Ok((u32::from_be_bytes(*number), sealed))
}

/// SM4-GCM itself: nonce ‖ ciphertext ‖ tag. Keys of the store are wrapped by it too.
pub(crate) struct Sealing(AesGcm<Sm4, U12>);

impl Sealing {
    pub(crate) fn new(key: &RawKey) -> Sealing {
        Sealing(AesGcm::new((&**key).into()))
    }

    /// Appends to `out`.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8], out: &mut Vec<u8>) {
        let nonce: [u8; NONCE] = random();
        self.seal_under(nonce, context, plain, out);
    }

    fn seal_under(&self, nonce: [u8; NONCE], context: &[u8], plain: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plain);
        let tag = self
            .0
            .encrypt_inout_detached(&Nonce::from(nonce), context, (&mut out[start..]).into())
            .expect("what fits into memory is within the 64 GiB of GCM");
        out.extend_from_slice(&tag);
    }

    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, BadBlob> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(BadBlob::NotABlob)?;
        let (secret, tag) = rest.split_last_chunk::<TAG>().ok_or(BadBlob::NotABlob)?;
        let mut plain = Zeroizing::new(secret.to_vec());
        self.0
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                context,
                plain.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| BadBlob::NotAuthentic)?;
        Ok(plain)
    }
}

/// Random bytes of the system. Without them nothing can be kept secret, so nothing goes on.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system gives randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::hex;

    fn key(number: u32) -> DataKey {
        DataKey::new(number, &RawKey::new([7; 16]))
    }

    #[test]
    fn sm4_gcm_gives_the_example_of_rfc_8998() {
        let raw = hex::decode("0123456789abcdeffedcba9876543210").unwrap();
        let sealing = Sealing::new(&RawKey::new(raw.try_into().unwrap()));
        let nonce = hex::decode("00001234567800000000abcd").unwrap().try_into().unwrap();
        let context = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let plain: Vec<u8> = [0xaa_u8, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa].map(|b| [b; 8]).concat();
        let mut sealed = Vec::new();
        sealing.seal_under(nonce, &context, &plain, &mut sealed);
        assert_eq!(
            hex::encode(&sealed[NONCE..]),
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
             d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
             83de3541e4c2b58177e065a9bf7b62ec"
        );
        assert_eq!(*sealing.open(&context, &sealed).unwrap(), plain);
    }

    #[test]
    fn a_blob_opens_in_its_own_context_only() {
        let blob = key(3).encrypt(b"record 1", b"secret");
        assert_eq!(blob.len(), 6 + OVERHEAD);
        assert_eq!(key_number(&blob), Ok(3));
        assert_eq!(key(3).decrypt(b"record 1", &blob).unwrap().as_slice(), b"secret");
        assert_eq!(key(3).decrypt(b"record 2", &blob).unwrap_err(), BadBlob::NotAuthentic);
        assert_eq!(key(4).decrypt(b"record 1", &blob).unwrap_err(), BadBlob::NotAuthentic);
    }

    #[test]
    fn the_same_text_never_looks_the_same_twice() {
        assert_ne!(key(1).encrypt(b"", b"same"), key(1).encrypt(b"", b"same"));
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let blob = key(3).encrypt(b"c", b"secret");
        for bit in 0..blob.len() * 8 {
            let mut changed = blob.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key(3).decrypt(b"c", &changed).is_err(), "bit {bit}");
        }
        for length in 0..blob.len() {
            assert!(key(3).decrypt(b"c", &blob[..length]).is_err(), "cut to {length}");
        }
        assert_eq!(key_number(&[]), Err(BadBlob::NotABlob));
    }
}
