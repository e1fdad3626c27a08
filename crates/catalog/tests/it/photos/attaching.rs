//! Photos onto listings, in order, and each onto one alone.

use super::*;

on_every_engine! { Scope::Domain(Domain::Catalog) =>
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
        open_connections(db).await;
        for _round in 0..8 {
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
    }
}
