//! Filters one by one, who sees what, and feeds that are walked while listings come and go.

use std::collections::BTreeSet;

use catalog::{
    AttributeFilters, CatalogError, CategoryInput, Condition, ListingFilters, ListingInput, ListingQuery,
    ListingSort, ListingStatus, Place, Point, Price, SearchWords,
};
use chrono::TimeDelta;
use kernel::{Actor, ListingId, Money, Page, Paging, Role};
use serde_json::json;
use testkit::{Domain, Scope, on_every_engine};

use crate::shop::{Shop, admin, category, code, faults, id_of, person, query, schema};

fn all() -> ListingFilters {
    ListingFilters::default()
}

async fn feed(
    shop: &Shop,
    viewer: Option<&Actor>,
    query: &ListingQuery,
    cursor: Option<String>,
    limit: u32,
) -> Page<catalog::ListingCard> {
    shop.catalog.search_listings(viewer, query, &Paging::After { cursor, limit }).await.unwrap()
}

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn each_filter_leaves_what_it_names(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let plain = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        shop.clock.advance(TimeDelta::seconds(1));
        let mut other = shop.thing("A blue sofa, free");
        other.price = Price::parse(Money::inr(0)).unwrap();
        other.condition = Condition::LikeNew;
        other.location.city = Place::parse("New  DELHI").unwrap();
        other.location.state = Place::parse("Delhi").unwrap();
        let other_seller = shop.person();
        let other = shop.create(&other_seller, &other).await.id;

        let find = async |filters: ListingFilters| shop.find(None, &query(filters)).await;
        assert_eq!(find(all()).await, [other, plain], "the newest first");
        assert_eq!(find(ListingFilters { min_price: Some(1), ..all() }).await, [plain]);
        assert_eq!(find(ListingFilters { max_price: Some(9_999), ..all() }).await, [other]);
        assert_eq!(find(ListingFilters { min_price: Some(10_000), max_price: Some(10_000), ..all() }).await, [plain]);
        assert_eq!(find(ListingFilters { city: Some(Place::parse("new delhi").unwrap()), ..all() }).await, [other]);
        assert_eq!(find(ListingFilters { state: Some(Place::parse("MAHARASHTRA").unwrap()), ..all() }).await, [plain]);
        assert_eq!(find(ListingFilters { condition: Some(Condition::LikeNew), ..all() }).await, [other]);
        assert_eq!(find(ListingFilters { seller: Some(id_of(&seller)), ..all() }).await, [plain]);
        let search = Some(SearchWords::parse("sofa").unwrap());
        assert_eq!(find(ListingFilters { search, ..all() }).await, [other]);
        assert_eq!(find(ListingFilters { category: Some(shop.reviewed), ..all() }).await, []);
        assert_eq!(find(ListingFilters { category: Some(shop.ambient.new_id()), ..all() }).await, []);
    }

    async fn a_category_is_searched_with_all_below_it(db: TestDb) {
        let shop = Shop::open(db).await;
        let below = async |slug: &str, parent| {
            let input = CategoryInput { auto_approve: true, ..category(slug, Some(parent)) };
            shop.catalog.create_category(&admin(), &input).await.unwrap().id
        };
        let child = below("child", shop.open).await;
        let grandchild = below("grandchild", child).await;
        let mut ids = Vec::new();
        for category in [shop.open, child, grandchild] {
            let input = ListingInput { category, ..shop.thing("A red bicycle") };
            ids.push(shop.create(&shop.person(), &input).await.id);
            shop.clock.advance(TimeDelta::seconds(1));
        }
        ids.reverse();
        let find = async |id| shop.find(None, &query(ListingFilters { category: Some(id), ..all() })).await;
        assert_eq!(find(shop.open).await, ids);
        assert_eq!(find(child).await, ids[..2]);
        assert_eq!(find(grandchild).await, ids[..1]);
    }

    async fn attributes_are_matched_by_name_and_value(db: TestDb) {
        let shop = Shop::open(db).await;
        let specs = json!([
            {"name": "brand", "label": "Brand", "kind": "choice", "options": ["Apple", "One Plus"], "filterable": true},
            {"name": "ram", "label": "RAM", "kind": "integer", "filterable": true},
            {"name": "boxed", "label": "With box", "kind": "boolean", "filterable": true},
            {"name": "model", "label": "Model", "kind": "text"},
        ]);
        let phones = CategoryInput { auto_approve: true, attributes: schema(specs), ..category("phones", None) };
        let phones = shop.catalog.create_category(&admin(), &phones).await.unwrap().id;
        let mut ids = Vec::new();
        for given in [
            json!({"brand": "Apple", "ram": 8, "boxed": true, "model": "13"}),
            json!({"brand": "One Plus", "ram": 8}),
            json!({"brand": "Apple", "ram": 4}),
        ] {
            let attributes = given.as_object().unwrap().clone();
            let input = ListingInput { category: phones, attributes, ..shop.thing("A good phone") };
            ids.push(shop.create(&shop.person(), &input).await.id);
            shop.clock.advance(TimeDelta::seconds(1));
        }
        let find = async |text: &str| {
            let attributes = AttributeFilters::parse(text).unwrap();
            shop.find(None, &query(ListingFilters { attributes, ..all() })).await
        };
        assert_eq!(find("brand:apple").await, [ids[2], ids[0]]);
        assert_eq!(find("brand:Apple,ram:8").await, [ids[0]]);
        assert_eq!(find("brand:Apple,brand:one plus").await, [ids[2], ids[1], ids[0]]);
        assert_eq!(find("boxed:true").await, [ids[0]]);
        assert_eq!(find("ram:16").await, []);
        for name in ["model", "colour"] {
            let attributes = AttributeFilters::parse(&format!("{name}:13")).unwrap();
            let query = query(ListingFilters { attributes, ..all() });
            let refused = shop.catalog.search_listings(None, &query, &Paging::After { cursor: None, limit: 5 }).await;
            assert_eq!(faults(refused), [("attributes".to_owned(), "unknown_attribute".to_owned())]);
        }
    }

    async fn the_nearest_come_first(db: TestDb) {
        let shop = Shop::open(db).await;
        let mut at = Vec::new();
        // North of Pune by 0.3°, east by 0.3° (which is less far), in Mumbai, in Delhi, nowhere.
        for place in [Some((18.82, 73.857)), Some((18.52, 74.157)), Some((19.076, 72.878)), Some((28.61, 77.21)), None] {
            let mut input = shop.thing("A red bicycle");
            input.location.point = place.map(|(latitude, longitude)| Point::parse(latitude, longitude).unwrap());
            at.push(shop.create(&shop.person(), &input).await.id);
        }
        let pune = Point::parse(18.52, 73.857).unwrap();
        let nearest = ListingQuery::new(all(), Some(ListingSort::Distance), None, Some(pune)).unwrap();
        assert_eq!(shop.find(None, &nearest).await, [at[1], at[0], at[2], at[3]]);
        let mut walked = Vec::new();
        let mut cursor = None;
        loop {
            let page = feed(&shop, None, &nearest, cursor, 1).await;
            walked.extend(page.data.iter().map(|card| card.id));
            cursor = page.pagination.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(walked, [at[1], at[0], at[2], at[3]]);
    }

    async fn only_staff_and_owners_see_what_is_not_active(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let active = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let pending = shop.create(&seller, &shop.phone()).await.id;
        let gone = shop.create(&seller, &shop.thing("A blue bicycle")).await.id;
        shop.catalog.delete_listing(&seller, gone, None).await.unwrap();
        let with = |status| query(ListingFilters { status: Some(status), ..all() });
        let moderator = person(Role::Moderator);
        let stranger = shop.person();
        assert_eq!(shop.find(Some(&moderator), &query(all())).await, [active]);
        assert_eq!(shop.find(Some(&moderator), &with(ListingStatus::Pending)).await, [pending]);
        assert_eq!(shop.find(Some(&moderator), &with(ListingStatus::Deleted)).await, [gone]);
        assert_eq!(shop.find(Some(&seller), &with(ListingStatus::Pending)).await, [pending]);
        assert_eq!(shop.find(Some(&stranger), &with(ListingStatus::Pending)).await, []);
        let of_seller = ListingFilters {
            seller: Some(id_of(&seller)),
            status: Some(ListingStatus::Pending),
            ..all()
        };
        assert_eq!(shop.find(Some(&stranger), &query(of_seller)).await, []);
        let first = Paging::After { cursor: None, limit: 5 };
        let search = async |viewer, status| shop.catalog.search_listings(viewer, &with(status), &first).await;
        assert_eq!(code(search(None, ListingStatus::Pending).await), "status_not_public");
        assert_eq!(faults(search(Some(&seller), ListingStatus::Deleted).await)[0].0, "status");
    }

    async fn a_cursor_is_good_for_its_own_search_alone(db: TestDb) {
        let shop = Shop::open(db).await;
        for n in 0..3 {
            shop.create(&shop.person(), &shop.thing(&format!("Bicycle number {n}"))).await;
        }
        let cursor = feed(&shop, None, &query(all()), None, 1).await.pagination.next_cursor;
        assert!(cursor.is_some());
        let cheap = query(ListingFilters { max_price: Some(99_999), ..all() });
        let other = shop.catalog.search_listings(None, &cheap, &Paging::After { cursor, limit: 1 }).await;
        let Err(CatalogError::Invalid(invalid)) = other else { panic!("{other:?}") };
        assert_eq!((invalid.0[0].field.as_str(), invalid.0[0].code.as_str()), ("cursor", "invalid_cursor"));
    }

    /// While a feed is walked, listings are added at its top and sold in its midst: whatever was there from beginning to
    /// end is seen exactly once.
    async fn a_feed_neither_loses_nor_repeats_while_listings_come_and_go(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let mut ids: Vec<ListingId> = Vec::new();
        for n in 0..40_i64 {
            let mut input = shop.thing(&format!("Bicycle number {n}"));
            input.price = Price::parse(Money::inr(1_000 + n % 5)).unwrap();
            ids.push(shop.create(&seller, &input).await.id);
            // Several share a moment, so that the id has to decide.
            if n % 4 == 0 {
                shop.clock.advance(TimeDelta::seconds(1));
            }
        }
        for sort in [ListingSort::CreatedAt, ListingSort::Price] {
            let query = ListingQuery::new(all(), Some(sort), None, None).unwrap();
            let mut there: BTreeSet<ListingId> = shop.find(None, &query).await.into_iter().collect();
            let mut seen = Vec::new();
            let mut cursor = None;
            loop {
                let page = feed(&shop, None, &query, cursor, 3).await;
                seen.extend(page.data.iter().map(|card| card.id));
                cursor = page.pagination.next_cursor;
                if cursor.is_none() {
                    break;
                }
                shop.clock.advance(TimeDelta::seconds(1));
                shop.create(&seller, &shop.thing("Come in between")).await;
                // The one just seen, and one that may still be to come.
                for sold in [*seen.last().unwrap(), *there.iter().nth(there.len() / 2).unwrap()] {
                    if there.remove(&sold) {
                        shop.catalog.mark_listing_sold(&seller, sold).await.unwrap();
                    }
                }
            }
            let distinct: BTreeSet<ListingId> = seen.iter().copied().collect();
            assert_eq!(distinct.len(), seen.len(), "{sort:?} repeated one");
            let lost: Vec<_> = there.difference(&distinct).collect();
            assert!(lost.is_empty(), "{sort:?} lost {lost:?}");
        }
    }
}
