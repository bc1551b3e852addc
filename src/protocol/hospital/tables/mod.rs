//! Owns the field tables of the transactions: one file per family, one line per field of the standard.
//!
//! Fields that the standard does not list but clients send, and that decide something, stand in the tables as
//! optional. What is in no table is ignored.

pub mod catalogue;
pub mod envelope;
pub mod filing;
pub mod lines;
pub mod person;
pub mod query;
pub mod settlement;
pub mod sign;
pub mod stay;
