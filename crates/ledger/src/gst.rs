//! Goods and services tax inside a price: what is taxable, and the two halves of the tax.
//!
//! Within a state the tax is two equal halves, the centre's (CGST) and the state's (SGST). Each half is computed and
//! rounded by itself and then added, so that the halves are always equal; what remains of the price is taxable.

use kernel::{Money, ParseError};

/// A tax rate in whole percent, both halves together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GstRate(u8);

/// A price and the tax inside it; the three parts add up to the price exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GstSplit {
    /// The price without tax.
    pub taxable: Money,
    /// The centre's half.
    pub cgst: Money,
    /// The state's half.
    pub sgst: Money,
}

impl GstRate {
    /// A rate of 0 to 100 percent.
    ///
    /// # Errors
    /// When it is above 100.
    pub fn percent(percent: u8) -> Result<Self, ParseError> {
        if percent > 100 {
            return Err(ParseError::new("out_of_range", "must be a tax rate of 0 to 100 percent"));
        }
        Ok(Self(percent))
    }

    /// Takes the tax out of a price that includes it. Each half is price × rate ÷ 2 ÷ (100 + rate), rounded half up
    /// to the paisa. A price below zero has no tax.
    pub fn split(self, gross: Money) -> GstSplit {
        let percent = i128::from(self.0);
        let tax_of_both = i128::from(gross.amount().max(0)) * percent;
        let half = rounded_half_up(tax_of_both, 2 * (100 + percent));
        // Below a quarter of the price, at 100 percent, and therefore within 64 bits.
        let half = i64::try_from(half).unwrap_or(0);
        GstSplit {
            taxable: Money::inr(gross.amount() - 2 * half),
            cgst: Money::inr(half),
            sgst: Money::inr(half),
        }
    }
}

/// `dividend ÷ divisor`, neither below zero.
fn rounded_half_up(dividend: i128, divisor: i128) -> i128 {
    (2 * dividend + divisor) / (2 * divisor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(percent: u8, gross: i64) -> [i64; 3] {
        let split = GstRate::percent(percent).unwrap().split(Money::inr(gross));
        [split.cgst, split.sgst, split.taxable].map(Money::amount)
    }

    /// The prices of the boost plans, as the accountant has them.
    #[test]
    fn eighteen_percent_of_the_plans_prices() {
        assert_eq!(parts(18, 4_900), [374, 374, 4_152]);
        assert_eq!(parts(18, 9_900), [755, 755, 8_390]);
        assert_eq!(parts(18, 19_900), [1_518, 1_518, 16_864]);
    }

    #[test]
    fn a_half_of_half_a_paisa_is_rounded_up() {
        assert_eq!(parts(100, 2), [1, 1, 0], "2 × 100 ÷ 400 is a half exactly");
        assert_eq!(parts(100, 1), [0, 0, 1], "a quarter is rounded down");
        assert_eq!(parts(5, 105), [3, 3, 99], "two and a half are three");
    }

    #[test]
    fn the_edges_of_rates_and_prices() {
        assert_eq!(parts(0, 4_900), [0, 0, 4_900]);
        assert_eq!(parts(18, 0), [0, 0, 0]);
        assert_eq!(parts(18, -7), [0, 0, -7]);
        assert_eq!(
            parts(100, i64::MAX),
            [2_305_843_009_213_693_952, 2_305_843_009_213_693_952, 4_611_686_018_427_387_903]
        );
        assert!(GstRate::percent(100).is_ok());
        assert_eq!(GstRate::percent(101).unwrap_err().code, "out_of_range");
    }

    proptest! {
        /// Invariant 30: taxable and tax are the price exactly, and the halves are equal.
        #[test]
        fn taxable_and_tax_are_the_price(percent in 0u8..=100, gross in 0..=i64::MAX) {
            let [cgst, sgst, taxable] = parts(percent, gross);
            prop_assert_eq!(cgst, sgst);
            prop_assert_eq!(i128::from(taxable) + i128::from(cgst) + i128::from(sgst), i128::from(gross));
            prop_assert!(cgst >= 0 && taxable >= 0);
        }

        /// Each half is within half a paisa of what it would be without rounding.
        #[test]
        fn a_half_is_off_by_half_a_paisa_at_most(percent in 0u8..=100, gross in 0..1_000_000_000_000i64) {
            let [half, ..] = parts(percent, gross);
            let (rate, divisor) = (i128::from(percent), 2 * (100 + i128::from(percent)));
            let off = i128::from(half) * divisor - i128::from(gross) * rate;
            prop_assert!(-divisor < 2 * off && 2 * off <= divisor, "{off} of {divisor}");
        }

        /// A part of a price never holds more tax than the whole.
        #[test]
        fn tax_grows_with_the_price(percent in 0u8..=100, a in 0..1_000_000i64, b in 0..1_000_000i64) {
            prop_assert!(parts(percent, a.min(b))[0] <= parts(percent, a.max(b))[0]);
        }
    }
}
