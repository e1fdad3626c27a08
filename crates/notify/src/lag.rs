//! How far messages and webhooks are behind: what alarms look at.

use store::Lag;

use crate::{Notify, NotifyError};

impl Notify {
    /// Since when the oldest message is due that was neither sent nor given up, and how many were given up. One that waits
    /// for the end of quiet hours is not due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_lag(&self) -> Result<Lag, NotifyError> {
        let oldest = "SELECT MIN(due_at) FROM notification_deliveries WHERE due_at IS NOT NULL";
        let dead = "SELECT COUNT(*) FROM notification_deliveries WHERE status = 'dead'";
        Ok(Lag::of(self.db.reader()?, oldest, dead).await?)
    }

    /// The same of webhooks. One that waits for its next try is not due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hook_lag(&self) -> Result<Lag, NotifyError> {
        let oldest = "SELECT MIN(due_at) FROM hook_deliveries WHERE due_at IS NOT NULL";
        let dead = "SELECT COUNT(*) FROM hook_deliveries WHERE status = 'dead'";
        Ok(Lag::of(self.db.reader()?, oldest, dead).await?)
    }
}
