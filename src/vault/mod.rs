//! Owns keys and what is done with them; knows nothing of medicine or money.

pub mod key_file;
pub mod lookup;
