//! Owns what work injury pays, rules.md §2.8: the whole in-scope amount by the injury catalogue.

use crate::domain::benefit::Claim;
use crate::domain::benefit::Shares;
use crate::domain::breakdown::Fund;
use crate::domain::explain::Step;
use crate::domain::explain::Trace;
use crate::domain::money::Rate;
use crate::domain::parameters::AccountScope;

pub(super) fn shares(claim: &Claim<'_>, trace: &mut impl Trace) -> Shares {
    let paid = claim.totals.in_scope;
    let mut shares = Shares::none(AccountScope::NOTHING);
    (shares.oth, shares.pool_rate) = (paid, Rate::ONE);
    trace.step(|| Step::WorkInjury { paid });
    shares.row(Fund::WorkInjury, paid, paid, None);
    shares
}
