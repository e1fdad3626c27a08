//! Buyers who ask for a seller's number.

use catalog::{CatalogError, Contact, contact_day};
use chrono::TimeDelta;
use kernel::{ListingId, UserId};
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::shop::{Shop, code, events, id_of, number, uuid};

async fn ask(
    shop: &Shop,
    db: &TestDb,
    id: ListingId,
    buyer: UserId,
    cap: u32,
) -> Result<Contact, CatalogError> {
    let day = contact_day(shop.ambient.now());
    db.in_txn(async |txn| shop.catalog.record_contact_in_txn(txn, id, buyer, day, cap).await).await
}

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn a_buyer_counts_once_per_listing_and_day(db: TestDb) {
        let shop = Shop::open(db).await;
        let (seller, buyer) = (shop.person(), id_of(&shop.person()));
        let id = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let first = ask(&shop, db, id, buyer, 1).await.unwrap();
        assert_eq!(first, Contact { seller: id_of(&seller), is_first_today: true });
        assert!(!ask(&shop, db, id, buyer, 1).await.unwrap().is_first_today, "asking again is free");
        assert_eq!(shop.catalog.get_listing(None, id).await.unwrap().contact_views, 1);
        shop.clock.advance(TimeDelta::days(1));
        assert!(ask(&shop, db, id, buyer, 1).await.unwrap().is_first_today);
        assert_eq!(shop.catalog.get_listing(None, id).await.unwrap().contact_views, 2);
        let told = events(db, id).await;
        assert_eq!(told.iter().filter(|kind| *kind == "listing.contacted").count(), 2);
    }

    async fn what_is_not_for_sale_has_no_number(db: TestDb) {
        let shop = Shop::open(db).await;
        let (seller, buyer) = (shop.person(), id_of(&shop.person()));
        let id = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        assert_eq!(code(ask(&shop, db, id, id_of(&seller), 9).await), "own_listing");
        shop.catalog.pause_listing(&seller, id).await.unwrap();
        assert_eq!(code(ask(&shop, db, id, buyer, 9).await), "listing_not_found");
        assert_eq!(code(ask(&shop, db, shop.ambient.new_id(), buyer, 9).await), "listing_not_found");
    }

    /// Twelve listings asked for at once by one buyer who may have five: five numbers are told.
    async fn simultaneous_contacts_stay_within_the_daily_cap(db: TestDb) {
        let shop = std::sync::Arc::new(Shop::open(db).await);
        let (seller, buyer) = (shop.person(), id_of(&shop.person()));
        let mut ids = Vec::new();
        for n in 0..12 {
            ids.push(shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await.id);
        }
        let tasks: Vec<_> = ids
            .into_iter()
            .map(|id| {
                let (catalog, db) = (shop.catalog.clone(), db.database().clone());
                let day = contact_day(shop.ambient.now());
                tokio::spawn(async move {
                    db.in_txn(async |txn| catalog.record_contact_in_txn(txn, id, buyer, day, 5).await).await
                })
            })
            .collect();
        let mut told = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(contact) => told += i64::from(contact.is_first_today),
                Err(CatalogError::ContactCapReached { retry_after }) => {
                    assert_eq!(retry_after.as_secs(), 45_000, "until midnight in India: 11:30 to 24:00");
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(told, 5);
        let recorded = "SELECT COUNT(*) AS n FROM listing_contacts WHERE buyer_id = ?";
        assert_eq!(number(db, recorded, uuid(buyer)).await, 5, "a refused contact leaves no record");
    }
}
