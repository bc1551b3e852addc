//! Owns steps 1–5 of rules.md §2.2: extra first-pay, deductible, rates, what the pool pays and what 大额 adds.

use rust_decimal::Decimal;

use crate::domain::bands::Bands;
use crate::domain::bands::Piece;
use crate::domain::benefit::Claim;
use crate::domain::benefit::room;
use crate::domain::benefit::rounded;
use crate::domain::benefit::times;
use crate::domain::benefit::within;
use crate::domain::codes::ByLevel;
use crate::domain::explain::DeductibleCount;
use crate::domain::explain::DeductibleStep;
use crate::domain::explain::ExtraFirstPayStep;
use crate::domain::explain::PoolCapStep;
use crate::domain::explain::PoolStep;
use crate::domain::explain::RateStep;
use crate::domain::explain::Rounded;
use crate::domain::explain::SegmentWalked;
use crate::domain::explain::Step;
use crate::domain::explain::Trace;
use crate::domain::money::Fen;
use crate::domain::money::OutOfRange;
use crate::domain::money::Rate;
use crate::domain::pack::BasicRules;
use crate::domain::parameters::DeductibleBasis;
use crate::domain::parameters::FilingRow;
use crate::domain::parameters::Ratios;
use crate::domain::parameters::Reduction;

/// What the pool's steps find.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolShare {
    pub(super) extra_first_pay: Fen,
    pub(super) dedc_std: Fen,
    pub(super) act_pay_dedc: Fen,
    pub(super) hifp: Fen,
    /// Room under the pool cap; `None` without one.
    pub(super) room: Option<Fen>,
    /// In-scope amount that the pool cap cut off: the base of 大额.
    pub(super) over_base: Fen,
    /// Rate of the highest segment reached.
    pub(super) rate: Rate,
}

/// Where this part lies on the axis of its stay, after the extra first-pay.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// End of the earlier parts.
    start: Fen,
    /// End of this part.
    end: Fen,
}

/// The deductible of the whole stay, and this part's share of it.
#[derive(Clone, Copy, Debug)]
struct DeductibleShare {
    of_stay: Fen,
    standard: Fen,
    paid: Fen,
}

/// Steps 1–4.
pub(super) fn share(
    claim: &Claim<'_>,
    rules: &BasicRules,
    trace: &mut impl Trace,
) -> Result<PoolShare, OutOfRange> {
    let row = rules.filing.row(claim.insured.status, claim.level);
    let (extra_first_pay, stretch) = extra_first_pay(claim, row, trace)?;
    let deductible = deductible(claim, rules, row, stretch, trace)?;
    let rates = Rates::of(claim, &rules.ratios, row.reduction);
    rates.tell(claim, stretch, deductible.of_stay, trace);
    let walk = Walk { rates: &rates, claim, deductible: deductible.of_stay };

    let uncapped = walk.uncapped(stretch)?;
    let room = room(rules.pool_cap, claim.year.hifp);
    let hifp = within(uncapped.amount(), room);
    trace.step(|| Step::Pool(uncapped.step(&walk, stretch, rules.pool_cap, room, hifp)));

    let paid_for = stretch.end - stretch.start - deductible.paid;
    let over_base =
        if hifp < uncapped.amount() { walk.over_base(stretch, hifp, paid_for, trace)? } else { Fen::ZERO };
    let rate = rates.applied(rates.segments.at(stretch.end).at(claim.hospital));
    let (dedc_std, act_pay_dedc) = (deductible.standard, deductible.paid);
    Ok(PoolShare { extra_first_pay, dedc_std, act_pay_dedc, hifp, room, over_base, rate })
}

/// x of a `prepay` row, rounded over the stay so that parts of it sum to the whole; and the axis without it.
fn extra_first_pay(
    claim: &Claim<'_>,
    row: FilingRow,
    trace: &mut impl Trace,
) -> Result<(Fen, Stretch), OutOfRange> {
    let (start, end) = (claim.in_scope_before(), claim.in_scope_before() + claim.totals.in_scope);
    let rate = match row.reduction {
        Reduction::None | Reduction::Points(_) | Reduction::Multiply(_) => {
            return Ok((Fen::ZERO, Stretch { start, end }));
        }
        Reduction::FirstPay(rate) => rate,
    };
    let (earlier, through) = (rate.of(start)?, rounded(times(end, rate)?)?);
    let amount = through.rounded - earlier;
    trace.step(|| Step::ExtraFirstPay(ExtraFirstPayStep { rate, through, earlier, amount }));
    Ok((amount, Stretch { start: start - earlier, end: end - through.rounded }))
}

/// Steps 1 and 2.
fn deductible(
    claim: &Claim<'_>,
    rules: &BasicRules,
    row: FilingRow,
    stretch: Stretch,
    trace: &mut impl Trace,
) -> Result<DeductibleShare, OutOfRange> {
    let rule = &rules.deductible;
    let base = rule.amount.at(claim.hospital);
    let retired_reduction = rule.retired_reduction(claim.insured.status, claim.hospital);
    let counted = counted(claim, &rule.basis);
    let (factor, borne) = match counted {
        DeductibleCount::Admission { factor, .. } => (factor, Fen::ZERO),
        DeductibleCount::Year { borne } | DeductibleCount::InstitutionYear { borne } => (Decimal::ONE, borne),
    };
    let factors = factor.checked_mul(row.deductible_factor).ok_or(OutOfRange)?;
    let whole = rounded(times(base.less(retired_reduction), Rate(factors))?)?;
    let of_stay = whole.rounded.less(borne);
    let borne_by_stay = of_stay.min(stretch.start);
    let standard = of_stay - borne_by_stay;
    let paid = standard.min(stretch.end - stretch.start);
    trace.step(|| {
        let filing_factor = row.deductible_factor;
        let amounts = DeductibleStep {
            base,
            retired_reduction,
            counted,
            filing_factor,
            whole,
            borne_by_stay,
            standard,
            paid,
        };
        Step::Deductible(amounts)
    });
    Ok(DeductibleShare { of_stay, standard, paid })
}

/// By admissions, or by what other stays bore this year.
fn counted(claim: &Claim<'_>, basis: &DeductibleBasis) -> DeductibleCount {
    let by_this_stay = claim.earlier.map_or(Fen::ZERO, |earlier| earlier.deductible);
    match basis {
        DeductibleBasis::Admission(factors) => {
            let settled = claim.admissions_before();
            DeductibleCount::Admission { settled, factor: factors.after(settled) }
        }
        DeductibleBasis::Year => DeductibleCount::Year { borne: claim.year.deductible.less(by_this_stay) },
        DeductibleBasis::InstitutionYear => {
            DeductibleCount::InstitutionYear { borne: claim.institution_deductible.less(by_this_stay) }
        }
    }
}

/// The segments with what raises and lowers their ratios for this claim.
struct Rates<'a> {
    segments: &'a Bands<ByLevel<Rate>>,
    retired_bonus: Rate,
    age_bonus: Rate,
    reduction: Reduction,
}

impl<'a> Rates<'a> {
    fn of(claim: &Claim<'_>, ratios: &'a Ratios, reduction: Reduction) -> Rates<'a> {
        let status = claim.insured.status;
        Rates {
            segments: ratios.segments(status),
            retired_bonus: ratios.retired_bonus(status),
            age_bonus: ratios.age_bonuses.at(claim.insured.age),
            reduction,
        }
    }

    /// Step 3.
    fn applied(&self, base: Rate) -> Rate {
        let full = base.0 + self.retired_bonus.0 + self.age_bonus.0;
        let reduced = match self.reduction {
            Reduction::None | Reduction::FirstPay(_) => full,
            Reduction::Points(points) => full - points.0,
            Reduction::Multiply(share) => full * share.0,
        };
        Rate(reduced).clamped()
    }

    /// Tells the rate of every segment that the part pays by; of the one it ends in, where it pays nothing.
    fn tell(&self, claim: &Claim<'_>, stretch: Stretch, deductible: Fen, trace: &mut impl Trace) {
        let mut told = 0;
        for piece in self.segments.cut(stretch.start.max(deductible), stretch.end) {
            told += 1;
            trace.step(|| self.step(piece.value.at(claim.hospital)));
        }
        if told == 0 {
            trace.step(|| self.step(self.segments.at(stretch.end).at(claim.hospital)));
        }
    }

    fn step(&self, base: Rate) -> Step {
        let (retired_bonus, age_bonus, reduction) = (self.retired_bonus, self.age_bonus, self.reduction);
        Step::Rate(RateStep { base, retired_bonus, age_bonus, reduction, applied: self.applied(base) })
    }
}

/// Walks the segments above the deductible.
struct Walk<'a, 'c> {
    rates: &'a Rates<'a>,
    claim: &'a Claim<'c>,
    deductible: Fen,
}

/// What the pool would pay without a cap.
struct Uncapped {
    through: Rounded,
    earlier: Rounded,
}

impl Walk<'_, '_> {
    /// Step 4 over the whole stay, minus step 4 over its earlier parts: each rounded once.
    fn uncapped(&self, stretch: Stretch) -> Result<Uncapped, OutOfRange> {
        let earlier = self.exact(Fen::ZERO, stretch.start)?;
        let through = earlier.checked_add(self.exact(stretch.start, stretch.end)?).ok_or(OutOfRange)?;
        Ok(Uncapped { through: rounded(through)?, earlier: rounded(earlier)? })
    }

    fn exact(&self, from: Fen, to: Fen) -> Result<Decimal, OutOfRange> {
        self.pieces(from, to).try_fold(Decimal::ZERO, |sum, piece| {
            sum.checked_add(times(piece.width(), piece.value)?).ok_or(OutOfRange)
        })
    }

    fn pieces(&self, from: Fen, to: Fen) -> impl Iterator<Item = Piece<Rate>> {
        let pieces = self.rates.segments.cut(from.max(self.deductible), to);
        pieces.map(|piece| Piece {
            from: piece.from,
            to: piece.to,
            value: self.rates.applied(piece.value.at(self.claim.hospital)),
        })
    }

    /// What is left of `paid_for` after the in-scope width that `room` bought, walking from the lowest
    /// segment up.
    fn over_base(
        &self,
        stretch: Stretch,
        room: Fen,
        paid_for: Fen,
        trace: &mut impl Trace,
    ) -> Result<Fen, OutOfRange> {
        let mut money = room.yuan();
        let mut width = Decimal::ZERO;
        for piece in self.pieces(stretch.start, stretch.end) {
            if money.is_zero() {
                break;
            }
            let price = times(piece.width(), piece.value)?;
            if price <= money {
                money -= price;
                width += piece.width().yuan();
            } else {
                width += money / piece.value.0;
                money = Decimal::ZERO;
            }
        }
        let bought = rounded(width)?;
        let over_base = paid_for.less(bought.rounded);
        trace.step(|| Step::PoolCapReached(PoolCapStep { bought, over_base }));
        Ok(over_base)
    }
}

impl Uncapped {
    fn amount(&self) -> Fen {
        self.through.rounded - self.earlier.rounded
    }

    fn step(
        &self,
        walk: &Walk<'_, '_>,
        stretch: Stretch,
        cap: Option<Fen>,
        room: Option<Fen>,
        paid: Fen,
    ) -> PoolStep {
        let walked = |piece: Piece<Rate>| SegmentWalked {
            from: piece.from,
            to: piece.to,
            rate: piece.value,
            exact: piece.width().yuan() * piece.value.0,
        };
        PoolStep {
            through: self.through,
            earlier: self.earlier,
            segments: walk.pieces(stretch.start, stretch.end).map(walked).collect(),
            uncapped: self.amount(),
            cap,
            room,
            paid,
        }
    }
}
