//! Messages and webhooks that staff send after all or once more: the domain revives the row, and a job goes with it.

use kernel::{Caller, DeliveryId, HookDeliveryId};

use crate::jobs::{deliver_in_txn, send_hook_in_txn};
use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Gives a delivery that was given up all its tries anew, on record.
    ///
    /// # Errors
    /// When there is no such delivery, or it is not dead: what may have been sent is not sent again.
    pub async fn retry_delivery(&self, caller: &Caller, id: DeliveryId) -> Result<(), FlowError> {
        self.db
            .in_txn(async |txn| {
                let planned = self.notify.retry_delivery_in_txn(txn, caller, id).await?;
                Ok(deliver_in_txn(txn, self, &[planned]).await?)
            })
            .await
    }

    /// Sends a webhook once more with all its tries, on record.
    ///
    /// # Errors
    /// When there is no such webhook, or it is under way.
    pub async fn resend_webhook(&self, caller: &Caller, id: HookDeliveryId) -> Result<(), FlowError> {
        self.db
            .in_txn(async |txn| {
                let planned = self.notify.resend_hook_in_txn(txn, caller, id).await?;
                Ok(send_hook_in_txn(txn, self, &[planned]).await?)
            })
            .await
    }
}
