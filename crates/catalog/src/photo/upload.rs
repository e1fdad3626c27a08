//! An upload becomes a photo.

use std::sync::Arc;

use bytes::Bytes;
use chrono::TimeDelta;
use kernel::UserId;
use sea_orm::ConnectionTrait;
use tokio::sync::OwnedSemaphorePermit;

use super::clean_up::BLOB_GRACE;
use super::picture::{self, Kind, Rendered};
use super::{AttachedPhoto, BlobName, PhotoError, PhotoView, Photos, rows};

/// How long after announcing its files an upload may still write its row; far below [`BLOB_GRACE`].
const FINISH_WITHIN: TimeDelta = TimeDelta::minutes(10);

impl Photos {
    /// Takes an upload: a still JPEG, PNG or WebP, judged by its content alone. What is kept are three JPEG variants
    /// that were encoded anew, turned upright, on white where the picture was transparent, without any metadata.
    ///
    /// The files are written before the row, so a crash leaves files that the clean-up finds, never a photo without
    /// files.
    ///
    /// # Errors
    /// What is wrong with the upload; [`PhotoError::Quota`]; [`PhotoError::Busy`] when its turn does not come in time;
    /// or the failure of the database or the store.
    pub async fn store_upload(&self, owner: UserId, upload: Bytes) -> Result<PhotoView, PhotoError> {
        let limits = &self.config.limits;
        if upload.is_empty() {
            return Err(PhotoError::Empty);
        }
        if upload.len() > limits.bytes {
            return Err(PhotoError::TooManyBytes { max: limits.bytes });
        }
        let kind = Kind::sniff(&upload)?;
        // Once more below, where it counts; here it spares the work of decoding.
        self.check_quota(self.db.reader()?, owner).await?;
        let rendered = self.render(kind, upload).await?;
        let photo = self.keep(owner, rendered).await?;
        Ok(photo.view(&self.config.urls))
    }

    /// Decodes and encodes on a thread for such work, when it is this upload's turn.
    async fn render(&self, kind: Kind, upload: Bytes) -> Result<Rendered, PhotoError> {
        let seat = Arc::clone(&self.seats).try_acquire_owned();
        let Ok(seat) = seat else {
            return Err(PhotoError::Busy);
        };
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(self.config.max_wait, turn).await else {
            return Err(PhotoError::Busy);
        };
        let limits = self.config.limits;
        let work = move || {
            // Held until the work is done, even when the client has gone meanwhile.
            let _held: [OwnedSemaphorePermit; 2] = [seat, turn];
            picture::render(kind, &upload, &limits)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(rendered) => rendered,
            Err(error) if error.is_panic() => {
                // A decoder that panics has met a picture it cannot read.
                tracing::warn!(?kind, "a picture made its decoder panic");
                Err(PhotoError::Corrupt)
            }
            Err(error) => Err(PhotoError::Internal(error.to_string())),
        }
    }

    async fn keep(&self, owner: UserId, rendered: Rendered) -> Result<AttachedPhoto, PhotoError> {
        let Rendered { width, height, thumb, card, full } = rendered;
        let photo = AttachedPhoto {
            id: self.ambient.new_id(),
            thumb: thumb.name.as_str().to_owned(),
            card: card.name.as_str().to_owned(),
            full: full.name.as_str().to_owned(),
            width,
            height,
        };
        // A small picture's variants may be one and the same file. In order, so that uploads do not cross.
        let mut files = vec![thumb, card, full];
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        files.dedup_by(|a, b| a.name == b.name);

        let announced_at = self.ambient.now();
        let names: Vec<&BlobName> = files.iter().map(|file| &file.name).collect();
        self.db
            .in_txn(async |txn| {
                for name in &names {
                    rows::announce_blob(txn, name, announced_at + BLOB_GRACE).await?;
                }
                Ok::<_, PhotoError>(())
            })
            .await?;
        for file in &files {
            self.blobs.put(&file.name, file.bytes.clone()).await?;
        }
        self.db
            .in_txn(async |txn| {
                rows::lock_owner(txn, owner).await?;
                self.check_quota(txn, owner).await?;
                let now = self.ambient.now();
                if now - announced_at > FINISH_WITHIN {
                    return Err(PhotoError::Busy);
                }
                rows::insert(txn, owner, &photo, now).await?;
                Ok(())
            })
            .await?;
        Ok(photo)
    }

    async fn check_quota(&self, db: &impl ConnectionTrait, owner: UserId) -> Result<(), PhotoError> {
        let quota = self.config.unattached_quota;
        if rows::count_free(db, owner).await? < i64::from(quota) {
            Ok(())
        } else {
            Err(PhotoError::Quota { quota })
        }
    }
}
