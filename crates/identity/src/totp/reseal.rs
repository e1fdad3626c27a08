//! Moving secrets to the current sealing key, while the marketplace runs.

use super::rows;
use crate::{Identity, IdentityError};

/// How many rows are moved in one transaction.
const BATCH: u32 = 100;

impl Identity {
    /// Seals anew what an older key sealed; gives how many secrets that were. When it gives 0, no row carries an
    /// older key's name and the older keys can be removed from the configuration.
    ///
    /// # Errors
    /// When the database fails, or a secret cannot be opened.
    pub async fn reseal_secrets(&self) -> Result<u64, IdentityError> {
        let mut moved = 0;
        loop {
            let batch = self.reseal_batch().await?;
            moved += u64::try_from(batch).unwrap_or(u64::MAX);
            if batch == 0 {
                return Ok(moved);
            }
        }
    }

    async fn reseal_batch(&self) -> Result<usize, IdentityError> {
        let keys = &self.config().keys.sealing;
        self.db
            .in_txn(async |txn| {
                let old = rows::lock_sealed_otherwise(txn, keys.current_id(), BATCH).await?;
                for (user, sealed) in &old {
                    let sealed = keys.reseal(&self.ambient, &rows::place(*user), sealed)?;
                    rows::set_secret_in_txn(txn, *user, sealed).await?;
                }
                Ok(old.len())
            })
            .await
    }
}
