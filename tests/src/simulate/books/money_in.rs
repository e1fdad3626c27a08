//! Money that comes in: credited to whose order it pays, or nobody's and on its way back.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use kernel::UserId;

use super::{Books, Credit, Gains, Occasion, house, only_user, purse};
use crate::simulate::bank::{BankPayment, Vault};
use crate::simulate::seen::{AccountName, SeenJournal};

const CLEARING: &str = "gateway:clearing";
const SUSPENSE: &str = "suspense:unmatched";

impl Books {
    /// The order of ours that a payment pays exactly, by its receipt, and the user who is to be credited.
    pub(in crate::simulate) fn paid_order<'a>(
        &self,
        vault: &'a Vault,
        payment: &BankPayment,
    ) -> Option<(&'a str, UserId)> {
        let receipt = vault.receipt_paid_by(payment)?;
        let order = self.orders.get(receipt).filter(|order| order.provider_id == payment.order)?;
        (payment.currency == "INR" && payment.amount == order.amount).then_some((receipt, order.user))
    }

    /// The payment that an order was credited with.
    pub(in crate::simulate) fn credit_of_order(&self, receipt: &str) -> Option<&str> {
        self.credits.iter().find(|(_, credit)| credit.receipt == receipt).map(|(payment, _)| payment.as_str())
    }

    pub(super) fn top_up(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let payment = captured(journal, occasion)?;
        ensure!(!self.unmatched.contains_key(&payment.id), "{} was nobody's before", payment.id);
        let (receipt, user) = self
            .paid_order(occasion.vault, payment)
            .with_context(|| format!("{} pays no order of ours exactly and was credited", payment.id))?;
        ensure!(self.credit_of_order(receipt).is_none(), "order {receipt} was credited twice");
        let credit = Credit { user, amount: payment.amount, receipt: receipt.to_owned() };
        let former = self.credits.insert(payment.id.clone(), credit);
        ensure!(former.is_none(), "{} was credited twice", payment.id);
        Ok(Gains::default().moved(house(CLEARING), purse(user, "available"), payment.amount).done())
    }

    pub(super) fn gateway_fee(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let payment = captured(journal, occasion)?;
        ensure!(payment.currency == "INR", "a fee of {} was posted, which is not in rupees", payment.id);
        let (fee, tax) = payment.fee.context("a fee was posted that the provider never told")?;
        let gains = Gains::default().moved(house("expense:gateway_fee"), house(CLEARING), fee - tax).moved(
            house("tax:gst_input"),
            house(CLEARING),
            tax,
        );
        Ok(gains.done())
    }

    pub(super) fn take_unmatched(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let payment = captured(journal, occasion)?;
        ensure!(payment.currency == "INR", "{} is not in rupees and was posted", payment.id);
        ensure!(!self.credits.contains_key(&payment.id), "{} was credited before", payment.id);
        if let Some((receipt, _)) = self.paid_order(occasion.vault, payment) {
            ensure!(
                self.credit_of_order(receipt).is_some(),
                "{} pays order {receipt} exactly and was called nobody's",
                payment.id
            );
        }
        let former = self.unmatched.insert(payment.id.clone(), payment.amount);
        ensure!(former.is_none(), "{} was unmatched twice", payment.id);
        Ok(Gains::default().moved(house(CLEARING), house(SUSPENSE), payment.amount).done())
    }

    pub(super) fn unmatched_return(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let refund = super::refunds::processed(journal, occasion)?;
        ensure!(self.unmatched.contains_key(&refund.payment), "{} is not nobody's", refund.payment);
        let former = self.returned.insert(refund.id.clone(), refund.amount);
        ensure!(former.is_none(), "{} was returned twice", refund.id);
        Ok(Gains::default().moved(house(SUSPENSE), house(CLEARING), refund.amount).done())
    }

    pub(super) fn recovery(&self, journal: &SeenJournal) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let user = only_user(journal)?;
        let [available, _, _, _, debt] = self.purses(user);
        let amount = available.min(-debt);
        ensure!(amount > 0, "there was nothing to recover from {user}");
        Ok(Gains::default().moved(purse(user, "available"), purse(user, "debt"), amount).done())
    }
}

/// The payment that a journal is about: its money must have been ours.
fn captured<'a>(journal: &SeenJournal, occasion: &Occasion<'a>) -> anyhow::Result<&'a BankPayment> {
    let payment = occasion.vault.payments.get(&journal.reference);
    let payment = payment.with_context(|| format!("the provider knows no payment {}", journal.reference))?;
    ensure!(payment.was_captured, "{} was posted and never captured", payment.id);
    Ok(payment)
}
