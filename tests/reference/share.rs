//! The bill level of rules.md §2.2, and the two funds of §2.8, as F(so far with it) − F(without it).
use super::counts::Met;
use super::lines::Split;
use super::number::{Exact, Fen, left, parts, round, share_of, whole};
use super::pack::{
    AccountScope, Band, Benefit, DeductibleBasis, MaternityRule, Reduction, SchemeRules, SeriousIllness,
};

/// The accumulators of (person, scheme, year); assistance runs over all schemes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) admissions: i64,
    pub(crate) pool: Fen,
    pub(crate) large: Fen,
    pub(crate) serious: Fen,
    pub(crate) assistance: Fen,
    pub(crate) burden: Fen,
    /// Deductible paid, for packs that count it by the year.
    pub(crate) deductible: Fen,
}

/// What the person is on the day of admission.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) retired: bool,
    pub(crate) age: i64,
    pub(crate) civil_servant: bool,
    pub(crate) category: Option<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) rules: &'a SchemeRules,
    pub(crate) assistance: Option<(i64, Option<Fen>)>,
    pub(crate) standing: &'a Standing,
    /// 0, 1, 2 for the levels 1, 2, 3, and 3 for primary care.
    pub(crate) level: usize,
    pub(crate) benefit: Benefit,
    pub(crate) split: Split,
    /// In scope of the parts of the stay already settled on this axis.
    pub(crate) earlier: Fen,
    /// Settled admissions of the year before this stay.
    pub(crate) index: i64,
    /// Deductible paid by other stays, where it runs by year or by institution and year.
    pub(crate) deductible_paid: Fen,
    pub(crate) so_far: Totals,
    /// The balance, when the person chose the account.
    pub(crate) account: Option<Fen>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) split: Split,
    pub(crate) prepay: Fen,
    pub(crate) deductible_standard: Fen,
    pub(crate) deductible: Fen,
    pub(crate) pool: Fen,
    pub(crate) large: Fen,
    pub(crate) serious: Fen,
    pub(crate) civil_servant: Fen,
    pub(crate) assistance: Fen,
    /// Work injury stands in `oth_pay`.
    pub(crate) other: Fen,
    pub(crate) account: Fen,
    pub(crate) cash: Fen,
    /// Step 6: in scope, less pool and large amount.
    pub(crate) burden: Fen,
    /// What a fixed maternity sum still owes the person; never on the wire.
    pub(crate) owed: Fen,
}

impl Share {
    pub(crate) fn fund(&self) -> Fen {
        self.pool + self.large + self.serious + self.civil_servant + self.assistance + self.other
    }

    pub(crate) fn personal(&self) -> Fen {
        self.split.total() - self.fund()
    }

    pub(crate) fn negated(self) -> Share {
        Share {
            split: self.split.negated(),
            prepay: -self.prepay,
            deductible_standard: -self.deductible_standard,
            deductible: -self.deductible,
            pool: -self.pool,
            large: -self.large,
            serious: -self.serious,
            civil_servant: -self.civil_servant,
            assistance: -self.assistance,
            other: -self.other,
            account: -self.account,
            cash: -self.cash,
            burden: -self.burden,
            owed: -self.owed,
        }
    }
}

/// Step 1, for the whole stay.
fn deductible_of_stay(claim: &Claim<'_>, met: &mut Met) -> Fen {
    let rules = claim.rules;
    let reduction = if claim.standing.retired { rules.retiree_reduction } else { 0 };
    met.when(reduction > 0, "deductible: retiree reduction");
    let base = (rules.deductible[claim.level] - reduction).max(0);
    let factor = parts(rules.filing[&claim.benefit].deductible_factor);
    met.when(rules.filing[&claim.benefit].deductible_factor != 10_000, "deductible: filing factor");
    let DeductibleBasis::Admission(factors) = &rules.basis else {
        let by_year = rules.basis == DeductibleBasis::Year;
        met.see(if by_year { "deductible: per year" } else { "deductible: per institution and year" });
        met.when(claim.deductible_paid > 0, "deductible: lowered by what the year has paid");
        return (round(&(whole(base) * factor)) - claim.deductible_paid).max(0);
    };
    let last = factors.len() - 1;
    let index = usize::try_from(claim.index).expect("a count").min(last);
    met.when(claim.index > 0 && index < last, "deductible: a middle entry of the admission factors");
    met.when(claim.index > 0 && claim.index as usize == last, "deductible: the last admission factor");
    met.when(claim.index as usize > last, "deductible: the last admission factor repeats");
    round(&(whole(base) * parts(factors[index]) * factor))
}

/// Step 3.
fn rate(claim: &Claim<'_>, ratio: i64, met: &mut Met) -> Exact {
    let rules = claim.rules;
    let mut bonus = 0;
    if claim.standing.retired && rules.retiree_bonus > 0 {
        met.see("rate: retiree bonus");
        bonus += rules.retiree_bonus;
    }
    let band = rules.age_bonus.iter().rev().find(|(from, _)| claim.standing.age >= *from);
    if let Some((from, age_bonus)) = band {
        met.see("rate: age bonus");
        met.when(claim.standing.age == *from, "rate: age at the edge of a band");
        bonus += age_bonus;
    }
    let full = parts(ratio + bonus);
    let reduced = match rules.filing[&claim.benefit].reduction {
        Reduction::Points(off) => full - parts(off),
        Reduction::Times(factor) => full * parts(factor),
        Reduction::Prepay(_) => full,
    };
    let (none, all) = (whole(0), whole(1));
    met.when(reduced < none, "rate: clamped at 0");
    met.when(reduced > all, "rate: clamped at 1");
    reduced.clamp(none, all)
}

/// The segments above the deductible as (from, to, rate), ends in exact fen.
fn steps(bands: &[Band], start: Fen) -> Vec<(Fen, Fen, i64)> {
    let mut low = start;
    let mut found = Vec::new();
    for band in bands {
        let high = band.to.unwrap_or(i64::MAX);
        if high > low {
            found.push((low, high, band.rate));
            low = high;
        }
    }
    found
}

/// T of step 7, exact.
fn tiered(terms: &SeriousIllness, burden: Fen) -> Exact {
    let mut sum = whole(0);
    for (low, high, tier) in steps(&terms.tiers, terms.start) {
        sum += whole((burden.min(high) - low).max(0)) * parts(tier);
    }
    sum
}

/// Steps 3 and 4 on the axis from `low` to `high`: the pool's payment and the width left above its cap.
fn pool(claim: &Claim<'_>, start: Fen, low: Fen, high: Fen, met: &mut Met) -> (Fen, Fen) {
    let bands = steps(claim.rules.bands(claim.level, claim.standing.retired), start);
    let rates: Vec<Exact> = bands.iter().map(|(_, _, ratio)| rate(claim, *ratio, met)).collect();
    let raw = |to: Fen| {
        let widths = bands.iter().zip(&rates);
        round(&widths.map(|((from, end, _), q)| whole((to.min(*end) - from).max(0)) * q).sum::<Exact>())
    };
    met_segments(claim, start, high, met);
    let due = raw(high) - raw(low);
    let rem = left(claim.rules.pool_cap, claim.so_far.pool);
    if due <= rem {
        met.when(due == rem && due > 0, "pool: reaches its cap to the fen");
        return (due, 0);
    }
    met.see(if rem > 0 { "pool: crosses its cap" } else { "pool: cap used up before" });
    met.when(
        claim.rules.pool_cap.is_some_and(|cap| claim.so_far.pool > cap),
        "pool: more than its cap used before",
    );
    let (mut money, mut bought) = (whole(rem), whole(0));
    for ((from, end, _), q) in bands.iter().zip(&rates) {
        let width = whole((high.min(*end) - (*from).max(low)).max(0));
        if money == whole(0) || width == whole(0) {
            continue;
        }
        let cost = width * q;
        met.when(cost == whole(0), "pool: a segment without payment on the way to the cap");
        if cost <= money {
            bought += width;
            money -= cost;
        } else {
            bought += money / q;
            money = whole(0);
        }
    }
    (rem, (high - low.max(start)).max(0) - round(&bought))
}

fn met_segments(claim: &Claim<'_>, start: Fen, high: Fen, met: &mut Met) {
    let bands = claim.rules.bands(claim.level, claim.standing.retired);
    let apart = claim.standing.retired && claim.rules.retired_segments.is_some();
    met.when(apart, "segment: of retired persons");
    met.when(claim.level == 3, "level: primary care");
    if bands.len() == 1 {
        return;
    }
    const NAMES: [&str; 4] = [
        "segment: ends in the 1st",
        "segment: ends in the 2nd",
        "segment: ends in the 3rd",
        "segment: ends in the 4th",
    ];
    let index = bands.iter().position(|band| band.to.is_none_or(|to| high <= to));
    if let Some(index) = index {
        met.see(NAMES[index.min(3)]);
    }
    const EDGES: [&str; 3] =
        ["segment: ends on the 1st edge", "segment: ends on the 2nd edge", "segment: ends on the 3rd edge"];
    if let Some(index) = bands.iter().position(|band| band.to == Some(high)) {
        met.see(EDGES[index.min(2)]);
    }
    met.when(
        bands[0].to.is_some_and(|to| start >= to && high > start),
        "segment: deductible past the first edge",
    );
}

fn serious(claim: &Claim<'_>, burden: Fen, met: &mut Met) -> Fen {
    let rules = claim.rules;
    let Some(terms) = rules.serious_for(claim.standing.category) else { return 0 };
    met.when(Some(terms) != rules.serious.as_ref(), "serious illness: terms of a category");
    let (before, after) = (claim.so_far.burden, claim.so_far.burden + burden);
    let due = round(&tiered(terms, after)) - round(&tiered(terms, before));
    met.when(after < terms.start, "serious illness: below the start");
    met.when(after == terms.start, "serious illness: at the start to the fen");
    met.when(before < terms.start && after > terms.start, "serious illness: crosses the start");
    for (index, (low, high, _)) in steps(&terms.tiers, terms.start).into_iter().enumerate() {
        const NAMES: [&str; 3] = [
            "serious illness: ends in tier 1",
            "serious illness: ends in tier 2",
            "serious illness: ends in tier 3",
        ];
        met.when(low < after && after <= high, NAMES[index.min(2)]);
        const EDGES: [&str; 2] =
            ["serious illness: at the edge of tier 1", "serious illness: at the edge of tier 2"];
        if after == high {
            met.see(EDGES[index.min(1)]);
        }
        met.when(before < high && after > high, "serious illness: crosses a tier edge");
    }
    let rem = left(terms.cap, claim.so_far.serious);
    met.when(due > rem && rem > 0, "serious illness: crosses its cap");
    met.when(due == rem && rem > 0, "serious illness: reaches its cap to the fen");
    met.when(due > 0 && rem == 0, "serious illness: cap used up before");
    due.min(rem).clamp(0, burden)
}

/// §2.2 for one bill or one part of a stay.
pub(crate) fn share(claim: &Claim<'_>, met: &mut Met) -> Share {
    let rules = claim.rules;
    let in_scope = claim.split.in_scope;
    let reduction = rules.filing[&claim.benefit].reduction;
    met.see(match reduction {
        Reduction::Points(0) => "reduction: none",
        Reduction::Points(_) => "reduction: pp",
        Reduction::Times(_) => "reduction: mul",
        Reduction::Prepay(_) => "reduction: prepay",
    });
    let prepaid = |of: Fen| if let Reduction::Prepay(rate) = reduction { share_of(of, rate) } else { 0 };
    let whole_stay = claim.earlier + in_scope;
    let prepay = prepaid(whole_stay) - prepaid(claim.earlier);
    let (low, high) = (claim.earlier - prepaid(claim.earlier), whole_stay - prepaid(whole_stay));

    let standard = deductible_of_stay(claim, met);
    let deductible_standard = standard - standard.min(low);
    let deductible = standard.min(high) - standard.min(low);
    met.when(high < standard, "deductible: more than is in scope");
    met.when(high == standard && standard > 0, "deductible: all that is in scope, to the fen");
    met.when(in_scope == 0, "bill: nothing in scope");
    met.when(claim.earlier > 0 && deductible > 0, "mid-stay: deductible runs over two parts");
    met.when(claim.earlier > 0 && prepay > 0, "mid-stay: prepay of a later part");

    let (pool, over) = pool(claim, standard, low, high, met);
    met.when(over > 0 && claim.earlier > 0, "mid-stay: a later part crosses the cap");
    let large = rules.large.map_or(0, |(rate, cap)| {
        let (due, rem) = (share_of(over, rate), left(cap, claim.so_far.large));
        met.when(due > 0 && due < rem, "large amount: below its cap");
        met.when(due > rem && rem > 0, "large amount: crosses its cap");
        met.when(due == rem && rem > 0, "large amount: reaches its cap to the fen");
        met.when(due > 0 && rem == 0, "large amount: cap used up before");
        due.min(rem)
    });
    let burden = in_scope - pool - large;
    let serious = serious(claim, burden, met);
    let civil_servant = match rules.civil_servant {
        Some(rate) if claim.standing.civil_servant => {
            met.see("civil servant: subsidy");
            met.when(serious > burden - deductible, "civil servant: nothing left to base it on");
            share_of((burden - deductible - serious).max(0), rate)
        }
        _ => 0,
    };
    let after = burden - serious - civil_servant;
    let assistance = claim.assistance.map_or(0, |(rate, cap)| {
        let (due, rem) = (share_of(after.max(0), rate), left(cap, claim.so_far.assistance));
        met.when(due > 0 && due < rem, "assistance: below its cap");
        met.when(due > rem && rem > 0, "assistance: crosses its cap");
        met.when(due == rem && rem > 0, "assistance: reaches its cap to the fen");
        met.when(due > 0 && rem == 0, "assistance: cap used up before");
        due.min(rem)
    });
    let mut share = Share {
        split: claim.split,
        prepay,
        deductible_standard,
        deductible,
        pool,
        large,
        serious,
        civil_servant,
        assistance,
        burden,
        ..Share::default()
    };
    pay_the_rest(&mut share, rules.account, claim.account, met);
    share
}

/// Step 9: the account where she chose it, then cash.
fn pay_the_rest(share: &mut Share, scope: AccountScope, balance: Option<Fen>, met: &mut Met) {
    let rest = share.burden - share.serious - share.civil_servant - share.assistance;
    let due = match scope {
        AccountScope::Nothing => 0,
        AccountScope::InScope => (share.split.first_pay + rest).max(0),
        AccountScope::Everything => share.personal(),
    };
    share.account = balance.map_or(0, |balance| balance.max(0).min(due));
    if let Some(balance) = balance {
        met.when(due > 0 && balance >= due, "account: pays all it may");
        met.when(due > balance && balance > 0, "account: emptied");
        met.when(due > 0 && balance == 0, "account: empty before");
        met.when(
            scope == AccountScope::Everything && share.account > 0,
            "account: pays outside the scope too",
        );
    }
    share.cash = share.personal() - share.account;
}

/// Maternity (§2.8): on the wire in the pool's field.
pub(crate) fn maternity(
    rule: MaternityRule,
    split: Split,
    earlier: Fen,
    last_part: bool,
    met: &mut Met,
) -> Share {
    let paid = |in_scope: Fen| match rule {
        MaternityRule::Ratio(rate) => share_of(in_scope, rate),
        MaternityRule::Limit(most) | MaternityRule::Fixed(most) => in_scope.min(most),
    };
    let pool = paid(earlier + split.in_scope) - paid(earlier);
    let owed = match rule {
        MaternityRule::Fixed(sum) if last_part => sum - paid(earlier + split.in_scope),
        _ => 0,
    };
    met.see(match rule {
        MaternityRule::Ratio(_) => "maternity: ratio",
        MaternityRule::Limit(_) => "maternity: limit",
        MaternityRule::Fixed(_) => "maternity: fixed sum",
    });
    met.when(owed > 0, "maternity: part of the sum owed to the person");
    met.when(
        pool < split.in_scope && !matches!(rule, MaternityRule::Ratio(_)),
        "maternity: bill above the sum",
    );
    let burden = split.in_scope - pool;
    let mut share = Share { split, pool, burden, owed, ..Share::default() };
    share.cash = share.personal();
    share
}

/// Work injury (§2.8): ratio 1 of what the injury catalogue holds.
pub(crate) fn injury(split: Split, met: &mut Met) -> Share {
    met.see("work injury: settled");
    let mut share = Share { split, other: split.in_scope, ..Share::default() };
    share.cash = share.personal();
    share
}
