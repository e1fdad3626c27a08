//! Boosts that staff cut short: over at once, and what was left of them given back.

use kernel::{BoostId, JournalId, ListingId, Money, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::StoreError;

use super::rows::{self, LockedListing};
use super::rules::{self, Span};
use super::{BoostKind, BoostParts, BoostView, in_force};
use crate::events;
use crate::{Catalog, CatalogError};

/// A boost that was cut short, and what is to be given back of its price.
#[derive(Debug, Clone)]
pub struct BoostRefund {
    boost: BoostView,
    listing: LockedListing,
    gst_percent: u8,
    amount: Money,
}

impl BoostRefund {
    /// Which boost.
    pub fn boost(&self) -> BoostId {
        self.boost.id
    }

    /// Who bought it.
    pub fn user(&self) -> UserId {
        self.boost.user_id
    }

    /// What it gave.
    pub fn kind(&self) -> BoostKind {
        self.boost.kind
    }

    /// For which listing.
    pub fn listing(&self) -> ListingId {
        self.boost.listing_id
    }

    /// The price × the seconds that were left ÷ the seconds of the period, rounded down.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// Which accounts paid the price: each gets back its share.
    pub fn paid(&self) -> BoostParts {
        self.boost.paid()
    }

    /// The percentage of GST that the price included.
    pub fn gst_percent(&self) -> u8 {
        self.gst_percent
    }
}

impl Catalog {
    /// Ends all boosts of a listing. What is to be given back must be, in this transaction, and told by
    /// [`note_boost_refunded_in_txn`](Self::note_boost_refunded_in_txn).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cut_boosts_in_txn(
        &self,
        txn: &DatabaseTransaction,
        listing: ListingId,
    ) -> Result<Vec<BoostRefund>, CatalogError> {
        let now = self.ambient.now();
        let Some(listing) = rows::lock_listing(txn, listing).await? else { return Ok(Vec::new()) };
        let mut refunds = Vec::new();
        for (boost, gst_percent) in rows::lock_running(txn, listing.id, now).await? {
            let span = Span { since: boost.starts_at, until: boost.ends_at };
            let paise = rules::unused(boost.price.amount(), span, now);
            if paise > 0 {
                let amount = Money::inr(paise);
                refunds.push(BoostRefund { boost, listing: listing.clone(), gst_percent, amount });
            } else if rows::end(txn, boost.id).await? {
                self.tell_ended_in_txn(txn, &listing, boost.id, boost.kind).await?;
            }
        }
        in_force::clear(txn, listing.id, None).await?;
        Ok(refunds)
    }

    /// The same for all listings of a seller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cut_boosts_of_in_txn(
        &self,
        txn: &DatabaseTransaction,
        seller: UserId,
    ) -> Result<Vec<BoostRefund>, CatalogError> {
        let mut refunds = Vec::new();
        for listing in rows::boosted_of(txn, seller, self.ambient.now()).await? {
            refunds.extend(self.cut_boosts_in_txn(txn, listing).await?);
        }
        Ok(refunds)
    }

    /// Writes down that a boost was refunded by the journal, and tells its end.
    ///
    /// # Errors
    /// When the database fails, or the boost was ended before.
    pub async fn note_boost_refunded_in_txn(
        &self,
        txn: &DatabaseTransaction,
        refund: &BoostRefund,
        journal: JournalId,
    ) -> Result<(), CatalogError> {
        if !rows::refund(txn, refund.boost.id, journal, refund.amount, self.ambient.now()).await? {
            return Err(StoreError::Corrupt("a boost was refunded that had ended".to_owned()).into());
        }
        self.tell_ended_in_txn(txn, &refund.listing, refund.boost.id, refund.boost.kind).await
    }

    /// Tells it as `listing.boost_ended`.
    pub(super) async fn tell_ended_in_txn(
        &self,
        txn: &DatabaseTransaction,
        listing: &LockedListing,
        boost: BoostId,
        kind: BoostKind,
    ) -> Result<(), CatalogError> {
        let more = json!({"boostId": boost, "kind": kind});
        events::tell_in_txn(txn, &self.ambient, events::BOOST_ENDED, listing.facts(), more).await?;
        Ok(())
    }
}
