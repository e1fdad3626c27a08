//! Boosts over HTTP: paid once however often they are asked for, never beyond the wallet, and given back when staff take
//! the listing down.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use kernel::{Clock, Money, Role, TypedId, UserId};
use ledger::{Balances, House, JournalKind, Leg, NewJournal, Purse, Reference, templates};
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use store::StoreError;
use testkit::{Scope, TestDb, on_every_engine};

use crate::authority::listing_body;
use crate::support::{Answer, Session, TestApp};

/// The columns of a boost that say which purse paid how much.
const PARTS: &str = "promo_part, available_part and earnings_part";

/// A running gateway with the first plans, an administrator, and a category without review.
pub(crate) struct Shop {
    pub(crate) app: TestApp,
    admin: Session,
    category: String,
    /// The plans' ids by their names in addresses.
    pub(crate) plans: BTreeMap<String, String>,
}

impl Shop {
    pub(crate) async fn open(db: &TestDb) -> Self {
        let app = TestApp::start(db).await;
        app.state.market.seed(&kernel::Phone::parse("+919000000001").unwrap()).await.unwrap();
        let admin = app.staff(Role::Admin).await;
        let body = json!({ "slug": "anything", "name": "Anything", "autoApprove": true });
        let category = app.post("/api/categories").bearer(&admin).json(&body).send().await;
        let category = category.expect(StatusCode::CREATED).text("/id");
        let mut shop = Self { app, admin, category, plans: BTreeMap::new() };
        shop.read_plans().await;
        shop
    }

    async fn read_plans(&mut self) {
        let plans = self.app.get("/api/boost-plans").send().await.expect(StatusCode::OK);
        let pair = |plan: &Value| {
            (plan["slug"].as_str().unwrap().to_owned(), plan["id"].as_str().unwrap().to_owned())
        };
        self.plans = plans.body["data"].as_array().unwrap().iter().map(pair).collect();
    }

    async fn plan_of(&mut self, slug: &str, paise: i64) {
        let plan = plan_body(slug, json!(paise));
        let made = self.app.post("/api/boost-plans").bearer(&self.admin).json(&plan).send().await;
        made.expect(StatusCode::CREATED);
        self.read_plans().await;
    }

    pub(crate) async fn listing(&self, seller: &Session) -> String {
        let body = listing_body(&self.category);
        let made = self.app.post("/api/listings").bearer(seller).json(&body).send().await;
        made.expect(StatusCode::CREATED).text("/id")
    }

    async fn boost(&self, seller: &Session, listing: &str, plan: &str, key: &str) -> Answer {
        boost_at(&self.app, seller, listing, &self.plans[plan], key).await
    }

    async fn top_up(&self, seller: &Session, paise: i64) {
        let payment = format!("pay_{}", self.app.state.ambient.new_uuid().simple());
        let journal = templates::top_up(&payment, user(seller), Money::inr(paise)).unwrap();
        self.app.state.market.ledger.post(&journal).await.unwrap().journal().unwrap();
    }

    async fn bonus(&self, seller: &Session, paise: i64) {
        let grant = self.app.state.ambient.new_uuid().to_string();
        let journal = templates::bonus(&grant, user(seller), Money::inr(paise)).unwrap();
        self.app.state.market.ledger.post(&journal).await.unwrap().journal().unwrap();
    }

    /// What the wallet holds: promo, available, earnings.
    async fn wallet(&self, db: &TestDb, seller: &Session) -> [i64; 3] {
        let ledger = &self.app.state.market.ledger;
        let wallet: Balances =
            db.in_txn(async |txn| ledger.lock_wallet_in_txn(txn, user(seller)).await).await.unwrap();
        [Purse::Promo, Purse::Available, Purse::Earnings].map(|purse| wallet.of(purse).amount())
    }

    async fn seen(&self, seller: &Session, listing: &str) -> Value {
        let seen = self.app.get(&format!("/api/listings/{listing}")).bearer(seller).send().await;
        seen.expect(StatusCode::OK).body
    }
}

async fn boost_at(app: &TestApp, seller: &Session, listing: &str, plan: &str, key: &str) -> Answer {
    app.post(&format!("/api/listings/{listing}/boost"))
        .bearer(seller)
        .header("idempotency-key", key)
        .json(&json!({ "planId": plan }))
        .send()
        .await
}

fn plan_body(slug: &str, paise: Value) -> Value {
    let price = json!({ "amount": paise, "currency": "INR" });
    json!({ "kind": "BOOST", "slug": slug, "name": slug, "price": price, "days": 7, "topPlacement": true })
}

fn user(session: &Session) -> UserId {
    session.user_id.parse().unwrap()
}

fn paise(body: &Value, pointer: &str) -> i64 {
    body.pointer(pointer).and_then(Value::as_i64).unwrap()
}

fn moment(body: &Value, pointer: &str) -> DateTime<Utc> {
    body.pointer(pointer).and_then(Value::as_str).unwrap().parse().unwrap()
}

/// The number that a statement with one value finds.
async fn number(db: &TestDb, sql: &str, value: sea_orm::Value) -> i64 {
    let row = db.reader().unwrap().query_one_raw(db.engine().statement(sql, [value])).await.unwrap();
    row.unwrap().try_get("", "n").unwrap()
}

/// How many boosts somebody has, after comparing them with the journals that paid for them, one to one.
async fn boosts(db: &TestDb, seller: &Session) -> i64 {
    let of_seller = user(seller).uuid();
    let all = "SELECT COUNT(*) AS n FROM boosts WHERE user_id = ?";
    let paid = "SELECT COUNT(*) AS n FROM boosts b JOIN ledger_journals j ON j.id = b.charge_journal \
                AND j.kind IN ('boost_charge', 'feature_charge') WHERE b.user_id = ?";
    let journals = "SELECT COUNT(*) AS n FROM ledger_entries WHERE kind IN ('boost_charge', 'feature_charge') \
                    AND user_id = ?";
    let all = number(db, all, of_seller.into()).await;
    assert_eq!(all, number(db, paid, of_seller.into()).await, "a boost without a journal");
    assert_eq!(all, number(db, journals, of_seller.into()).await, "a journal without a boost");
    all
}

fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.status).or_default() += 1;
        counts
    })
}

on_every_engine! { Scope::All =>
    async fn a_boost_is_paid_from_the_wallet_and_seen(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        shop.bonus(&seller, 1_000).await;
        shop.top_up(&seller, 50_000).await;
        let made = shop.boost(&seller, &listing, "standard", "one").await.expect(StatusCode::CREATED).body;
        let parts = ["price", "promoPart", "availablePart", "earningsPart", "cgst", "sgst"];
        let parts = parts.map(|part| paise(&made, &format!("/boost/{part}/amount")));
        assert_eq!(parts, [9_900, 1_000, 8_900, 0, 679, 679], "the bonus first; 18 % within the rest, by halves");
        assert_eq!([paise(&made, "/wallet/available/amount"), paise(&made, "/wallet/promo/amount")], [41_100, 0]);
        assert_eq!(shop.wallet(db, &seller).await, [0, 41_100, 0]);
        assert_eq!(moment(&made, "/boost/endsAt") - moment(&made, "/boost/startsAt"), TimeDelta::days(7));
        let seen = shop.seen(&seller, &listing).await;
        assert_eq!((&seen["boostedUntil"], &seen["highlighted"]), (&made["boost"]["endsAt"], &json!(true)));

        let other = shop.app.member().await;
        shop.listing(&other).await;
        let list = shop.app.get("/api/listings").send().await.expect(StatusCode::OK);
        assert_eq!(list.body["data"][0]["id"], json!(listing), "boosted listings come first");
        let list = shop.app.get("/api/listings?boosted=true").send().await.expect(StatusCode::OK);
        assert_eq!(list.body["data"].as_array().unwrap().len(), 1);

        let path = format!("/api/listings/{listing}/feature");
        let body = json!({ "planId": shop.plans["basic"] });
        let wrong = shop.app.post(&path).bearer(&seller).header("idempotency-key", "two").json(&body).send().await;
        assert_eq!(wrong.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["planId"]);
        let body = json!({ "planId": shop.plans["featured"] });
        let featured = shop.app.post(&path).bearer(&seller).header("idempotency-key", "two").json(&body).send().await;
        assert_eq!(featured.expect(StatusCode::CREATED).text("/boost/kind"), "FEATURE");
        let of_listing = shop.app.get(&format!("/api/listings/{listing}/boosts"));
        assert_eq!(of_listing.bearer(&seller).send().await.expect(StatusCode::OK).body["data"].as_array().unwrap().len(), 2);
        assert_eq!(boosts(db, &seller).await, 2);
        shop.app.stop().await;
    }

    async fn a_boost_without_a_key_is_refused(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        let body = json!({ "planId": shop.plans["basic"] });
        let answer = shop.app.post(&format!("/api/listings/{listing}/boost")).bearer(&seller).json(&body).send().await;
        assert_eq!(answer.problem(StatusCode::BAD_REQUEST, "idempotency_key_required").fields(), ["Idempotency-Key"]);
        shop.app.stop().await;
    }

    /// Invariant 21: the same request, 64 times at once, to two gateways of one database.
    async fn boost_idempotent(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        shop.top_up(&seller, 50_000).await;
        let second = TestApp::start(db).await;
        second.clock.set(shop.app.clock.now());
        let plan = &shop.plans["standard"];
        let apps = [&shop.app, &second];
        let answers = join_all((0..64).map(|n| boost_at(apps[n % 2], &seller, &listing, plan, "a-key"))).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 64)]));
        let bodies: BTreeSet<_> = answers.iter().map(|answer| answer.bytes.clone()).collect();
        assert_eq!(bodies.len(), 1, "every answer is the first one");
        let replayed = answers.iter().filter(|answer| answer.header("idempotent-replayed") == "true").count();
        assert_eq!(replayed, 63);
        assert_eq!((boosts(db, &seller).await, shop.wallet(db, &seller).await), (1, [0, 40_100, 0]));
        shop.boost(&seller, &listing, "basic", "a-key").await.problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
        second.stop().await;
        shop.app.stop().await;
    }

    /// A wallet for ten, 32 at once on four listings: ten are bought, the wallet is empty and not below.
    async fn thirty_two_boosts_at_once_never_overdraw_the_wallet(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.app.member().await;
        let mut listings = Vec::new();
        for _ in 0..4 {
            listings.push(shop.listing(&seller).await);
        }
        shop.bonus(&seller, 4_950).await;
        shop.top_up(&seller, 49_000 - 4_950).await;
        let keys: Vec<_> = (0..32).map(|n| format!("key-{n}")).collect();
        let answers = join_all(keys.iter().enumerate().map(|(n, key)| shop.boost(&seller, &listings[n % 4], "basic", key))).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 10), (409, 22)]));
        assert_eq!((boosts(db, &seller).await, shop.wallet(db, &seller).await), (10, [0, 0, 0]));
        shop.app.stop().await;
    }

    /// Staff change the price while boosts are bought: each costs one of the two prices, what is taken is what they say,
    /// and from the answer to the change on the new price holds.
    async fn the_price_is_read_in_the_transaction(db: TestDb) {
        let mut shop = Shop::open(db).await;
        shop.plan_of("changing", 5_000).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        shop.top_up(&seller, 1_000_000).await;
        let keys: Vec<_> = (0..24).map(|n| format!("key-{n}")).collect();
        let change = async {
            let path = format!("/api/boost-plans/{}", shop.plans["changing"]);
            let dearer = plan_body("changing", json!(7_000));
            shop.app.put(&path).bearer(&shop.admin).json(&dearer).send().await.expect(StatusCode::OK);
            shop.boost(&seller, &listing, "changing", "after").await.expect(StatusCode::CREATED)
        };
        let buy = join_all(keys.iter().map(|key| shop.boost(&seller, &listing, "changing", key)));
        let (after, bought) = tokio::join!(change, buy);
        assert_eq!(paise(&after.body, "/boost/price/amount"), 7_000);
        let mut spent = 7_000;
        for answer in bought {
            let price = paise(&answer.expect(StatusCode::CREATED).body, "/boost/price/amount");
            assert!(price == 5_000 || price == 7_000, "{price}");
            spent += price;
        }
        assert_eq!((boosts(db, &seller).await, shop.wallet(db, &seller).await), (25, [0, 1_000_000 - spent, 0]));
        shop.app.stop().await;
    }

    async fn boost_90_vs_100_refused(db: TestDb) {
        let mut shop = Shop::open(db).await;
        shop.plan_of("hundred", 100).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        shop.top_up(&seller, 90).await;
        let refused = shop.boost(&seller, &listing, "hundred", "one").await;
        let refused = refused.problem(StatusCode::CONFLICT, "insufficient_funds");
        assert!(refused.text("/detail").contains("INR 0.10"), "it says what is missing: {}", refused.body);
        assert_eq!((boosts(db, &seller).await, shop.wallet(db, &seller).await), (0, [0, 90, 0]));
        shop.app.stop().await;
    }

    async fn boost_1000_vs_200_ok(db: TestDb) {
        let mut shop = Shop::open(db).await;
        shop.plan_of("two-hundred", 200).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        shop.top_up(&seller, 1_000).await;
        shop.boost(&seller, &listing, "two-hundred", "one").await.expect(StatusCode::CREATED);
        assert_eq!((boosts(db, &seller).await, shop.wallet(db, &seller).await), (1, [0, 800, 0]));
        shop.app.stop().await;
    }

    async fn amount_as_string(db: TestDb) {
        let shop = Shop::open(db).await;
        for amount in [json!("4900"), json!(4_900.5), json!([4_900]), json!(null), json!("1000"), json!(9.0e20)] {
            let body = plan_body("wrong", amount);
            let answer = shop.app.post("/api/boost-plans").bearer(&shop.admin).json(&body).send().await;
            assert_eq!(answer.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["price.amount"]);
        }
        for amount in [0, 99, -4_900, 10_000_001] {
            let body = plan_body("wrong", json!(amount));
            let answer = shop.app.post("/api/boost-plans").bearer(&shop.admin).json(&body).send().await;
            assert_eq!(answer.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["price.amount"]);
        }
        shop.app.stop().await;
    }

    /// What was refused for want of money stays refused under its key; nothing else is written.
    async fn a_refusal_for_want_of_money_is_remembered(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        let first = shop.boost(&seller, &listing, "basic", "one").await.problem(StatusCode::CONFLICT, "insufficient_funds");
        let wallets = "SELECT COUNT(*) AS n FROM ledger_wallets WHERE user_id = ?";
        assert_eq!(number(db, wallets, user(&seller).uuid().into()).await, 0, "not even an empty wallet");
        shop.top_up(&seller, 50_000).await;
        let again = shop.boost(&seller, &listing, "basic", "one").await.problem(StatusCode::CONFLICT, "insufficient_funds");
        assert_eq!((again.header("idempotent-replayed"), &again.body["detail"]), ("true", &first.body["detail"]));
        shop.boost(&seller, &listing, "basic", "two").await.expect(StatusCode::CREATED);
        assert_eq!(boosts(db, &seller).await, 1);
        shop.app.stop().await;
    }

    async fn boost_requires_active(db: TestDb) {
        let shop = Shop::open(db).await;
        let (seller, other) = (shop.app.member().await, shop.app.member().await);
        let listing = shop.listing(&seller).await;
        for person in [&seller, &other] {
            shop.top_up(person, 50_000).await;
        }
        shop.boost(&other, &listing, "basic", "one").await.problem(StatusCode::NOT_FOUND, "listing_not_found");
        let unknown = json!({ "planId": listing });
        let call = shop.app.post(&format!("/api/listings/{listing}/boost")).bearer(&seller);
        let refused = call.header("idempotency-key", "two").json(&unknown).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["planId"]);
        shop.app.post(&format!("/api/listings/{listing}/sold")).bearer(&seller).send().await.expect(StatusCode::OK);
        shop.boost(&seller, &listing, "basic", "three").await.problem(StatusCode::CONFLICT, "listing_not_active");
        assert_eq!((boosts(db, &seller).await, shop.wallet(db, &seller).await), (0, [0, 50_000, 0]));
        shop.app.stop().await;
    }

    /// Invariant 22: no update of a listing gives or takes a boost.
    async fn update_ignores_money_fields(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        let path = format!("/api/listings/{listing}");
        let until = json!("2030-01-01T00:00:00Z");
        let forged = [
            ("boostedUntil", until.clone()), ("featuredUntil", until), ("highlighted", json!(true)), ("status", json!("SOLD")),
            ("views", json!(1_000_000)), ("sellerId", json!(shop.admin.user_id)), ("version", json!(7)),
        ];
        for (field, value) in forged {
            let mut body = listing_body(&shop.category);
            body[field] = value;
            let refused = shop.app.put(&path).bearer(&seller).json(&body).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [field]);
            let refused = shop.app.post("/api/listings").bearer(&seller).json(&body).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [field]);
        }
        let plain = shop.app.put(&path).bearer(&seller).json(&listing_body(&shop.category)).send().await;
        let plain = plain.expect(StatusCode::OK).body;
        assert_eq!((&plain["boostedUntil"], &plain["highlighted"], &plain["views"]), (&json!(null), &json!(false), &json!(0)));
        shop.top_up(&seller, 50_000).await;
        let until = shop.boost(&seller, &listing, "standard", "one").await.expect(StatusCode::CREATED).body["boost"]["endsAt"].clone();
        let plain = shop.app.put(&path).bearer(&seller).json(&listing_body(&shop.category)).send().await;
        assert_eq!(plain.expect(StatusCode::OK).body["boostedUntil"], until);
        shop.app.stop().await;
    }

    /// Staff ban the seller: what is left comes back to the paisa, to where it came from, once.
    async fn a_take_down_refunds_pro_rata_and_once(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.app.member().await;
        let listing = shop.listing(&seller).await;
        shop.bonus(&seller, 1_000).await;
        shop.app.topped_up(&seller, 50_000).await;
        let running = shop.boost(&seller, &listing, "standard", "one").await.expect(StatusCode::CREATED).body;
        let next = shop.boost(&seller, &listing, "basic", "two").await.expect(StatusCode::CREATED).body;
        assert_eq!(running["boost"]["endsAt"], next["boost"]["startsAt"]);
        assert_eq!(shop.wallet(db, &seller).await, [0, 50_000 - 8_900 - 4_900, 0]);

        shop.app.clock.advance(TimeDelta::days(2));
        let admin = Session { secret: shop.admin.secret.clone(), ..shop.app.login(&shop.admin.phone).await };
        let left = (moment(&running, "/boost/endsAt") - shop.app.clock.now()).num_seconds();
        let back = 9_900 * left / (7 * 86_400);
        let promo = 1_000 * back / 9_900;
        let expected = [promo, 36_200 + back - promo + 4_900, 0];
        let path = format!("/api/users/{}/status", seller.user_id);
        for _ in 0..2 {
            let ban = json!({ "status": "BANNED", "reason": "for the test" });
            shop.app.put(&path).bearer(&admin).json(&ban).send().await.expect(StatusCode::OK);
            assert_eq!(shop.wallet(db, &seller).await, expected);
        }
        let of_listing = shop.app.get(&format!("/api/listings/{listing}/boosts")).bearer(&admin).send().await;
        let of_listing = of_listing.expect(StatusCode::OK).body;
        assert_eq!([paise(&of_listing, "/data/0/refunded/amount"), paise(&of_listing, "/data/1/refunded/amount")], [4_900, back]);
        assert!(of_listing["data"].as_array().unwrap().iter().all(|boost| boost["status"] == "REFUNDED"));
        let told = "SELECT COUNT(*) AS n FROM outbox_events WHERE kind = 'wallet.refunded' AND subject = ?";
        assert_eq!(number(db, told, format!("user:{}", seller.user_id).into()).await, 2);

        let wrong = async || shop.app.state.market.verify_books(|_| ()).await.unwrap().first_wrong.map(|wrong| wrong.column);
        assert_eq!(wrong().await, None);
        for (tampering, mended, column) in [
            ("promo_part = 0, available_part = 9900", "promo_part = 1000, available_part = 8900", PARTS),
            ("available_part = 8000, earnings_part = 900", "available_part = 8900, earnings_part = 0", PARTS),
            ("cgst = cgst + 1, sgst = sgst + 1", "cgst = cgst - 1, sgst = sgst - 1", "cgst and sgst"),
            ("gst_percent = 17", "gst_percent = 18", "cgst and sgst"),
        ] {
            for (change, column) in [(tampering, Some(column)), (mended, None)] {
                let sql = format!("UPDATE boosts SET {change} WHERE price = 9900");
                db.schema_connection().execute_unprepared(&sql).await.unwrap();
                assert_eq!(wrong().await, column, "{change}");
            }
        }
        for (tampering, column) in [
            ("UPDATE boosts SET refunded = refunded - 1", "refund_journal"),
            ("UPDATE boosts SET kind = 'FEATURE'", "charge_journal"),
            ("DELETE FROM boosts", "ref_id"),
        ] {
            db.schema_connection().execute_unprepared(tampering).await.unwrap();
            assert_eq!(wrong().await, Some(column), "{tampering}");
        }
        shop.app.stop().await;
    }

    /// What a bonus paid came back as money; and what came back of money left the tax in it behind.
    async fn a_boost_that_gave_back_another_share_or_no_tax_is_found(db: TestDb) {
        let shop = Shop::open(db).await;
        let market = &shop.app.state.market;
        for by_bonus in [true, false] {
            let seller = shop.app.member().await;
            let listing = shop.listing(&seller).await;
            match by_bonus {
                true => shop.bonus(&seller, 4_900).await,
                false => shop.top_up(&seller, 4_900).await,
            }
            shop.boost(&seller, &listing, "basic", "one").await.expect(StatusCode::CREATED);
            let legs = vec![Leg::new(House::RevenueBoost, (user(&seller), Purse::Available), Money::inr(4_900))];
            let (key, about) = (format!("boostrefund:{listing}"), Reference::new("boost", 1));
            let back = NewJournal::new(key, JournalKind::BoostRefund, about, legs).unwrap();
            let back = market.ledger.post(&back).await.unwrap().journal().unwrap();
            let change = async |sql: &str, value: sea_orm::Value| {
                let update = db.engine().statement(sql, [value]);
                db.in_txn(async |txn| txn.execute_raw(update.clone()).await.map_err(StoreError::from)).await.unwrap();
            };
            let refund = "UPDATE boosts SET status = 'REFUNDED', ended_at = created_at, refunded = 4900, refund_journal = ?";
            change(refund, back.uuid().into()).await;
            let wrong = market.verify_books(|_| ()).await.unwrap().first_wrong.unwrap();
            assert_eq!((wrong.table, wrong.column), ("boosts", "refunded"), "{wrong}");
            let undo = "DELETE FROM boosts WHERE refund_journal = ?";
            change(undo, back.uuid().into()).await;
        }
        shop.app.stop().await;
    }

    /// A moderator rejects what the seller changed: the boost is over and comes back; what sellers do gives nothing back.
    async fn a_rejection_refunds_and_a_seller_s_own_deeds_do_not(db: TestDb) {
        let shop = Shop::open(db).await;
        let moderator = shop.app.staff(Role::Moderator).await;
        let body = json!({ "slug": "reviewed", "name": "Reviewed" });
        let admin = Session { secret: shop.admin.secret.clone(), ..shop.app.login(&shop.admin.phone).await };
        let reviewed = shop.app.post("/api/categories").bearer(&admin).json(&body).send().await;
        let reviewed = listing_body(&reviewed.expect(StatusCode::CREATED).text("/id"));
        let seller = shop.app.member().await;
        shop.top_up(&seller, 50_000).await;
        let (sold, deleted) = (shop.listing(&seller).await, shop.listing(&seller).await);
        let listing = shop.listing(&seller).await;
        for (listing, key) in [(&sold, "one"), (&deleted, "two"), (&listing, "three")] {
            shop.boost(&seller, listing, "basic", key).await.expect(StatusCode::CREATED);
        }
        let path = |listing: &str| format!("/api/listings/{listing}");
        shop.app.post(&format!("{}/sold", path(&sold))).bearer(&seller).send().await.expect(StatusCode::OK);
        shop.app.delete(&path(&deleted)).bearer(&seller).send().await.expect(StatusCode::NO_CONTENT);
        // Into a category with review: it waits for a moderator.
        let waits = shop.app.put(&path(&listing)).bearer(&seller).json(&reviewed).send().await.expect(StatusCode::OK);
        assert_eq!(waits.text("/status"), "PENDING");
        assert_eq!(shop.wallet(db, &seller).await, [0, 50_000 - 3 * 4_900, 0]);

        let no = json!({ "decision": "REJECT", "reasonCode": "prohibited_item" });
        let reject = || shop.app.post(&format!("{}/review", path(&listing))).bearer(&moderator).json(&no).send();
        reject().await.expect(StatusCode::OK);
        assert_eq!(shop.wallet(db, &seller).await, [0, 50_000 - 2 * 4_900, 0], "not a second of it was used");
        reject().await.problem(StatusCode::CONFLICT, "listing_not_pending");
        assert_eq!(shop.wallet(db, &seller).await, [0, 50_000 - 2 * 4_900, 0]);
        assert_eq!(shop.seen(&seller, &listing).await["boostedUntil"], json!(null));
        shop.app.stop().await;
    }

    async fn plans_are_kept_up_by_administrators(db: TestDb) {
        let shop = Shop::open(db).await;
        let made = shop.app.post("/api/boost-plans").bearer(&shop.admin).json(&plan_body("weekend", json!(3_900))).send().await;
        let made = made.expect(StatusCode::CREATED);
        assert_eq!((made.header("etag"), made.header("location")), ("\"1\"", format!("/api/boost-plans/{}", made.text("/id")).as_str()));
        let path = made.header("location").to_owned();
        let again = shop.app.post("/api/boost-plans").bearer(&shop.admin).json(&plan_body("weekend", json!(1_000))).send().await;
        again.problem(StatusCode::CONFLICT, "slug_taken");
        let change = |tag: &str| shop.app.put(&path).bearer(&shop.admin).header("if-match", tag).json(&plan_body("weekend", json!(4_200))).send();
        assert_eq!(change("\"1\"").await.expect(StatusCode::OK).header("etag"), "\"2\"");
        change("\"1\"").await.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        assert_eq!(shop.app.get(&path).header("if-none-match", "\"2\"").send().await.status, 304);
        shop.app.delete(&path).bearer(&shop.admin).send().await.expect(StatusCode::NO_CONTENT);
        shop.app.get(&path).send().await.problem(StatusCode::NOT_FOUND, "boost_plan_not_found");
        assert_eq!(shop.app.get(&path).bearer(&shop.admin).send().await.expect(StatusCode::OK).body["active"], json!(false));
        shop.app.stop().await;
    }
}
