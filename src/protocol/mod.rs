//! How each party speaks: bytes to domain values and back. Knows no business and moves no bytes.

pub mod answer;
pub mod dates;
pub mod envelope;
pub mod error;
pub mod hospital;
pub mod wire;
