//! Noting which journal credited a payment.

use kernel::{JournalId, PaymentId};
use sea_orm::DatabaseTransaction;
use store::StoreError;

use super::rows;
use crate::{PaymentError, Payments};

impl Payments {
    /// Notes which journal credited the payment, so that the books can be compared with the payments.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the payment is not credited, or another journal did it before: the transaction that
    /// asks for this must not commit.
    pub async fn note_credited_in_txn(
        &self,
        txn: &DatabaseTransaction,
        payment: PaymentId,
        journal: JournalId,
    ) -> Result<(), PaymentError> {
        if rows::set_journal(txn, payment, journal, self.ambient.now()).await? {
            return Ok(());
        }
        let problem = format!("payment {payment} is not to be credited by journal {journal}");
        Err(StoreError::Corrupt(problem).into())
    }
}
