//! What a boost costs whom: the order, how the wallet pays for it, and the tax on it.

use catalog::{BoostKind, BoostOrder, BoostParts, BoostPayment, BoostQuote};
use kernel::{Actor, JournalId, Money, MoneyError};
use ledger::{Balances, GstRate, JournalKind, NewJournal, Split, templates};
use store::StoreError;

use crate::FlowError;

/// What is asked for, by whom, and the tax on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) actor: Actor,
    pub(super) boost: BoostOrder,
    pub(super) gst: Gst,
}

/// How a wallet pays.
#[derive(Debug)]
pub(super) struct Bill {
    pub(super) charge: NewJournal,
    /// The wallet after it.
    pub(super) wallet: Balances,
    split: Split,
    gst: Gst,
}

/// The GST within a price, as staff have set it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gst {
    percent: u8,
    rate: GstRate,
}

impl Order {
    /// How the wallet, as it is, pays for the quoted boost.
    pub(super) fn bill(&self, quote: &BoostQuote, before: &Balances) -> Result<Bill, FlowError> {
        let split = before.split(quote.price()).ok_or_else(|| missing(before, quote.price()))?;
        let kind = match quote.kind() {
            BoostKind::Boost => JournalKind::BoostCharge,
            BoostKind::Feature => JournalKind::FeatureCharge,
        };
        let charge = templates::boost_charge(quote.id(), self.boost.seller, &split, self.gst.rate, kind)?
            .by(&self.actor);
        let wallet = after(before, &split)?;
        Ok(Bill { charge, wallet, split, gst: self.gst })
    }
}

impl Bill {
    /// How the boost was paid for. The tax is what is within the cash: none is due on promotional credit.
    pub(super) fn payment(&self, journal: JournalId) -> Result<BoostPayment, FlowError> {
        let Split { promo, available, earnings } = self.split;
        let tax = self.gst.rate.split(available.checked_add(earnings).map_err(out_of_range)?);
        Ok(BoostPayment {
            journal,
            paid: BoostParts { promo, available, earnings },
            gst_percent: self.gst.percent,
            cgst: tax.cgst,
            sgst: tax.sgst,
        })
    }
}

impl Gst {
    pub(super) fn parse(percent: i64) -> Result<Self, StoreError> {
        let parsed = u8::try_from(percent).ok().and_then(|percent| {
            let rate = GstRate::percent(percent).ok()?;
            Some(Self { percent, rate })
        });
        parsed.ok_or_else(|| StoreError::Corrupt(format!("boost_gst_percent: {percent}")))
    }
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

fn out_of_range(error: MoneyError) -> StoreError {
    StoreError::Corrupt(format!("a wallet: {error}"))
}
