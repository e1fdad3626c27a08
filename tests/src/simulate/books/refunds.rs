//! Money that goes back: held first, and gone when the provider says so.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use kernel::{PaymentId, UserId};
use payments::RefundState;

use super::{Books, Gains, Occasion, house, only_user, purse};
use crate::simulate::ask::Ask;
use crate::simulate::bank::BankRefund;
use crate::simulate::seen::{AccountName, SeenJournal};

const CLEARING: &str = "gateway:clearing";

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulate) enum HoldEnd {
    /// It has not.
    Open,
    /// The money left.
    Gone,
    /// The money came back to the user.
    Back,
}

/// Money that is held for a refund.
#[derive(Debug, Clone)]
pub(in crate::simulate) struct OurHold {
    pub(in crate::simulate) user: UserId,
    pub(in crate::simulate) payment: PaymentId,
    pub(in crate::simulate) amount: i64,
    pub(in crate::simulate) end: HoldEnd,
}

impl Books {
    /// How much of a payment our refunds take, done or not.
    pub(in crate::simulate) fn reserved(&self, payment: PaymentId) -> i64 {
        let counts = |hold: &&OurHold| hold.payment == payment && hold.end != HoldEnd::Back;
        self.holds.values().filter(counts).map(|hold| hold.amount).sum()
    }

    pub(super) fn refund_hold(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let Ask::Refund { payment, credited, amount, .. } = occasion.ask else {
            bail!("money was held and nobody asked for a refund");
        };
        let credit = credited.as_ref().and_then(|id| self.credits.get(id)).cloned();
        let credit = credit.context("money was held for a payment that was credited to nobody")?;
        let user = only_user(journal)?;
        ensure!(user == credit.user, "money of {user} was held for a payment of {}", credit.user);
        let held = journal.gains.get(&purse(user, "held")).copied().unwrap_or_default();
        let left = credit.amount - self.reserved(*payment);
        ensure!(
            amount.map_or(held > 0 && held <= left, |asked| held == asked),
            "{held} were held and {amount:?} asked for"
        );
        ensure!(held <= left, "{held} were held and {left} are left of the payment");
        let hold = OurHold { user, payment: *payment, amount: held, end: HoldEnd::Open };
        self.holds.insert(journal.reference.clone(), hold);
        Ok(Gains::default().moved(purse(user, "available"), purse(user, "held"), held).done())
    }

    pub(super) fn refund_done(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let hold = self.end_hold(journal, HoldEnd::Gone)?;
        let refund = occasion.vault.refund_of(&journal.reference);
        let is_done = refund
            .is_some_and(|refund| refund.state == RefundState::Processed && refund.amount == hold.amount);
        ensure!(is_done, "refund {} is done here and {refund:?} at the provider", journal.reference);
        Ok(Gains::default().moved(purse(hold.user, "held"), house(CLEARING), hold.amount).done())
    }

    pub(super) fn refund_release(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let refund_id = journal.key.rsplit(':').next().unwrap_or_default();
        let refund = occasion.vault.refund_of(refund_id);
        ensure!(
            refund.is_none_or(|refund| refund.state == RefundState::Failed),
            "refund {refund_id} gave its money back to the user and is {refund:?} at the provider"
        );
        let hold = self.end_hold(journal, HoldEnd::Back)?;
        Ok(Gains::default()
            .moved(purse(hold.user, "held"), purse(hold.user, "available"), hold.amount)
            .done())
    }

    fn end_hold(&mut self, journal: &SeenJournal, end: HoldEnd) -> anyhow::Result<OurHold> {
        // Both keys end with the refund's id: refund:done:{id}, refund:fail:{id}.
        let id = journal.key.rsplit(':').next().unwrap_or_default();
        let hold = self.holds.get_mut(id).with_context(|| format!("nothing was held for {id}"))?;
        ensure!(hold.end == HoldEnd::Open, "the hold of refund {id} ended twice: {:?}, {end:?}", hold.end);
        hold.end = end;
        Ok(hold.clone())
    }

    pub(super) fn refund_elsewhere(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let refund = processed(journal, occasion)?;
        ensure!(refund.receipt.is_none(), "refund {} is ours and was taken for another's", refund.id);
        let credit = self.credits.get(&refund.payment);
        let user = credit.with_context(|| format!("{} was credited to nobody", refund.payment))?.user;
        let former = self.elsewhere.insert(refund.id.clone(), refund.amount);
        ensure!(former.is_none(), "dashboard refund {} was posted twice", refund.id);
        let [available, ..] = self.purses(user);
        let paid = available.min(refund.amount);
        let gains = Gains::default().moved(purse(user, "available"), house(CLEARING), paid);
        Ok(gains.moved(purse(user, "debt"), house(CLEARING), refund.amount - paid).done())
    }
}

/// The provider's refund that a journal is about: it must have arrived.
pub(super) fn processed<'a>(
    journal: &SeenJournal,
    occasion: &Occasion<'a>,
) -> anyhow::Result<&'a BankRefund> {
    let refund = occasion.vault.refunds.get(&journal.reference);
    let refund = refund.with_context(|| format!("the provider knows no refund {}", journal.reference))?;
    ensure!(refund.state == RefundState::Processed, "{} was posted and is {:?}", refund.id, refund.state);
    Ok(refund)
}
