//! Moving endpoints' secrets to the current sealing key.

use kernel::SealingError;

use super::endpoint::place;
use super::rows::{self, Row};
use crate::{Notify, NotifyError};

impl Notify {
    /// Seals anew what an older key sealed; gives how many endpoints that were. There are a hundred at most.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn reseal_hooks(&self) -> Result<u64, NotifyError> {
        let current = self.config.sealing.current_id();
        self.db
            .in_txn(async |txn| {
                let mut moved = 0;
                let otherwise = "key_id <> ? OR old_key_id <> ? ORDER BY id";
                for found in rows::select(txn, otherwise, vec![current.into(), current.into()]).await? {
                    let hook = found.view.id;
                    let Some(row) = rows::lock(txn, hook).await? else { continue };
                    match self.resealed(row) {
                        Ok(row) => {
                            rows::update(txn, &row).await?;
                            moved += 1;
                        }
                        // The others are not to wait for it.
                        Err(error) => tracing::error!(%hook, %error, "a secret stays under its old key"),
                    }
                }
                Ok(moved)
            })
            .await
    }

    /// The endpoint with both its secrets under the current key.
    fn resealed(&self, mut row: Row) -> Result<Row, SealingError> {
        let place = place(row.view.id);
        let reseal = |sealed| self.config.sealing.reseal(&self.ambient, &place, sealed);
        let secret = reseal(&row.secret)?;
        let old_secret = row.old_secret.as_ref().map(reseal).transpose()?;
        (row.secret, row.old_secret) = (secret, old_secret);
        Ok(row)
    }
}
