//! How each party speaks: bytes ↔ domain values.

pub mod files;
