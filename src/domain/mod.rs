//! The law of cross-region settlement, as functions over values: facts in, decision out.
//!
//! Nothing here waits, reads a clock, touches a disk, draws a random number, logs or serializes. Every rule of
//! money lives below this module and nowhere else.

// The words of the law.
pub mod money;
pub mod ids;
pub mod calendar;
pub mod codes;
pub mod dated;
pub mod bands;
// Who and where.
pub mod region;
pub mod institution;
pub mod person;
pub mod filing;
pub mod filing_change;
pub mod scene;
pub mod filing_maker;
pub mod entitlement;
// The place of care.
pub mod catalogue;
pub mod split;
pub mod upload;
pub mod withdraw;
// The insured place.
pub mod parameters;
pub mod pack;
pub mod accumulators;
pub mod benefit;
pub mod breakdown;
pub mod identities;
pub mod explain;
// The life of a stay.
pub mod stay;
pub mod admission;
pub mod settle;
pub mod reverse;
// What is recorded, and what it adds up to.
pub mod record;
pub mod state;
pub mod lines;
pub mod posting;
pub mod clearing;
pub mod reference;
pub mod refusal;
