//! A seller boosts a listing: price read, wallet charged and boost granted in one transaction, once under the key.

use catalog::{BoostKind, BoostOrder, BoostView, CatalogError, GrantedBoost};
use kernel::{Actor, BoostPlanId, ListingId};
use ledger::{Balances, Outcome};
use platform::settings::BOOST_GST_PERCENT;
use sea_orm::DatabaseTransaction;
use store::{IdempotencyKey, StoredAnswer, append_events_in_txn};

use super::boost_bill::{Gst, Order};
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
        let order = Order { actor: *actor, boost: BoostOrder { seller, listing, plan, kind }, gst };
        let bought = match self.ledger.posts_at_once() {
            true => self.boost_desk.buy(order, key, answer).await,
            false => None,
        };
        if let Some(boosted) = bought {
            return Ok(Once::Now(boosted));
        }
        // What the desk did not sell is asked of a transaction of its own, which finds out what to answer.
        let buy = async |txn: &DatabaseTransaction| self.buy_in_txn(txn, &order).await.map(Effect::Done);
        let boosted = self.once(key, buy, answer).await?;
        if let Once::Now(_) = &boosted {
            self.catalog.forget_prominence();
        }
        Ok(boosted)
    }

    async fn buy_in_txn(&self, txn: &DatabaseTransaction, order: &Order) -> Result<Boosted, FlowError> {
        let BoostOrder { seller, listing, plan, kind } = order.boost;
        let quote = self.catalog.quote_boost_in_txn(txn, seller, listing, plan, kind).await?;
        let before = self.ledger.lock_wallet_in_txn(txn, seller).await?;
        let bill = order.bill(&quote, &before)?;
        let journal = match self.ledger.post_in_txn(txn, &bill.charge).await? {
            Outcome::Posted(journal) | Outcome::Known(journal) => journal,
            Outcome::Refused(refusal) => return Err(FlowError::Refused(refusal)),
        };
        let payment = bill.payment(journal)?;
        let GrantedBoost { boost, event } = self.catalog.grant_boost_in_txn(txn, quote, &payment).await?;
        let events = [event, wallet_updated(seller, &bill.wallet, "boost", journal)];
        append_events_in_txn(txn, &self.ambient, events).await?;
        Ok(Boosted { boost, wallet: bill.wallet })
    }
}
