//! The parts of a plan that have a form of their own.

use kernel::{Money, ParseError, bounded_text};

/// A plan's name for people: 2 to 60 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanName(String);

impl PlanName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is too short, too long, or holds a character that is not taken.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 2, 60, false).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a plan costs, tax included: ₹1 to ₹1,00,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanPrice(Money);

impl PlanPrice {
    /// The least.
    pub const MIN: Money = Money::inr(100);
    /// The most.
    pub const MAX: Money = Money::inr(10_000_000);

    /// Reads a price.
    ///
    /// # Errors
    /// When it is out of range.
    pub fn parse(price: Money) -> Result<Self, ParseError> {
        if (Self::MIN.amount()..=Self::MAX.amount()).contains(&price.amount()) {
            Ok(Self(price))
        } else {
            Err(ParseError::new("out_of_range", "must be from 100 to 10000000 paise"))
        }
    }

    /// The price.
    pub fn money(self) -> Money {
        self.0
    }
}

/// For how many days a plan runs: 1 to 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanDays(u16);

impl PlanDays {
    /// Reads a number of days.
    ///
    /// # Errors
    /// When it is not between 1 and 365.
    pub fn parse(days: i64) -> Result<Self, ParseError> {
        match u16::try_from(days) {
            Ok(days @ 1..=365) => Ok(Self(days)),
            _ => Err(ParseError::new("out_of_range", "must be from 1 to 365 days")),
        }
    }

    /// The number of days.
    pub fn days(self) -> u16 {
        self.0
    }
}

/// What a plan gives, in words: at most ten lines of 1 to 120 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanFeatures(Vec<String>);

impl PlanFeatures {
    /// The most lines.
    pub const MAX: usize = 10;

    /// Reads the lines.
    ///
    /// # Errors
    /// When there are too many, or one is empty, too long, or holds a character that is not taken.
    pub fn parse(lines: &[String]) -> Result<Self, ParseError> {
        if lines.len() > Self::MAX {
            return Err(ParseError::new("too_many", format!("must be at most {}", Self::MAX)));
        }
        lines.iter().map(|line| bounded_text(line, 1, 120, false)).collect::<Result<_, _>>().map(Self)
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_costs_a_rupee_to_a_lakh() {
        for paise in [100, 9_900, 10_000_000] {
            assert_eq!(PlanPrice::parse(Money::inr(paise)).unwrap().money(), Money::inr(paise));
        }
        for paise in [i64::MIN, -9_900, 0, 99, 10_000_001, i64::MAX] {
            assert!(PlanPrice::parse(Money::inr(paise)).is_err(), "{paise}");
        }
    }

    #[test]
    fn a_plan_runs_for_a_day_to_a_year() {
        assert_eq!(PlanDays::parse(365).unwrap().days(), 365);
        for days in [i64::MIN, -1, 0, 366, 65_537] {
            assert!(PlanDays::parse(days).is_err(), "{days}");
        }
    }

    #[test]
    fn features_are_a_few_short_lines() {
        let line = |text: &str| vec![text.to_owned()];
        assert_eq!(PlanFeatures::parse(&line(" Stands first ")).unwrap().lines(), ["Stands first"]);
        for wrong in [line(""), line("a\nb"), line(&"x".repeat(121)), vec!["x".to_owned(); 11]] {
            assert!(PlanFeatures::parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
