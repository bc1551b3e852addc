//! The law of cross-region settlement, as functions over values: facts in, decision out.
//!
//! Nothing here waits, reads a clock, touches a disk, draws a random number, logs or serializes. Every rule of
//! money lives below this module and nowhere else.

pub mod accumulators;
pub mod bands;
pub mod benefit;
pub mod breakdown;
pub mod calendar;
pub mod catalogue;
pub mod clearing;
pub mod codes;
pub mod dated;
pub mod explain;
pub mod filing;
pub mod filing_change;
pub mod ids;
pub mod institution;
pub mod lines;
pub mod money;
pub mod pack;
pub mod parameters;
pub mod person;
pub mod posting;
pub mod record;
pub mod reference;
pub mod refusal;
pub mod region;
pub mod split;
pub mod state;
pub mod stay;
pub mod upload;
