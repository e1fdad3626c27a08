//! A boost bought in one statement, on PostgreSQL: quoted without a lock, and written only if what the quote rests on is
//! still the same.

use kernel::{BoostPlanId, ListingId, TypedId, UserId};
use sea_orm::{ConnectionTrait, QueryResult};
use store::{Engine, OneStatement};

use super::buy::granted;
use super::{BoostKind, BoostPayment, BoostQuote, GrantedBoost, in_force, rows};
use crate::{Catalog, CatalogError};

/// The look at the listing and what is in force for it, which has a row if they are as they were seen, and locks them.
const OFFER: &str = "offer";

/// A boost that could be bought when it was looked at. Nothing holds the price and the times still.
#[derive(Debug)]
pub struct OpenBoostQuote {
    quote: BoostQuote,
    seen: Seen,
}

impl OpenBoostQuote {
    /// The quote.
    pub fn quote(&self) -> &BoostQuote {
        &self.quote
    }
}

/// Which versions of the rows the quote rests on: the transactions that wrote them.
#[derive(Debug)]
struct Seen {
    listing: String,
    plan: String,
    prominence: Option<String>,
}

impl Catalog {
    /// What a plan would come to for a listing. `None` when it cannot be bought; why is told by
    /// [`quote_boost_in_txn`](Self::quote_boost_in_txn).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quote_boost(
        &self,
        seller: UserId,
        listing: ListingId,
        plan: BoostPlanId,
        kind: Option<BoostKind>,
    ) -> Result<Option<OpenBoostQuote>, CatalogError> {
        let sql = format!(
            "SELECT l.seller_id, l.category_id, l.title, l.status, l.expires_at, CAST(l.xmin AS text) AS listing_seen, \
             CAST(p.xmin AS text) AS plan_seen, CAST(h.xmin AS text) AS prominence_seen, {} FROM listings l \
             JOIN boost_plans p ON p.id = ? LEFT JOIN listing_prominence h ON h.listing_id = l.id WHERE l.id = ?",
            in_force::plan_columns()
        );
        let statement = Engine::Postgres.statement(&sql, [plan.uuid().into(), listing.uuid().into()]);
        let Some(row) = self.db.reader()?.query_one_raw(statement).await? else { return Ok(None) };
        let listing = rows::read_listing(&row, listing)?;
        if listing.seller != seller {
            return Ok(None);
        }
        let (plan, former) = in_force::read_plan_columns(&row)?;
        let Ok(quote) = self.quote(listing, plan, former, kind) else { return Ok(None) };
        Ok(Some(OpenBoostQuote { quote, seen: seen(&row)? }))
    }

    /// Adds the look at what the quote rests on to writes that are made together, and gives the name that has a row if it
    /// is still so.
    #[must_use]
    pub fn hold_at_once(&self, writes: OneStatement, open: &OpenBoostQuote) -> (OneStatement, &'static str) {
        let OpenBoostQuote { quote, seen } = open;
        let (from, locked, and) = match seen.prominence {
            Some(_) => (
                "listings l, boost_plans p, listing_prominence h",
                "l, h",
                " AND h.listing_id = l.id AND h.xmin = CAST(? AS xid)",
            ),
            None => ("listings l, boost_plans p", "l", ""),
        };
        let sql = format!(
            "SELECT 1 FROM {from} WHERE l.id = ? AND l.xmin = CAST(? AS xid) AND p.id = ? AND p.xmin = CAST(? AS xid){and} \
             FOR UPDATE OF {locked}"
        );
        let values = [
            quote.listing.id.uuid().into(),
            seen.listing.as_str().into(),
            quote.plan.uuid().into(),
            seen.plan.as_str().into(),
        ];
        let prominence = seen.prominence.as_deref().map(sea_orm::Value::from);
        (writes.with(OFFER, &sql, values.into_iter().chain(prominence)), OFFER)
    }

    /// Adds a boost that is paid for to writes that are made together, if `gate` has a row; as
    /// [`grant_boost_in_txn`](Self::grant_boost_in_txn).
    pub fn grant_at_once(
        &self,
        writes: OneStatement,
        open: &OpenBoostQuote,
        payment: &BoostPayment,
        gate: &str,
    ) -> (OneStatement, GrantedBoost) {
        let (quote, now) = (&open.quote, self.ambient.now());
        let granted = granted(quote, payment, now);
        let (boost, percent) = (&granted.boost, payment.gst_percent);
        let writes = rows::grant_at_once(writes, boost, percent, quote.prominence, quote.is_first, now, gate);
        (writes, granted)
    }
}

fn seen(row: &QueryResult) -> Result<Seen, CatalogError> {
    Ok(Seen {
        listing: row.try_get("", "listing_seen")?,
        plan: row.try_get("", "plan_seen")?,
        prominence: row.try_get("", "prominence_seen")?,
    })
}
