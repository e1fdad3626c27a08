//! What nobody uses is deleted: photos that no listing took within a day, and files that no photo shows any more.
//!
//! Photos with the same pixels share their files, so a file may be wanted again while it is being deleted. Three
//! rules keep it safe, whatever the order of events:
//! - an upload announces its files in `photo_blobs` before it writes them, which puts the next look at them an hour
//!   ahead, and gives up when it does not get to its own row within ten minutes of that;
//! - a file is deleted while its row is locked, and the row goes with it. An upload that announces the same file
//!   waits for the lock, then finds neither row nor file and writes both;
//! - a transaction that fails after the file was deleted leaves a row that no photo points to, which the next upload
//!   or the next clean-up puts right.

use chrono::{DateTime, TimeDelta, Utc};

use super::{BlobName, PhotoError, Photos, rows};

/// How long a photo may stand on no listing.
const KEEP_FREE: TimeDelta = TimeDelta::hours(24);
/// How long a file is left alone after it was announced, or after a photo that showed it went.
pub(super) const BLOB_GRACE: TimeDelta = TimeDelta::hours(1);

/// What a clean-up did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanedUp {
    /// Photos deleted.
    pub photos: usize,
    /// Files deleted.
    pub files: usize,
    /// Files that could not be deleted; the next clean-up tries again.
    pub failed: usize,
}

impl Photos {
    /// Deletes up to `batch` photos that have stood on no listing for a day, and up to `batch` files that no photo
    /// has shown for an hour. Call it again while it deletes that many.
    ///
    /// # Errors
    /// When the database fails. A file that cannot be deleted is counted and left for the next time.
    pub async fn clean_up(&self, now: DateTime<Utc>, batch: u32) -> Result<CleanedUp, PhotoError> {
        let photos = self
            .db
            .in_txn(async |txn| {
                let check_at = now + BLOB_GRACE;
                Ok::<_, PhotoError>(rows::delete_forgotten(txn, now - KEEP_FREE, check_at, batch).await?)
            })
            .await?;
        let mut done = CleanedUp { photos, ..CleanedUp::default() };
        for name in rows::blobs_to_check(self.db.reader()?, now, batch).await? {
            match self.delete_unless_shown(&name, now).await {
                Ok(true) => done.files += 1,
                Ok(false) => {}
                Err(PhotoError::Files(error)) => {
                    tracing::warn!(%error, file = %name, "a photo file could not be deleted; trying again later");
                    done.failed += 1;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(done)
    }

    async fn delete_unless_shown(&self, name: &BlobName, now: DateTime<Utc>) -> Result<bool, PhotoError> {
        self.db
            .in_txn(async |txn| {
                if !rows::lock_blob_to_check(txn, name, now).await? {
                    return Ok(false);
                }
                if rows::is_shown(txn, name).await? {
                    rows::settle_blob(txn, name).await?;
                    return Ok(false);
                }
                rows::delete_blob(txn, name).await?;
                // Inside the transaction on purpose, and harmless when it runs twice: see above.
                self.blobs.delete(name).await?;
                Ok(true)
            })
            .await
    }
}
