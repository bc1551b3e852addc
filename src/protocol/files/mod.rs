//! Owns the CSV files by which data comes in: a file per kind, read as a stream, every fault told with line and column.
//!
//! The formats are described in `docs/import.md`. Each kind reads and writes its own rows, so that the files which the
//! sandbox writes are the files that an import reads.

pub mod balances;
pub mod catalogue;
pub mod cell;
pub mod columns;
pub mod faults;
pub mod filings;
pub mod institutions;
pub mod kind;
pub mod persons;
pub mod recognitions;
pub mod regions;
pub mod repeats;
pub mod sheet;
pub mod table;
pub mod year;
