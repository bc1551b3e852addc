//! The law of cross-region settlement, as functions over values: facts in, decision out.
//!
//! Nothing here waits, reads a clock, touches a disk, draws a random number, logs or serializes. Every rule of
//! money lives below this module and nowhere else.

// The words of the law.
pub mod money;
pub mod digits;
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
pub mod filing_maker;

// The place of care.
pub mod catalogue;
pub mod split;

// The insured place.
pub mod parameters;
pub mod pack;
pub mod accumulators;
pub mod benefit;
pub mod breakdown;
pub mod identities;
pub mod explain;

// Deciding: facts and an order in, a decision or a refusal out.
pub mod refusal;
pub mod scene;
pub mod stay;
pub mod admission;
pub mod entitlement;
pub mod upload;
pub mod withdraw;
pub mod settle;
pub mod reverse;

// What is recorded, and what it adds up to.
pub mod record;
pub mod state;
pub mod lines;
pub mod posting;
pub mod clearing;
pub mod reference;
