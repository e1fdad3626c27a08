//! Photos: what the tests of uploads, of attaching and of cleaning up share.

mod attaching;
mod cleaning_up;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::photo::{
    AttachedPhoto, BlobName, CleanedUp, PhotoConfig, PhotoError, PhotoView, Photos, PreparedPhoto,
    attach_in_txn,
};
use chrono::TimeDelta;
use futures_util::TryStreamExt;
use kernel::{Ambient, DomainError, ErrorKind, ListingId, PhotoId, UserId};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};
use sea_orm::ConnectionTrait;
use testkit::{Domain, Engine, FakeClock, PeakMemory, Scope, TestDb, on_every_engine, pictures};

/// Photos with a clock to turn and a store to look into.
struct Studio {
    photos: Photos,
    ambient: Ambient,
    clock: Arc<FakeClock>,
    files: Arc<ThrottledStore<InMemory>>,
}

impl Studio {
    fn open(db: &TestDb, config: PhotoConfig) -> Self {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let files = Arc::new(ThrottledStore::new(InMemory::new(), ThrottleConfig::default()));
        let store: Arc<dyn ObjectStore> = files.clone();
        Self {
            photos: Photos::new(db.database().clone(), ambient.clone(), store, config),
            ambient,
            clock,
            files,
        }
    }

    fn id<I: kernel::TypedId>(&self) -> I {
        self.ambient.new_id()
    }

    async fn upload(&self, owner: UserId, width: u32) -> Result<PhotoView, PhotoError> {
        let bytes = Bytes::from(pictures::jpeg(width, 30));
        self.photos.store_upload(owner, bytes).await
    }

    async fn prepare(&self, owner: UserId, width: u32) -> PreparedPhoto {
        let mut buffer = self.photos.buffer();
        buffer.push(&pictures::jpeg(width, 30)).unwrap();
        self.photos.prepare(owner, buffer).await.unwrap()
    }

    async fn attach(
        &self,
        db: &TestDb,
        owner: UserId,
        listing: ListingId,
        photos: &[PhotoId],
    ) -> Result<Vec<AttachedPhoto>, PhotoError> {
        let now = self.ambient.now();
        db.in_txn(async |txn| attach_in_txn(txn, now, owner, listing, photos).await).await
    }

    async fn clean_up(&self) -> CleanedUp {
        self.photos.clean_up(self.ambient.now(), 100).await.unwrap()
    }

    async fn count_files(&self) -> usize {
        let all: Vec<_> = self.files.list(None).try_collect().await.unwrap();
        all.len()
    }

    async fn is_served(&self, photo: &PhotoView) -> bool {
        for url in [&photo.thumb_url, &photo.card_url, &photo.full_url] {
            if self.photos.open(&name(url)).await.is_err() {
                return false;
            }
        }
        true
    }
}

fn name(url: &str) -> BlobName {
    BlobName::parse(url.strip_prefix("/media/").unwrap()).unwrap()
}

async fn count(db: &TestDb, table: &str) -> i64 {
    let select = db.engine().statement(&format!("SELECT COUNT(*) AS n FROM {table}"), []);
    let row = db.reader().unwrap().query_one_raw(select).await.unwrap();
    row.unwrap().try_get("", "n").unwrap()
}

/// Opens all of the pool's connections, so that what comes next really happens at the same time.
async fn open_connections(db: &TestDb) {
    if db.engine() == Engine::Sqlite {
        return;
    }
    let all_open = Arc::new(tokio::sync::Barrier::new(8));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (db, all_open) = (db.database().clone(), Arc::clone(&all_open));
            tokio::spawn(async move {
                db.in_txn(async |_| {
                    all_open.wait().await;
                    Ok::<_, PhotoError>(())
                })
                .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}
