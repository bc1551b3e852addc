//! Owns chance in the sandbox: every draw follows from the seed, what it is for and a number, so that any person or stay
//! can be made alone and comes out the same.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;
use rand_chacha::rand_core::SeedableRng as _;

/// What a draw is for: each topic has its own sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Person = 1,
    Balance = 2,
    Year = 3,
    Filing = 4,
    Institution = 5,
    Catalogue = 6,
    Stay = 7,
}

pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// `number` below 2⁵⁶ tells the draws of one topic apart.
    pub(crate) fn new(seed: u64, topic: Topic, number: u64) -> Dice {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(((topic as u64) << 56) | number);
        Dice(source)
    }

    /// 0 to `bound` − 1; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// `low` to `high`, both inclusive.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).unwrap_or(1);
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True in so many of a thousand cases.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = self.below(list.len() as u64);
        &list[usize::try_from(at).unwrap_or(0)]
    }

    /// One of a list, each with its weight.
    pub(crate) fn weighted<'a, T>(&mut self, list: &'a [(T, u64)]) -> &'a T {
        let mut left = self.below(list.iter().map(|(_, weight)| weight).sum());
        for (value, weight) in list {
            if left < *weight {
                return value;
            }
            left -= weight;
        }
        &list[0].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_draw_comes_out_the_same() {
        let draw = |seed, number| Dice::new(seed, Topic::Person, number).below(1_000_000);
        assert_eq!(draw(7, 3), draw(7, 3));
        assert_ne!(draw(7, 3), draw(8, 3));
        assert_ne!(draw(7, 3), draw(7, 4));
    }

    #[test]
    fn draws_stay_inside_their_bounds_and_reach_them() {
        let mut dice = Dice::new(1, Topic::Stay, 1);
        let drawn: std::collections::BTreeSet<i64> = (0..500).map(|_| dice.between(-2, 2)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
        assert_eq!(dice.below(0), 0);
        let heads = (0..1000).filter(|_| *dice.weighted(&[(true, 3), (false, 1)])).count();
        assert!((650..850).contains(&heads), "{heads}");
    }
}
