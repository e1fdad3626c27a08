//! Photos: taken as uploads, made harmless, kept as three JPEG variants, and attached to listings.
//!
//! Invariants:
//! - What is served was encoded here: no byte of an upload reaches a client, so neither EXIF nor a second file
//!   hidden in the first can.
//! - Nothing is decoded before its header says that it fits the memory set aside for it.
//! - A file's name is the SHA-256 of its bytes, so it never changes and may be cached for ever.
//! - A photo's row exists only while its files do: foreign keys hold the files' rows, and a file is deleted in the
//!   transaction that deletes its row.
//! - A photo stands on at most one listing, its owner's.
//!
//! ```no_run
//! # async fn example(db: store::Database, ambient: kernel::Ambient, owner: kernel::UserId, bytes: bytes::Bytes)
//! # -> Result<(), catalog::photo::PhotoError> {
//! use catalog::photo::{PhotoConfig, Photos, local_folder};
//!
//! let photos = Photos::new(db, ambient, local_folder("data/media".as_ref())?, PhotoConfig::default());
//! let photo = photos.store_upload(owner, bytes).await?;
//! assert!(photo.thumb_url.starts_with("/media/"));
//! # Ok(())
//! # }
//! ```

mod attach;
mod blobs;
mod buffer;
mod clean_up;
mod error;
mod keep;
mod picture;
mod rows;
mod serve;
mod upload;
mod view;

use std::sync::Arc;
use std::time::Duration;

use kernel::Ambient;
use object_store::ObjectStore;
use store::Database;
use tokio::sync::Semaphore;

pub use attach::attach_in_txn;
pub use blobs::{BlobName, local_folder};
pub use buffer::UploadBuffer;
pub use clean_up::CleanedUp;
pub use error::PhotoError;
pub use picture::Limits;
pub use serve::MediaFile;
pub use upload::PreparedPhoto;
pub use view::{AttachedPhoto, MediaUrls, PhotoView};

use self::blobs::Blobs;

/// How photos are taken and served.
#[derive(Debug, Clone)]
pub struct PhotoConfig {
    /// What one upload may be.
    pub limits: Limits,
    /// How many pictures are decoded at the same time; each may take [`Limits::memory`].
    pub concurrent_decodes: usize,
    /// What all uploads together may hold while they arrive and wait, in bytes.
    pub arriving_bytes: usize,
    /// How long an upload waits for its turn.
    pub max_wait: Duration,
    /// How many photos a person may have that stand on no listing.
    pub unattached_quota: u32,
    /// Where clients find the files.
    pub urls: MediaUrls,
}

impl Default for PhotoConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            concurrent_decodes: 1,
            arriving_bytes: 64 << 20,
            max_wait: Duration::from_secs(15),
            unattached_quota: 50,
            urls: MediaUrls::default(),
        }
    }
}

/// Takes, serves and cleans up photos. Cheap to clone; clones share the turns for decoding.
#[derive(Debug, Clone)]
pub struct Photos {
    db: Database,
    ambient: Ambient,
    blobs: Blobs,
    config: Arc<PhotoConfig>,
    /// Memory for uploads that arrive or wait.
    arriving: Arc<Semaphore>,
    /// Uploads that are decoded.
    turns: Arc<Semaphore>,
}

impl Photos {
    /// Photos in the database, their files in the store.
    pub fn new(db: Database, ambient: Ambient, files: Arc<dyn ObjectStore>, config: PhotoConfig) -> Self {
        let turns = config.concurrent_decodes.max(1);
        Self {
            db,
            ambient,
            blobs: Blobs::new(files),
            arriving: Arc::new(Semaphore::new(buffer::pieces(config.arriving_bytes))),
            turns: Arc::new(Semaphore::new(turns)),
            config: Arc::new(config),
        }
    }

    /// Where clients find the files.
    pub fn urls(&self) -> &MediaUrls {
        &self.config.urls
    }

    /// What one upload may be.
    pub fn limits(&self) -> &Limits {
        &self.config.limits
    }
}
