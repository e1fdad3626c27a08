//! Boosts: one after the other, only for what is ACTIVE, by payment alone; first in lists while they last.

use std::collections::BTreeSet;

use catalog::{
    BoostKind, BoostParts, BoostPayment, BoostPlanInput, BoostPlanView, BoostQuote, BoostStatus, BoostView,
    CatalogError, GrantedBoost, ListingFilters, ListingQuery, ListingSort, PlanDays, PlanFeatures, PlanName,
    PlanPrice, SearchWords, Slug,
};
use chrono::TimeDelta;
use kernel::{Actor, Caller, Clock, InvalidInput, ListingId, Money, Paging, Role};
use sea_orm::DatabaseTransaction;
use store::append_event_in_txn;
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::shop::{SETTINGS, Shop, admin, code, events, id_of, number, query, staff, uuid};

fn plan(slug: &str, kind: BoostKind, paise: i64, days: i64) -> BoostPlanInput {
    BoostPlanInput {
        kind,
        slug: Slug::parse(slug).unwrap(),
        name: PlanName::parse(slug).unwrap(),
        price: PlanPrice::parse(Money::inr(paise)).unwrap(),
        days: PlanDays::parse(days).unwrap(),
        features: PlanFeatures::parse(&["Stands before others".to_owned()]).unwrap(),
        top_placement: kind == BoostKind::Boost,
        highlight: true,
        popular: false,
        order: 0,
        active: true,
    }
}

async fn made(shop: &Shop, slug: &str, kind: BoostKind, paise: i64, days: i64) -> BoostPlanView {
    shop.catalog.create_boost_plan(&admin(), &plan(slug, kind, paise, days)).await.unwrap()
}

/// Pays from top-ups, without tax, by a journal that nobody wrote: the ledger is not part of these tests.
fn paid(shop: &Shop, price: Money) -> BoostPayment {
    let zero = Money::inr(0);
    BoostPayment {
        journal: shop.ambient.new_id(),
        paid: BoostParts { promo: zero, available: price, earnings: zero },
        gst_percent: 0,
        cgst: zero,
        sgst: zero,
    }
}

/// Grants the boost and tells of it, as whoever sells one does.
async fn granted(
    txn: &DatabaseTransaction,
    shop: &Shop,
    quote: BoostQuote,
    payment: &BoostPayment,
) -> Result<BoostView, CatalogError> {
    let GrantedBoost { boost, event } = shop.catalog.grant_boost_in_txn(txn, quote, payment).await?;
    append_event_in_txn(txn, &shop.ambient, event).await?;
    Ok(boost)
}

async fn try_buy(
    db: &TestDb,
    shop: &Shop,
    seller: &Actor,
    listing: ListingId,
    plan: &BoostPlanView,
) -> Result<BoostView, CatalogError> {
    let bought = db
        .in_txn(async |txn| {
            let quote = shop.catalog.quote_boost_in_txn(txn, id_of(seller), listing, plan.id, None).await?;
            let payment = paid(shop, quote.price());
            granted(txn, shop, quote, &payment).await
        })
        .await;
    shop.catalog.forget_prominence();
    bought
}

async fn buy(
    db: &TestDb,
    shop: &Shop,
    seller: &Actor,
    listing: ListingId,
    plan: &BoostPlanView,
) -> BoostView {
    try_buy(db, shop, seller, listing, plan).await.unwrap()
}

fn plan_fault(result: Result<BoostView, CatalogError>) -> String {
    let Err(CatalogError::Invalid(InvalidInput(faults))) = result else { panic!("{result:?}") };
    assert_eq!(faults[0].field, "planId");
    faults[0].code.clone()
}

async fn walk(shop: &Shop, query: &ListingQuery, limit: u32) -> Vec<ListingId> {
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let paging = Paging::After { cursor, limit };
        let page = shop.catalog.search_listings(None, query, &paging).await.unwrap();
        assert!(page.data.len() <= usize::try_from(limit).unwrap());
        seen.extend(page.data.iter().map(|card| card.id));
        cursor = page.pagination.next_cursor;
        if cursor.is_none() {
            return seen;
        }
    }
}

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn plans_are_seeded_changed_and_withdrawn_on_record(db: TestDb) {
        let shop = Shop::open(db).await;
        let admin = admin();
        assert_eq!(shop.catalog.seed_boost_plans(&Caller::system("seed")).await.unwrap(), 4);
        assert_eq!(shop.catalog.seed_boost_plans(&Caller::system("seed")).await.unwrap(), 0);
        let plans = shop.catalog.list_boost_plans(None).await.unwrap();
        let told: Vec<_> = plans.iter().map(|plan| (plan.name.as_str(), plan.price.amount(), plan.days)).collect();
        assert_eq!(told, [("Basic", 4_900, 3), ("Standard", 9_900, 7), ("Premium", 17_900, 15), ("Featured", 19_900, 7)]);

        let dearer = BoostPlanInput { price: PlanPrice::parse(Money::inr(5_900)).unwrap(), ..plan("basic", BoostKind::Boost, 1_000, 3) };
        let changed = shop.catalog.update_boost_plan(&admin, plans[0].id, Some(1), &dearer).await.unwrap();
        assert_eq!((changed.price, changed.version), (Money::inr(5_900), 2));
        assert_eq!(shop.catalog.get_boost_plan(None, changed.id).await.unwrap(), changed);
        let stale = shop.catalog.update_boost_plan(&admin, plans[0].id, Some(1), &dearer).await;
        assert_eq!(code(stale), "version_mismatch");
        let taken = plan("standard", BoostKind::Boost, 1_000, 3);
        assert_eq!(code(shop.catalog.update_boost_plan(&admin, changed.id, None, &taken).await), "slug_taken");
        assert_eq!(code(shop.catalog.create_boost_plan(&admin, &taken).await), "slug_taken");
        assert_eq!(code(shop.catalog.create_boost_plan(&staff(Role::Moderator), &taken).await), "forbidden");

        shop.catalog.withdraw_boost_plan(&admin, changed.id, Some(2)).await.unwrap();
        assert_eq!(code(shop.catalog.get_boost_plan(None, changed.id).await), "boost_plan_not_found");
        assert!(!shop.catalog.get_boost_plan(Some(&admin.actor), changed.id).await.unwrap().active);
        assert_eq!(shop.catalog.list_boost_plans(Some(&shop.person())).await.unwrap().len(), 3);
        assert_eq!(shop.catalog.list_boost_plans(Some(&admin.actor)).await.unwrap().len(), 4);
        let log = "SELECT COUNT(*) AS n FROM audit_log WHERE subject_id = ?";
        assert_eq!(number(db, log, changed.id.to_string().into()).await, 3, "made, changed, withdrawn");
    }

    async fn boost_extends(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let listing = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let (three, seven) = (made(&shop, "three", BoostKind::Boost, 4_900, 3).await, made(&shop, "seven", BoostKind::Boost, 9_900, 7).await);
        let begun = shop.clock.now();
        let first = buy(db, &shop, &seller, listing, &three).await;
        assert_eq!((first.starts_at, first.ends_at, first.status), (begun, begun + TimeDelta::days(3), BoostStatus::Running));
        shop.clock.advance(TimeDelta::days(1));
        let second = buy(db, &shop, &seller, listing, &seven).await;
        assert_eq!((second.starts_at, second.ends_at, second.status), (first.ends_at, begun + TimeDelta::days(10), BoostStatus::Scheduled));
        let view = shop.catalog.get_listing(None, listing).await.unwrap();
        assert_eq!((view.boosted_until, view.featured_until, view.highlighted), (Some(second.ends_at), None, true));

        let feature = made(&shop, "feature", BoostKind::Feature, 19_900, 7).await;
        let featured = buy(db, &shop, &seller, listing, &feature).await;
        assert_eq!(featured.starts_at, shop.clock.now(), "what is of another kind does not wait");
        shop.clock.set(second.ends_at);
        assert_eq!(shop.catalog.get_listing(None, listing).await.unwrap().boosted_until, None, "over on time, before any job");
        let third = buy(db, &shop, &seller, listing, &three).await;
        assert_eq!(third.starts_at, second.ends_at, "after a pause it begins at once");
        assert_eq!(shop.catalog.boosts_of(&seller, listing).await.unwrap().len(), 4);
        assert_eq!(code(shop.catalog.boosts_of(&shop.person(), listing).await), "listing_not_found");
    }

    /// Eight at once: each begins where another ends, none is lost.
    async fn simultaneous_boosts_follow_each_other(db: TestDb) {
        let shop = std::sync::Arc::new(Shop::open(db).await);
        let seller = shop.person();
        let listing = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let three = made(&shop, "three", BoostKind::Boost, 4_900, 3).await;
        let begun = shop.clock.now();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (shop, db, plan) = (std::sync::Arc::clone(&shop), db.database().clone(), three.id);
                tokio::spawn(async move {
                    db.in_txn(async |txn| {
                        let quote = shop.catalog.quote_boost_in_txn(txn, id_of(&seller), listing, plan, None).await?;
                        let payment = paid(&shop, quote.price());
                        granted(txn, &shop, quote, &payment).await
                    })
                    .await
                    .unwrap()
                })
            })
            .collect();
        let mut starts = BTreeSet::new();
        for task in tasks {
            starts.insert(task.await.unwrap().starts_at);
        }
        let expected: BTreeSet<_> = (0..8).map(|n| begun + TimeDelta::days(3 * n)).collect();
        assert_eq!(starts, expected);
        assert_eq!(shop.catalog.get_listing(None, listing).await.unwrap().boosted_until, Some(begun + TimeDelta::days(24)));
    }

    /// The hourly job has not marked it yet.
    async fn a_listing_whose_time_is_over_cannot_be_boosted(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let basic = made(&shop, "basic", BoostKind::Boost, 4_900, 3).await;
        let listing = shop.create(&seller, &shop.thing("A red bicycle")).await;
        let end = listing.expires_at.unwrap();
        shop.clock.set(end - TimeDelta::microseconds(1));
        buy(db, &shop, &seller, listing.id, &basic).await;
        shop.clock.set(end);
        assert_eq!(code(try_buy(db, &shop, &seller, listing.id, &basic).await), "listing_not_active");
        shop.catalog.renew_listing(&seller, listing.id, &SETTINGS).await.unwrap();
        buy(db, &shop, &seller, listing.id, &basic).await;
    }

    async fn boost_requires_active(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let basic = made(&shop, "basic", BoostKind::Boost, 4_900, 3).await;
        let sold = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        assert_eq!(code(try_buy(db, &shop, &shop.person(), sold, &basic).await), "listing_not_found", "somebody else's");
        shop.catalog.mark_listing_sold(&seller, sold).await.unwrap();
        let pending = shop.create(&seller, &shop.phone()).await.id;
        let paused = shop.create(&seller, &shop.thing("A blue bicycle")).await.id;
        shop.catalog.pause_listing(&seller, paused).await.unwrap();
        let rejected = shop.create(&seller, &shop.phone()).await.id;
        let no = catalog::Decision::Reject { reason: "spam".to_owned(), note: None };
        shop.review(db, &staff(Role::Moderator), rejected, &no).await.unwrap();
        for listing in [sold, pending, paused, rejected] {
            assert_eq!(code(try_buy(db, &shop, &seller, listing, &basic).await), "listing_not_active");
        }
        let deleted = shop.create(&seller, &shop.thing("A green bicycle")).await.id;
        shop.catalog.delete_listing(&seller, deleted, None).await.unwrap();
        for listing in [deleted, shop.ambient.new_id()] {
            assert_eq!(code(try_buy(db, &shop, &seller, listing, &basic).await), "listing_not_found");
        }
        assert_eq!(number(db, "SELECT COUNT(*) AS n FROM boosts WHERE user_id = ?", uuid(id_of(&seller))).await, 0);
    }

    async fn only_a_plan_that_can_be_bought_is_bought(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let listing = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let basic = made(&shop, "basic", BoostKind::Boost, 4_900, 3).await;
        let wrong = db
            .in_txn(async |txn| {
                let kind = Some(BoostKind::Feature);
                let quote = shop.catalog.quote_boost_in_txn(txn, id_of(&seller), listing, basic.id, kind).await?;
                let payment = paid(&shop, quote.price());
                granted(txn, &shop, quote, &payment).await
            })
            .await;
        assert_eq!(plan_fault(wrong), "wrong_kind");
        shop.catalog.withdraw_boost_plan(&admin(), basic.id, None).await.unwrap();
        assert_eq!(plan_fault(try_buy(db, &shop, &seller, listing, &basic).await), "unknown_plan");
        let unknown = BoostPlanView { id: shop.ambient.new_id(), ..basic };
        assert_eq!(plan_fault(try_buy(db, &shop, &seller, listing, &unknown).await), "unknown_plan");
    }

    /// A payment that is not the price is refused by the row itself, and so is a journal that paid for another.
    async fn a_boost_is_paid_for_in_full_by_a_journal_of_its_own(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let listing = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let basic = made(&shop, "basic", BoostKind::Boost, 4_900, 3).await;
        let first = buy(db, &shop, &seller, listing, &basic).await;
        for payment in [
            paid(&shop, Money::inr(4_899)),
            paid(&shop, Money::inr(4_901)),
            BoostPayment { journal: first.journal_id, ..paid(&shop, Money::inr(4_900)) },
        ] {
            let bought = db
                .in_txn(async |txn| {
                    let quote = shop.catalog.quote_boost_in_txn(txn, id_of(&seller), listing, basic.id, None).await?;
                    granted(txn, &shop, quote, &payment).await
                })
                .await;
            assert_eq!(code(bought), "internal");
        }
        assert_eq!(shop.catalog.boosts_of(&seller, listing).await.unwrap(), [first]);
    }

    async fn boosted_listings_come_first_and_once(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let mut ids = Vec::new();
        for n in 0..12 {
            ids.push(shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await.id);
            shop.clock.advance(TimeDelta::seconds(1));
        }
        let basic = made(&shop, "basic", BoostKind::Boost, 4_900, 3).await;
        let feature = made(&shop, "feature", BoostKind::Feature, 19_900, 7).await;
        for n in [2, 5, 7] {
            buy(db, &shop, &seller, ids[n], &basic).await;
        }
        buy(db, &shop, &seller, ids[3], &feature).await;
        let order = [7, 5, 2, 11, 10, 9, 8, 6, 4, 3, 1, 0].map(|n: usize| ids[n]);
        let all = query(ListingFilters::default());
        assert_eq!(shop.find(None, &all).await, order);
        for limit in [1, 2, 3, 4, 5, 12] {
            assert_eq!(walk(&shop, &all, limit).await, order, "{limit} a page");
        }
        let mut leafed = Vec::new();
        for page in 1..=6 {
            let paging = Paging::Numbered { page, limit: 2 };
            let page = shop.catalog.search_listings(None, &all, &paging).await.unwrap();
            assert_eq!(page.pagination.total, Some(12));
            leafed.extend(page.data.iter().map(|card| card.id));
        }
        assert_eq!(leafed, order);
        let words = SearchWords::parse("bicycle number").unwrap();
        let found = shop.find(None, &query(ListingFilters { search: Some(words), ..ListingFilters::default() })).await;
        assert_eq!(found, order);
        let asked = ListingQuery::new(ListingFilters::default(), Some(ListingSort::CreatedAt), None, None).unwrap();
        let newest: Vec<_> = ids.iter().rev().copied().collect();
        assert_eq!(shop.find(None, &asked).await, newest, "an order that is asked for is kept");

        let boosted = ListingFilters { boosted: true, ..ListingFilters::default() };
        assert_eq!(shop.find(None, &query(boosted.clone())).await, order[..3]);
        let featured = ListingFilters { featured: true, ..ListingFilters::default() };
        assert_eq!(shop.find(None, &query(featured)).await, [ids[3]]);
        let none = ListingFilters { max_price: Some(1), ..ListingFilters::default() };
        assert!(shop.find(None, &query(none)).await.is_empty());

        let cards = shop.catalog.search_listings(None, &all, &Paging::After { cursor: None, limit: 12 }).await.unwrap().data;
        assert!(cards[..3].iter().all(|card| card.boosted_until.is_some() && card.highlighted));
        assert!(cards[3..].iter().all(|card| card.boosted_until.is_none()));
        assert!(cards.iter().find(|card| card.id == ids[3]).unwrap().featured_until.is_some());
        let own = shop.catalog.my_listings(id_of(&seller), None, &Paging::After { cursor: None, limit: 12 }).await.unwrap();
        assert_eq!(own.data.iter().filter(|own| own.card.boosted_until.is_some()).count(), 3);

        shop.clock.advance(TimeDelta::days(3));
        assert_eq!(shop.find(None, &all).await, newest, "over on time, before any job");
        assert!(shop.find(None, &query(boosted)).await.is_empty());
    }

    /// While a feed is walked, others buy boosts: who came first is decided when the feed begins.
    async fn a_boost_bought_meanwhile_does_not_disturb_a_feed(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let basic = made(&shop, "basic", BoostKind::Boost, 4_900, 3).await;
        let mut ids = Vec::new();
        for n in 0..20 {
            ids.push(shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await.id);
            shop.clock.advance(TimeDelta::seconds(1));
        }
        buy(db, &shop, &seller, ids[4], &basic).await;
        let all = query(ListingFilters::default());
        let (mut seen, mut cursor) = (Vec::new(), None);
        for round in 0.. {
            let page = shop.catalog.search_listings(None, &all, &Paging::After { cursor, limit: 2 }).await.unwrap();
            seen.extend(page.data.iter().map(|card| card.id));
            cursor = page.pagination.next_cursor;
            if cursor.is_none() {
                break;
            }
            shop.clock.advance(TimeDelta::seconds(5));
            // One that was seen, and one that is to come.
            for n in [19 - round, round] {
                buy(db, &shop, &seller, ids[n], &basic).await;
            }
        }
        let distinct: BTreeSet<_> = seen.iter().copied().collect();
        assert_eq!((distinct.len(), seen.len(), seen[0]), (20, 20, ids[4]));
    }

    async fn boosts_lapse_once_and_are_told(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let basic = made(&shop, "basic", BoostKind::Boost, 4_900, 3).await;
        let mut ids = Vec::new();
        for n in 0..5 {
            let id = shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await.id;
            buy(db, &shop, &seller, id, &basic).await;
            ids.push(id);
        }
        buy(db, &shop, &seller, ids[0], &basic).await;
        shop.clock.advance(TimeDelta::days(3) - TimeDelta::seconds(1));
        assert_eq!(shop.catalog.lapse_boosts(shop.clock.now(), 2).await.unwrap(), 0);
        shop.clock.advance(TimeDelta::seconds(1));
        let now = shop.clock.now();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let catalog = shop.catalog.clone();
                tokio::spawn(async move { catalog.lapse_boosts(now, 2).await.unwrap() })
            })
            .collect();
        let mut lapsed = 0;
        for task in tasks {
            lapsed += task.await.unwrap();
        }
        assert_eq!(lapsed, 5);
        for id in &ids {
            let told = events(db, *id).await;
            assert_eq!(told.iter().filter(|kind| *kind == "listing.boost_ended").count(), 1, "{told:?}");
        }
        let in_force = "SELECT COUNT(*) AS n FROM listing_prominence WHERE over_at > ?";
        assert_eq!(number(db, in_force, shop.clock.now().into()).await, 1, "the one that was bought twice");
        let boosts = shop.catalog.boosts_of(&seller, ids[0]).await.unwrap();
        assert_eq!(boosts.iter().map(|boost| boost.status).collect::<Vec<_>>(), [BoostStatus::Running, BoostStatus::Ended]);
        assert_eq!(boosts[1].ended_at, Some(boosts[1].ends_at));
    }

    /// Staff cut boosts short: what is left is told to the paisa, once; a seller's own deeds leave them alone.
    async fn cutting_boosts_short_tells_what_is_left_once(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let listing = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let week = made(&shop, "week", BoostKind::Boost, 9_900, 7).await;
        let first = buy(db, &shop, &seller, listing, &week).await;
        let second = buy(db, &shop, &seller, listing, &week).await;
        shop.clock.advance(TimeDelta::days(2));
        shop.catalog.pause_listing(&seller, listing).await.unwrap();
        shop.catalog.edit_listing(&seller, listing, None, &shop.thing("A redder bicycle"), &SETTINGS).await.unwrap();
        assert_eq!(shop.catalog.get_listing(Some(&seller), listing).await.unwrap().boosted_until, Some(second.ends_at));

        let cut = async || {
            db.in_txn(async |txn| {
                let refunds = shop.catalog.cut_boosts_of_in_txn(txn, id_of(&seller)).await?;
                for refund in &refunds {
                    shop.catalog.note_boost_refunded_in_txn(txn, refund, shop.ambient.new_id()).await?;
                }
                Ok::<_, CatalogError>(refunds.iter().map(|refund| (refund.boost(), refund.amount().amount())).collect::<Vec<_>>())
            })
            .await
            .unwrap()
        };
        assert_eq!(cut().await, [(first.id, 7_071), (second.id, 9_900)], "9900 × 5 ÷ 7, rounded down, and one that had not begun");
        assert!(cut().await.is_empty());
        shop.catalog.forget_prominence();
        assert_eq!(shop.catalog.get_listing(Some(&seller), listing).await.unwrap().boosted_until, None);
        let boosts = shop.catalog.boosts_of(&seller, listing).await.unwrap();
        assert!(boosts.iter().all(|boost| boost.status == BoostStatus::Refunded && boost.ended_at == Some(shop.clock.now())));
        assert_eq!(shop.catalog.lapse_boosts(shop.clock.now() + TimeDelta::days(30), 10).await.unwrap(), 0);
    }
}
