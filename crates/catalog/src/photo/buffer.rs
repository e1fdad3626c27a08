//! Uploads on their way in, all of them together within a set amount of memory.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{PhotoError, Photos};

/// Memory is counted in pieces of this many bytes.
const PIECE: usize = 1024;

/// An upload as it arrives. What it holds counts until it is dropped, so a client that sends slowly takes no more
/// than it has sent.
#[derive(Debug)]
pub struct UploadBuffer {
    bytes: BytesMut,
    limit: usize,
    budget: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Photos {
    /// An empty buffer for one file.
    pub fn buffer(&self) -> UploadBuffer {
        UploadBuffer {
            bytes: BytesMut::new(),
            limit: self.config.limits.bytes,
            budget: Arc::clone(&self.arriving),
            held: None,
        }
    }
}

/// How many pieces hold so many bytes.
pub(super) fn pieces(bytes: usize) -> usize {
    bytes.div_ceil(PIECE)
}

impl UploadBuffer {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`PhotoError::TooManyBytes`] when the file grows beyond the limit, [`PhotoError::Busy`] when all uploads
    /// together would. What was held is let go then.
    pub fn push(&mut self, more: &[u8]) -> Result<(), PhotoError> {
        let length = self.bytes.len().saturating_add(more.len());
        if length > self.limit {
            self.clear();
            return Err(PhotoError::TooManyBytes { max: self.limit });
        }
        let wanted = pieces(length) - pieces(self.bytes.len());
        if wanted > 0 {
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            let Ok(permit) = Arc::clone(&self.budget).try_acquire_many_owned(wanted) else {
                self.clear();
                return Err(PhotoError::Busy);
            };
            match &mut self.held {
                Some(held) => held.merge(permit),
                None => self.held = Some(permit),
            }
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// The bytes, and what keeps them counted.
    pub(super) fn into_parts(self) -> (Bytes, Option<OwnedSemaphorePermit>) {
        (self.bytes.freeze(), self.held)
    }

    fn clear(&mut self) {
        self.bytes = BytesMut::new();
        self.held = None;
    }
}
