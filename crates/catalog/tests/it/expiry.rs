//! The end of a listing's time: found in batches, once, and not for what was sold or renewed.

use catalog::{Expired, ListingInput, ListingStatus};
use chrono::TimeDelta;
use testkit::{Domain, Scope, on_every_engine};

use crate::shop::{SETTINGS, Shop, code, events};

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn listings_end_when_their_time_runs_out(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let mut early = Vec::new();
        for n in 0..5 {
            early.push(shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await.id);
        }
        shop.catalog.pause_listing(&seller, early[4]).await.unwrap();
        shop.clock.advance(TimeDelta::days(1));
        let late = shop.create(&seller, &shop.thing("One day younger")).await.id;
        shop.clock.advance(TimeDelta::days(29) - TimeDelta::microseconds(1));
        let expire = async || shop.catalog.expire_due(shop.ambient.now(), 2, &SETTINGS).await.unwrap();
        assert_eq!(expire().await, Expired::default(), "not a moment too early");
        shop.clock.advance(TimeDelta::microseconds(1));
        let overdue = shop.catalog.resume_listing(&seller, early[4]).await;
        assert_eq!(code(overdue), "listing_expired", "what was paused meanwhile does not come back");
        assert_eq!(expire().await, Expired { expired: 5, renewed: 0 });
        assert_eq!(expire().await, Expired::default());
        assert_eq!(shop.count(db, shop.open).await, 1);
        assert_eq!(shop.catalog.get_listing(None, late).await.unwrap().status, ListingStatus::Active);
        assert_eq!(code(shop.catalog.get_listing(None, early[0]).await), "listing_not_found");
        assert_eq!(events(db, early[0]).await.last().unwrap(), "listing.expired");
    }

    async fn a_listing_is_renewed_from_three_days_before_its_end(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let made = shop.create(&seller, &shop.thing("A red bicycle")).await;
        shop.clock.advance(TimeDelta::days(26));
        assert_eq!(code(shop.catalog.renew_listing(&seller, made.id, &SETTINGS).await), "renewal_too_early");
        shop.clock.advance(TimeDelta::days(1));
        let renewed = shop.catalog.renew_listing(&seller, made.id, &SETTINGS).await.unwrap();
        assert_eq!(renewed.expires_at, made.expires_at.map(|end| end + TimeDelta::days(30)));
        shop.clock.advance(TimeDelta::days(60));
        shop.catalog.expire_due(shop.ambient.now(), 10, &SETTINGS).await.unwrap();
        let renewed = shop.catalog.renew_listing(&seller, made.id, &SETTINGS).await.unwrap();
        assert_eq!((renewed.status, renewed.renew_count), (ListingStatus::Active, 2));
        assert_eq!(renewed.expires_at, Some(shop.ambient.now() + TimeDelta::days(30)));
        assert_eq!(renewed.published_at, made.published_at, "a renewal does not make it new");
        assert_eq!(shop.count(db, shop.open).await, 1);
    }

    async fn a_listing_renews_itself_three_times_if_its_seller_wishes(db: TestDb) {
        let shop = Shop::open(db).await;
        let input = ListingInput { auto_renew: true, ..shop.thing("A red bicycle") };
        let id = shop.create(&shop.person(), &input).await.id;
        for _ in 0..3 {
            shop.clock.advance(TimeDelta::days(31));
            let done = shop.catalog.expire_due(shop.ambient.now(), 10, &SETTINGS).await.unwrap();
            assert_eq!(done, Expired { expired: 0, renewed: 1 });
        }
        assert_eq!(shop.catalog.get_listing(None, id).await.unwrap().renew_count, 3);
        shop.clock.advance(TimeDelta::days(31));
        let done = shop.catalog.expire_due(shop.ambient.now(), 10, &SETTINGS).await.unwrap();
        assert_eq!(done, Expired { expired: 1, renewed: 0 });
    }

    /// Two expirers and the seller at once: what is sold stays sold, nothing ends twice, and the count is right.
    async fn what_is_sold_while_it_expires_is_sold(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let mut ids = Vec::new();
        for n in 0..12 {
            ids.push(shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await.id);
        }
        shop.clock.advance(TimeDelta::days(30));
        let now = shop.ambient.now();
        let expirers: Vec<_> = (0..2)
            .map(|_| {
                let catalog = shop.catalog.clone();
                tokio::spawn(async move { catalog.expire_due(now, 3, &SETTINGS).await.unwrap().expired })
            })
            .collect();
        let sales: Vec<_> = ids
            .iter()
            .map(|id| {
                let (catalog, id) = (shop.catalog.clone(), *id);
                tokio::spawn(async move { catalog.mark_listing_sold(&seller, id).await.unwrap() })
            })
            .collect();
        let mut expired = 0;
        for expirer in expirers {
            expired += expirer.await.unwrap();
        }
        for sale in sales {
            assert_eq!(sale.await.unwrap().status, ListingStatus::Sold);
        }
        let mut told = 0;
        for id in ids {
            assert_eq!(
                shop.catalog.get_listing(Some(&seller), id).await.unwrap().status,
                ListingStatus::Sold
            );
            told += events(db, id).await.iter().filter(|kind| *kind == "listing.expired").count();
        }
        assert_eq!(told, usize::try_from(expired).unwrap());
        assert_eq!(shop.count(db, shop.open).await, 0);
    }
}
