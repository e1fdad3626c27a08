//! The end of a history: everything that is under way ends, everybody is told, and the books must close.

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use payments::{PaymentStatus, RefundState};

use super::ask::{Ask, Work};
use super::bank::{BankPayment, Charged, Delivery, Vault};
use super::books::HoldEnd;
use super::digest::Digest;
use super::history::History;
use super::{Tally, seen};

/// The pauses between the looks at the end: together longer than an order waits before it expires.
const PAUSES: [TimeDelta; 9] = [
    TimeDelta::minutes(11),
    TimeDelta::hours(1),
    TimeDelta::hours(2),
    TimeDelta::days(1),
    TimeDelta::days(1),
    TimeDelta::days(1),
    TimeDelta::days(1),
    TimeDelta::days(1),
    TimeDelta::days(1),
];
/// Until no order that was not paid is looked after any more, and until none at all is.
const LATE: TimeDelta = TimeDelta::days(25);
const LAST: TimeDelta = TimeDelta::days(180);
const ROUND: [Work; 6] = [Work::Webhooks, Work::Orders, Work::Refunds, Work::Fold, Work::Seal, Work::Lapse];

impl History {
    /// Ends the history.
    ///
    /// # Errors
    /// When anything is left open that should not be, or the books do not close.
    pub(super) async fn settle(mut self) -> anyhow::Result<(Tally, Digest)> {
        {
            let mut vault = self.world.bank.vault();
            vault.is_moody = false;
            vault.may_park = false;
        }
        self.land_all().await?;
        self.world.bank.vault().settle();
        for pause in PAUSES {
            self.round(pause).await?;
        }
        self.pay_late().await?;
        self.round(LATE).await?;
        self.refund_late();
        self.round(LAST).await?;
        self.check_payments().await.context("at the end")?;
        self.check_refunds().context("at the end")?;
        self.check_ledger().await.context("at the end")?;
        self.digest.note(&format!("{:?}", self.books.house_accounts()));
        self.tally.places = self.world.fuse.places();
        let Self { world, tally, digest, .. } = self;
        world.close().await?;
        Ok((tally, digest))
    }

    /// Time passes, the post comes, and everybody works.
    async fn round(&mut self, pause: TimeDelta) -> anyhow::Result<()> {
        self.world.hands.advance(pause);
        self.deliver_the_rest().await?;
        for work in ROUND {
            self.ask(Ask::Work(work)).await?;
        }
        self.world.bank.vault().end_refunds();
        Ok(())
    }

    /// Somebody pays an order that has expired, and nobody is told.
    async fn pay_late(&mut self) -> anyhow::Result<()> {
        let mut orders = seen::orders(&self.world.db).await?;
        orders.retain(|order| order.status == "expired");
        let Some(order) = orders.get(self.dice.index(orders.len())) else { return Ok(()) };
        let late = Charged {
            order: order.provider_id.clone(),
            amount: order.amount,
            currency: "INR",
            status: PaymentStatus::Captured,
        };
        self.world.bank.vault().unheard(|vault| drop(vault.pay(late)));
        Ok(())
    }

    /// Somebody refunds a payment that was credited in the dashboard, and nobody is told.
    fn refund_late(&mut self) {
        let mut vault = self.world.bank.vault();
        let left = |id: &String| {
            let payment =
                vault.payments.get(id).filter(|payment| payment.status == PaymentStatus::Captured)?;
            Some((id.clone(), payment.amount - vault.refunded(id))).filter(|(_, left)| *left > 0)
        };
        let credited: Vec<_> = self.books.credits.keys().filter_map(left).collect();
        if let Some((id, left)) = credited.get(self.dice.index(credited.len())) {
            vault.unheard(|vault| vault.refund_in_dashboard(id, *left, RefundState::Processed));
        }
    }

    /// Everything in the post arrives, and of what was lost what no look of ours could find.
    async fn deliver_the_rest(&mut self) -> anyhow::Result<()> {
        let due = {
            let mut vault = self.world.bank.vault();
            let lost = std::mem::take(&mut vault.lost);
            let (again, gone): (Vec<_>, Vec<_>) =
                lost.into_iter().partition(|delivery| !vault.is_found_by_looking(delivery));
            vault.lost = gone;
            let mut due = std::mem::take(&mut vault.post);
            due.extend(again);
            due
        };
        for Delivery { body, signature, event, .. } in due {
            self.ask(Ask::Webhook { body, signature, event, is_genuine: true }).await?;
        }
        Ok(())
    }

    /// Each payment that was ours is credited or on its way back, once; each look has found it.
    async fn check_payments(&self) -> anyhow::Result<()> {
        let rows = seen::payments(&self.world.db).await?;
        let vault = self.world.bank.vault();
        let mut fees = 0;
        let mut clearing = 0;
        for payment in vault.payments.values().filter(|payment| payment.was_captured) {
            let is_known = rows.iter().any(|row| row.provider_id == payment.id && row.outcome.is_some());
            ensure!(is_known, "{payment:?} was captured, and nothing came of it");
            if payment.currency != "INR" {
                continue;
            }
            fees += payment.fee.map(|(fee, _)| fee).unwrap_or_default();
            clearing += self.check_payment(&vault, payment)?;
        }
        let (found, expected) = (self.books.house("gateway:clearing"), fees - clearing);
        ensure!(found == expected, "gateway:clearing holds {found} and should hold {expected}");
        let waiting: i64 =
            self.books.unmatched.values().sum::<i64>() - self.books.returned.values().sum::<i64>();
        let suspense = self.books.house("suspense:unmatched");
        ensure!(suspense == waiting, "suspense holds {suspense} and {waiting} wait to go back");
        Ok(())
    }

    /// What is left at the provider of a payment in rupees, by our books.
    fn check_payment(&self, vault: &Vault, payment: &BankPayment) -> anyhow::Result<i64> {
        let (id, back) = (&payment.id, vault.given_back(&payment.id));
        let is_credited = self.books.credits.contains_key(id);
        let is_unmatched = self.books.unmatched.contains_key(id);
        ensure!(!(is_credited && is_unmatched), "{id} was credited and called nobody's");
        if !is_credited && !is_unmatched {
            ensure!(back == payment.amount, "{id} was neither credited nor called nobody's, and is not back");
            return Ok(0);
        }
        let of_payment =
            |refund: &&String| vault.refunds.get(*refund).is_some_and(|refund| refund.payment == *id);
        let posted: i64 = if is_unmatched {
            self.books
                .returned
                .iter()
                .filter(|(refund, _)| of_payment(refund))
                .map(|(_, amount)| amount)
                .sum()
        } else {
            let done = self.books.holds.iter().filter(|(receipt, hold)| {
                hold.end == HoldEnd::Gone
                    && vault.refund_of(receipt).is_some_and(|refund| refund.payment == *id)
            });
            let elsewhere = self.books.elsewhere.iter().filter(|(refund, _)| of_payment(refund));
            done.map(|(_, hold)| hold.amount).sum::<i64>() + elsewhere.map(|(_, amount)| amount).sum::<i64>()
        };
        ensure!(posted == back, "of {id} {back} went back, and {posted} by the books");
        if is_unmatched {
            ensure!(back == payment.amount, "{id} is nobody's and did not go back");
        }
        Ok(payment.amount - posted)
    }

    /// Each refund of ours has ended, as the provider says.
    fn check_refunds(&self) -> anyhow::Result<()> {
        let vault = self.world.bank.vault();
        for (id, hold) in &self.books.holds {
            let truth = vault.refund_of(id).map(|refund| refund.state);
            let is_right = match hold.end {
                HoldEnd::Open => false,
                HoldEnd::Gone => truth == Some(RefundState::Processed),
                HoldEnd::Back => matches!(truth, None | Some(RefundState::Failed)),
            };
            ensure!(is_right, "refund {id} of {hold:?} is {truth:?} at the provider");
        }
        Ok(())
    }

    /// The ledger proves itself, and nothing waits any more.
    async fn check_ledger(&self) -> anyhow::Result<()> {
        let report = self.world.market.verify_books(|_| {}).await?;
        ensure!(
            report.first_wrong.is_none(),
            "verify found {}",
            report.first_wrong.map(|row| row.to_string()).unwrap_or_default()
        );
        let db = &self.world.db;
        for (table, condition) in [
            ("payment_orders", "next_poll_at IS NOT NULL"),
            ("payment_orders", "status = 'creating'"),
            ("webhook_events", "state IN ('new', 'dead')"),
            ("ledger_holds", "status = 'open'"),
            ("ledger_deltas", "1 = 1"),
        ] {
            let waiting = seen::count(db, table, condition).await?;
            ensure!(waiting == 0, "{waiting} rows of {table} have {condition}");
        }
        let sealed = seen::count(db, "ledger_seals", "1 = 1").await?;
        ensure!(sealed > 0 || report.journals == 0, "{} journals were never sealed", report.journals);
        Ok(())
    }
}

impl Vault {
    /// Banks make up their minds; what was authorised and nobody captures is given up later.
    fn settle(&mut self) {
        let waiting = self.payments.values().filter(|payment| payment.status == PaymentStatus::Created);
        let waiting: Vec<_> = waiting.map(|payment| payment.id.clone()).collect();
        for id in waiting {
            self.set_status(&id, PaymentStatus::Failed);
        }
        self.end_refunds();
    }

    /// Refunds that are under way arrive.
    fn end_refunds(&mut self) {
        let pending = self.refunds.values().filter(|refund| refund.state == RefundState::Pending);
        let pending: Vec<_> = pending.map(|refund| refund.id.clone()).collect();
        for id in pending {
            self.finish_refund(&id, RefundState::Processed);
        }
    }

    /// Something happens of which no webhook comes through.
    fn unheard(&mut self, happen: impl FnOnce(&mut Self)) {
        let heard = self.post.len();
        happen(self);
        let lost = self.post.split_off(heard);
        self.lost.extend(lost);
    }

    /// Whether the pollers come upon what a webhook told: they look at the one order of a receipt, and at each payment of
    /// it, long after it was made too.
    fn is_found_by_looking(&self, delivery: &Delivery) -> bool {
        let payment = self.payments.get(&delivery.payment);
        let receipt = payment.and_then(|payment| self.receipt_paid_by(payment));
        receipt.is_some_and(|receipt| self.orders_of(receipt).len() == 1)
    }
}
