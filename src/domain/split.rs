//! Owns the split of a fee line into class C, over-limit, first-pay and in-scope, and of a refund of it.

use core::ops::Sub;

use rust_decimal::Decimal;

use crate::domain::breakdown::BillTotals;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::money::Fen;
use crate::domain::money::OutOfRange;
use crate::domain::money::Rate;

/// What a hospital charges on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// 单价 `pric`, yuan, at most six decimals.
    pub price: Decimal,
    /// 数量 `cnt`, at most four decimals; negative on a refund.
    pub count: Decimal,
    /// 明细项目费用总额 `det_item_fee_sumamt`; negative on a refund.
    pub amount: Fen,
}

/// Which column of the catalogue decides what is in scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Class, restriction and self-pay share.
    Medical,
    /// The injury catalogue: in it everything up to the price limit, outside of it nothing.
    Injury,
}

/// Why all of a line is the patient's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullOwnPay {
    ClassC,
    /// 限制使用 without 医院审批.
    RestrictedWithoutApproval,
    NotInInjuryCatalogue,
}

/// What a line is cut by. Kept with the line, so that a refund of it is cut alike whatever the catalogue says then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub price: Decimal,
    pub price_limit: Option<Decimal>,
    pub self_pay: Rate,
    pub full_own_pay: Option<FullOwnPay>,
}

/// A line in its four parts, which sum to `amount`. Negative on a refund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineSplit {
    pub amount: Fen,
    pub parts: BillTotals,
}

/// What is left of a line after the refunds so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub count: Decimal,
    pub amount: Fen,
}

/// Why a line cannot be split. Each names the wire's field and both figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSplit {
    #[error("det_item_fee_sumamt {amount} is not pric × cnt = {expected}")]
    AmountDiffers { amount: Fen, expected: Fen },
    #[error("{field} {value} has more than {decimals_max} decimals")]
    TooManyDecimals { field: &'static str, value: Decimal, decimals_max: u32 },
    #[error("{field} {value} must be {wanted}")]
    WrongSign { field: &'static str, value: Decimal, wanted: &'static str },
    #[error("cnt {asked} refunds more than the {left} that is left of the line")]
    CountNotLeft { asked: Decimal, left: Decimal },
    #[error("det_item_fee_sumamt {asked} refunds more than the {left} that is left of the line")]
    AmountNotLeft { asked: Fen, left: Fen },
    #[error(
        "det_item_fee_sumamt {asked} refunds the last of the line but not all of the {left} that is left"
    )]
    AmountNotAllOfTheRest { asked: Fen, left: Fen },
    #[error("pric {price} of a refund is not the {original} of the line that it refunds")]
    PriceDiffers { price: Decimal, original: Decimal },
    #[error("{field} {value} is out of range")]
    OutOfRange { field: &'static str, value: Decimal },
}

impl NoSplit {
    /// The wire's name of the field that is at fault.
    pub fn field(&self) -> &'static str {
        match self {
            NoSplit::AmountDiffers { .. } | NoSplit::AmountNotLeft { .. } => AMOUNT,
            NoSplit::AmountNotAllOfTheRest { .. } => AMOUNT,
            NoSplit::CountNotLeft { .. } => COUNT,
            NoSplit::PriceDiffers { .. } => PRICE,
            NoSplit::TooManyDecimals { field, .. }
            | NoSplit::WrongSign { field, .. }
            | NoSplit::OutOfRange { field, .. } => field,
        }
    }
}

const AMOUNT: &str = "det_item_fee_sumamt";
const COUNT: &str = "cnt";
const PRICE: &str = "pric";

impl Cut {
    /// How a catalogue entry cuts a line at this price. `approved`: 医院审批标志 `hosp_appr_flag` is 1.
    pub fn of(item: &CatalogueItem, price: Decimal, approved: bool, scope: Scope) -> Cut {
        let (self_pay, full_own_pay) = match scope {
            Scope::Medical => (item.self_pay, medical_own_pay(item, approved)),
            Scope::Injury => (Rate::ZERO, (!item.injury).then_some(FullOwnPay::NotInInjuryCatalogue)),
        };
        Cut { price, price_limit: item.price_limit, self_pay, full_own_pay }
    }

    /// Splits a charge. The amount as sent counts, once it lies within `tolerance` of price × count.
    pub fn split(&self, charge: &Charge, tolerance: Fen) -> Result<LineSplit, NoSplit> {
        check_decimals(charge)?;
        check_sign(
            COUNT,
            charge.count,
            charge.count > Decimal::ZERO,
            "above zero, or name the line that it refunds",
        )?;
        check_sign(AMOUNT, charge.amount.yuan(), !charge.amount.is_negative(), "zero or more")?;
        check_amount(charge.price, charge, tolerance)?;
        self.parts(Left { count: charge.count, amount: charge.amount })
    }

    /// Splits a refund of a line of which `left` is left before it: the parts of what is left after it minus the
    /// parts of what was left before, so that refunds of all of a line cancel it to the fen in every part.
    pub fn refund(&self, left: Left, refund: &Charge, tolerance: Fen) -> Result<LineSplit, NoSplit> {
        check_decimals(refund)?;
        check_sign(COUNT, refund.count, refund.count < Decimal::ZERO, "below zero on a refund")?;
        check_sign(AMOUNT, refund.amount.yuan(), refund.amount <= Fen::ZERO, "zero or less on a refund")?;
        if refund.price != self.price {
            return Err(NoSplit::PriceDiffers { price: refund.price, original: self.price });
        }
        let after = take(left, refund, tolerance)?;
        Ok(self.parts(after)? - self.parts(left)?)
    }

    /// The four parts of an amount, rules.md §2.1.
    fn parts(&self, net: Left) -> Result<LineSplit, NoSplit> {
        let amount = net.amount;
        if self.full_own_pay.is_some() {
            let parts = BillTotals { full_own_pay: amount, ..BillTotals::default() };
            return Ok(LineSplit { amount, parts });
        }
        let over_limit = self.over_limit(net)?;
        let base = amount - over_limit;
        let first_pay = self.self_pay.of(base).map_err(out_of_range(AMOUNT, base.yuan()))?;
        let parts = BillTotals { full_own_pay: Fen::ZERO, over_limit, first_pay, in_scope: base - first_pay };
        Ok(LineSplit { amount, parts })
    }

    fn over_limit(&self, net: Left) -> Result<Fen, NoSplit> {
        let Some(limit) = self.price_limit else {
            return Ok(Fen::ZERO);
        };
        let above = (self.price - limit).max(Decimal::ZERO);
        Ok(product(above, net.count)?.min(net.amount))
    }
}

fn medical_own_pay(item: &CatalogueItem, approved: bool) -> Option<FullOwnPay> {
    match item.charge_level {
        ChargeLevel::C => Some(FullOwnPay::ClassC),
        ChargeLevel::A | ChargeLevel::B => {
            (item.restricted && !approved).then_some(FullOwnPay::RestrictedWithoutApproval)
        }
    }
}

/// What is left after a refund.
fn take(left: Left, refund: &Charge, tolerance: Fen) -> Result<Left, NoSplit> {
    let after = Left { count: left.count + refund.count, amount: left.amount + refund.amount };
    if after.count < Decimal::ZERO {
        return Err(NoSplit::CountNotLeft { asked: -refund.count, left: left.count });
    }
    if after.amount.is_negative() {
        return Err(NoSplit::AmountNotLeft { asked: -refund.amount, left: left.amount });
    }
    // The last of a line takes what rounding left of it, so its amount is not held against price × count.
    if after.count > Decimal::ZERO {
        return check_amount(refund.price, refund, tolerance).map(|()| after);
    }
    if after.amount.is_zero() {
        Ok(after)
    } else {
        Err(NoSplit::AmountNotAllOfTheRest { asked: -refund.amount, left: left.amount })
    }
}

fn check_decimals(charge: &Charge) -> Result<(), NoSplit> {
    let (price, count) = (charge.price, charge.count);
    for (field, value, decimals_max, digits_max) in [(PRICE, price, 6, 10), (COUNT, count, 4, 12)] {
        if value.normalize().scale() > decimals_max {
            return Err(NoSplit::TooManyDecimals { field, value, decimals_max });
        }
        if value.abs().trunc() >= Decimal::from(10_u64.pow(digits_max)) {
            return Err(NoSplit::OutOfRange { field, value });
        }
    }
    check_sign(PRICE, price, price >= Decimal::ZERO, "zero or more")
}

fn check_sign(field: &'static str, value: Decimal, right: bool, wanted: &'static str) -> Result<(), NoSplit> {
    if right { Ok(()) } else { Err(NoSplit::WrongSign { field, value, wanted }) }
}

fn check_amount(price: Decimal, charge: &Charge, tolerance: Fen) -> Result<(), NoSplit> {
    let expected = product(price, charge.count)?;
    let amount = charge.amount;
    if (amount - expected).abs() > tolerance {
        Err(NoSplit::AmountDiffers { amount, expected })
    } else {
        Ok(())
    }
}

/// `round2(price × count)`.
fn product(price: Decimal, count: Decimal) -> Result<Fen, NoSplit> {
    let exact = price.checked_mul(count).ok_or(NoSplit::OutOfRange { field: AMOUNT, value: price })?;
    Fen::round(exact).map_err(out_of_range(AMOUNT, exact))
}

fn out_of_range(field: &'static str, value: Decimal) -> impl Fn(OutOfRange) -> NoSplit {
    move |OutOfRange| NoSplit::OutOfRange { field, value }
}

impl Sub for LineSplit {
    type Output = LineSplit;
    fn sub(self, other: LineSplit) -> LineSplit {
        LineSplit { amount: self.amount - other.amount, parts: self.parts - other.parts }
    }
}
