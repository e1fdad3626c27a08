//! Who does something in a step, and what: payers, the post, users, staff and workers.

use kernel::{Ambient, UserId};
use marketplace::CheckoutProof;
use payments::{PaymentStatus, RefundState};
use store::IdempotencyKey;

use super::ask::{Ask, Work};
use super::bank::{Charged, checkout_signature};
use super::history::History;
use super::{Sabotage, seen};

/// Amounts of top-ups in paise; the first and the last are out of bounds.
const AMOUNTS: [i64; 6] = [99, 100, 25_000, 50_000, 123_457, 5_000_001];

impl History {
    /// Something happens at the provider, and nothing here.
    pub(super) async fn somebody_pays(&mut self) -> anyhow::Result<()> {
        match self.dice.below(20) {
            0..=9 => self.pay_an_order(),
            10 => self.pay_something_else(),
            11..=14 => self.bank_moves(),
            15 | 16 => self.refund_in_dashboard(),
            _ => self.end_a_refund(),
        }
        self.audit(&Ask::Work(Work::Fold)).await
    }

    fn pay_an_order(&mut self) {
        let mut vault = self.world.bank.vault();
        let ours: Vec<_> = vault.orders.values().filter(|order| order.receipt.is_some()).cloned().collect();
        // The latest orders are paid most, and those that were paid before a second time.
        let recent = self.dice.index(ours.len().min(4));
        let Some(order) = ours.len().checked_sub(recent + 1).and_then(|at| ours.get(at)) else { return };
        let (amount, currency) = match self.dice.below(20) {
            0 => (order.amount + 50, "INR"),
            1 => (order.amount - 50, "INR"),
            2 => (order.amount, "USD"),
            _ => (order.amount, "INR"),
        };
        let status = match self.dice.below(8) {
            0 => PaymentStatus::Created,
            1 => PaymentStatus::Failed,
            2 | 3 => PaymentStatus::Authorized,
            _ => PaymentStatus::Captured,
        };
        vault.pay(Charged { order: Some(order.id.clone()), amount, currency, status });
    }

    /// Money that has nothing to do with an order of ours.
    fn pay_something_else(&mut self) {
        let mut vault = self.world.bank.vault();
        let amount = 30_000;
        let order = (self.dice.below(2) == 0).then(|| vault.foreign_order(amount));
        vault.pay(Charged { order, amount, currency: "INR", status: PaymentStatus::Captured });
    }

    /// A bank answers late: what was given up is authorised or captured, what was authorised is captured or given up.
    fn bank_moves(&mut self) {
        let mut vault = self.world.bank.vault();
        let can_move = |status| {
            matches!(status, PaymentStatus::Created | PaymentStatus::Failed | PaymentStatus::Authorized)
        };
        let waiting: Vec<_> =
            vault.payments.values().filter(|payment| can_move(payment.status)).cloned().collect();
        let Some(payment) = waiting.get(self.dice.index(waiting.len())) else { return };
        match (payment.status, self.dice.below(4)) {
            (PaymentStatus::Authorized, 0) => vault.give_up(&payment.id),
            (PaymentStatus::Created, 0) => vault.set_status(&payment.id, PaymentStatus::Failed),
            (PaymentStatus::Created | PaymentStatus::Failed, 1) => {
                vault.set_status(&payment.id, PaymentStatus::Authorized);
            }
            _ => vault.capture(&payment.id),
        }
    }

    fn refund_in_dashboard(&mut self) {
        let mut vault = self.world.bank.vault();
        let captured: Vec<_> = vault
            .payments
            .values()
            .filter(|payment| payment.status == PaymentStatus::Captured)
            .map(|payment| (payment.id.clone(), payment.amount))
            .collect();
        let Some((id, amount)) = captured.get(self.dice.index(captured.len())) else { return };
        let left = amount - vault.refunded(id);
        let part = if self.dice.below(2) == 0 { left } else { left / 3 };
        let state = if self.dice.below(2) == 0 { RefundState::Processed } else { RefundState::Pending };
        if part > 0 {
            vault.refund_in_dashboard(id, part, state);
        }
    }

    fn end_a_refund(&mut self) {
        let mut vault = self.world.bank.vault();
        let pending = vault.refunds.values().filter(|refund| refund.state == RefundState::Pending);
        let pending: Vec<_> = pending.map(|refund| refund.id.clone()).collect();
        let Some(id) = pending.get(self.dice.index(pending.len())) else { return };
        let state = if self.dice.below(3) == 0 { RefundState::Failed } else { RefundState::Processed };
        vault.finish_refund(id, state);
    }

    /// The post brings a webhook: whichever, perhaps not for the last time, perhaps forged; or loses it.
    pub(super) fn a_delivery(&mut self) -> Option<Ask> {
        let mut vault = self.world.bank.vault();
        let at = self.dice.index(vault.post.len());
        let delivery = vault.post.get(at)?.clone();
        let (mut body, mut is_genuine) = (delivery.body.clone(), true);
        match self.dice.below(12) {
            0 | 1 => {
                vault.post.remove(at);
                vault.lost.push(delivery);
                return None;
            }
            // It stays in the post, and comes again.
            2..=4 => {}
            // Somebody else sends a changed one before.
            5 => {
                is_genuine = false;
                body.iter_mut().skip(20).take(1).for_each(|byte| *byte ^= 1);
            }
            _ => drop(vault.post.remove(at)),
        }
        drop(vault);
        Some(Ask::Webhook { body, signature: delivery.signature, event: delivery.event, is_genuine })
    }

    /// A user, a member of staff or a worker wants something.
    pub(super) async fn something_to_ask(&mut self) -> anyhow::Result<Option<Ask>> {
        if self.sabotage == Some(Sabotage::TamperedWallet) && self.dice.below(20) == 0 {
            let user = self.a_user();
            seen::tamper_with_wallet(&self.world.db, user).await?;
            return Ok(Some(Ask::Tamper));
        }
        if self.dice.below(8) == 0 {
            return Ok(self.the_same_again());
        }
        Ok(match self.dice.below(50) {
            0..=11 => Some(self.a_top_up()),
            12..=19 => self.a_verification(),
            20..=26 => self.a_boost(),
            27..=32 => self.a_refund().await?,
            33 | 34 => Some(self.a_bonus()),
            35 => Some(Ask::TakeDown { user: self.a_user() }),
            36 | 37 => Some(Ask::Reinstate { user: self.a_user() }),
            38..=42 => Some(Ask::Work(Work::Webhooks)),
            43 | 44 => Some(Ask::Work(Work::Orders)),
            45 | 46 => Some(Ask::Work(Work::Refunds)),
            47 => Some(Ask::Work(Work::Fold)),
            48 => Some(Ask::Work(Work::Seal)),
            _ => Some(Ask::Work(Work::Lapse)),
        })
    }

    fn a_user(&mut self) -> UserId {
        let users = &self.world.scene.users;
        let nobody = || Ambient::system().new_id();
        users.get(self.dice.index(users.len())).copied().unwrap_or_else(nobody)
    }

    /// A key: mostly a new one.
    fn a_key(&mut self, scope: &str, body: &str) -> IdempotencyKey {
        let number = self.keyed.len() + 1;
        IdempotencyKey::new(scope, format!("key-{number:04}"), body.as_bytes())
    }

    /// A request is repeated under its key, or another is made under it by mistake.
    fn the_same_again(&mut self) -> Option<Ask> {
        let recent = self.keyed.len().checked_sub(1 + self.dice.index(self.keyed.len().min(6)))?;
        let mut again = self.keyed.get(recent)?.clone();
        if self.dice.below(6) == 0
            && let Ask::TopUp { key, .. }
            | Ask::Boost { key, .. }
            | Ask::Refund { key, .. }
            | Ask::Bonus { key, .. } = &mut again
        {
            *key = IdempotencyKey::new(key.scope.clone(), key.key.clone(), b"another body");
        }
        Some(again)
    }

    fn a_top_up(&mut self) -> Ask {
        let user = self.a_user();
        let amount = AMOUNTS.get(self.dice.index(AMOUNTS.len())).copied().unwrap_or(10_000);
        let key = self.a_key(&format!("{user} POST /orders"), &amount.to_string());
        Ask::TopUp { user, amount, key }
    }

    /// A check-out comes back: as it was, under a foreign name, or forged.
    fn a_verification(&mut self) -> Option<Ask> {
        let vault = self.world.bank.vault();
        let with_order = vault.payments.values().filter(|payment| payment.order.is_some());
        let tried: Vec<_> = with_order.cloned().collect();
        let payment = tried.get(self.dice.index(tried.len()))?.clone();
        let owner = vault.receipt_paid_by(&payment).and_then(|receipt| self.books.orders.get(receipt));
        let owner = owner.map(|order| order.user);
        drop(vault);
        let order = payment.order?;
        let mut signature = checkout_signature(&order, &payment.id);
        let mut user = owner.unwrap_or_else(|| self.a_user());
        match self.dice.below(12) {
            0 => user = self.a_user(),
            1 => signature = checkout_signature(&payment.id, &order),
            _ => {}
        }
        let key = (self.dice.below(3) == 0)
            .then(|| self.a_key(&format!("{user} POST /verify"), &format!("{order} {}", payment.id)));
        Some(Ask::Verify { user, proof: CheckoutProof { order, payment: payment.id, signature }, key })
    }

    fn a_boost(&mut self) -> Option<Ask> {
        let (listings, plans) = (&self.world.scene.listings, &self.world.scene.plans);
        let (listing, seller) = *listings.get(self.dice.index(listings.len()))?;
        let plan = *plans.get(self.dice.index(plans.len()))?;
        let user = if self.dice.below(15) == 0 { self.a_user() } else { seller };
        let key = self.a_key(&format!("{user} POST /boost"), &format!("{listing} {}", plan.id));
        Some(Ask::Boost { user, listing, plan, key })
    }

    async fn a_refund(&mut self) -> anyhow::Result<Option<Ask>> {
        let known = seen::payments(&self.world.db).await?;
        let found = known.get(self.dice.index(known.len()));
        let (payment, credited) = match found {
            Some(row) if self.dice.below(20) != 0 => (row.id, Some(row.provider_id.clone())),
            _ => (uuid::Uuid::from_u128(u128::from(self.dice.below(u64::MAX))).into(), None),
        };
        let truth = credited.as_ref().and_then(|id| self.world.bank.vault().payments.get(id).cloned());
        let whole = truth.map_or(20_000, |truth| truth.amount);
        let amount = match self.dice.below(10) {
            0..=2 => None,
            3 | 4 => Some(whole),
            // Two of these are more than there is.
            5..=7 => Some(whole * 6 / 10),
            8 => Some(99),
            _ => Some(whole / 4),
        };
        let key = self.a_key("staff POST /refund", &format!("{payment} {amount:?}"));
        Ok(Some(Ask::Refund { payment, credited, amount, key }))
    }

    fn a_bonus(&mut self) -> Ask {
        let (user, amount) = (self.a_user(), 1_000 + i64::try_from(self.dice.below(9_000)).unwrap_or(0));
        let key = self.a_key("staff POST /bonus", &format!("{user} {amount}"));
        Ask::Bonus { user, amount, key }
    }
}
