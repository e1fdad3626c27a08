//! A listing's life: from draft to sale, and who may see and change it on the way.

use catalog::photo::{PhotoConfig, Photos};
use catalog::{CatalogError, Decision, ListingInput, ListingStatus, ListingView, Point, Price, Title};
use chrono::TimeDelta;
use kernel::{Actor, Caller, ListingId, Money, Origin, Role};
use serde_json::json;
use store::audit;
use testkit::{Domain, Scope, on_every_engine};

use crate::shop::{SETTINGS, Shop, code, events, faults, id_of, person, staff};

async fn status(shop: &Shop, seller: &Actor, id: ListingId) -> ListingStatus {
    shop.catalog.get_listing(Some(seller), id).await.unwrap().status
}

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn a_draft_is_handed_in_approved_and_seen(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let draft = shop.catalog.create_listing(&seller, &shop.phone(), false, &SETTINGS).await.unwrap();
        assert_eq!((draft.status, draft.published_at, draft.version), (ListingStatus::Draft, None, 1));
        assert_eq!(code(shop.catalog.get_listing(None, draft.id).await), "listing_not_found");
        let pending = shop.catalog.submit_listing(&seller, draft.id, &SETTINGS).await.unwrap();
        assert_eq!(pending.status, ListingStatus::Pending);
        assert_eq!(shop.count(db, shop.reviewed).await, 0);
        shop.clock.advance(TimeDelta::hours(5));
        shop.approve(db, draft.id).await;
        let seen = shop.catalog.get_listing(None, draft.id).await.unwrap();
        assert_eq!(seen.status, ListingStatus::Active);
        assert_eq!(seen.published_at, Some(shop.ambient.now()));
        assert_eq!(seen.expires_at, Some(shop.ambient.now() + TimeDelta::days(30)));
        assert_eq!(seen.attributes.get(), r#"{"brand":"Apple","ram":8}"#);
        assert_eq!(shop.count(db, shop.reviewed).await, 1);
        assert_eq!(events(db, draft.id).await, ["listing.created", "listing.submitted", "listing.approved"]);
    }

    async fn a_category_without_review_publishes_at_once(db: TestDb) {
        let shop = Shop::open(db).await;
        let listing = shop.create(&shop.person(), &shop.thing("A red bicycle")).await;
        assert_eq!(listing.status, ListingStatus::Active);
        assert_eq!(events(db, listing.id).await, ["listing.created", "listing.submitted", "listing.approved"]);
    }

    async fn a_listing_reads_back_as_it_was_written(db: TestDb) {
        let shop = Shop::open(db).await;
        let mut input = shop.phone();
        input.title = Title::parse("  फ़ोन, \"like new\" <b>🙂</b> ").unwrap();
        input.location.point = Some(Point::parse(18.520_43, 73.856_74).unwrap());
        input.negotiable = true;
        let seller = shop.person();
        let made = shop.create(&seller, &input).await;
        let read = shop.catalog.get_listing(Some(&seller), made.id).await.unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&made).unwrap());
        assert_eq!(read.title, "फ़ोन, \"like new\" <b>🙂</b>");
        assert_eq!((read.location.latitude, read.location.longitude), (Some(18.52), Some(73.857)));
        assert_eq!((read.price, read.negotiable, read.seller_id), (Money::inr(10_000), true, id_of(&seller)));
    }

    async fn what_is_required_is_asked_for_when_it_is_handed_in(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let bare = ListingInput { attributes: serde_json::Map::new(), ..shop.phone() };
        let refused = shop.catalog.create_listing(&seller, &bare, true, &SETTINGS).await;
        assert_eq!(faults(refused), [("attributes.brand".to_owned(), "required".to_owned())]);
        let draft = shop.catalog.create_listing(&seller, &bare, false, &SETTINGS).await.unwrap();
        let refused = shop.catalog.submit_listing(&seller, draft.id, &SETTINGS).await;
        assert_eq!(faults(refused), [("attributes.brand".to_owned(), "required".to_owned())]);
        let unknown = json!({"brand": "Apple", "colour": "red"}).as_object().unwrap().clone();
        let unknown = ListingInput { attributes: unknown, ..shop.phone() };
        let refused = shop.catalog.create_listing(&seller, &unknown, true, &SETTINGS).await;
        assert_eq!(faults(refused), [("attributes.colour".to_owned(), "unknown_attribute".to_owned())]);
    }

    async fn a_rejected_listing_tells_why_and_can_be_handed_in_again(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let id = shop.create(&seller, &shop.phone()).await.id;
        let decision = Decision::Reject { reason: "bad_photos".to_owned(), note: Some("Too dark.".to_owned()) };
        let moderator = staff(Role::Moderator);
        let reviewed = shop.review(db, &moderator, id, &decision).await.unwrap();
        assert_eq!((reviewed.status, reviewed.seller), (ListingStatus::Rejected, id_of(&seller)));
        let own = shop.catalog.get_listing(Some(&seller), id).await.unwrap();
        let review = own.review.unwrap();
        assert_eq!((review.reason.as_deref(), review.note.as_deref()), (Some("bad_photos"), Some("Too dark.")));
        let records = audit::of_subject(db.reader().unwrap(), "listing", &id.to_string()).await.unwrap();
        assert_eq!((records.len(), records[0].action.as_str()), (1, "listing.rejected"));
        assert_eq!(records[0].actor_id, moderator.actor.name());
        shop.catalog.edit_listing(&seller, id, None, &shop.phone(), &SETTINGS).await.unwrap();
        assert_eq!(status(&shop, &seller, id).await, ListingStatus::Rejected);
        shop.catalog.submit_listing(&seller, id, &SETTINGS).await.unwrap();
        shop.approve(db, id).await;
        assert_eq!(shop.catalog.get_listing(None, id).await.unwrap().review, None, "nobody else's business");
    }

    async fn a_reviewer_is_a_moderator_and_not_the_seller(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = person(Role::Moderator);
        let id = shop.create(&seller, &shop.phone()).await.id;
        let own = Caller { actor: seller, origin: Origin::default() };
        assert_eq!(code(shop.review(db, &own, id, &Decision::Approve).await), "own_listing_review");
        for role in [Role::User, Role::Finance] {
            assert_eq!(code(shop.review(db, &staff(role), id, &Decision::Approve).await), "forbidden");
        }
        assert_eq!(status(&shop, &seller, id).await, ListingStatus::Pending);
    }

    async fn a_change_of_what_was_reviewed_is_reviewed_again(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let id = shop.create(&seller, &shop.phone()).await.id;
        shop.approve(db, id).await;
        let cheaper = ListingInput { price: Price::parse(Money::inr(9_000)).unwrap(), ..shop.phone() };
        let edited = shop.catalog.edit_listing(&seller, id, None, &cheaper, &SETTINGS).await.unwrap();
        assert_eq!((edited.status, edited.price), (ListingStatus::Active, Money::inr(9_000)));
        let rewritten = ListingInput { title: Title::parse("Brand new phone").unwrap(), ..cheaper };
        let edited = shop.catalog.edit_listing(&seller, id, None, &rewritten, &SETTINGS).await.unwrap();
        assert_eq!(edited.status, ListingStatus::Pending);
        assert_eq!(shop.count(db, shop.reviewed).await, 0);
        assert_eq!(code(shop.catalog.get_listing(None, id).await), "listing_not_found");
        let told = events(db, id).await;
        assert_eq!(told[3..], ["listing.updated", "listing.updated", "listing.submitted"]);
        let moved = ListingInput { attributes: serde_json::Map::new(), category: shop.open, ..shop.phone() };
        let free = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let edited = shop.catalog.edit_listing(&seller, free, None, &moved, &SETTINGS).await.unwrap();
        assert_eq!(edited.status, ListingStatus::Active, "its category needs no review");
    }

    async fn a_listing_that_moves_is_counted_where_it_is(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let other = catalog::CategoryInput { auto_approve: true, ..crate::shop::category("other", None) };
        let other = shop.catalog.create_category(&crate::shop::admin(), &other).await.unwrap().id;
        let id = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let moved = ListingInput { category: other, ..shop.thing("A red bicycle") };
        shop.catalog.edit_listing(&seller, id, None, &moved, &SETTINGS).await.unwrap();
        assert_eq!((shop.count(db, shop.open).await, shop.count(db, other).await), (0, 1));
        shop.catalog.pause_listing(&seller, id).await.unwrap();
        assert_eq!(shop.count(db, other).await, 0);
        shop.catalog.resume_listing(&seller, id).await.unwrap();
        assert_eq!(shop.count(db, other).await, 1);
        shop.catalog.mark_listing_sold(&seller, id).await.unwrap();
        assert_eq!(shop.count(db, other).await, 0);
    }

    async fn a_listing_is_paused_resumed_sold_and_deleted(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let id = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        shop.catalog.pause_listing(&seller, id).await.unwrap();
        assert_eq!(code(shop.catalog.get_listing(None, id).await), "listing_not_found");
        assert_eq!(code(shop.catalog.pause_listing(&seller, id).await), "listing_not_active");
        shop.catalog.resume_listing(&seller, id).await.unwrap();
        let sold = shop.catalog.mark_listing_sold(&seller, id).await.unwrap();
        assert_eq!((sold.status, sold.sold_at), (ListingStatus::Sold, Some(shop.ambient.now())));
        assert_eq!(code(shop.catalog.mark_listing_sold(&seller, id).await), "listing_not_on_sale");
        let late = shop.catalog.edit_listing(&seller, id, None, &shop.thing("A red bicycle"), &SETTINGS).await;
        assert_eq!(code(late), "listing_closed");
        shop.catalog.delete_listing(&seller, id, Some(sold.version)).await.unwrap();
        assert_eq!(code(shop.catalog.get_listing(Some(&seller), id).await), "listing_not_found");
        assert_eq!(code(shop.catalog.delete_listing(&seller, id, None).await), "listing_not_found");
        let record = shop.catalog.get_listing(Some(&person(Role::Moderator)), id).await.unwrap();
        assert_eq!(record.status, ListingStatus::Deleted);
        let told = events(db, id).await;
        assert_eq!(told[3..], ["listing.paused", "listing.resumed", "listing.sold", "listing.deleted"]);
    }

    /// The owner check: to a stranger, and to staff who would change it, somebody's listing is not there.
    async fn nobody_changes_somebody_elses_listing(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let active = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let draft = shop.catalog.create_listing(&seller, &shop.phone(), false, &SETTINGS).await.unwrap().id;
        for stranger in [shop.person(), person(Role::Moderator), person(Role::SuperAdmin), Actor::System("test")] {
            let catalog = &shop.catalog;
            for id in [active, draft] {
                let refusals = [
                    code(catalog.edit_listing(&stranger, id, None, &shop.thing("A blue bicycle"), &SETTINGS).await),
                    code(catalog.submit_listing(&stranger, id, &SETTINGS).await),
                    code(catalog.pause_listing(&stranger, id).await),
                    code(catalog.resume_listing(&stranger, id).await),
                    code(catalog.renew_listing(&stranger, id, &SETTINGS).await),
                    code(catalog.mark_listing_sold(&stranger, id).await),
                    code(catalog.delete_listing(&stranger, id, None).await),
                ];
                assert_eq!(refusals, ["listing_not_found"; 7], "{stranger:?}");
            }
        }
        assert_eq!(code(shop.catalog.get_listing(Some(&shop.person()), draft).await), "listing_not_found");
        assert!(shop.catalog.get_listing(Some(&person(Role::Finance)), draft).await.is_ok());
        assert_eq!(shop.catalog.get_listing(None, active).await.unwrap().version, 1);
    }

    async fn photos_stand_in_their_sellers_order(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let files = std::sync::Arc::new(object_store::memory::InMemory::new());
        let photos = Photos::new(db.database().clone(), shop.ambient.clone(), files, PhotoConfig::default());
        let mut ids = Vec::new();
        for width in [31, 32, 33, 34] {
            let bytes = testkit::pictures::jpeg(width, 30).into();
            ids.push(photos.store_upload(id_of(&seller), bytes).await.unwrap().id);
        }
        let with = |chosen: &[kernel::PhotoId]| ListingInput { photos: chosen.to_vec(), ..shop.phone() };
        let shown = |view: &ListingView| view.photos.iter().map(|photo| photo.id).collect::<Vec<_>>();
        let refused = shop.catalog.create_listing(&seller, &with(&ids), true, &SETTINGS).await;
        assert_eq!(faults(refused), [("photoIds".to_owned(), "too_many".to_owned())]);
        let made = shop.create(&seller, &with(&[ids[2], ids[0]])).await;
        assert_eq!(shown(&made), [ids[2], ids[0]]);
        shop.approve(db, made.id).await;
        let paging = kernel::Paging::After { cursor: None, limit: 1 };
        let card = shop.catalog.my_listings(id_of(&seller), None, &paging).await.unwrap().data.remove(0).card;
        assert_eq!(card.photo_url, Some(made.photos[0].card_url.clone()));
        let turned = with(&[ids[0], ids[2]]);
        let turned = shop.catalog.edit_listing(&seller, made.id, None, &turned, &SETTINGS).await.unwrap();
        assert_eq!((shown(&turned), turned.status), (vec![ids[0], ids[2]], ListingStatus::Pending));
        let stolen = shop.catalog.create_listing(&shop.person(), &with(&[ids[1]]), true, &SETTINGS).await;
        assert_eq!(faults(stolen), [("photoIds".to_owned(), "unknown_photo".to_owned())]);
    }

    async fn sellers_find_their_own_listings_in_every_state(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let mut made = Vec::new();
        for n in 0..5 {
            made.push(shop.create(&seller, &shop.thing(&format!("Bicycle number {n}"))).await.id);
            shop.clock.advance(TimeDelta::seconds(1));
        }
        shop.create(&shop.person(), &shop.thing("Not this one")).await;
        shop.catalog.delete_listing(&seller, made[0], None).await.unwrap();
        shop.catalog.mark_listing_sold(&seller, made[1]).await.unwrap();
        let newest_first: Vec<_> = made[1..].iter().rev().copied().collect();
        let (mut walked, mut cursor) = (Vec::new(), None);
        loop {
            let paging = kernel::Paging::After { cursor, limit: 2 };
            let page = shop.catalog.my_listings(id_of(&seller), None, &paging).await.unwrap();
            walked.extend(page.data.iter().map(|own| own.card.id));
            cursor = page.pagination.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(walked, newest_first);
        let paging = kernel::Paging::Numbered { page: 1, limit: 10 };
        let sold = Some(ListingStatus::Sold);
        let page = shop.catalog.my_listings(id_of(&seller), sold, &paging).await.unwrap();
        assert_eq!((page.data.len(), page.pagination.total), (1, Some(1)));
        let foreign = kernel::Paging::After { cursor: Some("AAAA".to_owned()), limit: 2 };
        let refused = shop.catalog.my_listings(id_of(&seller), None, &foreign).await;
        assert!(matches!(refused, Err(CatalogError::Invalid(_))));
    }
}
