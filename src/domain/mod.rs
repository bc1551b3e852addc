//! The law of cross-region settlement, as functions over values: facts in, decision out.
//!
//! Nothing here waits, reads a clock, touches a disk, draws a random number, logs or serializes. Every rule of
//! money lives below this module and nowhere else.

pub mod money;
pub mod ids;
pub mod calendar;
