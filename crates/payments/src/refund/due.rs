//! Refunds to be looked after: sent again when nobody knows, asked about until they end.

use super::{Refund, rows, rules};
use crate::{PaymentError, Payments};

impl Payments {
    /// Takes refunds whose time has come, each by one caller: after ten minutes, then hourly, then daily until they end.
    /// Fetch and apply the payment; then [`start_refund_in_txn`](Self::start_refund_in_txn) says whether to send again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_refunds(&self, limit: u32) -> Result<Vec<Refund>, PaymentError> {
        let now = self.ambient.now();
        self.db.in_txn(async |txn| Ok(rows::take_due(txn, now, limit, rules::pause).await?)).await
    }
}
