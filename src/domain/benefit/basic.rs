//! Owns the order of the funds of 310 and 390, rules.md §2.2 steps 5–8: each sees what the earlier ones left.

use crate::domain::bands::Bands;
use crate::domain::benefit::Claim;
use crate::domain::benefit::NoBenefit;
use crate::domain::benefit::Shares;
use crate::domain::benefit::pool;
use crate::domain::benefit::room;
use crate::domain::benefit::rounded;
use crate::domain::benefit::times;
use crate::domain::benefit::within;
use crate::domain::breakdown::Fund;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::explain::Rounded;
use crate::domain::explain::SegmentWalked;
use crate::domain::explain::SeriousIllnessStep;
use crate::domain::explain::ShareStep;
use crate::domain::explain::Step;
use crate::domain::explain::Trace;
use crate::domain::money::Fen;
use crate::domain::money::OutOfRange;
use crate::domain::money::Rate;
use crate::domain::pack::BasicRules;
use crate::domain::parameters::Cap;
use crate::domain::parameters::IllnessScale;
use crate::domain::parameters::UnfiledClaims;

pub(super) fn shares(
    claim: &Claim<'_>,
    rules: &BasicRules,
    trace: &mut impl Trace,
) -> Result<Shares, NoBenefit> {
    refuse_unfiled(claim)?;
    let pool = pool::share(claim, rules, trace)?;
    let mut shares = Shares::none(rules.account);
    shares.extra_first_pay = pool.extra_first_pay;
    (shares.dedc_std, shares.act_pay_dedc) = (pool.dedc_std, pool.act_pay_dedc);
    (shares.hifp, shares.pool_rate) = (pool.hifp, pool.rate);
    shares.row(pool_fund(claim.policy.scheme), pool.hifp, claim.totals.in_scope, pool.room);

    large_amount(claim, rules, pool.over_base, &mut shares, trace)?;
    let burden = claim.totals.in_scope - shares.hifp - shares.hifob;
    serious_illness(claim, rules, burden, &mut shares, trace)?;
    civil_servant(claim, rules, burden, &mut shares, trace)?;
    assistance(claim, rules, burden, &mut shares, trace)?;
    Ok(shares)
}

fn refuse_unfiled(claim: &Claim<'_>) -> Result<(), NoBenefit> {
    match claim.policy.filing_terms.unfiled {
        UnfiledClaims::Refuse if claim.level == BenefitLevel::Unfiled => Err(NoBenefit::UnfiledRefused),
        UnfiledClaims::Refuse | UnfiledClaims::Settle => Ok(()),
    }
}

/// Only the two basic schemes come here; the others never have a pool of their own name.
fn pool_fund(scheme: Scheme) -> Fund {
    match scheme {
        Scheme::Employee | Scheme::WorkInjury => Fund::EmployeePool,
        Scheme::Resident => Fund::ResidentPool,
        Scheme::Maternity => Fund::Maternity,
    }
}

fn illness_fund(scheme: Scheme) -> Fund {
    match scheme {
        Scheme::Resident => Fund::ResidentSeriousIllness,
        Scheme::Employee | Scheme::Maternity | Scheme::WorkInjury => Fund::EmployeeSeriousIllness,
    }
}

/// Step 5.
fn large_amount(
    claim: &Claim<'_>,
    rules: &BasicRules,
    over_base: Fen,
    shares: &mut Shares,
    trace: &mut impl Trace,
) -> Result<(), OutOfRange> {
    let Some(rule) = rules.large_amount.filter(|_| !over_base.is_zero()) else {
        return Ok(());
    };
    let step = share(over_base, rule.ratio, room(rule.cap, claim.year.hifob))?;
    trace.step(|| Step::LargeAmount(step));
    shares.hifob = step.paid;
    shares.row(Fund::LargeAmount, step.paid, step.base, step.room);
    Ok(())
}

/// Step 7: the cumulative tiers after this bill minus those before it, each rounded, so that the year's sum
/// does not depend on how it is cut into bills.
fn serious_illness(
    claim: &Claim<'_>,
    rules: &BasicRules,
    burden: Fen,
    shares: &mut Shares,
    trace: &mut impl Trace,
) -> Result<(), OutOfRange> {
    let Some(rule) = &rules.serious_illness else {
        return Ok(());
    };
    let scale = rule.scale(claim.insured.assistance);
    let (burden_before, burden_after) = (claim.year.burden, claim.year.burden + burden);
    let (before, after) = (cumulative(scale, burden_before)?, cumulative(scale, burden_after)?);
    let uncapped = after.rounded - before.rounded;
    let room = room(scale.cap, claim.year.hifmi);
    let paid = within(uncapped, room).min(burden).or_zero();
    trace.step(|| {
        let tiers = tiers_walked(&scale.tiers, scale.start, burden_after);
        let start = scale.start;
        let figures = SeriousIllnessStep {
            start,
            burden_before,
            burden_after,
            tiers,
            before,
            after,
            uncapped,
            room,
            paid,
        };
        Step::SeriousIllness(figures)
    });
    shares.hifmi = paid;
    shares.row(illness_fund(claim.policy.scheme), paid, burden, room);
    Ok(())
}

/// T: what 大病 pays on a year's burden.
fn cumulative(scale: &IllnessScale, burden: Fen) -> Result<Rounded, OutOfRange> {
    let mut sum = rust_decimal::Decimal::ZERO;
    for tier in scale.tiers.cut(scale.start, burden) {
        sum = sum.checked_add(times(tier.width(), tier.value)?).ok_or(OutOfRange)?;
    }
    rounded(sum)
}

fn tiers_walked(tiers: &Bands<Rate>, start: Fen, burden: Fen) -> Vec<SegmentWalked> {
    let walked = tiers.cut(start, burden).map(|tier| SegmentWalked {
        from: tier.from,
        to: tier.to,
        rate: tier.value,
        exact: tier.width().yuan() * tier.value.0,
    });
    walked.collect()
}

/// Step 8, first half.
fn civil_servant(
    claim: &Claim<'_>,
    rules: &BasicRules,
    burden: Fen,
    shares: &mut Shares,
    trace: &mut impl Trace,
) -> Result<(), OutOfRange> {
    if !claim.insured.civil_servant || rules.civil_servant == Rate::ZERO {
        return Ok(());
    }
    let base = (burden - shares.act_pay_dedc - shares.hifmi).or_zero();
    let step = share(base, rules.civil_servant, None)?;
    trace.step(|| Step::CivilServant(step));
    shares.cvlserv = step.paid;
    shares.row(Fund::CivilServant, step.paid, step.base, step.room);
    Ok(())
}

/// Step 8, second half.
fn assistance(
    claim: &Claim<'_>,
    rules: &BasicRules,
    burden: Fen,
    shares: &mut Shares,
    trace: &mut impl Trace,
) -> Result<(), OutOfRange> {
    let entitled =
        claim.insured.assistance.and_then(|category| Some((category, rules.assistance.get(category)?)));
    let Some((category, rule)) = entitled else {
        return Ok(());
    };
    let base = (burden - shares.hifmi - shares.cvlserv).or_zero();
    let step = share(base, rule.ratio, room(rule.cap, claim.year.maf))?;
    trace.step(|| Step::Assistance { category, share: step });
    shares.maf = step.paid;
    shares.row(Fund::Assistance, step.paid, step.base, step.room);
    Ok(())
}

/// A share of a base, rounded, then cut to the room.
fn share(base: Fen, rate: Rate, room: Cap) -> Result<ShareStep, OutOfRange> {
    let share = rounded(times(base, rate)?)?;
    Ok(ShareStep { base, rate, share, room, paid: within(share.rounded, room) })
}
