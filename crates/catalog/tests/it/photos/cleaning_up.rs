//! What nobody uses goes, and nothing else does.

use super::*;

on_every_engine! { Scope::Domain(Domain::Catalog) =>
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
        studio.files.config_mut(|store| store.wait_delete_per_call = Duration::from_millis(20));
        open_connections(db).await;
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
