//! Exact numbers: money is whole fen, everything between two roundings a fraction of integers.
use num_rational::Ratio;

/// Exact as long as it fits; where it would not, overflow checks end the test.
pub(crate) type Exact = Ratio<i128>;
pub(crate) type Fen = i64;

/// Ten-thousandths: `8_300` is .83, `15_000` is 1.5. Packs and catalogues print no finer.
pub(crate) type Parts = i64;

pub(crate) fn whole(number: i64) -> Exact {
    Exact::from_integer(i128::from(number))
}

pub(crate) fn parts(number: Parts) -> Exact {
    Exact::new(i128::from(number), 10_000)
}

/// A half goes up, on the absolute value (§2.1).
pub(crate) fn round(exact: &Exact) -> Fen {
    let negative = *exact.numer() < 0;
    let size = if negative { -*exact } else { *exact };
    let up = (size + Exact::new(1, 2)).floor().to_integer();
    let fen = i64::try_from(up).expect("an amount of a bill fits an i64");
    if negative { -fen } else { fen }
}

pub(crate) fn share_of(amount: Fen, rate: Parts) -> Fen {
    round(&(whole(amount) * parts(rate)))
}

/// What is left of a yearly cap; no cap leaves everything.
pub(crate) fn left(cap: Option<Fen>, used: Fen) -> Fen {
    cap.map_or(i64::MAX, |cap| (cap - used).max(0))
}

/// Chance from a seed (splitmix64): the same seed tells the same story on every machine.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).expect("low is not above high");
        low + i64::try_from(self.next() % width).expect("below the width")
    }

    pub(crate) fn percent(&mut self, chance: i64) -> bool {
        self.between(1, 100) <= chance
    }

    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        let last = i64::try_from(choices.len()).expect("few choices") - 1;
        choices[usize::try_from(self.between(0, last)).expect("not negative")].clone()
    }
}
