//! Drives generated histories through the real domain, the way the service does, and holds every amount,
//! every accumulator and every refusal against the reference. Each settlement is quoted before, too, as a
//! written stay in JSON.
//!
//! Where rules.md is silent, both sides follow one choice, written down here:
//! 1. A filing made on the day of admission counts like one made after it; one that begins only after the day
//!    of settlement does not count yet.
//! 2. A refund bears the price of the line that it refunds; another price is refused, so none is generated.
//!    The refund that takes the last of a line takes all that is left of its amount, whatever rounding left.
//! 3. Work injury: the injury catalogue decides in place of the class. In it everything up to the price limit is
//!    in scope, without first-pay; outside of it nothing is. A restricted drug without the hospital's approval is
//!    all hers, as elsewhere.
//! 4. At the cap walk a segment at rate 0 costs nothing and is passed while money is left; once the money is
//!    gone the walk ends, so what lies above counts as not bought.
//! 5. Terms of serious illness of an assistance category replace the general ones whole.
//! 6. `mul`: the product is clamped to 0–1, not the sum before it; a factor lies within 0–1.
//! 7. A deductible by year (or institution and year) is what the rows give for this bill less what other stays
//!    paid; the admission factor has no part in it. An outside event counts for the year, for no institution.
//! 8. The civil-servant subsidy and assistance are rounded part by part of a stay, on what that part leaves.
//! 9. A later part on the axis of an earlier year (switch off) is the same admission: it counts none in the
//!    new year, and keeps its factor.
//! 10. Age and birthday are those of the day of admission.
//! 11. What a fixed maternity sum leaves is owed once, with the part that closes the stay; neither maternity
//!     nor injury is paid from the account.
//! 12. A catalogue entry of the hospital's level goes before one for all levels, whatever their days.
//! 13. A refused settlement leaves its lines open; the next one takes them along.

mod convert;
mod facts;
mod packs;
mod quote;
mod world;

pub(crate) use facts::tables;
pub(crate) use world::drive;
