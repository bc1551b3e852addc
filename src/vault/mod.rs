//! Owns keys and what is done with them; knows nothing of medicine or money.

pub mod cipher;
pub mod hex;
pub mod key_file;
pub mod key_store;
pub mod lookup;
pub mod master;
pub mod signing;

/// Random bytes that tell one thing from every other; no secret.
pub fn random_id() -> [u8; 16] {
    cipher::random()
}
