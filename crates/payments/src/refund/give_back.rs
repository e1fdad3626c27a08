//! Money that is nobody's: sent back as soon as it is seen, and when that fails, again daily for a week. Then a person must
//! look at it.

use chrono::TimeDelta;
use kernel::PaymentId;
use sea_orm::DatabaseTransaction;

use super::{Refund, rows};
use crate::payment::locked::Locked;
use crate::payment::rows as payment_rows;
use crate::{PaymentError, PaymentOutcome, Payments};

/// Returns of one payment that may fail.
const TRIES: i64 = 7;

/// The pause before the next one: what they fail for, such as too little money at the provider, takes its time.
const PAUSE: TimeDelta = TimeDelta::days(1);

/// For how long a payment is left to whoever took it to return it.
const LEASE: TimeDelta = TimeDelta::minutes(15);

impl Payments {
    /// Reserves all that is left of an unmatched payment, to be sent back to its source; `None` when nothing is left,
    /// because it is back or on its way. It is in nobody's wallet, so there is nothing to hold.
    ///
    /// # Errors
    /// [`PaymentError::PaymentNotFound`], [`PaymentError::NotRefundable`].
    pub async fn request_return_in_txn(
        &self,
        txn: &DatabaseTransaction,
        payment: PaymentId,
    ) -> Result<Option<Refund>, PaymentError> {
        let mut locked = Locked::by_id(txn, payment, self.ambient.now()).await?;
        payment_rows::set_next_return(txn, payment, None).await?;
        if locked.payment.outcome == Some(PaymentOutcome::Returned) {
            return Ok(None);
        }
        let refund = match self.reserve(txn, &mut locked, None, PaymentOutcome::Unmatched).await {
            Ok(refund) => refund,
            Err(PaymentError::RefundTooLarge) => return Ok(None),
            Err(error) => return Err(error),
        };
        rows::insert(txn, &refund).await?;
        Ok(Some(refund))
    }

    /// Plans to return a payment again whose return has failed; `false` when that has been tried often enough.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan_return_in_txn(
        &self,
        txn: &DatabaseTransaction,
        payment: PaymentId,
    ) -> Result<bool, PaymentError> {
        if rows::failed_returns(txn, payment).await? >= TRIES {
            return Ok(false);
        }
        payment_rows::set_next_return(txn, payment, Some(self.ambient.now() + PAUSE)).await?;
        Ok(true)
    }

    /// Takes payments that are to be returned again, each by one caller at a time: then
    /// [`request_return_in_txn`](Self::request_return_in_txn).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_returns(&self, limit: u32) -> Result<Vec<PaymentId>, PaymentError> {
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                let due = payment_rows::due_returns(txn, now, limit).await?;
                for payment in &due {
                    payment_rows::set_next_return(txn, *payment, Some(now + LEASE)).await?;
                }
                Ok(due)
            })
            .await
    }
}
