//! A seller boosts a listing: price read, wallet charged and boost granted in one transaction, once under the key.

use catalog::{BoostKind, BoostParts, BoostPayment, BoostQuote, BoostView, CatalogError, GrantedBoost};
use kernel::{Actor, BoostPlanId, JournalId, ListingId, Money, UserId};
use ledger::{Balances, GstRate, JournalKind, NewJournal, Outcome, Split, templates};
use platform::settings::BOOST_GST_PERCENT;
use sea_orm::DatabaseTransaction;
use store::{
    IdempotencyKey, OneStatement, StoreError, StoredAnswer, answer_at_once, append_events_at_once,
    append_events_in_txn,
};

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
        let order = Order { actor, seller, listing, plan, kind, gst };
        let boosted = match self.boost_at_once(&order, key, answer).await? {
            Some(boosted) => Once::Now(boosted),
            None => {
                let buy =
                    async |txn: &DatabaseTransaction| self.buy_in_txn(txn, &order).await.map(Effect::Done);
                self.once(key, buy, answer).await?
            }
        };
        if let Once::Now(_) = &boosted {
            self.catalog.forget_prominence();
        }
        Ok(boosted)
    }

    async fn buy_in_txn(&self, txn: &DatabaseTransaction, order: &Order<'_>) -> Result<Boosted, FlowError> {
        let Order { seller, listing, plan, kind, gst, .. } = *order;
        let quote = self.catalog.quote_boost_in_txn(txn, seller, listing, plan, kind).await?;
        let before = self.ledger.lock_wallet_in_txn(txn, seller).await?;
        let bill = order.bill(&quote, &before)?;
        let journal = match self.ledger.post_in_txn(txn, &bill.charge).await? {
            Outcome::Posted(journal) | Outcome::Known(journal) => journal,
            Outcome::Refused(refusal) => return Err(FlowError::Refused(refusal)),
        };
        let payment = payment(journal, &bill.split, gst)?;
        let GrantedBoost { boost, event } = self.catalog.grant_boost_in_txn(txn, quote, &payment).await?;
        let events = [event, wallet_updated(seller, &bill.wallet, "boost", journal)];
        append_events_in_txn(txn, &self.ambient, events).await?;
        Ok(Boosted { boost, wallet: bill.wallet })
    }

    /// Everything in one statement, where the engine can do so: it is written if nothing has changed since it was reckoned.
    /// `None` when it has, or nothing can be bought, or the key is known; then a transaction finds out what to answer.
    async fn boost_at_once(
        &self,
        order: &Order<'_>,
        key: &IdempotencyKey,
        answer: fn(&Boosted) -> StoredAnswer,
    ) -> Result<Option<Boosted>, FlowError> {
        let Order { seller, listing, plan, kind, gst, .. } = *order;
        if !self.ledger.posts_at_once() {
            return Ok(None);
        }
        let Some(open) = self.catalog.quote_boost(seller, listing, plan, kind).await? else {
            return Ok(None);
        };
        let Some(before) = self.ledger.glance(seller).await? else { return Ok(None) };
        let Ok(bill) = order.bill(open.quote(), &before) else { return Ok(None) };

        let (writes, offer) = self.catalog.hold_at_once(OneStatement::default(), &open);
        let posting = self.ledger.post_at_once(writes, &bill.charge, offer, before.version);
        let Some((journal, writes, posted)) = posting else { return Ok(None) };
        let payment = payment(journal, &bill.split, gst)?;
        let (writes, granted) = self.catalog.grant_at_once(writes, &open, &payment, posted);
        let events = [granted.event, wallet_updated(seller, &bill.wallet, "boost", journal)];
        let writes = append_events_at_once(writes, &self.ambient, events, posted);
        let boosted = Boosted { boost: granted.boost, wallet: bill.wallet };
        let writes = answer_at_once(writes, key, &answer(&boosted), self.ambient.now(), posted);
        match self.db.at_once(&writes, posted).await {
            Ok(is_made) => Ok(is_made.then_some(boosted)),
            // The key is in use, or somebody else was first to boost the listing.
            Err(error) if error.is_unique_violation() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// What is asked for, by whom, and the tax on it.
#[derive(Debug, Clone, Copy)]
struct Order<'a> {
    actor: &'a Actor,
    seller: UserId,
    listing: ListingId,
    plan: BoostPlanId,
    kind: Option<BoostKind>,
    gst: Gst,
}

/// How a wallet pays.
#[derive(Debug)]
struct Bill {
    charge: NewJournal,
    split: Split,
    /// The wallet after it.
    wallet: Balances,
}

impl Order<'_> {
    /// How the wallet, as it is, pays for the quoted boost.
    fn bill(&self, quote: &BoostQuote, before: &Balances) -> Result<Bill, FlowError> {
        let split = before.split(quote.price()).ok_or_else(|| missing(before, quote.price()))?;
        let kind = match quote.kind() {
            BoostKind::Boost => JournalKind::BoostCharge,
            BoostKind::Feature => JournalKind::FeatureCharge,
        };
        let charge =
            templates::boost_charge(quote.id(), self.seller, &split, self.gst.rate, kind)?.by(self.actor);
        let wallet = after(before, &split)?;
        Ok(Bill { charge, split, wallet })
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
