//! An upload becomes pictures of ours.

use std::sync::Arc;

use bytes::Bytes;
use kernel::UserId;

use super::picture::{self, Kind, Rendered};
use super::{PhotoError, PhotoView, Photos, UploadBuffer};

/// A photo that is ready to be kept: decoded, encoded anew, not stored yet.
#[derive(Debug)]
pub struct PreparedPhoto(pub(super) Rendered);

impl Photos {
    /// Takes one upload that is there as a whole: [`prepare`](Self::prepare) and [`keep`](Self::keep).
    ///
    /// # Errors
    /// As those two.
    pub async fn store_upload(&self, owner: UserId, upload: Bytes) -> Result<PhotoView, PhotoError> {
        let mut buffer = self.buffer();
        buffer.push(&upload)?;
        drop(upload);
        let prepared = self.prepare(owner, buffer).await?;
        let mut kept = self.keep(owner, vec![prepared]).await?;
        kept.pop().ok_or_else(|| PhotoError::Internal("a photo was lost".to_owned()))
    }

    /// Makes an upload harmless. Taken is a still JPEG, PNG or WebP, judged by its content alone. Out of it come
    /// three JPEG variants that were encoded anew: turned upright, on white where the picture was transparent,
    /// without any metadata.
    ///
    /// # Errors
    /// What is wrong with the upload; [`PhotoError::Quota`]; [`PhotoError::Busy`] when its turn does not come in time.
    pub async fn prepare(&self, owner: UserId, upload: UploadBuffer) -> Result<PreparedPhoto, PhotoError> {
        let (bytes, held) = upload.into_parts();
        if bytes.is_empty() {
            return Err(PhotoError::Empty);
        }
        let kind = Kind::sniff(&bytes)?;
        // It is checked once more when photos are kept, where it counts; here it spares the work of decoding.
        self.check_quota(self.db.reader()?, owner, 1).await?;
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(self.config.max_wait, turn).await else {
            return Err(PhotoError::Busy);
        };
        let limits = self.config.limits;
        let work = move || {
            let rendered = picture::render(kind, &bytes, &limits);
            // Held until the work is done, even when the client has gone meanwhile.
            drop((bytes, held, turn));
            rendered
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(rendered) => rendered.map(PreparedPhoto),
            Err(error) if error.is_panic() => {
                // A decoder that panics has met a picture it cannot read.
                tracing::warn!(?kind, "a picture made its decoder panic");
                Err(PhotoError::Corrupt)
            }
            Err(error) => Err(PhotoError::Internal(error.to_string())),
        }
    }
}
