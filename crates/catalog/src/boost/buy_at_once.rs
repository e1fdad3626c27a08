//! A boost bought in one statement, on PostgreSQL: quoted without a lock, and written only if what the quote rests on is
//! still the same.

use kernel::{BoostPlanId, ListingId, UserId};
use store::OneStatement;

use super::buy::granted;
use super::seen::{self, Seen};
use super::{BoostKind, BoostPayment, BoostQuote, GrantedBoost, rows};
use crate::{Catalog, CatalogError};

/// The look at what a quote rests on, among the writes.
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

impl Catalog {
    /// What a plan would come to for a listing; on PostgreSQL alone. `None` when it cannot be bought; why is told by
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
        let Some(grounds) = seen::look(self.db.reader()?, listing, plan).await? else { return Ok(None) };
        let quote = self.quote(seller, grounds.listing, grounds.plan, grounds.former, kind);
        Ok(quote.ok().map(|quote| OpenBoostQuote { quote, seen: grounds.seen }))
    }

    /// Adds the look at what the quote rests on to writes that are made together, and gives the name that has a row if it
    /// is still so.
    #[must_use]
    pub fn hold_at_once(&self, writes: OneStatement, open: &OpenBoostQuote) -> (OneStatement, &'static str) {
        (seen::hold(writes, OFFER, &open.seen), OFFER)
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
