//! Listings over HTTP: from a seller's form to a buyer with a number.

use chrono::TimeDelta;
use kernel::{Phone, Role};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine, pictures};

use crate::support::{Answer, Session, TestApp};

/// A gateway with categories, one of which needs no review, and somebody who sells.
struct Stall {
    app: TestApp,
    seller: Session,
    mobiles: String,
    unreviewed: String,
}

impl Stall {
    async fn open(db: &testkit::TestDb) -> Self {
        let app = TestApp::start(db).await;
        app.state.market.seed(&Phone::parse("+919000000001").unwrap()).await.unwrap();
        let admin = app.staff(Role::Admin).await;
        let body = json!({
            "slug": "odds-and-ends", "name": "Odds and ends", "autoApprove": true,
            "attributes": [{"name": "brand", "label": "Brand", "kind": "text", "filterable": true}],
        });
        let made =
            app.post("/api/categories").bearer(&admin).json(&body).send().await.expect(StatusCode::CREATED);
        let list = app.get("/api/categories").send().await;
        let mobiles =
            list.body["data"].as_array().unwrap().iter().find(|one| one["slug"] == "mobiles").unwrap();
        let (mobiles, unreviewed) = (mobiles["id"].as_str().unwrap().to_owned(), made.text("/id"));
        let seller = app.member().await;
        Self { app, seller, mobiles, unreviewed }
    }

    fn phone(&self) -> Value {
        json!({
            "categoryId": self.mobiles,
            "title": "iPhone 13, 128 GB, with box",
            "description": "Always in a case, battery at 90 %.\nWith box and charger.",
            "price": { "amount": 3_250_000, "currency": "INR" },
            "negotiable": true,
            "condition": "LIKE_NEW",
            "location": {
                "city": "Pune", "state": "Maharashtra", "pincode": "411001", "latitude": 18.5204, "longitude": 73.8567
            },
            "attributes": { "brand": "Apple", "storage": 128, "warranty": false },
        })
    }

    /// Something that is ACTIVE at once.
    fn thing(&self, title: &str, rupees: i64, city: &str) -> Value {
        let mut body = self.phone();
        body["categoryId"] = json!(self.unreviewed);
        body["title"] = json!(title);
        body["price"]["amount"] = json!(rupees * 100);
        body["location"]["city"] = json!(city);
        body["attributes"] = json!({});
        body
    }

    async fn create(&self, body: &Value) -> Answer {
        self.app.post("/api/listings").bearer(&self.seller).json(body).send().await
    }

    async fn id_of(&self, body: &Value) -> String {
        self.create(body).await.expect(StatusCode::CREATED).text("/id")
    }

    async fn titles(&self, query: &str) -> Vec<String> {
        let found = self.app.get(&format!("/api/listings?{query}")).send().await.expect(StatusCode::OK);
        titles(&found.body)
    }
}

fn titles(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|card| card["title"].as_str().unwrap().to_owned()).collect()
}

on_every_engine! { Scope::All =>
    /// The main job: posted with a photo, unseen until approved, found, opened, and the seller's number told.
    async fn a_phone_is_posted_approved_found_and_asked_for(db: TestDb) {
        let stall = Stall::open(db).await;
        let app = &stall.app;
        let photo = Part::bytes(pictures::jpeg(640, 480)).file_name("front.jpg").mime_str("image/jpeg").unwrap();
        let upload = app.post("/api/uploads").bearer(&stall.seller).multipart(Form::new().part("file", photo));
        let upload = upload.send().await.expect(StatusCode::CREATED);
        let mut body = stall.phone();
        body["photoIds"] = json!([upload.text("/data/0/id")]);
        let made = stall.create(&body).await.expect(StatusCode::CREATED);
        assert_eq!((made.text("/status").as_str(), made.header("etag")), ("PENDING", "\"1\""));
        let path = made.header("location").to_owned();
        app.get(&path).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        assert_eq!(stall.titles("search=iphone").await, [""; 0]);

        let moderator = app.staff(Role::Moderator).await;
        let approval = json!({ "decision": "APPROVE" });
        let review = app.post(&format!("{path}/review")).bearer(&moderator).json(&approval).send().await;
        review.expect(StatusCode::OK);
        let found = app.get("/api/listings?search=iphone%2013").send().await.expect(StatusCode::OK);
        assert_eq!(titles(&found.body), ["iPhone 13, 128 GB, with box"]);
        assert_eq!(found.text("/data/0/photoUrl"), upload.text("/data/0/cardUrl"));
        let buyer = app.member().await;
        let seen = app.get(&path).bearer(&buyer).send().await.expect(StatusCode::OK);
        assert_eq!(seen.text("/photos/0/fullUrl"), upload.text("/data/0/fullUrl"));
        assert_eq!(seen.body["attributes"], json!({"brand": "Apple", "storage": 128, "warranty": false}));
        assert_eq!(seen.body["location"]["latitude"], json!(18.52));

        let contact = format!("{path}/contact");
        app.post(&contact).send().await.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
        app.post(&contact).bearer(&stall.seller).send().await.problem(StatusCode::CONFLICT, "own_listing");
        let told = app.post(&contact).bearer(&buyer).send().await.expect(StatusCode::OK);
        assert_eq!((told.text("/phone"), told.text("/sellerId")), (stall.seller.phone.clone(), stall.seller.user_id.clone()));
        let number = stall.seller.phone.trim_start_matches("+91");
        for answer in [&found, &seen, &made] {
            let text = String::from_utf8(answer.bytes.clone()).unwrap();
            assert!(!text.contains(number), "the number is in no other answer");
        }
        stall.app.stop().await;
    }

    async fn a_wrong_listing_is_told_field_by_field(db: TestDb) {
        let stall = Stall::open(db).await;
        let mut body = stall.phone();
        body["title"] = json!("abc");
        body["description"] = json!("too short");
        body["price"]["amount"] = json!(-1);
        body["location"] = json!({"city": "", "state": "Maharashtra", "pincode": "011001", "latitude": 18.5});
        let refused = stall.create(&body).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        let expected =
            ["title", "description", "price.amount", "location.city", "location.pincode", "location.longitude"];
        assert_eq!(refused.fields(), expected);
        let mut body = stall.phone();
        body["attributes"] = json!({"brand": "Abacus", "storage": "much", "colour": "red\u{202e}"});
        let refused = stall.create(&body).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        assert_eq!(refused.fields(), ["attributes.brand", "attributes.storage", "attributes.colour"]);
        for (field, value) in [
            ("categoryId", json!("018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")),
            ("photoIds", json!(["018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11"])),
            ("condition", json!("MINT")),
            ("status", json!("ACTIVE")),
            ("sellerId", json!(stall.seller.user_id)),
        ] {
            let mut body = stall.phone();
            body[field] = value;
            let refused = stall.create(&body).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
            assert_eq!(refused.fields(), [field]);
        }
        stall.app.stop().await;
    }

    async fn a_draft_is_edited_submitted_and_deleted_by_its_seller_alone(db: TestDb) {
        let stall = Stall::open(db).await;
        let app = &stall.app;
        let mut body = stall.phone();
        body["attributes"] = json!({});
        let draft = app.post("/api/listings?draft=true").bearer(&stall.seller).json(&body).send().await;
        let draft = draft.expect(StatusCode::CREATED);
        let path = draft.header("location").to_owned();
        assert_eq!(draft.text("/status"), "DRAFT");
        let submit = app.post(&format!("{path}/submit")).bearer(&stall.seller).send().await;
        assert_eq!(submit.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["attributes.brand"]);

        let stranger = app.member().await;
        let complete = stall.phone();
        let calls = [
            app.put(&path).json(&complete),
            app.delete(&path),
            app.post(&format!("{path}/submit")),
            app.post(&format!("{path}/pause")),
            app.post(&format!("{path}/resume")),
            app.post(&format!("{path}/renew")),
            app.post(&format!("{path}/sold")),
            app.post(&format!("{path}/contact")),
            app.get(&path),
        ];
        for call in calls {
            call.bearer(&stranger).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        }
        let edited = app.put(&path).bearer(&stall.seller).header("if-match", "\"1\"").json(&complete).send().await;
        assert_eq!(edited.expect(StatusCode::OK).header("etag"), "\"2\"");
        let late = app.put(&path).bearer(&stall.seller).header("if-match", "\"1\"").json(&complete).send().await;
        late.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        let several = app.put(&path).bearer(&stall.seller).header("if-match", "\"1\", \"2\"").json(&complete);
        assert_eq!(several.send().await.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["If-Match"]);
        let submitted = app.post(&format!("{path}/submit")).bearer(&stall.seller).send().await;
        assert_eq!(submitted.expect(StatusCode::OK).text("/status"), "PENDING");
        let sold = app.post(&format!("{path}/sold")).bearer(&stall.seller).send().await;
        sold.problem(StatusCode::CONFLICT, "listing_not_on_sale");
        app.delete(&path).bearer(&stall.seller).send().await.expect(StatusCode::NO_CONTENT);
        app.get(&path).bearer(&stall.seller).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        stall.app.stop().await;
    }

    async fn a_listing_is_paused_resumed_renewed_and_sold(db: TestDb) {
        let stall = Stall::open(db).await;
        let path = format!("/api/listings/{}", stall.id_of(&stall.thing("A red bicycle", 500, "Pune")).await);
        let act = async |deed: &str| stall.app.post(&format!("{path}/{deed}")).bearer(&stall.seller).send().await;
        assert_eq!(act("pause").await.expect(StatusCode::OK).text("/status"), "PAUSED");
        assert_eq!(act("resume").await.expect(StatusCode::OK).text("/status"), "ACTIVE");
        act("renew").await.problem(StatusCode::CONFLICT, "renewal_too_early");
        assert_eq!(act("sold").await.expect(StatusCode::OK).text("/status"), "SOLD");
        act("resume").await.problem(StatusCode::CONFLICT, "listing_not_paused");
        stall.app.stop().await;
    }

    async fn the_list_is_filtered_ordered_and_paged(db: TestDb) {
        let stall = Stall::open(db).await;
        let app = &stall.app;
        for (title, rupees, city) in [
            ("A red bicycle", 500, "Pune"),
            ("A blue bicycle", 700, "New Delhi"),
            ("लाल साइकिल नई", 900, "Pune"),
        ] {
            stall.id_of(&stall.thing(title, rupees, city)).await;
            app.clock.advance(TimeDelta::seconds(1));
        }
        assert_eq!(stall.titles("limit=2").await, ["लाल साइकिल नई", "A blue bicycle"]);
        assert_eq!(stall.titles("sortBy=price").await[0], "A red bicycle");
        assert_eq!(stall.titles("sortBy=price&sortOrder=desc").await[0], "लाल साइकिल नई");
        assert_eq!(stall.titles("minPrice=60000&maxPrice=80000").await, ["A blue bicycle"]);
        assert_eq!(stall.titles("city=new%20delhi").await, ["A blue bicycle"]);
        assert_eq!(stall.titles("state=maharashtra&condition=LIKE_NEW&search=red").await, ["A red bicycle"]);
        assert_eq!(stall.titles("search=%E0%A4%B8%E0%A4%BE%E0%A4%87").await, ["लाल साइकिल नई"]);
        assert_eq!(stall.titles(&format!("categoryId={}", stall.mobiles)).await, [""; 0]);
        assert_eq!(stall.titles("attributes=brand:apple").await, [""; 0]);
        assert_eq!(stall.titles("sortBy=distance&latitude=18.5&longitude=73.8").await.len(), 3);

        let page = app.get("/api/listings?page=2&limit=2").send().await.expect(StatusCode::OK);
        assert_eq!(titles(&page.body), ["A red bicycle"]);
        let expected = json!({"page": 2, "limit": 2, "total": 3, "totalPages": 2, "nextCursor": null});
        assert_eq!(page.body["pagination"], expected);
        let first = app.get("/api/listings?limit=2").send().await.expect(StatusCode::OK);
        let cursor = first.text("/pagination/nextCursor");
        assert_eq!(stall.titles(&format!("limit=2&cursor={cursor}")).await, ["A red bicycle"]);

        for (query, field) in [
            ("minPrice=2&maxPrice=1", "maxPrice"),
            ("sortBy=relevance", "sortBy"),
            ("sortBy=distance", "sortBy"),
            ("latitude=1", "longitude"),
            ("latitude=NaN&longitude=1", "latitude"),
            ("search=", "search"),
            ("search=%00", "search"),
            ("search=%21%3F", "search"),
            ("city=x%00y", "city"),
            ("attributes=colour:red", "attributes"),
            ("attributes=red", "attributes"),
            ("condition=MINT", "condition"),
            ("page=1&cursor=x", "cursor"),
            ("cursor=x", "cursor"),
            ("page=0", "page"),
            ("colour=red", "colour"),
            (&format!("city=Pune&cursor={cursor}"), "cursor"),
        ] {
            let refused = app.get(&format!("/api/listings?{query}")).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [field], "{query}");
        }
        stall.app.stop().await;
    }

    async fn who_is_not_logged_in_sees_what_is_active(db: TestDb) {
        let stall = Stall::open(db).await;
        let app = &stall.app;
        let pending = stall.id_of(&stall.phone()).await;
        app.get("/api/listings?status=PENDING").send().await.problem(StatusCode::FORBIDDEN, "status_not_public");
        let own = app.get("/api/listings?status=PENDING").bearer(&stall.seller).send().await;
        assert_eq!(own.text("/data/0/id"), pending);
        let stranger = app.member().await;
        let others = app.get("/api/listings?status=PENDING").bearer(&stranger).send().await;
        assert_eq!(others.body["data"], json!([]));
        let mine = app.get("/api/listings/mine").bearer(&stall.seller).send().await.expect(StatusCode::OK);
        assert_eq!((mine.text("/data/0/id"), mine.text("/data/0/status")), (pending, "PENDING".to_owned()));
        app.get("/api/listings/mine").send().await.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
        stall.app.stop().await;
    }

    async fn a_listing_is_sent_once_per_version(db: TestDb) {
        let stall = Stall::open(db).await;
        let path = format!("/api/listings/{}", stall.id_of(&stall.thing("A red bicycle", 500, "Pune")).await);
        let seen = stall.app.get(&path).send().await.expect(StatusCode::OK);
        let etag = seen.header("etag").to_owned();
        assert_eq!(stall.app.get(&path).header("if-none-match", &etag).send().await.status, 304);
        stall.app.post(&format!("{path}/pause")).bearer(&stall.seller).send().await.expect(StatusCode::OK);
        let changed = stall.app.get(&path).bearer(&stall.seller).header("if-none-match", &etag).send().await;
        assert_eq!(changed.expect(StatusCode::OK).text("/status"), "PAUSED");
        stall.app.stop().await;
    }

    async fn a_buyer_who_asks_too_often_has_to_wait_until_midnight(db: TestDb) {
        let stall = Stall::open(db).await;
        let app = &stall.app;
        let buyer = app.member().await;
        let mut last = String::new();
        for n in 0..31 {
            let id = stall.id_of(&stall.thing(&format!("Bicycle number {n}"), 500, "Pune")).await;
            last = format!("/api/listings/{id}/contact");
            let answer = app.post(&last).bearer(&buyer).send().await;
            if n < 30 {
                answer.expect(StatusCode::OK);
            } else {
                let refused = answer.problem(StatusCode::TOO_MANY_REQUESTS, "contact_cap_reached");
                assert!(refused.header("retry-after").parse::<u32>().unwrap() > 3_600);
            }
        }
        app.clock.advance(TimeDelta::hours(18));
        let buyer = app.login(&buyer.phone).await;
        app.post(&last).bearer(&buyer).send().await.expect(StatusCode::OK);
        stall.app.stop().await;
    }

    async fn what_a_blocked_seller_offers_goes_off_sale_until_the_seller_resumes_it(db: TestDb) {
        let stall = Stall::open(db).await;
        let app = &stall.app;
        let path = format!("/api/listings/{}", stall.id_of(&stall.thing("A red bicycle", 500, "Pune")).await);
        stall.id_of(&stall.thing("A blue bicycle", 700, "Pune")).await;
        let neighbour = app.member().await;
        let other = stall.thing("A green bicycle", 600, "Pune");
        app.post("/api/listings").bearer(&neighbour).json(&other).send().await.expect(StatusCode::CREATED);
        let count = async || {
            app.clock.advance(TimeDelta::minutes(2));
            let category = format!("/api/categories/{}", stall.unreviewed);
            app.get(&category).send().await.expect(StatusCode::OK).body["listingCount"].as_i64()
        };
        assert_eq!(count().await, Some(3));

        let admin = app.staff(Role::Admin).await;
        let status = format!("/api/users/{}/status", stall.seller.user_id);
        let ban = json!({"status": "BANNED", "reason": "because of the test"});
        app.put(&status).bearer(&admin).json(&ban).send().await.expect(StatusCode::OK);
        app.get(&path).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        app.get(&path).bearer(&neighbour).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        assert_eq!(app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK).text("/status"), "PAUSED");
        assert_eq!(stall.titles("search=bicycle").await, ["A green bicycle"]);
        assert_eq!(count().await, Some(1));

        let lift = json!({"status": "ACTIVE", "reason": "because of the test"});
        app.put(&status).bearer(&admin).json(&lift).send().await.expect(StatusCode::OK);
        app.get(&path).send().await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        let seller = app.login(&stall.seller.phone).await;
        app.post(&format!("{path}/resume")).bearer(&seller).send().await.expect(StatusCode::OK);
        assert_eq!((app.get(&path).send().await.status, count().await), (200, Some(2)));

        let suspend = format!("/api/users/{}/suspend", seller.user_id);
        let days = json!({"days": 1, "reason": "because of the test"});
        let moderator = app.staff(Role::Moderator).await;
        app.post(&suspend).bearer(&moderator).json(&days).send().await.expect(StatusCode::OK);
        assert_eq!((app.get(&path).send().await.status, count().await), (404, Some(1)));
        stall.app.stop().await;
    }

    async fn a_look_counts_once_an_hour_and_only_when_the_listing_was_sent(db: TestDb) {
        let stall = Stall::open(db).await;
        let app = &stall.app;
        let id = stall.id_of(&stall.thing("A red bicycle", 500, "Pune")).await;
        let path = format!("/api/listings/{id}");
        let views = async || {
            let catalog = &app.state.market.catalog;
            catalog.flush_views().await.unwrap();
            catalog.get_listing(None, id.parse().unwrap()).await.unwrap().views
        };
        let seen = app.get(&path).bearer(&stall.seller).send().await.expect(StatusCode::OK);
        let tag = seen.header("etag").to_owned();
        app.call(Method::HEAD, &path).send().await.expect(StatusCode::OK);
        app.get(&path).header("if-none-match", &tag).send().await.expect(StatusCode::NOT_MODIFIED);
        assert_eq!(views().await, 0);

        let buyer = app.member().await;
        for _ in 0..3 {
            app.get(&path).send().await.expect(StatusCode::OK);
            app.get(&path).bearer(&buyer).send().await.expect(StatusCode::OK);
        }
        assert_eq!(views().await, 2, "somebody at this address, and the buyer");
        app.clock.advance(TimeDelta::hours(1));
        app.get(&path).send().await.expect(StatusCode::OK);
        app.get(&path).send().await.expect(StatusCode::OK);
        assert_eq!(views().await, 3);
        stall.app.stop().await;
    }
}
