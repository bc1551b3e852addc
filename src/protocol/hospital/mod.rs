//! How a hospital system speaks: the national interface of designated institutions, infno by infno.
//!
//! Read: [`Message::read`] turns a body into checked rows. Write: [`writer`] turns values into the standard's
//! bytes. Between them stands one file per transaction that maps rows to orders and decisions to answers.

pub mod body;
pub mod callers;
mod checker;
pub mod codes;
pub mod content;
pub mod face;
pub mod field;
mod leaf;
pub mod message;
mod raw;
mod reader;
pub mod routes;
pub mod row;
pub mod signature;
pub mod tables;
pub mod transaction;
pub mod writer;

pub use message::Message;

#[cfg(test)]
mod tests;
mod extension;
