//! PostgreSQL's one statement buys what a transaction buys, and writes the same.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use kernel::{Actor, Caller, DomainError, Money, Role, TypedId, UserId};
use ledger::templates;
use marketplace::{Boosted, Marketplace, Once};
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::{IdempotencyKey, StoredAnswer};
use testkit::{Engine, Scope, TestDb};

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

#[tokio::test]
async fn a_boost_in_one_statement_and_in_a_transaction_are_the_same() {
    let db = TestDb::start(Engine::Postgres, Scope::All).await;
    let shop = Shop::open(&db).await;
    let market = shop.app.state.market.clone();
    let plain = Marketplace { ledger: market.ledger.clone().in_plain_statements(), ..market.clone() };
    let sellers = [Seller::open(&shop, market).await, Seller::open(&shop, plain).await];
    let plans = ["basic", "standard", "featured"].map(|slug| shop.plans[slug].clone());
    let unknown = shop.app.state.ambient.new_uuid().to_string();

    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for step in 0..240_usize {
        // Numbers without a pattern that anything here could follow.
        let drawn = step.wrapping_mul(2_654_435_761) >> 7;
        let (listing, key) = (drawn % 2, format!("key-{}-{}", step / 24, drawn / 2 % 8));
        let plan = plans.get(drawn / 16 % 4).unwrap_or(&unknown);
        if step % 8 == 0 {
            for seller in &sellers {
                seller
                    .credit(
                        &format!("credit-{step}"),
                        12_000 + i64::try_from(step).unwrap() * 100,
                        step % 24 == 0,
                    )
                    .await;
            }
        }
        if matches!(step % 40, 30 | 36) {
            for seller in &sellers {
                seller.freeze(step % 40 == 30).await;
            }
        }
        shop.app.clock.advance(TimeDelta::hours(1));
        let told = [sellers[0].boost(listing, plan, &key).await, sellers[1].boost(listing, plan, &key).await];
        assert_eq!(told[0], told[1], "step {step}");
        let what = told[0].split(": ").next().unwrap().to_owned();
        *seen.entry(what).or_default() += 1;
    }
    assert!(
        ["now", "before", "insufficient_funds", "wallet_frozen", "idempotency_key_reused", "invalid_input"]
            .iter()
            .all(|what| seen.get(*what).is_some_and(|times| *times >= 2)),
        "{seen:?}"
    );
    let written = [sellers[0].written().await, sellers[1].written().await];
    assert!(written[0].len() > 150, "{}", written[0].len());
    for (fast, plain) in written[0].iter().zip(&written[1]) {
        assert_eq!(fast, plain);
    }
    assert_eq!(written[0].len(), written[1].len());
    let (fast, all) = sellers[0].at_once().await;
    assert_eq!(fast, all, "every boost was one statement");
    assert_eq!(sellers[1].at_once().await, (0, all));
    shop.app.stop().await;
    db.dispose().await;
}
