//! The fund share held against a slow exact reference over many years of bills.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is the test's failure")]
#![expect(dead_code, reason = "the driver that uses the rest follows")]

mod reference;
