//! A wallet as its owner sees it.

use kernel::{Currency, Money, TypedId, UserId};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use store::StoreError;

use super::WalletTotalsView;
use super::stats::sums;
use crate::{Ledger, LedgerError};

/// What a user has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletView {
    /// What was paid in and is left.
    pub available: Money,
    /// What is set aside for a refund, a payout or a dispute.
    pub held: Money,
    /// Promotional credit: good for boosts, never paid out.
    pub promo: Money,
    /// What was earned.
    pub earnings: Money,
    /// What the user owes: zero or below.
    pub debt: Money,
    /// What can be spent on boosts: available, promo and earnings together.
    pub spendable: Money,
    /// What came and went since the wallet was opened.
    pub lifetime: WalletTotalsView,
    /// The currency of everything above.
    pub currency: Currency,
}

/// The purses of the stored row; a user without one has nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Purses {
    available: i64,
    held: i64,
    promo: i64,
    earnings: i64,
    debt: i64,
}

impl Ledger {
    /// The user's wallet. Somebody who never had money has a wallet of zeros.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wallet(&self, user: UserId) -> Result<WalletView, LedgerError> {
        let stored = self.purses(user).await?;
        let lifetime = match stored {
            Some(_) => WalletTotalsView::of(&sums(self.db.reader()?, user, None).await?.lifetime)?,
            None => WalletTotalsView::default(),
        };
        let Purses { available, held, promo, earnings, debt } = stored.unwrap_or_default();
        let spendable = Money::inr(available)
            .checked_add(Money::inr(promo))
            .and_then(|sum| sum.checked_add(Money::inr(earnings)))
            .map_err(|error| StoreError::Corrupt(format!("ledger_wallets {user}: {error}")))?;
        Ok(WalletView {
            available: Money::inr(available),
            held: Money::inr(held),
            promo: Money::inr(promo),
            earnings: Money::inr(earnings),
            debt: Money::inr(debt),
            spendable,
            lifetime,
            currency: Currency::Inr,
        })
    }

    async fn purses(&self, user: UserId) -> Result<Option<Purses>, LedgerError> {
        let select = self.db.engine().statement(
            "SELECT available, held, promo, earnings, debt FROM ledger_wallets WHERE user_id = ?",
            [user.uuid().into()],
        );
        let Some(row) = self.db.reader()?.query_one_raw(select).await? else { return Ok(None) };
        Ok(Some(Purses {
            available: row.try_get("", "available")?,
            held: row.try_get("", "held")?,
            promo: row.try_get("", "promo")?,
            earnings: row.try_get("", "earnings")?,
            debt: row.try_get("", "debt")?,
        }))
    }
}
