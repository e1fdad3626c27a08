//! A boost bought: what it would be, and, once it is paid for, that it is.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BoostId, BoostPlanId, InvalidInput, JournalId, ListingId, Money, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::NewEvent;

use super::plan::BoostPlan;
use super::rows::{self, LockedListing};
use super::rules::{self, Span};
use super::{BoostKind, BoostParts, BoostStatus, BoostView, Prominence, in_force};
use crate::events;
use crate::listing::rules::Refusal;
use crate::{Catalog, CatalogError};

/// A boost that can be bought within this transaction, which has locked the listing: price and times hold until its end.
#[derive(Debug)]
pub struct BoostQuote {
    id: BoostId,
    listing: LockedListing,
    plan: BoostPlanId,
    kind: BoostKind,
    price: Money,
    span: Span,
    /// What is in force once it is bought.
    pub(super) prominence: Prominence,
    pub(super) is_first: bool,
}

impl BoostQuote {
    /// The id that the boost has once it is paid for.
    pub fn id(&self) -> BoostId {
        self.id
    }

    pub(super) fn listing(&self) -> ListingId {
        self.listing.id
    }

    /// What it gives.
    pub fn kind(&self) -> BoostKind {
        self.kind
    }

    /// What is to be paid, tax included.
    pub fn price(&self) -> Money {
        self.price
    }
}

/// How a boost was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoostPayment {
    /// The journal that moved the money.
    pub journal: JournalId,
    /// Which accounts paid how much of the price.
    pub paid: BoostParts,
    /// The percentage of GST that the price includes.
    pub gst_percent: u8,
    /// Central GST within the price.
    pub cgst: Money,
    /// State GST within the price; as much.
    pub sgst: Money,
}

/// A boost that was written in this transaction.
#[derive(Debug)]
#[must_use = "that it was granted is to be told"]
pub struct GrantedBoost {
    /// The boost.
    pub boost: BoostView,
    /// What is to be told of it, in the same transaction.
    pub event: NewEvent,
}

impl Catalog {
    /// What a plan would come to for a listing, whose row is locked until the transaction ends. With `kind`, only a plan
    /// of that kind will do.
    ///
    /// # Errors
    /// When there is no such listing of the seller's, it is not ACTIVE or its time is over, or `planId` names no plan that
    /// can be bought.
    pub async fn quote_boost_in_txn(
        &self,
        txn: &DatabaseTransaction,
        seller: UserId,
        listing: ListingId,
        plan: BoostPlanId,
        kind: Option<BoostKind>,
    ) -> Result<BoostQuote, CatalogError> {
        // Before the plan is looked at: of somebody else's listing nothing is told, whatever is asked for.
        let listing = rows::lock_listing(txn, listing).await?.filter(|listing| listing.is_of(seller));
        let listing = listing.ok_or(CatalogError::ListingNotFound)?;
        // After the lock: a boost that was bought meanwhile is seen.
        let (plan, former) = in_force::with_plan(txn, plan, listing.id).await?.ok_or_else(unknown_plan)?;
        self.quote(seller, listing, plan, former, kind)
    }

    /// What the plan comes to for the listing, where this is in force, if it is the seller's.
    pub(super) fn quote(
        &self,
        seller: UserId,
        listing: LockedListing,
        plan: BoostPlan,
        former: Option<Prominence>,
        kind: Option<BoostKind>,
    ) -> Result<BoostQuote, CatalogError> {
        if !listing.is_of(seller) {
            return Err(CatalogError::ListingNotFound);
        }
        let input = plan.input;
        if !input.active {
            return Err(unknown_plan());
        }
        if kind.is_some_and(|kind| kind != input.kind) {
            return Err(wrong_kind().into());
        }
        let now = self.ambient.now();
        if !listing.is_offered(now) {
            let message = "only an ACTIVE listing whose time is not over can be boosted";
            return Err(Refusal { code: "listing_not_active", message }.into());
        }
        let before = former.unwrap_or_default();
        let since = rules::begins(before.of(input.kind), now);
        let span = Span { since, until: since + TimeDelta::days(input.days.days().into()) };
        Ok(BoostQuote {
            id: self.ambient.new_id(),
            listing,
            plan: plan.id,
            kind: input.kind,
            price: input.price.money(),
            span,
            prominence: before.with(input.kind, span, input.top_placement, input.highlight),
            is_first: former.is_none(),
        })
    }

    /// Writes a boost that was paid for in this transaction. The caller tells it, as `listing.boosted`, together with
    /// what there is to tell of the payment. Once the transaction has committed,
    /// [`forget_prominence`](Self::forget_prominence) lets this process's lists show it at once.
    ///
    /// # Errors
    /// When the database fails, or the payment does not fit the price.
    pub async fn grant_boost_in_txn(
        &self,
        txn: &DatabaseTransaction,
        quote: BoostQuote,
        payment: &BoostPayment,
    ) -> Result<GrantedBoost, CatalogError> {
        let now = self.ambient.now();
        let granted = granted(&quote, payment, now);
        rows::grant(txn, &granted.boost, payment.gst_percent, quote.prominence, quote.is_first, now).await?;
        Ok(granted)
    }

    /// Drops the copy of what is in force, after a transaction that changed it.
    pub fn forget_prominence(&self) {
        self.prominence.drop_copy();
    }
}

/// The boost that the payment buys, and what is to be told of it.
pub(super) fn granted(quote: &BoostQuote, payment: &BoostPayment, now: DateTime<Utc>) -> GrantedBoost {
    let boost = boost(quote, payment, now);
    let more = json!({
        "boostId": boost.id,
        "planId": boost.plan_id,
        "kind": boost.kind,
        "startsAt": boost.starts_at,
        "endsAt": boost.ends_at,
    });
    let event = events::event(events::BOOSTED, quote.listing.facts(), more);
    GrantedBoost { boost, event }
}

fn boost(quote: &BoostQuote, payment: &BoostPayment, now: DateTime<Utc>) -> BoostView {
    let Span { since, until } = quote.span;
    BoostView {
        id: quote.id,
        listing_id: quote.listing.id,
        plan_id: quote.plan,
        user_id: quote.listing.seller,
        kind: quote.kind,
        price: quote.price,
        promo_part: payment.paid.promo,
        available_part: payment.paid.available,
        earnings_part: payment.paid.earnings,
        cgst: payment.cgst,
        sgst: payment.sgst,
        journal_id: payment.journal,
        refunded: Money::inr(0),
        starts_at: since,
        ends_at: until,
        ended_at: None,
        status: if now < since { BoostStatus::Scheduled } else { BoostStatus::Running },
    }
}

fn unknown_plan() -> CatalogError {
    InvalidInput::field("planId", "unknown_plan", "must be a plan that can be bought").into()
}

fn wrong_kind() -> InvalidInput {
    InvalidInput::field("planId", "wrong_kind", "must be a plan of the kind FEATURE")
}
