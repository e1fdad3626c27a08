//! The files themselves, in a local folder or any other object store.

use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use sha2::{Digest, Sha256};

use super::PhotoError;

/// How long one request to the store may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A file's name: the SHA-256 of its bytes in 64 lower-case hexadecimal digits, and `.jpg`. Nothing else can be
/// named, so no path of a client's making ever reaches the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(String);

impl BlobName {
    /// Reads a name; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = text.strip_suffix(".jpg")?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(text.to_owned()))
    }

    /// The name that these bytes have.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(format!("{}.jpg", hex::encode(Sha256::digest(bytes))))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash alone, fit for an entity tag.
    pub fn hash(&self) -> &str {
        self.0.trim_end_matches(".jpg")
    }

    /// Where the store keeps it: 256 folders keep each of them short.
    fn path(&self) -> Path {
        let folder: String = self.0.chars().take(2).collect();
        Path::from_iter([folder.as_str(), self.0.as_str()])
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A folder of this machine as the store, made if it is missing. What was stored has reached the disk.
///
/// # Errors
/// When the folder cannot be made or entered.
pub fn local_folder(folder: &FilePath) -> Result<Arc<dyn ObjectStore>, PhotoError> {
    std::fs::create_dir_all(folder).map_err(|error| object_store::Error::Generic {
        store: "LocalFileSystem",
        source: Box::new(error),
    })?;
    let files = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
    Ok(Arc::new(files))
}

/// The files, by their names.
#[derive(Debug, Clone)]
pub(super) struct Blobs(Arc<dyn ObjectStore>);

impl Blobs {
    pub(super) fn new(files: Arc<dyn ObjectStore>) -> Self {
        Self(files)
    }

    /// Writes the file unless it is there: the same name has the same bytes.
    pub(super) async fn put(&self, name: &BlobName, bytes: Bytes) -> Result<(), PhotoError> {
        let path = name.path();
        let put = self.0.put_opts(&path, PutPayload::from(bytes), PutMode::Create.into());
        match timely(put).await {
            Err(PhotoError::Files(object_store::Error::AlreadyExists { .. })) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Deletes the file if it is there.
    pub(super) async fn delete(&self, name: &BlobName) -> Result<(), PhotoError> {
        match timely(self.0.delete(&name.path())).await {
            Err(PhotoError::Files(object_store::Error::NotFound { .. })) => Ok(()),
            other => other,
        }
    }

    pub(super) async fn get(&self, name: &BlobName) -> Result<GetResult, PhotoError> {
        timely(self.0.get(&name.path())).await.map_err(found)
    }

    pub(super) async fn head(&self, name: &BlobName) -> Result<ObjectMeta, PhotoError> {
        timely(self.0.head(&name.path())).await.map_err(found)
    }
}

fn found(error: PhotoError) -> PhotoError {
    match error {
        PhotoError::Files(object_store::Error::NotFound { .. }) => PhotoError::NotFound,
        other => other,
    }
}

async fn timely<T>(request: impl Future<Output = object_store::Result<T>>) -> Result<T, PhotoError> {
    match tokio::time::timeout(DEADLINE, request).await {
        Ok(answer) => Ok(answer?),
        Err(elapsed) => Err(PhotoError::Files(object_store::Error::Generic {
            store: "photos",
            source: Box::new(elapsed),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_is_a_name() {
        let hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        let name = BlobName::parse(&format!("{hash}.jpg")).unwrap();
        assert_eq!(name, BlobName::of(b"foo"));
        assert_eq!(name.hash(), hash);
        for bad in [
            "",
            ".jpg",
            "../../etc/passwd",
            "..%2f.jpg",
            hash,
            &format!("{hash}.png"),
            &format!("{hash}.jpg.jpg"),
            &format!("/{hash}.jpg"),
            &format!("{}.jpg", hash.to_uppercase()),
            &format!("{}/.jpg", hash.replace('a', "/")),
            &format!("{hash}0.jpg"),
        ] {
            assert_eq!(BlobName::parse(bad), None, "{bad}");
        }
    }
}
