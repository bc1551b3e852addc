//! How a hospital system speaks: the national interface of designated institutions, infno by infno.
//!
//! Read: [`Message::read`] turns a body into checked rows. Write: [`writer`] turns values into the standard's
//! bytes. Between them stands one file per transaction that maps rows to orders and decisions to answers. A new
//! transaction is a table in [`tables`], a line in [`transaction`], and such a file.

// From bytes to checked rows and back.
pub mod body;
mod reader;
mod raw;
mod leaf;
mod checker;
mod extension;
pub mod field;
pub mod tables;
pub mod codes;
pub mod row;
pub mod content;
pub mod message;
pub mod writer;

// Who calls, and the way of a call.
pub mod callers;
pub mod signature;
pub mod face;
pub mod transaction;
pub mod routes;
mod turn;

// What answers share.
mod words;
mod kept;
mod person;
mod setlinfo;

// The transactions.
pub mod sign;
mod identify;
mod institution;
mod entitle;
mod admit;
mod change;
mod discharge;
mod cancel_admission;
mod cancel_discharge;
mod upload;
mod withdraw;
mod quote;
mod settle;
mod receipt;
mod reverse;
mod file;
mod undo;
mod look;
mod look_stay;
mod look_settlement;
mod look_line;
mod look_filing;
mod look_catalogue;

pub use message::Message;

#[cfg(test)]
mod tests;
