//! Review: the queue, the decision, and what keeps two moderators, or a moderator and a seller, out of each other's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use catalog::{
    AttributeSchema, CategoryInput, CategoryName, Condition, Description, ListingInput, ListingStatus,
    ListingView, Location, Place, Price, Slug, Title,
};
use chrono::TimeDelta;
use kernel::{Actor, Caller, CategoryId, ListingId, Money, Origin, Role};
use marketplace::{FlowError, Marketplace};
use moderation::{NewDecision, Verdict};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scope, TestDb, on_every_engine};

use crate::support::{Session, TestApp};

fn person(market: &Marketplace, role: Role) -> Actor {
    Actor::Person { user: market.ambient.new_id(), role, session: market.ambient.new_id(), staff: None }
}

fn seller(app: &TestApp, session: &Session) -> Actor {
    let user = session.user_id.parse().unwrap();
    Actor::Person { user, role: Role::User, session: app.state.ambient.new_id(), staff: None }
}

fn moderator(market: &Marketplace) -> Caller {
    Caller { actor: person(market, Role::Moderator), origin: Origin::default() }
}

async fn category(market: &Marketplace) -> CategoryId {
    let input = CategoryInput {
        slug: Slug::parse("cycles").unwrap(),
        name: CategoryName::parse("Cycles").unwrap(),
        icon: None,
        parent: None,
        attributes: AttributeSchema::default(),
        auto_approve: false,
        expiry_days: None,
        order: 0,
        active: true,
    };
    market.catalog.create_category(&Caller::system("test"), &input).await.unwrap().id
}

fn cycle(category: CategoryId, title: &str) -> ListingInput {
    ListingInput {
        category,
        title: Title::parse(title).unwrap(),
        description: Description::parse("Hardly ever ridden, kept indoors.").unwrap(),
        price: Price::parse(Money::inr(450_000)).unwrap(),
        negotiable: false,
        condition: Condition::Good,
        location: Location {
            city: Place::parse("Pune").unwrap(),
            state: Place::parse("Maharashtra").unwrap(),
            pincode: None,
            point: None,
        },
        attributes: serde_json::Map::new(),
        photos: Vec::new(),
        auto_renew: false,
    }
}

async fn submit(market: &Marketplace, seller: &Actor, input: &ListingInput) -> ListingView {
    let settings = market.listing_settings().await;
    market.catalog.create_listing(seller, input, true, &settings).await.unwrap()
}

async fn status(market: &Marketplace, id: ListingId) -> (ListingStatus, i64) {
    let staff = person(market, Role::Moderator);
    let view = market.catalog.get_listing(Some(&staff), id).await.unwrap();
    (view.status, view.version)
}

fn path(id: ListingId) -> String {
    format!("/api/listings/{id}/review")
}

/// Titles in the order of the queue, and the next cursor.
async fn queue(app: &TestApp, moderator: &Session, query: &str) -> (Vec<String>, String) {
    let path = format!("/api/moderation/queue{query}");
    let answer = app.get(&path).bearer(moderator).send().await.expect(StatusCode::OK);
    let titles = answer.body["data"].as_array().unwrap();
    let titles = titles.iter().map(|card| card["title"].as_str().unwrap().to_owned()).collect();
    (titles, answer.text("/pagination/nextCursor"))
}

async fn shop(db: &TestDb) -> (TestApp, Session, CategoryId) {
    let app = TestApp::start(db).await;
    let moderator = app.staff(Role::Moderator).await;
    let category = category(&app.state.market).await;
    (app, moderator, category)
}

on_every_engine! { Scope::All =>
    async fn what_a_moderator_approves_is_seen_by_everybody(db: TestDb) {
        let (app, moderator, category) = shop(db).await;
        let owner = app.member().await;
        let listing = submit(&app.state.market, &seller(&app, &owner), &cycle(category, "A green bicycle")).await;
        app.get(&format!("/api/listings/{}", listing.id)).send().await.expect(StatusCode::NOT_FOUND);
        let body = json!({"decision": "APPROVE"});
        let answer = app.post(&path(listing.id)).bearer(&moderator).json(&body).send().await.expect(StatusCode::OK);
        assert_eq!((answer.text("/decision"), answer.text("/moderatorId")), ("APPROVED".into(), moderator.user_id.clone()));
        assert_eq!((&answer.body["reasonCode"], &answer.body["listingVersion"]), (&Value::Null, &json!(listing.version)));
        let seen = app.get(&format!("/api/listings/{}", listing.id)).send().await.expect(StatusCode::OK);
        assert_eq!(seen.text("/status"), "ACTIVE");
        assert!(queue(&app, &moderator, "").await.0.is_empty());
        let again = app.post(&path(listing.id)).bearer(&moderator).json(&body).send().await;
        again.problem(StatusCode::CONFLICT, "listing_not_pending");
        app.stop().await;
    }

    async fn a_rejection_tells_its_reason_and_can_be_mended(db: TestDb) {
        let (app, moderator, category) = shop(db).await;
        let market = &app.state.market;
        let owner = seller(&app, &app.member().await);
        let listing = submit(market, &owner, &cycle(category, "A green bicycle")).await;
        let review = async |body: Value| app.post(&path(listing.id)).bearer(&moderator).json(&body).send().await;
        for (body, field) in [
            (json!({"decision": "REJECT"}), "reasonCode"),
            (json!({"decision": "REJECT", "reasonCode": "because"}), "reasonCode"),
            (json!({"decision": "REJECT", "reasonCode": "other"}), "note"),
            (json!({"decision": "APPROVE", "reasonCode": "fraud"}), "reasonCode"),
            (json!({"decision": "approve"}), "decision"),
            (json!({"decision": "APPROVE", "status": "ACTIVE"}), "status"),
        ] {
            let answer = review(body).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
            assert_eq!(answer.fields(), [field]);
        }
        let note = "Please photograph the back as well.";
        let rejection = json!({"decision": "REJECT", "reasonCode": "bad_photos", "note": note});
        let answer = review(rejection).await.expect(StatusCode::OK);
        assert!(answer.text("/reason/hi").starts_with("फ़ोटो"));
        let own = market.catalog.get_listing(Some(&owner), listing.id).await.unwrap();
        let facts = own.review.unwrap();
        assert_eq!((own.status, facts.reason.as_deref(), facts.note.as_deref()), (ListingStatus::Rejected, Some("bad_photos"), Some(note)));

        let settings = market.listing_settings().await;
        market.catalog.submit_listing(&owner, listing.id, &settings).await.unwrap();
        review(json!({"decision": "APPROVE"})).await.expect(StatusCode::OK);
        let history = app.get(&format!("/api/listings/{}/reviews", listing.id)).bearer(&moderator).send().await.expect(StatusCode::OK);
        let decisions: Vec<_> = history.body["data"].as_array().unwrap().iter().map(|review| review["decision"].clone()).collect();
        assert_eq!(decisions, ["APPROVED", "REJECTED"]);
        app.stop().await;
    }

    /// They wait for each other at the listing's row: whoever comes later finds it decided, and nothing of theirs is
    /// kept. Without the row lock they would all find it PENDING, and fail later and differently.
    async fn of_eight_moderators_at_once_one_decides_and_the_others_are_told(db: TestDb) {
        let app = TestApp::start(db).await;
        let market = &app.state.market;
        let category = category(market).await;
        let owner = seller(&app, &app.member().await);
        let listing = submit(market, &owner, &cycle(category, "A green bicycle")).await;
        let verdicts = [Verdict::approval(), Verdict::parse("REJECT", Some("fraud"), None).unwrap()];
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (market, verdict) = (market.clone(), verdicts[n % 2].clone());
                tokio::spawn(async move { market.review_listing(&moderator(&market), listing.id, None, &verdict).await })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(review) => won.push(review),
                Err(error) => assert_eq!(kernel::DomainError::code(&error), "listing_not_pending"),
            }
        }
        assert_eq!(won.len(), 1);
        assert_eq!(market.moderation.reviews_of(listing.id).await.unwrap(), won);
        app.stop().await;
    }

    /// A seller changes the listing in the middle of a decision. The change has to wait, and then needs a decision of
    /// its own: without the row lock it would be out in public without anybody having seen it.
    async fn a_seller_who_edits_waits_for_the_decision_that_is_being_made(db: TestDb) {
        let app = TestApp::start(db).await;
        let market = app.state.market.clone();
        let (category, owner) = (category(&market).await, person(&market, Role::User));
        let listing = submit(&market, &owner, &cycle(category, "A green bicycle")).await;
        let edited = Arc::new(AtomicBool::new(false));
        let edit = {
            let (market, edited, owner) = (market.clone(), Arc::clone(&edited), owner);
            async move {
                let (changed, settings) = (cycle(category, "Something else altogether"), market.listing_settings().await);
                market.catalog.edit_listing(&owner, listing.id, None, &changed, &settings).await.unwrap();
                edited.store(true, Ordering::SeqCst);
            }
        };
        let settings = market.listing_settings().await;
        let caller = moderator(&market);
        let running = std::sync::Mutex::new(Some(edit));
        let editing = std::sync::Mutex::new(None);
        market
            .db
            .in_txn(async |txn| {
                let pending = market.catalog.lock_for_review_in_txn(txn, listing.id).await?;
                let edit = running.lock().unwrap().take();
                *editing.lock().unwrap() = edit.map(tokio::spawn);
                tokio::time::sleep(Duration::from_millis(300)).await;
                assert!(!edited.load(Ordering::SeqCst), "the seller's change has to wait");
                let new = NewDecision { listing: listing.id, listing_version: pending.version(), verdict: Verdict::approval() };
                market.moderation.record_decision_in_txn(txn, &caller, new).await?;
                market.catalog.decide_in_txn(txn, &caller, pending, &catalog::Decision::Approve, &settings).await?;
                Ok::<_, FlowError>(())
            })
            .await
            .unwrap();
        let editing = editing.lock().unwrap().take().unwrap();
        editing.await.unwrap();
        assert_eq!(status(&market, listing.id).await.0, ListingStatus::Pending, "what nobody has seen waits again");
        app.stop().await;
    }

    async fn a_decision_on_what_was_seen_is_not_made_on_something_else(db: TestDb) {
        let (app, moderator, category) = shop(db).await;
        let market = &app.state.market;
        let owner = seller(&app, &app.member().await);
        let listing = submit(market, &owner, &cycle(category, "A green bicycle")).await;
        let settings = market.listing_settings().await;
        let changed = market.catalog.edit_listing(&owner, listing.id, None, &cycle(category, "A red bicycle"), &settings).await.unwrap();
        let review = async |tag: i64| {
            let call = app.post(&path(listing.id)).bearer(&moderator).header("if-match", &format!("\"{tag}\""));
            call.json(&json!({"decision": "APPROVE"})).send().await
        };
        review(listing.version).await.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        assert!(market.moderation.reviews_of(listing.id).await.unwrap().is_empty());
        review(changed.version).await.expect(StatusCode::OK);
        app.stop().await;
    }

    async fn nothing_of_a_blocked_seller_goes_on_sale(db: TestDb) {
        let (app, moderator, category) = shop(db).await;
        let owner = app.member().await;
        let listing = submit(&app.state.market, &seller(&app, &owner), &cycle(category, "A green bicycle")).await;
        let admin = app.staff(Role::Admin).await;
        app.set_status(&admin, &owner, "BANNED").await;
        let approval = json!({"decision": "APPROVE"});
        let answer = app.post(&path(listing.id)).bearer(&moderator).json(&approval).send().await;
        answer.problem(StatusCode::CONFLICT, "seller_blocked");
        assert_eq!(status(&app.state.market, listing.id).await.0, ListingStatus::Pending);
        assert!(app.state.market.moderation.reviews_of(listing.id).await.unwrap().is_empty());
        let rejection = json!({"decision": "REJECT", "reasonCode": "fraud"});
        app.post(&path(listing.id)).bearer(&moderator).json(&rejection).send().await.expect(StatusCode::OK);
        app.stop().await;
    }

    async fn the_queue_goes_from_the_oldest_to_the_newest(db: TestDb) {
        let (app, moderator, category) = shop(db).await;
        let market = &app.state.market;
        let owner = person(market, Role::User);
        for n in 1..=5 {
            submit(market, &owner, &cycle(category, &format!("Bicycle number {n}"))).await;
            app.clock.advance(TimeDelta::seconds(1));
        }
        let (first, cursor) = queue(&app, &moderator, "?limit=3").await;
        assert_eq!(first, ["Bicycle number 1", "Bicycle number 2", "Bicycle number 3"]);
        submit(market, &owner, &cycle(category, "Bicycle number 6")).await;
        let (second, end) = queue(&app, &moderator, &format!("?limit=3&cursor={cursor}")).await;
        assert_eq!((second, end.as_str()), (vec!["Bicycle number 4".into(), "Bicycle number 5".into(), "Bicycle number 6".into()], ""));
        let page = app.get("/api/moderation/queue?page=2&limit=4").bearer(&moderator).send().await.expect(StatusCode::OK);
        assert_eq!((page.body["pagination"]["total"].as_u64(), page.body["data"].as_array().unwrap().len()), (Some(6), 2));
        let wrong = app.get("/api/moderation/queue?limit=0").bearer(&moderator).send().await;
        assert_eq!(wrong.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["limit"]);
        app.stop().await;
    }

    async fn nobody_decides_without_the_right_to(db: TestDb) {
        let (app, moderator, category) = shop(db).await;
        let market = &app.state.market;
        let (member, finance) = (app.member().await, app.staff(Role::Finance).await);
        let listing = submit(market, &seller(&app, &member), &cycle(category, "A green bicycle")).await;
        let body = json!({"decision": "APPROVE"});
        app.post(&path(listing.id)).json(&body).send().await.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
        for session in [&member, &finance] {
            app.post(&path(listing.id)).bearer(session).json(&body).send().await.problem(StatusCode::FORBIDDEN, "forbidden");
            app.get("/api/moderation/queue").bearer(session).send().await.problem(StatusCode::FORBIDDEN, "forbidden");
        }
        let unknown = market.ambient.new_id();
        app.post(&path(unknown)).bearer(&moderator).json(&body).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        let reviews = format!("/api/listings/{unknown}/reviews");
        app.get(&reviews).bearer(&moderator).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        app.get(&reviews).bearer(&member).send().await.problem(StatusCode::FORBIDDEN, "forbidden");

        let own = submit(market, &seller(&app, &moderator), &cycle(category, "A moderator's bicycle")).await;
        app.post(&path(own.id)).bearer(&moderator).json(&body).send().await.problem(StatusCode::FORBIDDEN, "own_listing_review");
        assert_eq!(status(market, own.id).await.0, ListingStatus::Pending);
        app.stop().await;
    }

    async fn the_reasons_are_there_for_everybody(db: TestDb) {
        let app = TestApp::start(db).await;
        let answer = app.get("/api/moderation/reasons").send().await.expect(StatusCode::OK);
        let reasons = answer.body["data"].as_array().unwrap();
        assert_eq!(reasons.len(), moderation::ReasonCode::ALL.len());
        assert_eq!(reasons.last().unwrap()["code"], "other");
        assert_eq!(reasons.last().unwrap()["needsNote"], true);
        app.stop().await;
    }
}
