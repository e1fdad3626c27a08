//! Several at once: one edit per version, one decision per listing, every look counted.

use std::time::Duration;

use catalog::{CatalogError, Decision, ListingInput, ListingStatus, Price};
use kernel::{Money, Role};
use testkit::{Domain, Scope, on_every_engine};

use crate::shop::{SETTINGS, Shop, catalog, code, staff};

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    /// Eight edits of the same version, on a locked row: one is taken, seven are out of date.
    async fn of_simultaneous_edits_of_one_version_one_is_taken(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let made = shop.create(&seller, &shop.thing("A red bicycle")).await;
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let price = Price::parse(Money::inr(n)).unwrap();
                let input = ListingInput { price, ..shop.thing("A red bicycle") };
                let (catalog, id, version) = (shop.catalog.clone(), made.id, Some(made.version));
                tokio::spawn(async move { catalog.edit_listing(&seller, id, version, &input, &SETTINGS).await })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(view) => taken.push(view),
                Err(error) => assert!(matches!(error, CatalogError::VersionMismatch), "{error}"),
            }
        }
        assert_eq!(taken.len(), 1);
        let read = shop.catalog.get_listing(None, made.id).await.unwrap();
        assert_eq!((read.price, read.version), (taken[0].price, 2));
    }

    /// The row lock in review: a second moderator waits for the first, and never sees the listing as PENDING.
    async fn a_second_moderator_waits_and_is_then_refused(db: TestDb) {
        let shop = Shop::open(db).await;
        let id = shop.create(&shop.person(), &shop.phone()).await.id;
        let (held, mut is_held) = tokio::sync::oneshot::channel::<()>();
        let (let_go, mut may_go) = tokio::sync::watch::channel(false);
        let first = tokio::spawn({
            let (catalog, db) = (shop.catalog.clone(), db.database().clone());
            let held = std::sync::Arc::new(std::sync::Mutex::new(Some(held)));
            async move {
                let wait = &mut may_go;
                let wait = tokio::sync::Mutex::new(wait);
                db.in_txn(async |txn| {
                    let listing = catalog.lock_for_review_in_txn(txn, id).await?;
                    if let Some(held) = held.lock().unwrap().take() {
                        held.send(()).unwrap();
                    }
                    wait.lock().await.wait_for(|go| *go).await.unwrap();
                    catalog
                        .decide_in_txn(txn, &staff(Role::Moderator), listing, &Decision::Approve, &SETTINGS)
                        .await
                })
                .await
            }
        });
        (&mut is_held).await.unwrap();
        let second = tokio::spawn({
            let (catalog, db) = (shop.catalog.clone(), db.database().clone());
            async move { db.in_txn(async |txn| catalog.lock_for_review_in_txn(txn, id).await.map(drop)).await }
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!second.is_finished(), "the second moderator got the row that the first holds");
        let_go.send(true).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(code(second.await.unwrap()), "listing_not_pending");
    }

    async fn of_simultaneous_decisions_one_is_taken(db: TestDb) {
        let shop = std::sync::Arc::new(Shop::open(db).await);
        let id = shop.create(&shop.person(), &shop.phone()).await.id;
        let reject = Decision::Reject { reason: "spam".to_owned(), note: None };
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (catalog, db) = (shop.catalog.clone(), db.database().clone());
                let decision = if n % 2 == 0 { Decision::Approve } else { reject.clone() };
                tokio::spawn(async move {
                    db.in_txn(async |txn| {
                        let listing = catalog.lock_for_review_in_txn(txn, id).await?;
                        let moderator = staff(Role::Moderator);
                        catalog.decide_in_txn(txn, &moderator, listing, &decision, &SETTINGS).await
                    })
                    .await
                })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(reviewed) => taken.push(reviewed.status),
                Err(error) => assert_eq!(code::<()>(Err(error)), "listing_not_pending"),
            }
        }
        assert_eq!(taken.len(), 1);
        let is_active = i64::from(taken[0] == ListingStatus::Active);
        assert_eq!(shop.count(db, shop.reviewed).await, is_active);
    }

    /// Two processes, each with its own counter, flush again and again: every look is written down once.
    async fn every_look_is_counted_once(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let mut things = Vec::new();
        for n in 0..4 {
            things.push(shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await);
        }
        let processes = [shop.catalog.clone(), catalog(db, &shop.ambient)];
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (catalog, things) = (processes[n % 2].clone(), things.clone());
                tokio::spawn(async move {
                    for look in 0..5 {
                        for thing in &things {
                            catalog.record_view(None, &format!("192.0.2.{n}{look}"), thing);
                            catalog.record_view(Some(&seller), "192.0.2.99", thing);
                        }
                        catalog.flush_views().await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(processes[0].flush_views().await.unwrap(), 0);
        for thing in things {
            let view = shop.catalog.get_listing(Some(&seller), thing.id).await.unwrap();
            assert_eq!(view.views, 40, "8 × 5 looks by others; the seller's own do not count");
        }
    }
}
