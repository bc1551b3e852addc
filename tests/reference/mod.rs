//! A slow reference of the fund share, in exact fractions, written from the written rules alone
//! by someone who had not read `src/domain`. It shares no code with what it judges.
pub(crate) mod book;
pub(crate) mod counts;
pub(crate) mod filing;
pub(crate) mod generate;
pub(crate) mod hand;
pub(crate) mod identities;
pub(crate) mod lines;
pub(crate) mod number;
pub(crate) mod pack;
pub(crate) mod share;
