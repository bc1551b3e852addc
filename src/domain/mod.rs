//! The law of cross-region settlement, as functions over values: facts in, decision out.
//!
//! Nothing here waits, reads a clock, touches a disk, draws a random number, logs or serializes. Every rule of
//! money lives below this module and nowhere else.

// The words of the law.
// Who and where.
// The place of care.
// The insured place.
// What is recorded, and what it adds up to.

pub mod accumulators;
pub mod admission;
pub mod bands;
pub mod benefit;
pub mod breakdown;
pub mod identities;
pub mod explain;
// What is recorded, and what it adds up to.
pub mod stay;
pub mod record;
pub mod state;
pub mod lines;
pub mod posting;
pub mod clearing;
pub mod codes;
pub mod dated;
pub mod entitlement;
pub mod filing;
pub mod filing_change;
pub mod ids;
pub mod institution;
pub mod money;
pub mod pack;
pub mod parameters;
pub mod person;
pub mod reference;
pub mod refusal;
pub mod region;
pub mod reverse;
pub mod scene;
pub mod settle;
pub mod split;
pub mod upload;
pub mod withdraw;
pub mod calendar;
pub mod catalogue;
