//! Moving devices' tokens to the current sealing key, while the marketplace runs.

use kernel::DeviceId;
use uuid::Uuid;

use super::rows;
use crate::{Notify, NotifyError};

/// How many devices are moved in one transaction.
const BATCH: u32 = 100;

impl Notify {
    /// Seals anew what an older key sealed: devices' tokens, webhooks' secrets and the contacts of
    /// warnings that have not left; gives how many that were. When it
    /// gives 0 and the log names none that cannot be opened, the older keys can be removed from the configuration.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal_secrets(&self) -> Result<u64, NotifyError> {
        let mut moved = self.reseal_hooks().await? + self.reseal_former_contacts().await?;
        let mut after = DeviceId::from(Uuid::nil());
        while let Some((last, batch)) = self.reseal_devices_after(after).await? {
            after = last;
            moved += batch;
        }
        Ok(moved)
    }

    /// Moves a batch of devices; gives the last of them and how many it moved.
    async fn reseal_devices_after(&self, after: DeviceId) -> Result<Option<(DeviceId, u64)>, NotifyError> {
        let keys = &self.config.sealing;
        self.db
            .in_txn(async |txn| {
                let old = rows::lock_sealed_otherwise(txn, keys.current_id(), after, BATCH).await?;
                let mut moved = 0;
                for (device, sealed) in &old {
                    match keys.reseal(&self.ambient, &rows::place(*device), sealed) {
                        Ok(sealed) => {
                            rows::set_sealed(txn, *device, sealed).await?;
                            moved += 1;
                        }
                        // The others are not to wait for it.
                        Err(error) => tracing::error!(%device, %error, "a token stays under its old key"),
                    }
                }
                Ok(old.last().map(|(last, _)| (*last, moved)))
            })
            .await
    }
}
