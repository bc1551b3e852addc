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
    /// The injury catalogue: in it everything up to the price limit without first-pay, outside of it nothing. A
    /// restricted drug needs the hospital's approval here too.
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

/// What a line is cut by. Kept with the line, so that a refund of it is cut alike whatever the catalogue says
/// then.
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
        "det_item_fee_sumamt {asked} refunds the last of the line but not all of the {left} that is left: send -{left}"
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
            Scope::Injury => (Rate::ZERO, injury_own_pay(item, approved)),
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

    /// Splits a refund of a line of which `left` is left before it: the parts of what is left after it minus
    /// the parts of what was left before, so that refunds of all of a line cancel it to the fen in every
    /// part.
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
        ChargeLevel::A | ChargeLevel::B => restriction(item, approved),
    }
}

fn injury_own_pay(item: &CatalogueItem, approved: bool) -> Option<FullOwnPay> {
    if item.injury { restriction(item, approved) } else { Some(FullOwnPay::NotInInjuryCatalogue) }
}

fn restriction(item: &CatalogueItem, approved: bool) -> Option<FullOwnPay> {
    (item.restricted && !approved).then_some(FullOwnPay::RestrictedWithoutApproval)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::tests::item;
    use proptest::prelude::*;

    const TOLERANCE: Fen = Fen(1);

    fn exact(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn fen(text: &str) -> Fen {
        Fen::from_yuan(exact(text)).unwrap()
    }

    fn charge(price: &str, count: &str, amount: &str) -> Charge {
        Charge { price: exact(price), count: exact(count), amount: fen(amount) }
    }

    fn cut(price: &str, limit: Option<&str>, self_pay: &str) -> Cut {
        let price_limit = limit.map(exact);
        Cut { price: exact(price), price_limit, self_pay: Rate(exact(self_pay)), full_own_pay: None }
    }

    /// Class C, over-limit, first-pay, in scope.
    fn parts(split: LineSplit) -> [String; 4] {
        assert_eq!(split.parts.fee(), split.amount);
        let p = split.parts;
        [p.full_own_pay, p.over_limit, p.first_pay, p.in_scope].map(|amount| amount.to_string())
    }

    fn split(cut: &Cut, count: &str, amount: &str) -> [String; 4] {
        let charge = Charge { price: cut.price, count: exact(count), amount: fen(amount) };
        parts(cut.split(&charge, TOLERANCE).unwrap())
    }

    #[test]
    fn the_lines_of_the_worked_examples() {
        for (cut, count, amount, expected) in [
            (cut("120", None, "0"), "14", "1680", ["0.00", "0.00", "0.00", "1680.00"]),
            (cut("268.50", None, "0.10"), "30", "8055", ["0.00", "0.00", "805.50", "7249.50"]),
            (cut("9800", Some("8500"), "0.20"), "1", "9800", ["0.00", "1300.00", "1700.00", "6800.00"]),
            (cut("77.77", None, "0.05"), "33", "2566.41", ["0.00", "0.00", "128.32", "2438.09"]),
        ] {
            assert_eq!(split(&cut, count, amount), expected);
        }
    }

    #[test]
    fn over_limit_counts_units_and_stays_within_the_amount() {
        for (price, limit, count, amount, expected) in [
            ("10", "10", "3", "30", ["0.00", "0.00", "0.00", "30.00"]),
            ("10", "10.000001", "3", "30", ["0.00", "0.00", "0.00", "30.00"]),
            ("10", "9.998334", "3", "30", ["0.00", "0.00", "0.00", "30.00"]),
            ("10", "9.998333", "3", "30", ["0.00", "0.01", "0.00", "29.99"]),
            ("10", "4", "0.5", "5", ["0.00", "3.00", "0.00", "2.00"]),
            ("10", "0", "3", "29.99", ["0.00", "29.99", "0.00", "0.00"]),
            ("10", "0", "3", "30.01", ["0.00", "30.00", "0.00", "0.01"]),
        ] {
            assert_eq!(
                split(&cut(price, Some(limit), "0"), count, amount),
                expected,
                "{price} {limit} {count}"
            );
        }
    }

    #[test]
    fn half_a_fen_of_first_pay_goes_up() {
        assert_eq!(split(&cut("0.10", None, "0.05"), "1", "0.10"), ["0.00", "0.00", "0.01", "0.09"]);
        assert_eq!(split(&cut("0.09", None, "0.05"), "1", "0.09"), ["0.00", "0.00", "0.00", "0.09"]);
        assert_eq!(split(&cut("7", None, "1"), "1", "7"), ["0.00", "0.00", "7.00", "0.00"]);
    }

    #[test]
    fn the_amount_may_differ_by_the_tolerance_only() {
        let third = cut("33.333333", None, "0");
        for (amount, right) in
            [("99.99", true), ("100.00", true), ("100.01", true), ("99.98", false), ("100.02", false)]
        {
            let result = third.split(&charge("33.333333", "3", amount), TOLERANCE);
            let refused = NoSplit::AmountDiffers { amount: fen(amount), expected: fen("100") };
            assert_eq!(result.err(), (!right).then_some(refused), "{amount}");
        }
        let strict = third.split(&charge("33.333333", "3", "100.01"), Fen::ZERO);
        assert_eq!(strict.unwrap_err().to_string(), "det_item_fee_sumamt 100.01 is not pric × cnt = 100.00");
    }

    #[test]
    fn what_is_not_a_charge_is_refused_by_field() {
        let any = cut("1", None, "0");
        for (charge, field) in [
            (charge("1.0000001", "1", "1"), "pric"),
            (charge("1", "1.00001", "1"), "cnt"),
            (charge("-1", "1", "0"), "pric"),
            (charge("1", "0", "0"), "cnt"),
            (charge("1", "-1", "-1"), "cnt"),
            (charge("1", "1", "-0.01"), "det_item_fee_sumamt"),
            (charge("10000000000", "1", "0"), "pric"),
            (charge("1", "1000000000000", "0"), "cnt"),
            (charge("9999999999", "999999999999", "0"), "det_item_fee_sumamt"),
            (charge("1", "1", "2"), "det_item_fee_sumamt"),
        ] {
            assert_eq!(any.split(&charge, TOLERANCE).unwrap_err().field(), field, "{charge:?}");
        }
        for fine in [
            charge("1.0000010", "1.00010", "1"),
            charge("0", "1", "0"),
            charge("9999999999.999999", "0.0001", "1000000"),
        ] {
            assert!(any.split(&fine, TOLERANCE).is_ok(), "{fine:?}");
        }
    }

    #[test]
    fn the_catalogue_decides_what_is_the_patients() {
        let a = item("a");
        let c = CatalogueItem { charge_level: ChargeLevel::C, self_pay: Rate::ONE, ..a.clone() };
        let restricted = CatalogueItem { restricted: true, ..a.clone() };
        let b_injury = CatalogueItem {
            charge_level: ChargeLevel::B,
            self_pay: Rate(exact("0.20")),
            price_limit: Some(exact("80")),
            injury: true,
            ..a.clone()
        };
        let c_injury = CatalogueItem { injury: true, ..c.clone() };
        let restricted_injury = CatalogueItem { restricted: true, ..b_injury.clone() };
        for (item, approved, scope, expected, reason) in [
            (&a, false, Scope::Medical, ["0.00", "0.00", "0.00", "100.00"], None),
            (&c, true, Scope::Medical, ["100.00", "0.00", "0.00", "0.00"], Some(FullOwnPay::ClassC)),
            (
                &restricted,
                false,
                Scope::Medical,
                ["100.00", "0.00", "0.00", "0.00"],
                Some(FullOwnPay::RestrictedWithoutApproval),
            ),
            (&restricted, true, Scope::Medical, ["0.00", "0.00", "0.00", "100.00"], None),
            (&b_injury, false, Scope::Medical, ["0.00", "20.00", "16.00", "64.00"], None),
            (&b_injury, false, Scope::Injury, ["0.00", "20.00", "0.00", "80.00"], None),
            (&c_injury, false, Scope::Injury, ["0.00", "0.00", "0.00", "100.00"], None),
            (
                &restricted_injury,
                false,
                Scope::Injury,
                ["100.00", "0.00", "0.00", "0.00"],
                Some(FullOwnPay::RestrictedWithoutApproval),
            ),
            (&restricted_injury, true, Scope::Injury, ["0.00", "20.00", "0.00", "80.00"], None),
            (
                &a,
                true,
                Scope::Injury,
                ["100.00", "0.00", "0.00", "0.00"],
                Some(FullOwnPay::NotInInjuryCatalogue),
            ),
        ] {
            let cut = Cut::of(item, exact("100"), approved, scope);
            assert_eq!(cut.full_own_pay, reason);
            assert_eq!(split(&cut, "1", "100"), expected, "{item:?} {scope:?}");
        }
    }

    fn left(count: &str, amount: &str) -> Left {
        Left { count: exact(count), amount: fen(amount) }
    }

    #[test]
    fn refunds_of_all_of_a_line_cancel_every_part() {
        let cut = cut("33.333333", Some("30.5"), "0.15");
        let whole = cut.split(&charge("33.333333", "3", "100"), TOLERANCE).unwrap();
        let first = cut.refund(left("3", "100"), &charge("33.333333", "-1", "-33.33"), TOLERANCE).unwrap();
        let second = cut.refund(left("2", "66.67"), &charge("33.333333", "-1", "-33.33"), TOLERANCE).unwrap();
        let last = cut.refund(left("1", "33.34"), &charge("33.333333", "-1", "-33.34"), TOLERANCE).unwrap();
        assert_eq!(parts(whole), ["0.00", "8.50", "13.73", "77.77"]);
        assert_eq!(parts(first), ["0.00", "-2.83", "-4.58", "-25.92"]);
        let sum = [whole, first, second, last].iter().map(|split| split.parts).sum::<BillTotals>();
        assert_eq!((sum, first.amount + second.amount + last.amount), (BillTotals::default(), fen("-100")));
        let at_once = cut.refund(left("3", "100"), &charge("33.333333", "-3", "-100"), TOLERANCE).unwrap();
        assert_eq!(whole.parts + at_once.parts, BillTotals::default());
    }

    #[test]
    fn a_refund_of_class_c_is_class_c() {
        let cut = Cut { full_own_pay: Some(FullOwnPay::ClassC), ..cut("10", None, "1") };
        let refund = cut.refund(left("5", "50"), &charge("10", "-2", "-20"), TOLERANCE).unwrap();
        assert_eq!(parts(refund), ["-20.00", "0.00", "0.00", "0.00"]);
    }

    #[test]
    fn never_more_is_refunded_than_is_left() {
        let cut = cut("10", None, "0");
        let five = left("5", "50");
        for (refund, refused) in [
            (
                charge("10", "-5.0001", "-50"),
                NoSplit::CountNotLeft { asked: exact("5.0001"), left: exact("5") },
            ),
            (charge("10", "-5", "-50.01"), NoSplit::AmountNotLeft { asked: fen("50.01"), left: fen("50") }),
            (
                charge("10", "-5", "-49.99"),
                NoSplit::AmountNotAllOfTheRest { asked: fen("49.99"), left: fen("50") },
            ),
            (
                charge("10", "-4", "-40.02"),
                NoSplit::AmountDiffers { amount: fen("-40.02"), expected: fen("-40") },
            ),
            (charge("11", "-1", "-11"), NoSplit::PriceDiffers { price: exact("11"), original: exact("10") }),
        ] {
            assert_eq!(cut.refund(five, &refund, TOLERANCE), Err(refused));
        }
        for (refund, field) in [
            (charge("10", "1", "-10"), "cnt"),
            (charge("10", "0", "0"), "cnt"),
            (charge("10", "-1", "0.01"), "det_item_fee_sumamt"),
            (charge("10", "-1.00001", "-10"), "cnt"),
            (charge("11", "-1", "-11"), "pric"),
            (charge("10", "-6", "-50"), "cnt"),
            (charge("10", "-5", "-51"), "det_item_fee_sumamt"),
            (charge("10", "-5", "-49"), "det_item_fee_sumamt"),
        ] {
            assert_eq!(cut.refund(five, &refund, TOLERANCE).unwrap_err().field(), field, "{refund:?}");
        }
        for fine in
            [charge("10.00", "-5", "-50"), charge("10", "-4", "-40.01"), charge("10", "-4.9999", "-50")]
        {
            assert!(cut.refund(five, &fine, TOLERANCE).is_ok(), "{fine:?}");
        }
        let free = Cut { price: Decimal::ZERO, ..cut };
        assert!(free.refund(left("2", "0"), &charge("0", "-1", "0"), TOLERANCE).is_ok());
    }

    /// What rounding left of a line goes with its last unit, whatever price × count says.
    #[test]
    fn the_last_refund_takes_the_rest() {
        let cut = cut("0.333333", None, "0");
        let last = cut.refund(left("1", "0.36"), &charge("0.333333", "-1", "-0.36"), TOLERANCE).unwrap();
        assert_eq!(last.amount, fen("-0.36"));
    }

    fn any_cut() -> impl Strategy<Value = Cut> {
        let price = (0_i64..2_000_000_000).prop_map(|micro| Decimal::new(micro, 6));
        let limit = proptest::option::of((0_i64..2_000_000_000).prop_map(|micro| Decimal::new(micro, 6)));
        let own = proptest::sample::select(vec![None, None, None, Some(FullOwnPay::ClassC)]);
        (price, limit, 0_i64..=10_000, own).prop_map(|(price, price_limit, share, full_own_pay)| Cut {
            price,
            price_limit,
            self_pay: Rate(Decimal::new(share, 4)),
            full_own_pay,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        /// Whatever the price, the limit and the pieces, refunds of all of a line leave nothing of any part.
        #[test]
        fn refunds_cancel_exactly(
            cut in any_cut(),
            counts in proptest::collection::vec(1_i64..100_000, 1..6),
            off in -1_i64..=1,
        ) {
            let count: Decimal = counts.iter().map(|count| Decimal::new(*count, 4)).sum();
            let amount = (product(cut.price, count).unwrap() + Fen(off)).or_zero();
            let whole = cut.split(&Charge { price: cut.price, count, amount }, TOLERANCE).unwrap();
            prop_assert_eq!(whole.parts.fee(), amount);
            let mut left = Left { count, amount };
            let mut net = whole.parts;
            for (index, piece) in counts.iter().enumerate() {
                let count = Decimal::new(*piece, 4);
                let last = index + 1 == counts.len();
                let by_price = product(cut.price, count).unwrap().min(left.amount);
                let asked = if last { left.amount } else { by_price };
                let refund = Charge { price: cut.price, count: -count, amount: -asked };
                let refunded = cut.refund(left, &refund, Fen(10)).unwrap();
                prop_assert_eq!(refunded.parts.fee(), -asked);
                net = net + refunded.parts;
                left = Left { count: left.count - count, amount: left.amount - asked };
            }
            prop_assert_eq!(net, BillTotals::default());
        }
    }
}
