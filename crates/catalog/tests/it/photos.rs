//! Photos: uploads, quotas, attaching, serving, cleaning up.

use std::sync::Arc;

use bytes::Bytes;
use catalog::photo::{
    AttachedPhoto, BlobName, CleanedUp, PhotoConfig, PhotoError, PhotoView, Photos, attach_in_txn,
};
use chrono::TimeDelta;
use futures_util::TryStreamExt;
use kernel::{Ambient, DomainError, ErrorKind, ListingId, PhotoId, UserId};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sea_orm::ConnectionTrait;
use testkit::{Domain, FakeClock, PeakMemory, Scope, TestDb, on_every_engine, pictures};

/// Photos with a clock to turn and a store to look into.
struct Studio {
    photos: Photos,
    ambient: Ambient,
    clock: Arc<FakeClock>,
    files: Arc<InMemory>,
}

impl Studio {
    fn open(db: &TestDb, config: PhotoConfig) -> Self {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let files = Arc::new(InMemory::new());
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

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn an_upload_is_served_under_the_hash_of_its_bytes(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let upload = Bytes::from(pictures::jpeg(1_800, 900));
        let photo = studio.photos.store_upload(studio.id(), upload).await.unwrap();
        assert_eq!((photo.width, photo.height), (1_600, 800));
        for url in [&photo.thumb_url, &photo.card_url, &photo.full_url] {
            let name = name(url);
            let file = studio.photos.open(&name).await.unwrap();
            let length = file.length;
            let bytes: Vec<Bytes> = file.body.try_collect().await.unwrap();
            let bytes = bytes.concat();
            assert_eq!(u64::try_from(bytes.len()).unwrap(), length);
            assert_eq!(studio.photos.length_of(&name).await.unwrap(), length);
            let hash = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
            assert_eq!(name.hash(), hex::encode(hash));
        }
        let unknown = BlobName::parse(&format!("{}.jpg", "0".repeat(64))).unwrap();
        assert!(matches!(studio.photos.open(&unknown).await, Err(PhotoError::NotFound)));
    }

    async fn hostile_uploads_leave_nothing_behind(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let owner = studio.id();
        let files = pictures::hostile_files();
        let memory = PeakMemory::watch();
        for file in files {
            let error = studio.photos.store_upload(owner, Bytes::from(file.bytes)).await.unwrap_err();
            assert_eq!(error.code(), file.code, "{}", file.what);
            let kinds = [ErrorKind::Invalid, ErrorKind::TooLarge, ErrorKind::UnsupportedMedia, ErrorKind::Unprocessable];
            assert!(kinds.contains(&error.kind()), "{}: {error}", file.what);
        }
        assert!(memory.grown_mib() < 128, "{} MiB", memory.grown_mib());
        let too_many = Bytes::from(vec![0; 10 * 1024 * 1024 + 1]);
        let error = studio.photos.store_upload(owner, too_many).await.unwrap_err();
        assert_eq!(error.code(), "upload_too_large");
        assert_eq!((count(db, "photos").await, count(db, "photo_blobs").await, studio.count_files().await), (0, 0, 0));
    }

    async fn the_quota_holds_against_uploads_at_the_same_time(db: TestDb) {
        let studio = Arc::new(Studio::open(db, PhotoConfig { unattached_quota: 5, concurrent_decodes: 12, ..PhotoConfig::default() }));
        let owner = studio.id();
        let tasks: Vec<_> = (0..12)
            .map(|n| {
                let studio = Arc::clone(&studio);
                tokio::spawn(async move { studio.upload(owner, 30 + n).await })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(photo) => taken.push(photo.id),
                Err(error) => assert_eq!(error.code(), "photo_quota"),
            }
        }
        assert_eq!(taken.len(), 5);
        assert_eq!(count(db, "photos").await, 5);
        assert!(studio.upload(studio.id(), 99).await.is_ok(), "another person has a quota of their own");
        // What stands on a listing does not count.
        taken.truncate(2);
        studio.attach(db, owner, studio.id(), &taken).await.unwrap();
        assert!(studio.upload(owner, 98).await.is_ok());
    }

    async fn photos_stand_on_a_listing_in_the_order_given(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let (owner, listing) = (studio.id(), studio.id());
        let mut ids = Vec::new();
        for width in [40, 50, 60] {
            ids.push(studio.upload(owner, width).await.unwrap().id);
        }
        let [a, b, c] = ids[..] else { panic!("three were uploaded") };
        let order = |attached: Vec<AttachedPhoto>| attached.into_iter().map(|photo| photo.id).collect::<Vec<_>>();
        assert_eq!(order(studio.attach(db, owner, listing, &[a, b]).await.unwrap()), [a, b]);
        assert_eq!(order(studio.attach(db, owner, listing, &[c, b]).await.unwrap()), [c, b]);
        // A second time changes nothing; the first photo is free again and may go elsewhere.
        assert_eq!(order(studio.attach(db, owner, listing, &[c, b]).await.unwrap()), [c, b]);
        let elsewhere = studio.id();
        assert_eq!(order(studio.attach(db, owner, elsewhere, &[a]).await.unwrap()), [a]);
        assert_eq!(studio.attach(db, owner, listing, &[]).await.unwrap(), []);
        assert_eq!(order(studio.attach(db, owner, elsewhere, &[b, a, c]).await.unwrap()), [b, a, c]);
    }

    async fn what_may_not_be_attached_is_named(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let (owner, listing, other) = (studio.id(), studio.id::<ListingId>(), studio.id::<ListingId>());
        let mine = studio.upload(owner, 40).await.unwrap().id;
        let taken = studio.upload(owner, 50).await.unwrap().id;
        let foreign = studio.upload(studio.id(), 60).await.unwrap().id;
        studio.attach(db, owner, other, &[taken]).await.unwrap();
        for (photos, code) in [
            (vec![mine, mine], "duplicate_photo"),
            (vec![mine, taken], "unknown_photo"),
            (vec![mine, foreign], "unknown_photo"),
            (vec![mine, studio.id()], "unknown_photo"),
        ] {
            let error = studio.attach(db, owner, listing, &photos).await.unwrap_err();
            let fields: Vec<_> = error.fields().iter().map(|f| (f.field.as_str(), f.code.as_str())).collect();
            assert_eq!(fields, [("photoIds", code)]);
        }
        assert_eq!(studio.attach(db, owner, listing, &[mine]).await.unwrap().len(), 1, "a refusal attached nothing");
    }

    async fn one_of_eight_listings_gets_the_photo(db: TestDb) {
        let studio = Arc::new(Studio::open(db, PhotoConfig::default()));
        let owner = studio.id();
        let photo = studio.upload(owner, 40).await.unwrap().id;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (db, listing, now) = (db.database().clone(), studio.id(), studio.ambient.now());
                tokio::spawn(async move {
                    db.in_txn(async |txn| attach_in_txn(txn, now, owner, listing, &[photo]).await).await.is_ok()
                })
            })
            .collect();
        let mut winners = 0;
        for task in tasks {
            winners += i32::from(task.await.unwrap());
        }
        assert_eq!(winners, 1);
    }

    async fn what_no_listing_takes_is_gone_after_a_day(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let owner = studio.id();
        let kept = studio.upload(owner, 40).await.unwrap();
        let forgotten = studio.upload(owner, 50).await.unwrap();
        studio.attach(db, owner, studio.id(), &[kept.id]).await.unwrap();
        studio.clock.advance(TimeDelta::hours(24));
        assert_eq!(studio.clean_up().await.photos, 0);
        studio.clock.advance(TimeDelta::seconds(1));
        assert_eq!(studio.clean_up().await.photos, 1);
        assert!(studio.is_served(&forgotten).await, "its file is kept for another hour");
        studio.clock.advance(TimeDelta::hours(1));
        assert_eq!(studio.clean_up().await, CleanedUp { photos: 0, files: 1, failed: 0 });
        assert!(!studio.is_served(&forgotten).await);
        assert!(studio.is_served(&kept).await);
        assert_eq!(studio.clean_up().await, CleanedUp::default());
        assert_eq!((count(db, "photos").await, studio.count_files().await), (1, 1));
    }

    async fn a_photo_taken_off_its_listing_has_a_day_to_go_back(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let (owner, listing) = (studio.id(), studio.id());
        let photo = studio.upload(owner, 40).await.unwrap();
        studio.attach(db, owner, listing, &[photo.id]).await.unwrap();
        studio.clock.advance(TimeDelta::days(30));
        studio.attach(db, owner, listing, &[]).await.unwrap();
        studio.clock.advance(TimeDelta::hours(23));
        assert_eq!(studio.clean_up().await.photos, 0);
        studio.attach(db, owner, listing, &[photo.id]).await.unwrap();
        studio.clock.advance(TimeDelta::days(30));
        assert_eq!(studio.clean_up().await.photos, 0);
        assert!(studio.is_served(&photo).await);
    }

    async fn a_file_that_two_photos_show_outlives_one_of_them(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let (one, other) = (studio.id(), studio.id());
        studio.upload(one, 40).await.unwrap();
        let kept = studio.upload(other, 40).await.unwrap();
        assert_eq!(studio.count_files().await, 1, "the same picture is stored once");
        studio.attach(db, other, studio.id(), &[kept.id]).await.unwrap();
        for _ in 0..3 {
            studio.clock.advance(TimeDelta::hours(25));
            studio.clean_up().await;
        }
        assert_eq!(count(db, "photos").await, 1);
        assert!(studio.is_served(&kept).await);
    }

    /// A crash between writing the files and writing the row leaves files that are announced and shown by nothing.
    async fn files_of_an_upload_that_crashed_are_removed(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig { unattached_quota: 1, ..PhotoConfig::default() });
        let owner = studio.id();
        let photo = studio.upload(owner, 40).await.unwrap();
        let delete = db.engine().statement("DELETE FROM photos", []);
        db.schema_connection().execute_raw(delete).await.unwrap();
        studio.clock.advance(TimeDelta::minutes(59));
        assert_eq!(studio.clean_up().await.files, 0, "the upload may still be going on");
        studio.clock.advance(TimeDelta::minutes(1));
        assert_eq!(studio.clean_up().await.files, 1);
        assert!(!studio.is_served(&photo).await);
        assert_eq!(count(db, "photo_blobs").await, 0);
    }

    /// People upload the same picture again and again while clean-ups delete it: nobody's photo loses its file.
    async fn a_clean_up_never_takes_a_file_from_an_upload(db: TestDb) {
        let studio = Arc::new(Studio::open(db, PhotoConfig { concurrent_decodes: 4, ..PhotoConfig::default() }));
        for _round in 0..6 {
            // Forgotten long enough that both the rows and the file are due now.
            studio.upload(studio.id(), 40).await.unwrap();
            studio.clock.advance(TimeDelta::hours(25));
            studio.clean_up().await;
            studio.clock.advance(TimeDelta::hours(1));
            let uploads: Vec<_> = (0..4)
                .map(|_| {
                    let studio = Arc::clone(&studio);
                    tokio::spawn(async move { studio.upload(studio.id(), 40).await.unwrap() })
                })
                .collect();
            let clean_ups: Vec<_> = (0..4)
                .map(|_| {
                    let studio = Arc::clone(&studio);
                    tokio::spawn(async move { studio.clean_up().await })
                })
                .collect();
            for clean_up in clean_ups {
                clean_up.await.unwrap();
            }
            for upload in uploads {
                let photo = upload.await.unwrap();
                assert!(studio.is_served(&photo).await);
            }
        }
    }

    async fn uploads_beyond_the_queue_are_turned_away(db: TestDb) {
        let config = PhotoConfig { max_waiting: 1, ..PhotoConfig::default() };
        let studio = Arc::new(Studio::open(db, config));
        let upload = Bytes::from(pictures::jpeg(1_500, 1_500));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (studio, upload) = (Arc::clone(&studio), upload.clone());
                tokio::spawn(async move { studio.photos.store_upload(studio.id(), upload).await })
            })
            .collect();
        let (mut taken, mut turned_away) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => taken += 1,
                Err(error) => {
                    assert_eq!((error.code(), error.kind()), ("uploads_busy", ErrorKind::Unavailable));
                    assert!(error.retry_after().is_some());
                    turned_away += 1;
                }
            }
        }
        assert!(taken >= 2 && turned_away >= 1, "{taken} taken, {turned_away} turned away");
    }

    async fn a_file_that_is_missing_is_no_reason_to_stop_cleaning_up(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig::default());
        let photo = studio.upload(studio.id(), 40).await.unwrap();
        let file = name(&photo.full_url);
        let folder: String = file.as_str().chars().take(2).collect();
        studio.files.delete(&Path::from(format!("{folder}/{file}"))).await.unwrap();
        studio.clock.advance(TimeDelta::hours(25));
        studio.clean_up().await;
        studio.clock.advance(TimeDelta::hours(1));
        assert_eq!(studio.clean_up().await, CleanedUp { photos: 0, files: 1, failed: 0 });
        assert!(studio.upload(studio.id(), 40).await.is_ok());
    }
}

#[tokio::test]
async fn a_local_folder_keeps_files_and_takes_no_other_names() {
    let db = TestDb::start(testkit::Engine::Sqlite, Scope::Domain(Domain::Catalog)).await;
    let folder = std::env::temp_dir().join(format!("dgt-photos-{}", Ambient::system().new_uuid()));
    let files = catalog::photo::local_folder(&folder).unwrap();
    let photos = Photos::new(db.database().clone(), Ambient::system(), files, PhotoConfig::default());
    let owner = Ambient::system().new_id();
    let bytes = Bytes::from(pictures::jpeg(40, 30));
    let photo = photos.store_upload(owner, bytes.clone()).await.unwrap();
    // Once more: the file is there already.
    photos.store_upload(owner, bytes).await.unwrap();
    let file = photos.open(&name(&photo.full_url)).await.unwrap();
    let bytes: Vec<Bytes> = file.body.try_collect().await.unwrap();
    assert!(infer::image::is_jpeg(&bytes.concat()));
    std::fs::remove_dir_all(&folder).unwrap();
    db.dispose().await;
}
