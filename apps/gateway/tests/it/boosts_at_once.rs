//! PostgreSQL's one statement for a boost, and its one transaction for many, buy what a transaction of each buys, and
//! write the same.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::{Actor, Caller, DomainError, Money, Role, TypedId, UserId};
use ledger::templates;
use marketplace::{Boosted, Marketplace, Once};
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::{IdempotencyKey, StoredAnswer};
use testkit::{Engine, Scope, TestDb};
use tokio::sync::Notify;

use crate::boosts::Shop;
use crate::support::Session;

/// A seller with two listings, and the marketplace that serves them.
struct Seller {
    market: Marketplace,
    actor: Actor,
    user: UserId,
    listings: Vec<String>,
}

impl Seller {
    async fn open(shop: &Shop, market: Marketplace) -> Self {
        let session: Session = shop.app.member().await;
        let user: UserId = session.user_id.parse().unwrap();
        let listings = vec![shop.listing(&session).await, shop.listing(&session).await];
        let actor =
            Actor::Person { user, role: Role::User, session: shop.app.state.ambient.new_id(), staff: None };
        Self { market, actor, user, listings }
    }

    /// Asks for a boost and tells what came of it, without ids.
    async fn boost(&self, listing: usize, plan: &str, key: &str) -> String {
        let listing = self.listings[listing].parse().unwrap();
        let key = IdempotencyKey::new(format!("boost:{}:{listing}", self.user), key, plan.as_bytes());
        let bought = self.market.boost_listing(&self.actor, listing, plan.parse().unwrap(), None, &key, kept);
        match bought.await {
            Ok(Once::Now(boosted)) => format!("now: {}", kept(&boosted).body),
            Ok(Once::Before(answer)) => format!("before: {} {}", answer.status, answer.body),
            Err(error) => format!("{}: {error}", error.code()),
        }
    }

    async fn credit(&self, key: &str, paise: i64, is_bonus: bool) {
        let (key, amount) = (format!("{key}:{}", self.user), Money::inr(paise));
        let journal = match is_bonus {
            true => templates::bonus(&key, self.user, amount),
            false => templates::top_up(&key, self.user, amount),
        };
        self.market.ledger.post(&journal.unwrap()).await.unwrap();
    }

    async fn freeze(&self, frozen: bool) {
        let caller = Caller::system("test");
        let market = &self.market;
        market
            .db
            .in_txn(async |txn| {
                market.ledger.set_frozen_in_txn(txn, &caller, self.user, frozen, "a test").await
            })
            .await
            .unwrap();
    }

    /// Everything that was written about their boosts, as text, without ids.
    async fn written(&self) -> Vec<String> {
        let (user, listings) = (self.user.uuid(), self.listings.join("','"));
        let queries = [
            format!(
                "SELECT kind, price, promo_part, available_part, earnings_part, gst_percent, cgst, sgst, refunded, starts_at, \
                 ends_at, ended_at, status, created_at FROM boosts WHERE user_id = '{user}'"
            ),
            format!(
                "SELECT boosted_since, boosted_until, featured_since, featured_until, top_since, top_until, highlighted_since, \
                 highlighted_until, over_at FROM listing_prominence WHERE listing_id IN ('{listings}')"
            ),
            format!(
                "SELECT e.version, e.kind, e.available, e.promo, e.earnings, j.actor_type, j.ref_type, \
                 (SELECT string_agg(p.from_kind || '>' || p.to_kind || ':' || p.amount, ',' ORDER BY p.seq) \
                 FROM ledger_postings p WHERE p.journal_id = j.id), \
                 (SELECT string_agg(d.kind || ':' || d.amount, ',' ORDER BY d.kind) FROM ledger_deltas d \
                 WHERE d.journal_id = j.id) FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id \
                 WHERE e.user_id = '{user}'"
            ),
            format!(
                "SELECT idem_key, status, regexp_replace(body, '{uuid}', 'id', 'g'), created_at, expires_at \
                 FROM idempotency_keys WHERE scope LIKE 'boost:{user}:%'",
                uuid = "[0-9a-f]{8}-[0-9a-f-]{27}"
            ),
            format!(
                "SELECT kind, payload - 'id' - 'listingId' - 'sellerId' - 'boostId' - 'journal', created_at FROM outbox_events \
                 WHERE kind IN ('listing.boosted', 'wallet.updated') AND (subject = 'user:{user}' OR subject IN ('listing:{}'))",
                self.listings.join("','listing:")
            ),
        ];
        let mut all = Vec::new();
        for query in queries {
            let sql = format!("SELECT CAST(t AS text) AS line FROM ({query}) AS t ORDER BY 1");
            let rows = self.market.db.reader().unwrap().query_all_raw(Engine::Postgres.statement(&sql, []));
            all.extend(rows.await.unwrap().iter().map(|row| row.try_get::<String>("", "line").unwrap()));
        }
        all
    }

    /// What happens before a step: from time to time a credit, and a wallet that is frozen for a while.
    async fn prepare(&self, step: usize, bonus: bool) {
        if step.is_multiple_of(8) {
            let paise = 12_000 + i64::try_from(step).unwrap() * 100;
            self.credit(&format!("credit-{step}"), paise, bonus).await;
        }
        if matches!(step % 40, 30 | 36) {
            self.freeze(step % 40 == 30).await;
        }
    }

    /// How many of their boosts were bought in one transaction with somebody else's.
    async fn sold_with_others(&self) -> i64 {
        let sql = "SELECT COUNT(*) AS n FROM boosts b WHERE b.user_id = ? AND EXISTS (SELECT 1 FROM boosts o \
                   WHERE o.user_id <> b.user_id AND CAST(o.xmin AS text) = CAST(b.xmin AS text))";
        let statement = Engine::Postgres.statement(sql, [self.user.uuid().into()]);
        let row = self.market.db.reader().unwrap().query_one_raw(statement).await.unwrap();
        row.unwrap().try_get("", "n").unwrap()
    }

    /// How many of their boosts were written by the first command of a transaction, and how many there are.
    async fn at_once(&self) -> (i64, i64) {
        let sql = "SELECT COUNT(*) FILTER (WHERE CAST(cmin AS text) = '0') AS first, COUNT(*) AS n FROM boosts WHERE user_id = ?";
        let statement = Engine::Postgres.statement(sql, [self.user.uuid().into()]);
        let row = self.market.db.reader().unwrap().query_one_raw(statement).await.unwrap().unwrap();
        (row.try_get("", "first").unwrap(), row.try_get("", "n").unwrap())
    }
}

/// The answer, without ids.
fn kept(boosted: &Boosted) -> StoredAnswer {
    let (boost, wallet) = (&boosted.boost, &boosted.wallet);
    let body = json!({
        "kind": boost.kind, "price": boost.price, "promo": boost.promo_part, "available": boost.available_part,
        "cgst": boost.cgst, "starts": boost.starts_at, "ends": boost.ends_at, "status": boost.status,
        "left": [wallet.promo, wallet.available, wallet.earnings], "version": wallet.version,
    });
    StoredAnswer { status: 201, body: body.to_string() }
}

/// What came of an order, in a word.
fn what(told: &str) -> String {
    told.split(": ").next().unwrap().to_owned()
}

/// Every way in which an order can end was met.
fn assert_all_kinds(seen: &BTreeMap<String, usize>) {
    let kinds =
        ["now", "before", "insufficient_funds", "wallet_frozen", "idempotency_key_reused", "invalid_input"];
    assert!(kinds.iter().all(|kind| seen.get(*kind).is_some_and(|times| *times >= 2)), "{seen:?}");
}

fn assert_same(fast: &[String], plain: &[String], least: usize) {
    assert!(fast.len() > least, "{}", fast.len());
    for (fast, plain) in fast.iter().zip(plain) {
        assert_eq!(fast, plain);
    }
    assert_eq!(fast.len(), plain.len());
}

/// Orders without a pattern that anything here could follow: some cannot be met, some come twice.
struct Orders {
    plans: Vec<String>,
    unknown: String,
}

impl Orders {
    fn of(shop: &Shop) -> Self {
        let plans = ["basic", "standard", "featured"].map(|slug| shop.plans[slug].clone());
        Self { plans: plans.into(), unknown: shop.app.state.ambient.new_uuid().to_string() }
    }

    /// Which of two listings, which plan, and the key.
    fn draw(&self, step: usize) -> (usize, &str, String) {
        let drawn = step.wrapping_mul(2_654_435_761) >> 7;
        let plan = self.plans.get(drawn / 16 % 4).unwrap_or(&self.unknown);
        (drawn % 2, plan, format!("key-{}-{}", step / 24, drawn / 2 % 8))
    }
}

#[tokio::test]
async fn a_boost_in_one_statement_and_in_a_transaction_are_the_same() {
    let db = TestDb::start(Engine::Postgres, Scope::All).await;
    let shop = Shop::open(&db).await;
    let market = shop.app.state.market.clone();
    let plain = Marketplace { ledger: market.ledger.clone().in_plain_statements(), ..market.clone() };
    let sellers = [Seller::open(&shop, market).await, Seller::open(&shop, plain).await];
    let orders = Orders::of(&shop);
    let mut seen = BTreeMap::new();
    for step in 0..240_usize {
        for seller in &sellers {
            seller.prepare(step, step.is_multiple_of(24)).await;
        }
        shop.app.clock.advance(TimeDelta::hours(1));
        let (listing, plan, key) = orders.draw(step);
        let told = [sellers[0].boost(listing, plan, &key).await, sellers[1].boost(listing, plan, &key).await];
        assert_eq!(told[0], told[1], "step {step}");
        *seen.entry(what(&told[0])).or_default() += 1;
    }
    assert_all_kinds(&seen);
    assert_same(&sellers[0].written().await, &sellers[1].written().await, 150);
    let (fast, all) = sellers[0].at_once().await;
    assert_eq!(fast, all, "every boost was one statement");
    assert_eq!(sellers[1].at_once().await, (0, all));
    shop.app.stop().await;
    db.dispose().await;
}

#[tokio::test]
async fn boosts_that_are_ordered_at_the_same_time_are_the_same_as_one_by_one() {
    const PAIRS: usize = 10;
    let db = TestDb::start(Engine::Postgres, Scope::All).await;
    let shop = Shop::open(&db).await;
    let market = shop.app.state.market.clone();
    let plain = Marketplace { ledger: market.ledger.clone().in_plain_statements(), ..market.clone() };
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        pairs.push([Seller::open(&shop, market.clone()).await, Seller::open(&shop, plain.clone()).await]);
    }
    let orders = Orders::of(&shop);
    let mut seen = BTreeMap::new();
    for step in 0..80_usize {
        // Each pair is at another step, so that of those who order at once some can pay and some cannot.
        let draw = |pair: usize| orders.draw(step + 7 * pair);
        for (pair, sellers) in pairs.iter().enumerate() {
            for seller in sellers {
                seller.prepare(step + pair, pair == 0).await;
            }
        }
        shop.app.clock.advance(TimeDelta::hours(1));
        let told = join_all(pairs.iter().enumerate().map(async |(pair, [fast, _])| {
            let (listing, plan, key) = draw(pair);
            fast.boost(listing, plan, &key).await
        }));
        let told = told.await;
        for (pair, ([_, plain], told)) in pairs.iter().zip(told).enumerate() {
            let (listing, plan, key) = draw(pair);
            assert_eq!(told, plain.boost(listing, plan, &key).await, "step {step}, pair {pair}");
            *seen.entry(what(&told)).or_default() += 1;
        }
    }
    assert_all_kinds(&seen);
    let mut together = 0;
    for [fast, plain] in &pairs {
        assert_same(&fast.written().await, &plain.written().await, 30);
        together += fast.sold_with_others().await;
    }
    assert!(together > 50, "only {together} shared a transaction");
    shop.app.stop().await;
    db.dispose().await;
}

/// Whatever comes first in a batch: a stranger's order buys nothing, and takes nothing of the owner's.
#[tokio::test]
async fn a_stranger_who_orders_at_the_same_time_gets_nothing_and_changes_nothing() {
    let db = TestDb::start(Engine::Postgres, Scope::All).await;
    let shop = Shop::open(&db).await;
    let market = shop.app.state.market.clone();
    let owner = Seller::open(&shop, market.clone()).await;
    let stranger = Seller::open(&shop, market.clone()).await;
    let bystander = Seller::open(&shop, market.clone()).await;
    // Whose own orders are not met, so that nothing but the question whose it is stands in the stranger's way.
    let poor = Seller::open(&shop, market).await;
    for seller in [&owner, &stranger, &bystander] {
        seller.credit("enough", 10_000_000, false).await;
    }
    let (basic, standard) = (shop.plans["basic"].clone(), shop.plans["standard"].clone());
    let pirate_of = |seller: &Seller| Seller {
        market: stranger.market.clone(),
        actor: stranger.actor,
        user: stranger.user,
        listings: seller.listings.clone(),
    };
    let pairs = [(&owner, pirate_of(&owner), "now: "), (&poor, pirate_of(&poor), "insufficient_funds: ")];
    for round in 0..40 {
        let (seller, pirate, expected) = &pairs[round / 4 % 2];
        let keys = ["bystander", "owner", "pirate"].map(|who| format!("{who}-{round}"));
        // The first order occupies the clerk; the others are a batch, in either order.
        let first = bystander.boost(0, &basic, &keys[0]);
        let plans = if round % 4 < 2 { [&basic, &standard] } else { [&standard, &basic] };
        let own = seller.boost(0, plans[0], &keys[1]);
        let others = pirate.boost(0, plans[1], &keys[2]);
        let (own, others) = if round % 2 == 0 {
            let (_, own, others) = tokio::join!(first, own, others);
            (own, others)
        } else {
            let (_, others, own) = tokio::join!(first, others, own);
            (own, others)
        };
        assert!(others.starts_with("listing_not_found"), "round {round}: {others}");
        assert!(own.starts_with(expected), "round {round}: {own}");
        shop.app.clock.advance(TimeDelta::hours(1));
    }
    let market = &shop.app.state.market;
    assert_eq!(market.ledger.wallet(stranger.user).await.unwrap().available, Money::inr(10_000_000));
    for plan in [&basic, &standard] {
        let sql = "SELECT COUNT(*) AS n FROM boosts WHERE user_id = ? AND plan_id = ?";
        let plan: kernel::BoostPlanId = plan.parse().unwrap();
        let bought = Engine::Postgres.statement(sql, [owner.user.uuid().into(), plan.uuid().into()]);
        let row = market.db.reader().unwrap().query_one_raw(bought).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), 10, "each order was for its own plan");
    }
    shop.app.stop().await;
    db.dispose().await;
}

/// What one seller's order has to wait for, the others' do not.
#[tokio::test]
async fn a_locked_wallet_and_a_locked_listing_hold_up_their_own_orders_alone() {
    let db = TestDb::start(Engine::Postgres, Scope::All).await;
    let shop = Shop::open(&db).await;
    let market = shop.app.state.market.clone();
    let mut sellers = Vec::new();
    for _ in 0..6 {
        let seller = Seller::open(&shop, market.clone()).await;
        seller.credit("enough", 1_000_000, false).await;
        sellers.push(seller);
    }
    let basic = shop.plans["basic"].clone();
    let (is_locked, let_go) = (Notify::new(), Notify::new());
    let holding = market.db.in_txn(async |txn| {
        market.ledger.lock_wallet_in_txn(txn, sellers[0].user).await?;
        let sql = "SELECT id FROM listings WHERE id = CAST(? AS uuid) FOR UPDATE";
        txn.execute_raw(Engine::Postgres.statement(sql, [sellers[1].listings[0].as_str().into()]))
            .await
            .map_err(store::StoreError::from)?;
        is_locked.notify_one();
        let_go.notified().await;
        Ok::<_, marketplace::FlowError>(())
    });
    let buying = async {
        is_locked.notified().await;
        let (held, free) = sellers.split_at(2);
        let held = join_all(held.iter().map(|seller| seller.boost(0, &basic, "key")));
        let free = async {
            for round in 0..3 {
                let key = format!("key-{round}");
                let told = join_all(free.iter().map(|seller| seller.boost(1, &basic, &key)));
                assert!(told.await.iter().all(|told| told.starts_with("now: ")), "round {round}");
            }
            let_go.notify_one();
        };
        // A lock is waited for three seconds, and then once more.
        let free = tokio::time::timeout(std::time::Duration::from_millis(2_900), free);
        let (held, free) = tokio::join!(held, free);
        free.expect("whose wallet and listing are free waits for nobody");
        held
    };
    let (holding, held) = tokio::join!(holding, buying);
    holding.unwrap();
    assert!(held.iter().all(|told| told.starts_with("now: ")), "{held:?}");
    shop.app.stop().await;
    db.dispose().await;
}
