//! Owns how each party speaks: bytes on one side, typed values on the other.

pub mod files;
pub mod ops;
