//! Uploads: what is taken, what is refused, quotas, memory.

use super::*;

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
        let studio = Arc::new(Studio::open(db, PhotoConfig { unattached_quota: 5, ..PhotoConfig::default() }));
        open_connections(db).await;
        for _round in 0..6 {
            let owner = studio.id();
            let mut prepared = Vec::new();
            for width in 30..42 {
                prepared.push(studio.prepare(owner, width).await);
            }
            let tasks: Vec<_> = prepared
                .into_iter()
                .map(|photo| {
                    let studio = Arc::clone(&studio);
                    tokio::spawn(async move { studio.photos.keep(owner, vec![photo]).await })
                })
                .collect();
            let mut taken = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(photos) => taken += photos.len(),
                    Err(error) => assert_eq!(error.code(), "photo_quota"),
                }
            }
            assert_eq!(taken, 5);
        }
    }

    async fn the_quota_counts_each_persons_photos_that_no_listing_shows(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig { unattached_quota: 1, ..PhotoConfig::default() });
        let owner = studio.id();
        let first = studio.upload(owner, 40).await.unwrap().id;
        let error = studio.upload(owner, 50).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("photo_quota", ErrorKind::Conflict));
        assert!(studio.upload(studio.id(), 50).await.is_ok(), "another person has a quota of their own");
        studio.attach(db, owner, studio.id(), &[first]).await.unwrap();
        assert!(studio.upload(owner, 50).await.is_ok());
    }

    async fn uploads_that_do_not_get_their_turn_are_told_to_come_back(db: TestDb) {
        let config = PhotoConfig { max_wait: Duration::ZERO, ..PhotoConfig::default() };
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
        assert!(taken >= 1 && turned_away >= 1, "{taken} taken, {turned_away} turned away");
    }

    async fn uploads_together_stay_within_their_memory(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig { arriving_bytes: 64 * 1024, ..PhotoConfig::default() });
        let (mut one, mut other) = (studio.photos.buffer(), studio.photos.buffer());
        for _ in 0..60 {
            one.push(&[0; 1_000]).unwrap();
        }
        assert!(matches!(other.push(&[0; 8_000]), Err(PhotoError::Busy)));
        drop(one);
        other.push(&pictures::jpeg(60, 40)).unwrap();
        let prepared = studio.photos.prepare(studio.id(), other).await.unwrap();
        studio.photos.buffer().push(&[0; 64 * 1024]).unwrap();
        drop(prepared);
    }

    async fn several_photos_are_kept_together_or_not_at_all(db: TestDb) {
        let studio = Studio::open(db, PhotoConfig { unattached_quota: 3, ..PhotoConfig::default() });
        let owner = studio.id();
        let two = vec![studio.prepare(owner, 40).await, studio.prepare(owner, 50).await];
        let two_more = vec![studio.prepare(owner, 60).await, studio.prepare(owner, 50).await];
        let kept = studio.photos.keep(owner, two).await.unwrap();
        assert_eq!(kept.iter().map(|photo| photo.width).collect::<Vec<_>>(), [40, 50]);
        assert!(matches!(studio.photos.keep(owner, two_more).await, Err(PhotoError::Quota { quota: 3 })));
        assert_eq!(count(db, "photos").await, 2);
    }
}

#[tokio::test]
async fn a_local_folder_keeps_the_files() {
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
