//! Use cases, a file per verb: load facts → let the domain decide → commit → give back what was recorded.

pub mod import;
pub mod seams;
