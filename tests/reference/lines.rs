//! The line split of rules.md §2.1, by the catalogue of the place of care.
use super::counts::Met;
use super::number::{Fen, Parts, parts, round, share_of, whole};
use jiff::civil::Date;
use std::sync::Arc;

/// One catalogue entry as it stands from a day on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) from: Date,
    pub(crate) class_c: bool,
    pub(crate) first_pay: Parts,
    /// Only at this level of hospital; then it goes before an entry for all.
    pub(crate) level: Option<usize>,
    /// Ten-thousandths of a yuan, like prices.
    pub(crate) limit: Option<Parts>,
    pub(crate) restricted: bool,
    /// Stands in the injury catalogue, a column of its own: then in scope up to the limit, whatever the class.
    pub(crate) injury: bool,
}

/// A catalogue code with its dated entries, earliest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) code: String,
    pub(crate) entries: Vec<Entry>,
}

impl Item {
    pub(crate) fn on(&self, day: Date, level: usize) -> &Entry {
        let find =
            |wanted| self.entries.iter().rev().find(|entry| entry.from <= day && entry.level == wanted);
        find(Some(level)).or_else(|| find(None)).expect("every item is in force from the first day")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Unique in its stay.
    pub(crate) no: usize,
    pub(crate) item: Arc<Item>,
    pub(crate) day: Date,
    /// Of the hospital that charges it.
    pub(crate) level: usize,
    /// Ten-thousandths of a yuan.
    pub(crate) price: Parts,
    /// Hundredths; negative in a refund.
    pub(crate) count: i64,
    pub(crate) amount: Fen,
    pub(crate) approved: bool,
    /// Where the refunded line stands among the lines of the same part.
    pub(crate) refunds: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) full_own: Fen,
    pub(crate) over_limit: Fen,
    pub(crate) first_pay: Fen,
    pub(crate) in_scope: Fen,
}

impl Split {
    pub(crate) fn total(&self) -> Fen {
        self.full_own + self.over_limit + self.first_pay + self.in_scope
    }

    pub(crate) fn plus(self, other: Split) -> Split {
        Split {
            full_own: self.full_own + other.full_own,
            over_limit: self.over_limit + other.over_limit,
            first_pay: self.first_pay + other.first_pay,
            in_scope: self.in_scope + other.in_scope,
        }
    }

    pub(crate) fn negated(self) -> Split {
        Split {
            full_own: -self.full_own,
            over_limit: -self.over_limit,
            first_pay: -self.first_pay,
            in_scope: -self.in_scope,
        }
    }
}

/// `price × count` in fen, exact: ten-thousandths × hundredths of a yuan.
pub(crate) fn priced(price: Parts, count: i64) -> Fen {
    round(&(parts(price) * whole(count)))
}

/// Steps 1 to 4 for an amount and a count of one line.
fn split_of(line: &Line, count: i64, amount: Fen, injury: bool, met: &mut Met) -> Split {
    let entry = line.item.on(line.day, line.level);
    let class_c = if injury { !entry.injury } else { entry.class_c };
    let unapproved = entry.restricted && !line.approved;
    if class_c || unapproved {
        met.see(if class_c { "line: class C" } else { "line: restricted, not approved" });
        return Split { full_own: amount, ..Split::default() };
    }
    let over = entry.limit.map_or(0, |limit| priced((line.price - limit).max(0), count));
    let over_limit = over.min(amount);
    met.when(over_limit > 0, "line: over the price limit");
    met.when(over > amount, "line: over-limit held to the amount");
    let base = amount - over_limit;
    let rate = if injury { 0 } else { entry.first_pay };
    let first_pay = share_of(base, rate);
    met.when(first_pay > 0, "line: first-pay of class B");
    met.when((base * rate).rem_euclid(10_000) == 5_000, "line: a half fen goes up");
    Split { full_own: 0, over_limit, first_pay, in_scope: base - first_pay }
}

/// The split of each line; a refund's is its original's net before minus its net after.
pub(crate) fn splits(lines: &[Line], injury: bool, met: &mut Met) -> Vec<Split> {
    let mut nets: Vec<(i64, Fen)> = lines.iter().map(|line| (line.count, line.amount)).collect();
    let mut found = Vec::new();
    for line in lines {
        let Some(original) = line.refunds else {
            met.when(line.amount != priced(line.price, line.count), "line: amount off within the tolerance");
            let entry = line.item.on(line.day, line.level);
            met.when(entry.from != line.item.entries[0].from, "line: a later catalogue entry");
            met.when(entry.level.is_some(), "line: a catalogue entry of the hospital's level");
            found.push(split_of(line, line.count, line.amount, injury, met));
            continue;
        };
        let mut unseen = Met::default();
        let (count, amount) = nets[original];
        let after = (count + line.count, amount + line.amount);
        met.see(if after.0 == 0 { "line: refund of all that is left" } else { "line: refund of a part" });
        met.when(
            nets[original] != (lines[original].count, lines[original].amount),
            "line: second refund of a line",
        );
        nets[original] = after;
        let before = split_of(&lines[original], count, amount, injury, &mut unseen);
        let rest = split_of(&lines[original], after.0, after.1, injury, &mut unseen);
        found.push(before.negated().plus(rest));
    }
    found
}
