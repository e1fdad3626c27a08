//! Prepared photos are stored: their files, then their rows, so that a crash leaves files that the clean-up finds and
//! never a photo without files.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::TimeDelta;
use kernel::UserId;
use sea_orm::ConnectionTrait;

use super::clean_up::BLOB_GRACE;
use super::picture::Rendered;
use super::{AttachedPhoto, BlobName, PhotoError, PhotoView, Photos, PreparedPhoto, rows};

/// How long after announcing its files an upload may still write its row; far below [`BLOB_GRACE`].
const FINISH_WITHIN: TimeDelta = TimeDelta::minutes(10);

impl Photos {
    /// Stores prepared photos, all of them or none, and gives them in the same order.
    ///
    /// # Errors
    /// [`PhotoError::Quota`] when the person would have too many that stand on no listing; or the failure of the
    /// database or the store.
    pub async fn keep(
        &self,
        owner: UserId,
        prepared: Vec<PreparedPhoto>,
    ) -> Result<Vec<PhotoView>, PhotoError> {
        let mut photos = Vec::with_capacity(prepared.len());
        // In the order of their names, so that uploads do not cross; each once, as variants and photos may share it.
        let mut files = BTreeMap::new();
        for PreparedPhoto(rendered) in prepared {
            photos.push(self.name(rendered, &mut files));
        }
        let announced_at = self.ambient.now();
        self.db
            .in_txn(async |txn| {
                for name in files.keys() {
                    rows::announce_blob(txn, name, announced_at + BLOB_GRACE).await?;
                }
                Ok::<_, PhotoError>(())
            })
            .await?;
        for (name, bytes) in files {
            self.blobs.put(&name, bytes).await?;
        }
        self.db
            .in_txn(async |txn| {
                rows::lock_owner(txn, owner).await?;
                self.check_quota(txn, owner, photos.len()).await?;
                let now = self.ambient.now();
                if now - announced_at > FINISH_WITHIN {
                    return Err(PhotoError::Busy);
                }
                for photo in &photos {
                    rows::insert(txn, owner, photo, now).await?;
                }
                Ok(())
            })
            .await?;
        Ok(photos.iter().map(|photo| photo.view(&self.config.urls)).collect())
    }

    fn name(&self, rendered: Rendered, files: &mut BTreeMap<BlobName, Bytes>) -> AttachedPhoto {
        let Rendered { width, height, thumb, card, full } = rendered;
        let [thumb, card, full] = [thumb, card, full].map(|file| {
            let name = file.name.as_str().to_owned();
            files.insert(file.name, file.bytes);
            name
        });
        AttachedPhoto { id: self.ambient.new_id(), thumb, card, full, width, height }
    }

    /// Whether the person may have this many photos more.
    pub(super) async fn check_quota(
        &self,
        db: &impl ConnectionTrait,
        owner: UserId,
        more: usize,
    ) -> Result<(), PhotoError> {
        let quota = self.config.unattached_quota;
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        if rows::count_free(db, owner).await?.saturating_add(more) <= i64::from(quota) {
            Ok(())
        } else {
            Err(PhotoError::Quota { quota })
        }
    }
}
