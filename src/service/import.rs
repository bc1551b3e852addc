//! Taking data in: what a file says is compared with what the ledger holds, then recorded person by person.
//!
//! Every deed is one commit with a message key of its own, and what is there already is skipped: an import that was
//! interrupted resumes by being run again.

pub mod apply;
pub mod differences;
pub mod incoming;
pub mod objections;
pub mod shared_tables;
pub mod source;
