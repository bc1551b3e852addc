//! Owns which stays of the sandbox are driven: those that end in a settlement whatever else is driven before them.

use banyan::domain::ids::RegionCode;
use banyan::domain::person::CoverageStatus;
use banyan::sandbox::geography::CITIES;
use banyan::sandbox::population::Insured;
use banyan::sandbox::province::Province;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::stays::Stays;

/// The pool whose sandbox pack refuses stays that nobody filed.
const REFUSES_UNFILED: RegionCode = RegionCode(442_000);
/// No stay of the sandbox lies further back.
const MONTHS: i32 = 12;
/// Rounds of stays that the sandbox has.
const ROUNDS: u64 = 7;

/// Stays in the order of the population, made when they are asked for: a province of millions is never held.
#[derive(Clone, Debug)]
pub struct Stock {
    province: Province,
    pools: Vec<RegionCode>,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// One stay a person, so that nobody is in two hospitals at once.
    Person(u64),
    /// All stays, round after round and over again: who asks must let one end before the person's next begins.
    Any { number: u64, round: u64 },
}

impl Stock {
    /// One stay a person, of those insured in the `pools` largest pools.
    pub fn of_persons(province: &Province, pools: usize) -> Stock {
        Stock { province: province.clone(), pools: largest(pools), next: Next::Person(0) }
    }

    /// As many as are asked for, persons repeated.
    pub fn endless(province: &Province, pools: usize) -> Stock {
        Stock { next: Next::Any { number: 0, round: 0 }, ..Stock::of_persons(province, pools) }
    }

    /// The first of the stays that her rounds hold.
    fn first_of(&self, number: u64) -> Option<Stay> {
        (0..ROUNDS).find_map(|round| self.stay(number, round))
    }

    fn stay(&self, number: u64, round: u64) -> Option<Stay> {
        let Province { size, today, population, hospitals, .. } = &self.province;
        let stay = Stays { seed: size.seed, today: *today, population, hospitals }.stay(number, round)?;
        let fit =
            self.pools.iter().any(|pool| pool.0 == stay.pool) && self.is_covered(&population.insured(number));
        fit.then_some(stay)
    }

    fn is_covered(&self, insured: &Insured) -> bool {
        let since = self.province.today.plus_months(-MONTHS);
        let coverages = &insured.register.coverages;
        let begun = coverages.first().is_some_and(|coverage| coverage.from <= since);
        let unbroken = coverages.iter().all(|coverage| coverage.status == CoverageStatus::Active);
        begun && unbroken && insured.person.pool != REFUSES_UNFILED
    }
}

impl Iterator for Stock {
    type Item = Stay;

    fn next(&mut self) -> Option<Stay> {
        let persons = self.province.population.len();
        match self.next {
            Next::Person(from) => {
                let (number, stay) =
                    (from..persons).find_map(|number| Some((number, self.first_of(number)?)))?;
                self.next = Next::Person(number + 1);
                Some(stay)
            }
            Next::Any { mut number, mut round } => {
                // Two turns over everything hold a stay, or there is none.
                for _ in 0..persons * ROUNDS * 2 {
                    if number == persons {
                        (number, round) = (0, (round + 1) % ROUNDS);
                    }
                    let found = self.stay(number, round);
                    number += 1;
                    if found.is_some() {
                        self.next = Next::Any { number, round };
                        return found;
                    }
                }
                None
            }
        }
    }
}

/// The largest pools first; all of them when more are asked for than there are.
fn largest(pools: usize) -> Vec<RegionCode> {
    let mut cities = CITIES;
    cities.sort_by_key(|city| std::cmp::Reverse(city.weight));
    cities.iter().take(pools.max(1)).map(|city| city.pool).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use banyan::domain::calendar::Day;
    use banyan::sandbox::province::Size;
    use std::collections::HashSet;

    fn province() -> Province {
        let size = Size { seed: 1, persons: 1_000, codes: 20, stays: 0 };
        Province::new(size, Day::from_number(20_261_124).unwrap())
    }

    #[test]
    fn nobody_is_driven_twice() {
        let stays: Vec<Stay> = Stock::of_persons(&province(), 21).collect();
        let persons: HashSet<&str> = stays.iter().map(|stay| stay.psn_no.as_str()).collect();
        assert_eq!(persons.len(), stays.len());
        assert!(stays.len() > 300, "{}", stays.len());
    }

    #[test]
    fn one_pool_is_the_largest() {
        assert!(Stock::of_persons(&province(), 1).all(|stay| stay.pool == 440_100));
    }

    #[test]
    fn a_history_of_any_length_can_be_made() {
        assert_eq!(Stock::endless(&province(), 21).take(5_000).count(), 5_000);
    }
}
