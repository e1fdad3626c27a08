//! A checkout came back to the client: what it says is proved by its signature, and believed only after the payment was
//! fetched and applied.

use kernel::UserId;
use ledger::WalletView;
use payments::{PaymentError, PaymentOutcome};
use store::{IdempotencyKey, StoredAnswer};

use super::once::{Begun, Effect, Once};
use crate::{FlowError, Marketplace};

/// What the checkout gives to the client, under the provider's names for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutProof {
    /// The order's id at the provider.
    pub order: String,
    /// The payment's id at the provider.
    pub payment: String,
    /// The provider's signature over both, in hexadecimal digits.
    pub signature: String,
}

impl Marketplace {
    /// Credits the wallet with a payment of an order of the user's, once however often it is asked for; gives the
    /// wallet. Under a key, the answer is kept too, which `answer` writes.
    ///
    /// # Errors
    /// When the order is not the user's, the signature is not genuine, the payment was not captured or belongs to
    /// nobody, or the provider or the database fails.
    pub async fn verify_payment(
        &self,
        user: UserId,
        proof: &CheckoutProof,
        key: Option<&IdempotencyKey>,
        answer: fn(&WalletView) -> StoredAnswer,
    ) -> Result<Once<WalletView>, FlowError> {
        let Some(key) = key else { return Ok(Once::Now(self.verify(user, proof).await?)) };
        let intend = async |_: &sea_orm::DatabaseTransaction| Ok(Effect::Done("verify".to_owned()));
        let lease = match self.begin_once(key, intend).await? {
            Begun::Leased { lease, .. } => lease,
            Begun::Before(before) => return Ok(Once::Before(before)),
        };
        match self.verify(user, proof).await {
            Ok(wallet) => {
                let done = async |_: &sea_orm::DatabaseTransaction| Ok(Effect::Done(wallet.clone()));
                self.finish_once(&lease, done, answer).await
            }
            // Asked again, it may be captured.
            Err(error) => {
                self.pause_once(&lease).await?;
                Err(error)
            }
        }
    }

    async fn verify(&self, user: UserId, proof: &CheckoutProof) -> Result<WalletView, FlowError> {
        let order = self.payments.order_by_provider_id(user, &proof.order).await?;
        if !self.payments.is_checkout_genuine(&order, &proof.payment, &proof.signature) {
            return Err(PaymentError::BadSignature.into());
        }
        self.apply_payment(&proof.payment).await?;
        match self.payments.outcome_of(&proof.payment).await? {
            Some(PaymentOutcome::Credited) => Ok(self.ledger.wallet(user).await?),
            Some(PaymentOutcome::Unmatched | PaymentOutcome::Returned) => Err(FlowError::PaymentReturned),
            None => Err(FlowError::PaymentNotCaptured),
        }
    }
}
