//! What a payer was charged, in whatever currency that was.

use kernel::{Currency, Money};
use serde::Serialize;

/// An amount as the provider tells it. It need not be in rupees, so it is no [`Money`]: the ledger keeps rupees alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({"amount": 50_000, "currency": "INR"}))]
pub struct Charge {
    /// Minor units: paise for rupees.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl Charge {
    /// An amount of paise.
    pub fn inr(paise: i64) -> Self {
        Money::inr(paise).into()
    }

    /// The amount as money, if it is in rupees.
    pub fn inr_money(&self) -> Option<Money> {
        (self.currency == Currency::Inr.code()).then(|| Money::inr(self.amount))
    }
}

impl From<Money> for Charge {
    fn from(money: Money) -> Self {
        Self { amount: money.amount(), currency: money.currency().code().to_owned() }
    }
}
