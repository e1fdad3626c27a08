//! The category tree: who changes it, what it refuses, and when a change is seen.

use std::collections::HashMap;

use catalog::{CatalogError, CategoryInput, CategoryNode};
use chrono::TimeDelta;
use kernel::{Caller, CategoryId, Role};
use serde_json::Value as Json;
use store::audit;
use testkit::{Domain, Scope, on_every_engine};

use crate::shop::{SETTINGS, Shop, admin, catalog, category, code, faults, person, schema, staff};

fn slugs(nodes: &[CategoryNode]) -> Vec<String> {
    nodes.iter().map(|node| node.slug.clone()).collect()
}

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn seeding_twice_makes_the_same_tree(db: TestDb) {
        let catalog = catalog(db, &kernel::Ambient::system());
        assert_eq!(catalog.seed_categories(&Caller::system("seed")).await.unwrap(), 21);
        assert_eq!(catalog.seed_categories(&Caller::system("seed")).await.unwrap(), 0);
        let tree = catalog.category_nodes().await.unwrap();
        assert_eq!(slugs(&tree), ["electronics", "vehicles", "property", "fashion", "furniture"]);
        assert_eq!(slugs(&tree[0].children), ["mobiles", "laptops", "tablets", "tvs"]);
        assert_eq!(slugs(&tree[4].children), ["sofa-chairs", "beds", "tables"]);
        let cars = &tree[1].children[0];
        let names: Vec<_> = cars.attributes.iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, ["brand", "model", "year", "fuel", "transmission", "km", "owners", "insured"]);
    }

    async fn only_those_who_manage_categories_change_them(db: TestDb) {
        let shop = Shop::open(db).await;
        let view = shop.catalog.get_category(None, shop.open).await.unwrap();
        for role in [Role::User, Role::Moderator, Role::Finance] {
            let caller = staff(role);
            assert_eq!(code(shop.catalog.create_category(&caller, &category("new", None)).await), "forbidden");
            let update = shop.catalog.update_category(&caller, shop.open, None, &category("new", None)).await;
            assert_eq!(code(update), "forbidden");
            assert_eq!(code(shop.catalog.delete_category(&caller, shop.open, None).await), "forbidden");
        }
        assert_eq!(shop.catalog.get_category(None, shop.open).await.unwrap(), view);
    }

    async fn every_change_by_staff_is_on_record(db: TestDb) {
        let shop = Shop::open(db).await;
        let id = shop.catalog.create_category(&admin(), &category("first", None)).await.unwrap().id;
        shop.catalog.update_category(&admin(), id, Some(1), &category("second", None)).await.unwrap();
        shop.catalog.delete_category(&admin(), id, Some(2)).await.unwrap();
        let records = audit::of_subject(db.reader().unwrap(), "category", &id.to_string()).await.unwrap();
        let actions: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, ["category.created", "category.updated", "category.deleted"]);
        assert_eq!(records[1].before["slug"], "first");
        assert_eq!(records[1].after["slug"], "second");
        assert_eq!(records[2].after, Json::Null);
    }

    async fn a_change_from_an_old_copy_is_refused(db: TestDb) {
        let shop = Shop::open(db).await;
        let change = category("changed", None);
        assert_eq!(shop.catalog.update_category(&admin(), shop.open, Some(1), &change).await.unwrap().version, 2);
        let late = shop.catalog.update_category(&admin(), shop.open, Some(1), &change).await;
        assert_eq!(code(late), "version_mismatch");
        assert_eq!(code(shop.catalog.delete_category(&admin(), shop.open, Some(1)).await), "version_mismatch");
    }

    async fn a_slug_names_one_category(db: TestDb) {
        let shop = Shop::open(db).await;
        assert_eq!(code(shop.catalog.create_category(&admin(), &category("open", None)).await), "slug_taken");
        let renamed = shop.catalog.update_category(&admin(), shop.reviewed, None, &category("open", None)).await;
        assert_eq!(code(renamed), "slug_taken");
        shop.catalog.update_category(&admin(), shop.open, None, &category("open", None)).await.unwrap();
    }

    async fn the_tree_refuses_circles_and_a_fourth_level(db: TestDb) {
        let shop = Shop::open(db).await;
        let create = async |slug: &str, parent| {
            shop.catalog.create_category(&admin(), &category(slug, parent)).await.map(|view| view.id)
        };
        let one = create("one", None).await.unwrap();
        let two = create("two", Some(one)).await.unwrap();
        let three = create("three", Some(two)).await.unwrap();
        let fault = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
        assert_eq!(faults(create("four", Some(three)).await), fault("parentId", "too_deep"));
        let circle = shop.catalog.update_category(&admin(), one, None, &category("one", Some(three))).await;
        assert_eq!(faults(circle), fault("parentId", "category_cycle"));
        let unknown = create("five", Some(shop.ambient.new_id())).await;
        assert_eq!(faults(unknown), fault("parentId", "unknown_category"));
    }

    /// Two categories, each to be moved below the other, by eight at once: the lock on the tree lets one through.
    async fn simultaneous_moves_cannot_close_a_circle(db: TestDb) {
        let shop = Shop::open(db).await;
        for round in 0..4 {
            let name = |side: &str| format!("{side}{round}");
            let create = async |slug: &str| {
                shop.catalog.create_category(&admin(), &category(slug, None)).await.unwrap().id
            };
            let (a, b) = (create(&name("left")).await, create(&name("right")).await);
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let catalog = shop.catalog.clone();
                    let (id, input) = match n % 2 {
                        0 => (a, category(&name("left"), Some(b))),
                        _ => (b, category(&name("right"), Some(a))),
                    };
                    tokio::spawn(async move { catalog.update_category(&admin(), id, None, &input).await })
                })
                .collect();
            let mut moved = 0;
            for task in tasks {
                moved += i32::from(task.await.unwrap().is_ok());
            }
            assert_eq!(moved, 4, "one of the two directions, each time it was asked for");
            let views = shop.catalog.list_categories(Some(&admin().actor)).await.unwrap();
            let parents: HashMap<_, _> = views.iter().map(|view| (view.id, view.parent_id)).collect();
            assert_ne!(parents[&a].is_some(), parents[&b].is_some());
        }
    }

    async fn a_category_in_use_is_not_deleted(db: TestDb) {
        let shop = Shop::open(db).await;
        let child = shop.catalog.create_category(&admin(), &category("child", Some(shop.open))).await.unwrap().id;
        assert_eq!(code(shop.catalog.delete_category(&admin(), shop.open, None).await), "category_in_use");
        shop.catalog.delete_category(&admin(), child, None).await.unwrap();
        let seller = shop.person();
        let listing = shop.create(&seller, &shop.thing("A red bicycle")).await;
        shop.catalog.delete_listing(&seller, listing.id, None).await.unwrap();
        let refused = shop.catalog.delete_category(&admin(), shop.open, None).await;
        assert_eq!(code(refused), "category_in_use", "a deleted listing is still on record");
        assert_eq!(code(shop.catalog.delete_category(&admin(), child, None).await), "category_not_found");
    }

    /// Whoever comes first: never a listing without a category, never a failure of ours.
    async fn listing_in_a_category_while_it_is_deleted_is_safe(db: TestDb) {
        let shop = Shop::open(db).await;
        for round in 0..6 {
            let input = CategoryInput { auto_approve: true, ..category(&format!("gone{round}"), None) };
            let id = shop.catalog.create_category(&admin(), &input).await.unwrap().id;
            let listing = catalog::ListingInput { category: id, ..shop.thing("A red bicycle") };
            shop.catalog.category_nodes().await.unwrap();
            let (seller, other) = (shop.catalog.clone(), shop.catalog.clone());
            let sell = tokio::spawn(async move {
                seller.create_listing(&person(Role::User), &listing, true, &SETTINGS).await
            });
            let delete = tokio::spawn(async move { other.delete_category(&admin(), id, None).await });
            match (sell.await.unwrap(), delete.await.unwrap()) {
                (Ok(_), Err(CatalogError::CategoryInUse)) => {}
                (Err(CatalogError::Invalid(invalid)), Ok(())) => assert_eq!(invalid.0[0].code, "unknown_category"),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn an_inactive_category_is_hidden_with_all_below_it(db: TestDb) {
        let shop = Shop::open(db).await;
        let child = shop.catalog.create_category(&admin(), &category("child", Some(shop.open))).await.unwrap().id;
        let closed = CategoryInput { active: false, ..category("open", None) };
        shop.catalog.update_category(&admin(), shop.open, None, &closed).await.unwrap();
        assert_eq!(slugs(&shop.catalog.category_nodes().await.unwrap()), ["reviewed"]);
        assert_eq!(shop.catalog.list_categories(None).await.unwrap().len(), 1);
        assert_eq!(shop.catalog.list_categories(Some(&admin().actor)).await.unwrap().len(), 3);
        assert_eq!(code(shop.catalog.get_category(None, child).await), "category_not_found");
        assert!(shop.catalog.get_category(Some(&admin().actor), child).await.is_ok());
        let refused =
            shop.catalog.create_listing(&shop.person(), &shop.thing("A red bicycle"), false, &SETTINGS).await;
        assert_eq!(faults(refused)[0].0, "categoryId");
    }

    /// One process sees its own change at once, another within two seconds.
    async fn a_change_is_seen_here_at_once_and_elsewhere_within_two_seconds(db: TestDb) {
        let shop = Shop::open(db).await;
        let elsewhere = catalog(db, &shop.ambient);
        let before = elsewhere.category_tree_document().await.unwrap();
        assert_eq!(shop.catalog.category_tree_document().await.unwrap(), before, "the same bytes and tag");
        let specs = serde_json::json!([{"name": "size", "label": "Size", "kind": "boolean"}]);
        let change = CategoryInput { attributes: schema(specs), ..category("renamed", None) };
        shop.catalog.update_category(&admin(), shop.open, None, &change).await.unwrap();
        let here = shop.catalog.category_tree_document().await.unwrap();
        assert_ne!(here.etag, before.etag);
        assert_eq!(elsewhere.category_tree_document().await.unwrap(), before);
        shop.clock.advance(TimeDelta::seconds(2));
        assert_eq!(elsewhere.category_tree_document().await.unwrap(), here);
        let body: Json = serde_json::from_slice(&here.body).unwrap();
        let node = body.as_array().unwrap().iter().find(|node| node["slug"] == "renamed").unwrap();
        assert_eq!(node["attributes"][0]["name"], "size");
    }

    async fn a_parent_counts_the_listings_below_it(db: TestDb) {
        let shop = Shop::open(db).await;
        let child = CategoryInput { auto_approve: true, ..category("child", Some(shop.open)) };
        let child = shop.catalog.create_category(&admin(), &child).await.unwrap().id;
        shop.create(&shop.person(), &shop.thing("A red bicycle")).await;
        let below = catalog::ListingInput { category: child, ..shop.thing("A blue bicycle") };
        shop.create(&shop.person(), &below).await;
        shop.clock.advance(TimeDelta::seconds(2));
        let count = async |id: CategoryId| shop.catalog.get_category(None, id).await.unwrap().listing_count;
        assert_eq!((count(shop.open).await, count(child).await, count(shop.reviewed).await), (2, 1, 0));
    }
}
