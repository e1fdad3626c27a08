//! Files on their way to clients.

use std::fmt;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::{BlobName, PhotoError, Photos};

/// A JPEG file, ready to be sent.
pub struct MediaFile {
    /// Its length in bytes.
    pub length: u64,
    /// Its bytes, in pieces.
    pub body: BoxStream<'static, Result<Bytes, PhotoError>>,
}

impl fmt::Debug for MediaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaFile").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Photos {
    /// Opens a file.
    ///
    /// # Errors
    /// [`PhotoError::NotFound`] when there is none of that name; [`PhotoError::Files`] when the store fails.
    pub async fn open(&self, name: &BlobName) -> Result<MediaFile, PhotoError> {
        let file = self.blobs.get(name).await?;
        Ok(MediaFile {
            length: file.meta.size,
            body: file.into_stream().map(|piece| piece.map_err(PhotoError::from)).boxed(),
        })
    }

    /// The length of a file in bytes.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn length_of(&self, name: &BlobName) -> Result<u64, PhotoError> {
        Ok(self.blobs.head(name).await?.size)
    }
}
