//! Owns a month's totals: what each region owes each other, per hospital, netted; Σ of net positions is zero.

use std::collections::BTreeMap;

use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;

/// One settlement, reversal or revival of the month, as clearing reads it. Amounts of a reversal are negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthRow {
    pub insured_pool: RegionCode,
    pub care_pool: RegionCode,
    pub institution: InstitutionCode,
    pub medfee: Fen,
    pub fund: Fen,
    pub account: Fen,
    pub cash: Fen,
    /// 1 for a settlement or a revival, −1 for a reversal.
    pub sign: i64,
}

impl MonthRow {
    /// Owed to the place of care.
    pub fn owed(&self) -> Fen {
        self.fund + self.account
    }

    /// Care at home: paid inside the pool, owed over no border.
    pub fn is_local(&self) -> bool {
        self.insured_pool == self.care_pool
    }

    pub fn is_of(&self, (home, care, institution): &GroupKey) -> bool {
        self.insured_pool == *home && self.care_pool == *care && self.institution == *institution
    }
}

/// Totals of a group of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub settlements: u64,
    pub reversals: u64,
    pub medfee: Fen,
    pub fund: Fen,
    pub account: Fen,
    pub cash: Fen,
}

impl Totals {
    /// Owed to the place of care: funds and account, cash was paid at the window.
    pub fn owed(&self) -> Fen {
        self.fund + self.account
    }

    fn take(&mut self, row: &MonthRow) {
        if row.sign < 0 {
            self.reversals += 1
        } else {
            self.settlements += 1
        }
        self.medfee += row.medfee;
        self.fund += row.fund;
        self.account += row.account;
        self.cash += row.cash;
    }

    fn merge(&mut self, other: &Totals) {
        self.settlements += other.settlements;
        self.reversals += other.reversals;
        self.medfee += other.medfee;
        self.fund += other.fund;
        self.account += other.account;
        self.cash += other.cash;
    }
}

/// (insured pool, place of care, hospital)
pub type GroupKey = (RegionCode, RegionCode, InstitutionCode);

/// A month before netting. Sums of parts merge, so that shards and nodes can each add up their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Month {
    pub groups: BTreeMap<GroupKey, Totals>,
}

/// What one region owes and is owed over its borders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// 应付: its insured treated elsewhere.
    pub owes: Fen,
    /// 应收: visitors treated in its hospitals.
    pub owed: Fen,
}

impl Position {
    /// Positive: receives; negative: pays.
    pub fn net(&self) -> Fen {
        self.owed - self.owes
    }
}

impl Month {
    pub fn take(&mut self, row: &MonthRow) {
        let key = (row.insured_pool, row.care_pool, row.institution.clone());
        self.groups.entry(key).or_default().take(row);
    }

    pub fn merge(&mut self, other: &Month) {
        for (key, totals) in &other.groups {
            self.groups.entry(key.clone()).or_default().merge(totals);
        }
    }

    /// Payables (insured pool → place of care) over borders.
    pub fn payables(&self) -> BTreeMap<(RegionCode, RegionCode), Totals> {
        let mut pairs = BTreeMap::<(RegionCode, RegionCode), Totals>::new();
        for ((home, care, _), totals) in self.groups.iter().filter(|((home, care, _), _)| home != care) {
            pairs.entry((*home, *care)).or_default().merge(totals);
        }
        pairs
    }

    /// Position of every region that appears, over its borders only.
    pub fn positions(&self) -> BTreeMap<RegionCode, Position> {
        let mut positions = BTreeMap::<RegionCode, Position>::new();
        for ((home, care), totals) in self.payables() {
            positions.entry(home).or_default().owes += totals.owed();
            positions.entry(care).or_default().owed += totals.owed();
        }
        positions
    }

    /// `payable(i→j) − payable(j→i)` for each pair that appears, with `i < j`.
    pub fn nets(&self) -> BTreeMap<(RegionCode, RegionCode), Fen> {
        let mut nets = BTreeMap::<(RegionCode, RegionCode), Fen>::new();
        for ((home, care), totals) in self.payables() {
            let (pair, amount) =
                if home < care { ((home, care), totals.owed()) } else { ((care, home), -totals.owed()) };
            *nets.entry(pair).or_default() += amount;
        }
        nets
    }

    /// Σ over regions of net positions: zero, or the month is broken.
    pub fn imbalance(&self) -> Fen {
        self.positions().values().map(Position::net).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(home: u32, care: u32, fund: i64, sign: i64) -> MonthRow {
        MonthRow {
            insured_pool: RegionCode(home),
            care_pool: RegionCode(care),
            institution: InstitutionCode::parse(&format!("H{care}00001")).unwrap(),
            medfee: Fen(fund * 2),
            fund: Fen(fund),
            account: Fen(sign),
            cash: Fen(fund),
            sign,
        }
    }

    #[test]
    fn regions_owe_each_other_and_the_sum_is_zero() {
        let mut month = Month::default();
        let rows = [
            row(440_700, 440_100, 10_000, 1),
            row(440_100, 440_700, 4_000, 1),
            row(440_700, 440_700, 500, 1),
            row(440_700, 440_100, -10_000, -1),
            row(440_700, 440_100, 9_000, 1),
        ];
        rows.iter().for_each(|r| month.take(r));
        let jiangmen = month.positions()[&RegionCode(440_700)];
        assert_eq!(jiangmen, Position { owes: Fen(9_001), owed: Fen(4_001) });
        assert_eq!(jiangmen.net(), Fen(-5_000));
        assert_eq!(month.nets()[&(RegionCode(440_100), RegionCode(440_700))], Fen(-5_000));
        assert_eq!(month.imbalance(), Fen::ZERO);
        let totals = month.payables()[&(RegionCode(440_700), RegionCode(440_100))];
        assert_eq!((totals.settlements, totals.reversals, totals.medfee), (2, 1, Fen(18_000)));
    }

    #[test]
    fn a_month_added_up_in_parts_is_the_same_month() {
        let rows = [row(1, 2, 100, 1), row(2, 1, 70, 1), row(1, 1, 5, 1), row(1, 2, -100, -1)];
        let mut whole = Month::default();
        rows.iter().for_each(|r| whole.take(r));
        let mut parts = Month::default();
        for part in rows.chunks(2) {
            let mut month = Month::default();
            part.iter().for_each(|r| month.take(r));
            parts.merge(&month);
        }
        assert_eq!(parts, whole);
    }
}
