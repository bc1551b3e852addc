//! Drives a gateway and a named opponent in one run, measures both, and asks the ledger afterwards.
//!
//! The modules in reading order: what is sent, where it runs, how it is driven, what came of it.

pub mod plan;
pub mod step;
pub mod stock;
pub mod case;
pub mod failed;
pub mod child;
pub mod syncs;
pub mod opponent;
pub mod floor;
pub mod plain;
pub mod client;
pub mod place;
pub mod pace;
pub mod drive;
pub mod measured;
pub mod reconcile;
pub mod stage;
pub mod day;
pub mod replay;
pub mod overload;
pub mod seals;
pub mod run;
pub mod sweep;
pub mod bars;
pub mod plot;
pub mod report;
pub mod charts;
