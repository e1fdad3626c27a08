//! Money: whole minor units (paise) and a currency, with checked arithmetic only.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A currency by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Indian rupee; its minor unit is the paisa, a hundredth.
    Inr,
}

impl Currency {
    /// The ISO 4217 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Inr => "INR",
        }
    }
}

/// An amount in minor units: `{"amount": 5500000, "currency": "INR"}` is ₹55,000.00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 5_500_000, "currency": "INR"}))]
pub struct Money {
    /// Minor units: paise.
    amount: i64,
    /// ISO 4217 code.
    currency: Currency,
}

/// Why an amount could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits.
    #[error("the amount is out of range")]
    Overflow,
    /// Two currencies were mixed.
    #[error("amounts of different currencies cannot be combined")]
    CurrencyMismatch,
}

impl Money {
    /// An amount of paise.
    pub const fn inr(paise: i64) -> Self {
        Self { amount: paise, currency: Currency::Inr }
    }

    /// Minor units.
    pub const fn amount(self) -> i64 {
        self.amount
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// When it does not fit, or the currencies differ.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference; it may be below zero.
    ///
    /// # Errors
    /// When it does not fit, or the currencies differ.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = op(self.amount, other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, currency: self.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.amount < 0 { "-" } else { "" };
        let minor = self.amount.unsigned_abs();
        write!(f, "{} {sign}{}.{:02}", self.currency.code(), minor / 100, minor % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_wire_form_is_minor_units_and_a_code() {
        let money = Money::inr(5_500_000);
        let json = serde_json::to_value(money).unwrap();
        assert_eq!(json, serde_json::json!({"amount": 5_500_000, "currency": "INR"}));
        assert_eq!(serde_json::from_value::<Money>(json).unwrap(), money);
    }

    #[test]
    fn floats_strings_and_unknown_currencies_are_refused() {
        for bad in [
            r#"{"amount": 1.5, "currency": "INR"}"#,
            r#"{"amount": "100", "currency": "INR"}"#,
            r#"{"amount": 1e3, "currency": "INR"}"#,
            r#"{"amount": 100, "currency": "USD"}"#,
            r#"{"amount": 100, "currency": "INR", "scale": 2}"#,
        ] {
            assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn adding_and_taking_away_is_exact_or_refused(a: i64, b: i64) {
            let sum = Money::inr(a).checked_add(Money::inr(b));
            match a.checked_add(b) {
                Some(total) => {
                    prop_assert_eq!(sum, Ok(Money::inr(total)));
                    prop_assert_eq!(sum.unwrap().checked_sub(Money::inr(b)), Ok(Money::inr(a)));
                }
                None => prop_assert_eq!(sum, Err(MoneyError::Overflow)),
            }
        }

        #[test]
        fn display_always_shows_two_digits(paise: i64) {
            let text = Money::inr(paise).to_string();
            prop_assert_eq!(text.rsplit('.').next().unwrap().len(), 2);
        }
    }
}
