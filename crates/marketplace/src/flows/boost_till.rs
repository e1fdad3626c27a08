//! How the desk sells: one boost in one statement, several in one transaction. Both write what the flow's own transaction
//! writes, and sell nothing where that would say anything but "sold".

use catalog::{BoostOrder, BoostQuote, Catalog};
use kernel::{Ambient, UserId};
use ledger::{Balances, Ledger};
use sea_orm::DatabaseTransaction;
use store::{
    Database, IdempotencyKey, OneStatement, StoreError, TxnError, answer_at_once, answers_together,
    append_events_at_once, append_events_together, unused_keys,
};

use super::boost_bill::Bill;
use super::boost_desk::Wanted;
use super::boost_listing::Boosted;
use super::wallet_event::wallet_updated;
use crate::FlowError;

/// The domains that a sale takes.
#[derive(Debug, Clone)]
pub(super) struct Till {
    pub(super) db: Database,
    pub(super) ambient: Ambient,
    pub(super) catalog: Catalog,
    pub(super) ledger: Ledger,
}

/// An order that can be met.
struct Sale<'a> {
    place: usize,
    wanted: &'a Wanted,
    quote: BoostQuote,
    bill: Bill,
}

impl Till {
    /// Sells what can be sold of the orders, of which no two are of one seller, and tells of each what was.
    pub(super) async fn sell(&self, round: &[Wanted]) -> Vec<Option<Boosted>> {
        let sold = match round {
            [alone] => self.sell_alone(alone).await.map(|sold| vec![sold]),
            several => self.sell_together(several).await,
        };
        let sold = sold.unwrap_or_else(|error| {
            // A key that is in use, or somebody else who was first to boost the listing, is no news.
            if !error.as_store().is_some_and(StoreError::is_unique_violation) {
                tracing::warn!(orders = round.len(), %error, "boosts could not be bought at the desk");
            }
            round.iter().map(|_| None).collect()
        });
        if sold.iter().any(Option::is_some) {
            self.catalog.forget_prominence();
        }
        sold
    }

    /// Everything in one statement: it is written if nothing has changed since it was reckoned.
    async fn sell_alone(&self, wanted: &Wanted) -> Result<Option<Boosted>, FlowError> {
        let BoostOrder { seller, listing, plan, kind } = wanted.order.boost;
        let Some(open) = self.catalog.quote_boost(seller, listing, plan, kind).await? else {
            return Ok(None);
        };
        let Some(before) = self.ledger.glance(seller).await? else { return Ok(None) };
        let Ok(bill) = wanted.order.bill(open.quote(), &before) else { return Ok(None) };

        let (writes, offer) = self.catalog.hold_at_once(OneStatement::default(), &open);
        let posting = self.ledger.post_at_once(writes, &bill.charge, offer, before.version);
        let Some((journal, writes, posted)) = posting else { return Ok(None) };
        let payment = bill.payment(journal)?;
        let (writes, granted) = self.catalog.grant_at_once(writes, &open, &payment, posted);
        let events = [granted.event, wallet_updated(seller, &bill.wallet, "boost", journal)];
        let writes = append_events_at_once(writes, &self.ambient, events, posted);
        let boosted = Boosted { boost: granted.boost, wallet: bill.wallet };
        let answer = (wanted.answer)(&boosted);
        let writes = answer_at_once(writes, &wanted.key, &answer, self.ambient.now(), posted);
        Ok(self.db.at_once(&writes, posted).await?.then_some(boosted))
    }

    async fn sell_together(&self, round: &[Wanted]) -> Result<Vec<Option<Boosted>>, FlowError> {
        self.db
            .in_txn(async |txn| {
                let sales = self.reckon_in_txn(txn, round).await?;
                let mut sold: Vec<_> = round.iter().map(|_| None).collect();
                for (place, boosted) in self.sell_in_txn(txn, sales).await? {
                    if let Some(sold) = sold.get_mut(place) {
                        *sold = Some(boosted);
                    }
                }
                Ok(sold)
            })
            .await
    }

    /// The orders that can be met. Their listings and wallets are locked: first all listings, then all wallets, each in the
    /// order of their ids. What somebody else has locked is left out, so that nobody waits with the others for that.
    async fn reckon_in_txn<'a>(
        &self,
        txn: &DatabaseTransaction,
        round: &'a [Wanted],
    ) -> Result<Vec<Sale<'a>>, FlowError> {
        let keys: Vec<&IdempotencyKey> = round.iter().map(|wanted| &wanted.key).collect();
        let unused = unused_keys(txn, &keys).await?;
        let orders: Vec<BoostOrder> = round.iter().map(|wanted| wanted.order.boost).collect();
        let quotes = self.catalog.quote_boosts_in_txn(txn, &orders).await?;
        let sellers: Vec<UserId> = orders.iter().map(|order| order.seller).collect();
        let wallets = self.ledger.lock_free_wallets_in_txn(txn, &sellers).await?;
        let sale = |(place, ((wanted, quote), unused)): (usize, ((&'a Wanted, Option<BoostQuote>), bool))| {
            let quote = quote.filter(|_| unused)?;
            let before: &Balances = wallets.get(&wanted.order.boost.seller)?;
            let bill = wanted.order.bill(&quote, before).ok().filter(|_| !before.frozen)?;
            Some(Sale { place, wanted, quote, bill })
        };
        Ok(round.iter().zip(quotes).zip(unused).enumerate().filter_map(sale).collect())
    }

    /// Charges for the sales and grants what they buy; gives each with its place.
    async fn sell_in_txn(
        &self,
        txn: &DatabaseTransaction,
        sales: Vec<Sale<'_>>,
    ) -> Result<Vec<(usize, Boosted)>, FlowError> {
        if sales.is_empty() {
            return Ok(Vec::new());
        }
        let charges: Vec<_> = sales.iter().map(|sale| &sale.bill.charge).collect();
        let journals = self.ledger.post_together_in_txn(txn, &charges).await?;

        let mut paid = Vec::with_capacity(sales.len());
        let mut buyers = Vec::with_capacity(sales.len());
        for (Sale { place, wanted, quote, bill }, journal) in sales.into_iter().zip(journals) {
            paid.push((quote, bill.payment(journal)?));
            buyers.push((place, wanted, bill.wallet, journal));
        }
        let (writes, granted) = self.catalog.grant_together(OneStatement::default(), &paid);

        let (mut events, mut answers) = (Vec::with_capacity(2 * paid.len()), Vec::with_capacity(paid.len()));
        let mut sold = Vec::with_capacity(paid.len());
        for (granted, (place, wanted, wallet, journal)) in granted.into_iter().zip(buyers) {
            let told = wallet_updated(wanted.order.boost.seller, &wallet, "boost", journal);
            events.extend([granted.event, told]);
            let boosted = Boosted { boost: granted.boost, wallet };
            answers.push((&wanted.key, (wanted.answer)(&boosted)));
            sold.push((place, boosted));
        }
        let writes = append_events_together(writes, &self.ambient, &events);
        answers_together(writes, &answers, self.ambient.now()).write_in_txn(txn).await?;
        Ok(sold)
    }
}
