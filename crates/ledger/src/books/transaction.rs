//! A wallet's history, row by row.

use chrono::{DateTime, Utc};
use kernel::{InvalidCursor, InvalidInput, Money, Page, Paging, UserId};
use serde::Serialize;

use super::page::{Position, Row};
use super::{TransactionQuery, TransactionType, page, rows};
use crate::{Ledger, LedgerError};

/// How far a row has come. What is in the history has happened; there is no other status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionStatus {
    /// It has happened.
    Completed,
}

impl TransactionStatus {
    /// The status as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
        }
    }
}

/// A balance before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceChange {
    /// Before.
    pub before: Money,
    /// After.
    pub after: Money,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceView {
    /// What sort of thing.
    #[schema(example = "boost")]
    pub kind: String,
    /// Its id.
    #[schema(example = "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    pub id: String,
}

/// A row of a wallet's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletTransactionView {
    /// Its name within the wallet: the number of the change, and the row's place among those of that change.
    #[schema(example = "42-0")]
    pub id: String,
    /// What it says.
    #[serde(rename = "type")]
    pub says: TransactionType,
    /// How much, always above zero.
    pub amount: Money,
    /// What could be spent: top-ups, promotional credit and earnings together. Where a refund was more than that, the
    /// rest became debt.
    pub spendable: BalanceChange,
    /// What was set aside.
    pub held: BalanceChange,
    /// What it is about.
    pub reference: ReferenceView,
    /// How far it has come.
    pub status: TransactionStatus,
    /// Why, in the words of whoever did it.
    #[schema(example = "The listing was taken down")]
    pub reason: Option<String>,
    /// When it was written down.
    pub created_at: DateTime<Utc>,
}

impl Ledger {
    /// The user's history, latest first: a constant number of statements for every page.
    ///
    /// A cursor stays good while the wallet changes: what comes after a row never changes.
    ///
    /// # Errors
    /// When the cursor is not of this history with these filters, or the database fails.
    pub async fn transactions(
        &self,
        user: UserId,
        query: &TransactionQuery,
    ) -> Result<Page<WalletTransactionView>, LedgerError> {
        let TransactionQuery { filter, paging } = query;
        let reader = self.db.reader()?;
        match paging {
            Paging::Numbered { page, limit } => {
                let counts = rows::count(reader, user, filter).await?;
                let total = counts
                    .iter()
                    .map(|&(kind, direction, n)| n * page::rows_of(kind, direction, filter))
                    .sum();
                let rows = page::numbered(reader, user, filter, paging.offset(), *limit).await?;
                Ok(Page::numbered(rows, *page, *limit, total).map(Row::into_view))
            }
            Paging::After { cursor, limit } => {
                let scope = filter.scope(user);
                let open = |cursor: &String| self.config.cursors.open::<Position>(&scope, cursor);
                let after = cursor.as_ref().map(open).transpose().map_err(not_of_this_list)?;
                let rows = page::after(reader, user, filter, after, *limit).await?;
                Ok(Page::feed(rows, *limit, |last| self.config.cursors.seal(&scope, &last.at))
                    .map(Row::into_view))
            }
        }
    }
}

fn not_of_this_list(invalid: InvalidCursor) -> InvalidInput {
    InvalidInput::field("cursor", "invalid_cursor", invalid.to_string())
}
