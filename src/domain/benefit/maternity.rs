//! Owns what maternity pays, rules.md §2.8: a ratio, a limit or a fixed sum, without deductible or filing.

use crate::domain::benefit::Claim;
use crate::domain::benefit::NoBenefit;
use crate::domain::benefit::Shares;
use crate::domain::breakdown::Fund;
use crate::domain::explain::MaternityStep;
use crate::domain::explain::Step;
use crate::domain::explain::Trace;
use crate::domain::money::Fen;
use crate::domain::money::OutOfRange;
use crate::domain::money::Rate;
use crate::domain::parameters::Cap;
use crate::domain::parameters::MaternityPay;
use crate::domain::parameters::MaternityRules;

pub(super) fn shares(
    claim: &Claim<'_>,
    rules: &MaternityRules,
    trace: &mut impl Trace,
) -> Result<Shares, NoBenefit> {
    let kind = claim.maternity.ok_or(NoBenefit::MaternityKindMissing)?;
    let pay = rules.pay(kind, claim.hospital).ok_or(NoBenefit::MaternityKindNotRuled(kind))?;
    let through = paid_up_to(pay, claim.in_scope_before() + claim.totals.in_scope)?;
    let earlier = paid_up_to(pay, claim.in_scope_before())?;
    let mut shares = Shares::none(rules.account);
    shares.hifp = through - earlier;
    shares.pool_rate = rate(pay);
    if claim.closes_stay {
        shares.owed_to_person = left_of_sum(pay, through);
    }
    let (paid, owed_to_person) = (shares.hifp, shares.owed_to_person);
    trace.step(|| Step::Maternity(MaternityStep { kind, pay, through, earlier, paid, owed_to_person }));
    shares.row(Fund::Maternity, paid, claim.totals.in_scope, room(pay, earlier));
    Ok(shares)
}

/// On an in-scope amount of a whole stay.
fn paid_up_to(pay: MaternityPay, in_scope: Fen) -> Result<Fen, OutOfRange> {
    match pay {
        MaternityPay::Ratio(share) => share.of(in_scope),
        MaternityPay::Limit(sum) | MaternityPay::Fixed(sum) => Ok(in_scope.min(sum)),
    }
}

/// What a fixed sum leaves for her when the stay is closed.
fn left_of_sum(pay: MaternityPay, paid: Fen) -> Fen {
    match pay {
        MaternityPay::Ratio(_) | MaternityPay::Limit(_) => Fen::ZERO,
        MaternityPay::Fixed(sum) => sum.less(paid),
    }
}

fn room(pay: MaternityPay, paid: Fen) -> Cap {
    match pay {
        MaternityPay::Ratio(_) => None,
        MaternityPay::Limit(sum) | MaternityPay::Fixed(sum) => Some(sum.less(paid)),
    }
}

fn rate(pay: MaternityPay) -> Rate {
    match pay {
        MaternityPay::Ratio(share) => share,
        MaternityPay::Limit(_) | MaternityPay::Fixed(_) => Rate::ONE,
    }
}
