//! Owns SM2 signatures (GB/T 32918.2 over SM3, distinguishing id 1234567812345678) and how public keys are written.

use sm2::dsa::Signature;
use sm2::dsa::VerifyingKey;
use sm2::dsa::signature::Signer as _;
use sm2::dsa::signature::Verifier as _;
use sm3::Digest as _;
use sm3::Sm3;
use zeroize::Zeroizing;

use crate::vault::cipher::random;
use crate::vault::hex;

/// The id that everybody uses who has none of their own (GM/T 0009).
pub const DISTINGUISHING_ID: &str = "1234567812345678";

/// SEC1, uncompressed: 4 ‖ x ‖ y.
const PUBLIC_BYTES: usize = 65;
/// `SubjectPublicKeyInfo` of an SM2 key up to the point: id-ecPublicKey, curve 1.2.156.10197.1.301.
const PUBLIC_INFO_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x81,
    0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00,
];

/// 32 secret bytes, wiped when dropped.
pub(crate) type RawScalar = Zeroizing<[u8; 32]>;

/// What is not a public key of SM2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key is 130 hexadecimal digits, 04 and a point of the SM2 curve")]
pub struct NotAPublicKey;

/// A key that signs.
pub struct SigningKey {
    secret: sm2::dsa::SigningKey,
    public: PublicKey,
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SigningKey({})", self.public.id)
    }
}

impl SigningKey {
    /// A fresh key.
    pub fn make() -> SigningKey {
        loop {
            // Of all 32-byte numbers less than one in 2³² is none of the curve's scalars.
            if let Some(key) = SigningKey::from_scalar(&RawScalar::new(random())) {
                return key;
            }
        }
    }

    pub(crate) fn from_scalar(scalar: &RawScalar) -> Option<SigningKey> {
        let secret = sm2::dsa::SigningKey::from_slice(DISTINGUISHING_ID, scalar.as_slice()).ok()?;
        let public = PublicKey::of(secret.verifying_key().clone());
        Some(SigningKey { secret, public })
    }

    pub(crate) fn to_scalar(&self) -> RawScalar {
        RawScalar::new(self.secret.to_bytes().into())
    }

    pub fn id(&self) -> &str {
        self.public.id()
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// r ‖ s, each 32 bytes big-endian.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature =
            self.secret.try_sign(message).expect("a scalar of the curve signs every message");
        signature.to_bytes().into()
    }
}

/// A key that checks signatures; may be known to all.
#[derive(Clone)]
pub struct PublicKey {
    key: VerifyingKey,
    id: String,
}

impl core::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for PublicKey {}

impl PublicKey {
    fn of(key: VerifyingKey) -> PublicKey {
        let digest = Sm3::digest(key.to_sec1_bytes());
        PublicKey { id: hex::encode(&digest[..8]), key }
    }

    /// First 8 bytes of SM3 over the SEC1 bytes, as 16 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// SEC1, uncompressed.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.key.to_sec1_bytes().into_vec()
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<PublicKey, NotAPublicKey> {
        if bytes.len() != PUBLIC_BYTES {
            return Err(NotAPublicKey);
        }
        let key =
            VerifyingKey::from_sec1_bytes(DISTINGUISHING_ID, bytes).map_err(|_not_a_point| NotAPublicKey)?;
        Ok(PublicKey::of(key))
    }

    pub fn to_hex(&self) -> String {
        hex::encode(&self.to_bytes())
    }

    pub fn from_hex(text: &str) -> Result<PublicKey, NotAPublicKey> {
        PublicKey::from_bytes(&hex::decode(text).ok_or(NotAPublicKey)?)
    }

    /// `-----BEGIN PUBLIC KEY-----`, as other programs read it.
    pub fn to_pem(&self) -> String {
        let info = [PUBLIC_INFO_HEAD.as_slice(), &self.to_bytes()].concat();
        let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("PUBLIC KEY", info), lines)
    }

    /// All that a text holds, in their order.
    ///
    /// # Errors
    /// When a block of it is no SM2 public key.
    pub fn all_from_pem(text: &str) -> Result<Vec<PublicKey>, NotAPublicKey> {
        let blocks = pem::parse_many(text).map_err(|_| NotAPublicKey)?;
        blocks.iter().map(|block| PublicKey::from_pem(&pem::encode(block))).collect()
    }

    pub fn from_pem(text: &str) -> Result<PublicKey, NotAPublicKey> {
        let parsed = pem::parse(text).map_err(|_not_pem| NotAPublicKey)?;
        let point = parsed.contents().strip_prefix(PUBLIC_INFO_HEAD.as_slice()).ok_or(NotAPublicKey)?;
        PublicKey::from_bytes(point)
    }

    /// Whether the signature (r ‖ s) is this key's over the message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_its_key_only() {
        let (key, other) = (SigningKey::make(), SigningKey::make());
        let signature = key.sign(b"head of the chain");
        assert!(key.public().verify(b"head of the chain", &signature));
        assert!(!key.public().verify(b"head of the chains", &signature));
        assert!(!other.public().verify(b"head of the chain", &signature));
        for bit in 0..signature.len() * 8 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.public().verify(b"head of the chain", &changed), "bit {bit}");
        }
        for wrong in [&[] as &[u8], &signature[..63], &[0; 64], &[255; 64]] {
            assert!(!key.public().verify(b"head of the chain", wrong));
        }
    }

    /// GM/T 0003.5-2012, A.2: the key and the signature over "message digest" on the recommended curve.
    #[test]
    fn the_example_of_the_standard_verifies() {
        let scalar = hex::decode("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8").unwrap();
        let key = SigningKey::from_scalar(&RawScalar::new(scalar.try_into().unwrap())).unwrap();
        assert_eq!(
            key.public().to_hex(),
            "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
             ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
        );
        let signature = hex::decode(
            "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
             b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
        )
        .unwrap();
        assert!(key.public().verify(b"message digest", &signature));
    }

    #[test]
    fn a_signature_that_openssl_made_verifies_under_the_key_that_it_wrote() {
        let public = PublicKey::from_pem(
            "-----BEGIN PUBLIC KEY-----\n\
             MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEUzJVd8nRaYXB03uFRcx1PI9QJ4rJ\n\
             LO2jlAhvreel0yYMt0GmzGWZQ66tt8B57/PnnbZpvckpXFyhIXNJ+OnLDA==\n\
             -----END PUBLIC KEY-----\n",
        )
        .unwrap();
        let signature = hex::decode(
            "7e7430f324b8e0bdfdf5461f7b61f9ae9651b9bf3eeec51bd2cac8757906d9b0\
             796804657654d4f8e0d9fafa3d0be201c65ef3ada2e669ad8c8792db03a82ec8",
        )
        .unwrap();
        assert!(public.verify(b"head of the chain", &signature));
        assert!(!public.verify(b"head of the chain.", &signature));
    }

    #[test]
    fn a_key_is_the_same_after_it_was_written_down() {
        let key = SigningKey::make();
        let again = SigningKey::from_scalar(&key.to_scalar()).unwrap();
        assert_eq!((again.id(), again.public()), (key.id(), key.public()));
        assert_eq!(key.id().len(), 16);
        assert_eq!(PublicKey::from_hex(&key.public().to_hex()).as_ref(), Ok(key.public()));
        assert_eq!(PublicKey::from_pem(&key.public().to_pem()).as_ref(), Ok(key.public()));
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_no_public_key() {
        let good = SigningKey::make().public().to_hex();
        let off_the_curve = format!("{}{}", &good[..128], if good.ends_with("00") { "01" } else { "00" });
        for wrong in ["", "04", &good[..128], &off_the_curve, &good.replace("04", "0g")] {
            assert_eq!(PublicKey::from_hex(wrong), Err(NotAPublicKey), "{wrong}");
        }
        assert_eq!(PublicKey::from_pem("nothing"), Err(NotAPublicKey));
    }
}
