//! Owns keys and what is done with them; knows nothing of medicine or money.

pub mod cipher;
pub mod hex;
pub mod key_file;
pub mod key_store;
pub mod lookup;
pub mod master;
pub mod signing;
