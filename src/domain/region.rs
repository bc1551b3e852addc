//! Owns the region table: every region code with its parent, its pooling region and its province.

use std::collections::HashMap;

use crate::domain::calendar::Day;
use crate::domain::ids::RegionCode;

/// One dated row of the region table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub code: RegionCode,
    pub name: String,
    /// The next region up; a province has none.
    pub parent: Option<RegionCode>,
    /// 统筹区: where its insured are pooled.
    pub pool: RegionCode,
    /// 清算经办机构 `clr_optins`
    pub clearing_agency: RegionCode,
    pub from: Day,
    /// Last day, inclusive; open when absent.
    pub to: Option<Day>,
}

/// The whole table, looked up by code and day.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    by_code: HashMap<RegionCode, Vec<Region>>,
}

impl Regions {
    pub fn new(rows: impl IntoIterator<Item = Region>) -> Self {
        let mut by_code: HashMap<RegionCode, Vec<Region>> = HashMap::new();
        for row in rows {
            by_code.entry(row.code).or_default().push(row);
        }
        Self { by_code }
    }

    pub fn len(&self) -> usize {
        self.by_code.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// The row of a code on a day.
    pub fn on(&self, code: RegionCode, day: Day) -> Option<&Region> {
        self.by_code.get(&code)?.iter().find(|r| r.from <= day && r.to.is_none_or(|to| day <= to))
    }

    /// The first day on which the table knows a code.
    pub fn first_day(&self, code: RegionCode) -> Option<Day> {
        self.by_code.get(&code)?.iter().map(|row| row.from).min()
    }

    /// 统筹区 of a region on a day: 440703 → 440700.
    pub fn pool_of(&self, code: RegionCode, day: Day) -> Option<RegionCode> {
        self.on(code, day).map(|r| r.pool)
    }

    /// Name for people; the code itself where the table does not know it.
    pub fn name(&self, code: RegionCode, day: Day) -> String {
        self.on(code, day).map_or_else(|| code.to_string(), |r| r.name.clone())
    }

    /// Whether `code` is `above` or lies below it.
    pub fn lies_in(&self, code: RegionCode, above: RegionCode, day: Day) -> bool {
        const DEPTH_MAX: usize = 8;
        let mut at = Some(code);
        for _ in 0..DEPTH_MAX {
            match at {
                Some(here) if here == above => return true,
                Some(here) => at = self.on(here, day).and_then(|r| r.parent),
                None => return false,
            }
        }
        false
    }

    pub fn rows(&self) -> impl Iterator<Item = &Region> {
        self.by_code.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: u32, parent: Option<u32>, pool: u32) -> Region {
        let from = Day::from_number(20_000_101).unwrap();
        Region {
            code: RegionCode(code),
            name: format!("R{code}"),
            parent: parent.map(RegionCode),
            pool: RegionCode(pool),
            clearing_agency: RegionCode(pool),
            from,
            to: None,
        }
    }

    #[test]
    fn a_district_belongs_to_its_pool_and_lies_in_its_province() {
        let day = Day::from_number(20_261_124).unwrap();
        let table = Regions::new([
            region(440_000, None, 440_000),
            region(440_700, Some(440_000), 440_700),
            region(440_703, Some(440_700), 440_700),
        ]);
        assert_eq!(table.pool_of(RegionCode(440_703), day), Some(RegionCode(440_700)));
        assert!(table.lies_in(RegionCode(440_703), RegionCode(440_000), day));
        assert!(!table.lies_in(RegionCode(440_700), RegionCode(440_703), day));
        assert_eq!(table.pool_of(RegionCode(440_703), Day::from_number(19_990_101).unwrap()), None);
        assert_eq!(table.name(RegionCode(999_999), day), "999999");
    }

    #[test]
    fn a_table_that_loops_ends() {
        let day = Day::from_number(20_261_124).unwrap();
        let table =
            Regions::new([region(440_700, Some(440_703), 440_700), region(440_703, Some(440_700), 440_700)]);
        assert!(!table.lies_in(RegionCode(440_703), RegionCode(440_000), day));
    }

    #[test]
    fn a_table_tells_its_codes_and_all_its_rows() {
        let empty = Regions::new([]);
        assert_eq!((empty.len(), empty.is_empty(), empty.rows().count()), (0, true, 0));
        let later =
            Region { from: Day::from_number(20_300_101).unwrap(), ..region(440_703, Some(440_700), 440_700) };
        let two = [region(440_700, None, 440_700), region(440_703, Some(440_700), 440_700), later];
        let table = Regions::new(two);
        assert_eq!((table.len(), table.is_empty(), table.rows().count()), (2, false, 3));
    }
}
