//! How each party speaks: bytes to domain values and back. Knows no business and moves no bytes.

pub mod explanation;
