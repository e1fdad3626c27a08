//! A seller boosts a listing: price read, wallet charged and boost granted in one transaction, once under the key.

use catalog::{BoostKind, BoostParts, BoostPayment, BoostQuote, BoostView, CatalogError, GrantedBoost};
use kernel::{Actor, BoostPlanId, JournalId, ListingId, Money, UserId};
use ledger::{Balances, GstRate, JournalKind, Outcome, Split, templates};
use platform::settings::BOOST_GST_PERCENT;
use sea_orm::DatabaseTransaction;
use store::{IdempotencyKey, StoreError, StoredAnswer, append_events_in_txn};

use super::once::{Effect, Once};
use super::wallet_event::wallet_updated;
use crate::{FlowError, Marketplace};

/// A boost that was bought, and what is left in the wallet.
#[derive(Debug, Clone)]
pub struct Boosted {
    /// The boost.
    pub boost: BoostView,
    /// The wallet after it.
    pub wallet: Balances,
}

impl Marketplace {
    /// Buys a plan for a listing of the actor's, from promotional credit first, then from what was topped up, then from
    /// earnings. With `kind`, only a plan of that kind will do. `answer` writes the answer that is kept under the key.
    ///
    /// # Errors
    /// When there is no such listing of the actor's, it is not ACTIVE, `planId` names no plan that can be bought, the
    /// wallet is frozen or does not reach, or the key was used for another request or its first one is under way.
    pub async fn boost_listing(
        &self,
        actor: &Actor,
        listing: ListingId,
        plan: BoostPlanId,
        kind: Option<BoostKind>,
        key: &IdempotencyKey,
        answer: fn(&Boosted) -> StoredAnswer,
    ) -> Result<Once<Boosted>, FlowError> {
        let seller = actor.user().ok_or(CatalogError::Forbidden)?;
        let gst = Gst::parse(self.settings.get(&BOOST_GST_PERCENT).await)?;
        let buy = async |txn: &DatabaseTransaction| {
            let quote = self.catalog.quote_boost_in_txn(txn, seller, listing, plan, kind).await?;
            self.charge_in_txn(txn, actor, seller, quote, gst).await.map(Effect::Done)
        };
        let boosted = self.once(key, buy, answer).await?;
        if let Once::Now(_) = &boosted {
            self.catalog.forget_prominence();
        }
        Ok(boosted)
    }

    async fn charge_in_txn(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        seller: UserId,
        quote: BoostQuote,
        gst: Gst,
    ) -> Result<Boosted, FlowError> {
        let price = quote.price();
        let before = self.ledger.lock_wallet_in_txn(txn, seller).await?;
        let split = before.split(price).ok_or_else(|| missing(&before, price))?;
        let kind = match quote.kind() {
            BoostKind::Boost => JournalKind::BoostCharge,
            BoostKind::Feature => JournalKind::FeatureCharge,
        };
        let charge = templates::boost_charge(quote.id(), seller, &split, gst.rate, kind)?.by(actor);
        let journal = match self.ledger.post_in_txn(txn, &charge).await? {
            Outcome::Posted(journal) | Outcome::Known(journal) => journal,
            Outcome::Refused(refusal) => return Err(FlowError::Refused(refusal)),
        };
        let payment = payment(journal, &split, gst)?;
        let GrantedBoost { boost, event } = self.catalog.grant_boost_in_txn(txn, quote, &payment).await?;
        let wallet = after(&before, &split)?;
        let events = [event, wallet_updated(seller, &wallet, "boost", journal)];
        append_events_in_txn(txn, &self.ambient, events).await?;
        Ok(Boosted { boost, wallet })
    }
}

/// The GST within a price, as staff have set it.
#[derive(Debug, Clone, Copy)]
struct Gst {
    percent: u8,
    rate: GstRate,
}

impl Gst {
    fn parse(percent: i64) -> Result<Self, StoreError> {
        let parsed = u8::try_from(percent).ok().and_then(|percent| {
            let rate = GstRate::percent(percent).ok()?;
            Some(Self { percent, rate })
        });
        parsed.ok_or_else(|| StoreError::Corrupt(format!("boost_gst_percent: {percent}")))
    }
}

/// How a boost was paid for. The tax is what is within the cash: none is due on promotional credit.
fn payment(journal: JournalId, split: &Split, gst: Gst) -> Result<BoostPayment, FlowError> {
    let cash = split.available.checked_add(split.earnings).map_err(out_of_range)?;
    let tax = gst.rate.split(cash);
    Ok(BoostPayment {
        journal,
        paid: BoostParts { promo: split.promo, available: split.available, earnings: split.earnings },
        gst_percent: gst.percent,
        cgst: tax.cgst,
        sgst: tax.sgst,
    })
}

/// The wallet after the charge. Its row is locked, so nobody else has changed it meanwhile.
fn after(before: &Balances, split: &Split) -> Result<Balances, StoreError> {
    Ok(Balances {
        promo: before.promo.checked_sub(split.promo).map_err(out_of_range)?,
        available: before.available.checked_sub(split.available).map_err(out_of_range)?,
        earnings: before.earnings.checked_sub(split.earnings).map_err(out_of_range)?,
        version: before.version + 1,
        ..*before
    })
}

/// How much the wallet lacks.
fn missing(wallet: &Balances, price: Money) -> FlowError {
    let spendable = wallet.promo.amount() + wallet.available.amount() + wallet.earnings.amount();
    FlowError::InsufficientFunds { price, missing: Money::inr(price.amount() - spendable) }
}

fn out_of_range(error: kernel::MoneyError) -> StoreError {
    StoreError::Corrupt(format!("a wallet: {error}"))
}
