//! Sums over a wallet's history, made by the database.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, FixedOffset, TimeZone, Utc};
use kernel::{Money, TypedId, UserId};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use store::{Engine, StoreError};

use super::TransactionType;
use super::rows::{self, DIRECTION, ENTRIES};
use super::shape::{part_of, parts};
use crate::account::House;
use crate::{Ledger, LedgerError};

/// Seconds by which Indian time is ahead of UTC; it knows no summer time.
const INDIA: i32 = 19_800;

/// What came and went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletTotalsView {
    /// Everything that was credited: top-ups, promotional credit, returned prices of boosts, corrections.
    pub credited: Money,
    /// What was spent on boosts and featured places.
    pub spent: Money,
    /// What went back to where it had been paid from.
    pub refunded: Money,
}

impl Default for WalletTotalsView {
    fn default() -> Self {
        Self { credited: Money::inr(0), spent: Money::inr(0), refunded: Money::inr(0) }
    }
}

/// The sum of one type of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypeTotalView {
    /// The type.
    #[serde(rename = "type")]
    pub says: TransactionType,
    /// Since the month began.
    pub this_month: Money,
    /// Since the wallet was opened.
    pub lifetime: Money,
}

/// Sums over a wallet's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletStatsView {
    /// When the month began, in Indian time.
    pub month_began_at: DateTime<Utc>,
    /// What came and went since then.
    pub this_month: WalletTotalsView,
    /// What came and went since the wallet was opened.
    pub lifetime: WalletTotalsView,
    /// The sums of each type, of every type there is.
    pub types: Vec<TypeTotalView>,
}

/// Paise by type; a type that is not there has none.
pub(super) type Totals = BTreeMap<TransactionType, i64>;

/// Sums of a history.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) this_month: Totals,
    pub(super) lifetime: Totals,
}

impl WalletTotalsView {
    pub(super) fn of(totals: &Totals) -> Result<Self, StoreError> {
        use TransactionType as T;
        let sum = |types: &[T]| -> Result<Money, StoreError> {
            let amounts = types.iter().filter_map(|says| totals.get(says));
            let sum = amounts.copied().try_fold(0_i64, i64::checked_add);
            sum.map(Money::inr).ok_or_else(too_large)
        };
        Ok(Self {
            credited: sum(&[T::CreditTopup, T::CreditRefund, T::CreditBonus, T::CreditAdjustment])?,
            spent: sum(&[T::DebitBoost, T::DebitFeature])?,
            refunded: sum(&[T::DebitRefund])?,
        })
    }
}

impl Ledger {
    /// Sums of the user's history, by type: of this month in Indian time, and of all time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stats(&self, user: UserId) -> Result<WalletStatsView, LedgerError> {
        let month_began_at = month_of(self.ambient.now());
        let sums = sums(self.db.reader()?, user, Some(month_began_at)).await?;
        let amount = |totals: &Totals, says| Money::inr(totals.get(&says).copied().unwrap_or_default());
        Ok(WalletStatsView {
            month_began_at,
            this_month: WalletTotalsView::of(&sums.this_month)?,
            lifetime: WalletTotalsView::of(&sums.lifetime)?,
            types: TransactionType::ALL
                .map(|says| TypeTotalView {
                    says,
                    this_month: amount(&sums.this_month, says),
                    lifetime: amount(&sums.lifetime, says),
                })
                .to_vec(),
        })
    }
}

/// The sums since the beginning, and since the moment if one is given. The database adds up; what comes back is one
/// row for each kind of journal and pair of accounts.
pub(super) async fn sums(
    conn: &impl ConnectionTrait,
    user: UserId,
    since: Option<DateTime<Utc>>,
) -> Result<Sums, StoreError> {
    let engine = Engine::of(conn.get_database_backend());
    let recent = "CASE WHEN e.created_at >= ? THEN l.amount ELSE 0 END";
    let sql = format!(
        "SELECT e.kind, {DIRECTION} AS direction, l.from_kind, l.to_kind, {} AS lifetime, {} AS recent \
         FROM {ENTRIES} JOIN ledger_postings l ON l.journal_id = e.journal_id \
         AND (l.from_user = e.user_id OR l.to_user = e.user_id) \
         WHERE e.user_id = ? GROUP BY e.kind, direction, l.from_kind, l.to_kind",
        rows::sum_of(engine, "l.amount"),
        rows::sum_of(engine, recent),
    );
    let since = since.unwrap_or(DateTime::UNIX_EPOCH);
    let statement = engine.statement(&sql, [since.into(), user.uuid().into()]);
    let mut sums = Sums::default();
    for row in conn.query_all_raw(statement).await? {
        let (kind, direction) = rows::read_kind(&row)?;
        let (from, to): (String, String) = (row.try_get("", "from_kind")?, row.try_get("", "to_kind")?);
        let parts = parts(kind, direction);
        let part = part_of(parts, House::parse(&from).or_else(|| House::parse(&to)));
        let says = part.and_then(|part| parts.get(part)).map(|part| part.says);
        let says = says.ok_or_else(|| rows::corrupt(format!("a wallet takes part in a journal {kind:?}")))?;
        add(&mut sums.lifetime, says, row.try_get("", "lifetime")?)?;
        add(&mut sums.this_month, says, row.try_get("", "recent")?)?;
    }
    Ok(sums)
}

fn add(totals: &mut Totals, says: TransactionType, amount: i64) -> Result<(), StoreError> {
    let total = totals.entry(says).or_default();
    *total = total.checked_add(amount).ok_or_else(too_large)?;
    Ok(())
}

fn too_large() -> StoreError {
    rows::corrupt("a sum of ledger_postings does not fit 64 bits")
}

/// When the month of the moment began in India.
fn month_of(at: DateTime<Utc>) -> DateTime<Utc> {
    let begin = FixedOffset::east_opt(INDIA).and_then(|india| {
        let local = at.with_timezone(&india);
        india.with_ymd_and_hms(local.year(), local.month(), 1, 0, 0, 0).single()
    });
    begin.map_or(at, |begin| begin.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_in_india() {
        for (at, begin) in [
            ("2026-03-02T06:00:00Z", "2026-02-28T18:30:00Z"),
            ("2026-02-28T18:30:00Z", "2026-02-28T18:30:00Z"),
            ("2026-02-28T18:29:59.999999Z", "2026-01-31T18:30:00Z"),
            ("2025-12-31T20:00:00Z", "2025-12-31T18:30:00Z"),
        ] {
            let at: DateTime<Utc> = at.parse().unwrap();
            assert_eq!(month_of(at), begin.parse::<DateTime<Utc>>().unwrap(), "{at}");
        }
    }
}
