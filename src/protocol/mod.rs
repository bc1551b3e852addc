//! How each party speaks: bytes to domain values and back. Knows no business and moves no bytes.

pub mod wire;
pub mod dates;
pub mod error;
pub mod envelope;
pub mod answer;
pub mod hospital;
pub mod explanation;
pub mod web;
pub mod person;
pub mod center;
pub mod files;
pub mod ops;
