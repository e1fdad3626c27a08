//! The provider as the marketplace calls it.

use async_trait::async_trait;
use kernel::Money;
use payments::{
    Charge, NewProviderOrder, NewProviderRefund, PaymentProvider, PaymentStatus, ProviderError,
    ProviderOrder, ProviderPayment, ProviderRefund, RefundState,
};

use super::fault::{Answer, Call, Fault, Verb, refusal};
use super::{Bank, BankOrder, BankRefund, Vault};

impl Bank {
    /// One call: open for a while perhaps, wrong perhaps, and written down with its answer.
    async fn call<T>(
        &self,
        verb: Verb,
        act: impl FnOnce(&mut Vault) -> Result<T, ProviderError> + Send,
        told: impl FnOnce(&Vault, &T) -> Answer + Send,
    ) -> Result<T, ProviderError> {
        if self.db.reader().is_err() {
            self.vault().within_transactions += 1;
        }
        // Bound before the wait, so that the lock is not held over it.
        let waits_before = self.vault().draw_park();
        if waits_before {
            self.park().await;
        }
        let (result, waits_after) = {
            let mut vault = self.vault();
            let fault = vault.draw_fault(verb);
            let acted = matches!(fault, Fault::None | Fault::LostAfter).then(|| act(&mut vault));
            let result = match (fault.error(), acted) {
                (None, Some(result)) => result,
                (error, _) => Err(error.unwrap_or(ProviderError::Unknown)),
            };
            let answer = match (&result, fault) {
                (Ok(value), _) => told(&vault, value),
                (Err(_), Fault::None) => Answer::Refused,
                (Err(_), _) => Answer::Faulty,
            };
            vault.calls.push(Call { verb, answer });
            (result, vault.draw_park())
        };
        if waits_after {
            self.park().await;
        }
        result
    }
}

impl Vault {
    fn told_order(order: &BankOrder) -> ProviderOrder {
        ProviderOrder {
            id: order.id.clone(),
            charge: Charge::inr(order.amount),
            receipt: order.receipt.clone(),
        }
    }

    fn told_refund(refund: &BankRefund) -> ProviderRefund {
        ProviderRefund {
            id: refund.id.clone(),
            payment_id: refund.payment.clone(),
            amount: refund.amount,
            state: refund.state,
            receipt: refund.receipt.clone(),
        }
    }

    fn told_payment(&self, id: &str) -> Result<ProviderPayment, ProviderError> {
        self.payments.get(id).map(|payment| self.told(payment)).ok_or_else(|| refusal("BAD_REQUEST_ERROR"))
    }

    fn take_refund(
        &mut self,
        payment: &str,
        new: &NewProviderRefund,
    ) -> Result<ProviderRefund, ProviderError> {
        let known = self.refunds.values().find(|refund| refund.key.as_deref() == Some(new.idem_key.as_str()));
        if let Some(known) = known {
            // The same key wants the same body.
            let is_same = known.payment == payment
                && known.amount == new.amount
                && known.receipt.as_deref() == Some(new.receipt.as_str());
            return if is_same { Ok(Self::told_refund(known)) } else { Err(refusal("BAD_REQUEST_ERROR")) };
        }
        let paid = self.payments.get(payment).ok_or_else(|| refusal("BAD_REQUEST_ERROR"))?;
        let left = paid.amount - self.refunded(payment);
        if paid.status != PaymentStatus::Captured || new.amount < 100.min(left) || new.amount > left {
            return Err(refusal("BAD_REQUEST_ERROR"));
        }
        let state = if self.dice.below(2) == 0 { RefundState::Processed } else { RefundState::Pending };
        let (receipt, key) = (Some(new.receipt.clone()), Some(new.idem_key.clone()));
        let id = self.add_refund(payment, new.amount, state, receipt, key);
        self.refunds.get(&id).map(Self::told_refund).ok_or(ProviderError::Unknown)
    }
}

fn plainly<T>(_: &Vault, _: &T) -> Answer {
    Answer::True
}

fn as_it_stands(vault: &Vault, payment: &ProviderPayment) -> Answer {
    let is_gone = vault.given_back(&payment.id) >= payment.charge.amount;
    Answer::Payment(payment.status, is_gone)
}

#[async_trait]
impl PaymentProvider for Bank {
    async fn create_order(&self, new: &NewProviderOrder) -> Result<ProviderOrder, ProviderError> {
        let make = |vault: &mut Vault| {
            if new.receipt.len() > 40 || new.amount.amount() < 100 {
                return Err(refusal("BAD_REQUEST_ERROR"));
            }
            let id = vault.new_id("order");
            let order =
                BankOrder { id: id.clone(), amount: new.amount.amount(), receipt: Some(new.receipt.clone()) };
            let told = Vault::told_order(&order);
            vault.orders.insert(id, order);
            Ok(told)
        };
        self.call(Verb::Order, make, plainly).await
    }

    async fn find_order_by_receipt(&self, receipt: &str) -> Result<Option<ProviderOrder>, ProviderError> {
        let find =
            |vault: &mut Vault| Ok(vault.orders_of(receipt).first().map(|order| Vault::told_order(order)));
        self.call(Verb::LookAtOrder, find, plainly).await
    }

    async fn order(&self, id: &str) -> Result<ProviderOrder, ProviderError> {
        let find = |vault: &mut Vault| {
            // The order of another shop is not shown to ours.
            let ours = vault.orders.get(id).filter(|order| order.receipt.is_some());
            ours.map(Vault::told_order).ok_or_else(|| refusal("BAD_REQUEST_ERROR"))
        };
        self.call(Verb::LookAtOrder, find, plainly).await
    }

    async fn payments_of_order(&self, id: &str) -> Result<Vec<ProviderPayment>, ProviderError> {
        let list = |vault: &mut Vault| {
            let of_order = vault.payments.values().filter(|payment| payment.order.as_deref() == Some(id));
            Ok(of_order.map(|payment| vault.told(payment)).collect())
        };
        self.call(Verb::LookAtOrder, list, plainly).await
    }

    async fn payment(&self, id: &str) -> Result<ProviderPayment, ProviderError> {
        self.call(Verb::Look, |vault| vault.told_payment(id), as_it_stands).await
    }

    async fn capture(&self, id: &str, amount: Money) -> Result<ProviderPayment, ProviderError> {
        let take = |vault: &mut Vault| {
            let waits = |status, asked| status == PaymentStatus::Authorized && asked == amount.amount();
            let can = vault.payments.get(id).is_some_and(|payment| waits(payment.status, payment.amount));
            if !can {
                return Err(refusal("BAD_REQUEST_ERROR"));
            }
            vault.capture(id);
            vault.told_payment(id)
        };
        self.call(Verb::Capture, take, plainly).await
    }

    async fn refund(&self, payment: &str, new: &NewProviderRefund) -> Result<ProviderRefund, ProviderError> {
        self.call(Verb::Refund, |vault| vault.take_refund(payment, new), plainly).await
    }

    async fn refund_by_id(&self, id: &str) -> Result<ProviderRefund, ProviderError> {
        let find = |vault: &mut Vault| {
            vault.refunds.get(id).map(Vault::told_refund).ok_or_else(|| refusal("BAD_REQUEST_ERROR"))
        };
        self.call(Verb::LookAtRefunds, find, plainly).await
    }

    async fn refunds_of_payment(&self, payment: &str) -> Result<Vec<ProviderRefund>, ProviderError> {
        let list = |vault: &mut Vault| {
            Ok(vault
                .refunds
                .values()
                .filter(|refund| refund.payment == payment)
                .map(Vault::told_refund)
                .collect())
        };
        self.call(Verb::LookAtRefunds, list, plainly).await
    }
}
