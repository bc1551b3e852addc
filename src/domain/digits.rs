//! Owns numbers that are written with a fixed count of digits, without a detour over the formatter: nearly every
//! identifier and stamp holds some.

/// The last `N` digits of a number, zeros first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    pub fn of(number: u64) -> Digits<N> {
        Digits::in_base(number, 10)
    }

    /// # Panics
    /// When the base is not between 2 and 36.
    pub fn in_base(mut number: u64, base: u8) -> Digits<N> {
        const SIGNS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        assert!((2..=36).contains(&base), "no signs for this base");
        let base = u64::from(base);
        let mut digits = [b'0'; N];
        for digit in digits.iter_mut().rev() {
            *digit = SIGNS[usize::try_from(number % base).unwrap_or(0)];
            number /= base;
        }
        Digits(digits)
    }

    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_come_first_and_what_is_too_long_loses_its_front() {
        for (number, digits) in [(0, "0000"), (42, "0042"), (9_999, "9999"), (12_345, "2345")] {
            assert_eq!(Digits::<4>::of(number).as_str(), digits);
        }
        assert_eq!(Digits::<7>::in_base(u32::MAX.into(), 36).as_str(), "1Z141Z3");
    }
}
