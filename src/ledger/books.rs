//! Owns the whole book, whatever database holds it: its proof, its receipts and anchors, its shared tables, how it is read
//! for a backup and made anew from one. Everything asks through the seam of `ledger/sql`.

pub(super) mod anchors;
mod appended;
mod check;
mod credentials;
mod folds;
pub(super) mod log;
pub(super) mod questions;
pub(super) mod receipts;
pub(super) mod reference;
pub(super) mod restoring;
mod seals;
mod settlement;
mod tables;
pub(super) mod verify;

/// The blocks of the lane that is the first value of a statement: they lie in the lane's bucket.
macro_rules! of_lane {
    () => {
        "bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0) AND lane = ?1"
    };
}
use of_lane;
