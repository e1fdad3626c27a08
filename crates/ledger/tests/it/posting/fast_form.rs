//! PostgreSQL's one round trip says and writes exactly what a statement at a time does.

use std::time::Duration;

use kernel::Money;
use ledger::{JournalKind, Ledger, LedgerError, NewJournal, Outcome, Reference, templates};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::ConnectionTrait;
use store::{Database, OneStatement, StoreError};
use testkit::{Domain, Engine, FakeClock, Scope, TestDb, ambient};
use tokio::sync::Notify;

use super::schedules::{Shape, Step, World, legs, steps};
use super::support::{
    anybody, at_once, available, count, ledger, ledger_of, post_in_txn, rows, settle, somebody_with, spend,
};

/// Everything that was written, as text, ids of journals and holds told by their keys.
async fn everything(db: &Database) -> Vec<String> {
    let queries = [
        "SELECT * FROM ledger_wallets",
        "SELECT j.idem_key, j.payload_hash, j.kind, j.currency, j.ref_type, j.ref_id, j.actor_type, j.actor_id, j.reason, \
         j.event_at, j.created_at, r.idem_key AS reverses FROM named_journals j \
         LEFT JOIN named_journals r ON r.id = j.reverses_id",
        "SELECT j.idem_key, p.seq, p.from_kind, p.from_user, p.to_kind, p.to_user, p.amount FROM ledger_postings p \
         JOIN named_journals j ON j.id = p.journal_id",
        "SELECT e.user_id, e.version, j.idem_key, e.kind, e.available, e.held, e.promo, e.earnings, e.debt, e.created_at \
         FROM ledger_entries e JOIN named_journals j ON j.id = e.journal_id",
        "SELECT d.kind, j.idem_key, d.amount FROM ledger_deltas d JOIN named_journals j ON j.id = d.journal_id",
        "SELECT h.user_id, h.purpose, h.ref_type, h.ref_id, h.amount, h.from_available, h.from_earnings, h.status, \
         o.idem_key AS opened, r.idem_key AS resolved FROM ledger_holds h \
         JOIN named_journals o ON o.id = h.open_journal LEFT JOIN named_journals r ON r.id = h.resolve_journal",
        "SELECT idem_key, code, created_at FROM ledger_refusals",
    ];
    // A reversal's key and digest name the journal that it reverses: the one by that journal's key, the other not at all.
    let named = "WITH named_journals AS (SELECT j.id, j.kind, j.currency, j.ref_type, j.ref_id, j.reverses_id, j.actor_type, \
                 j.actor_id, j.reason, j.event_at, j.created_at, COALESCE('rev:' || o.idem_key, j.idem_key) AS idem_key, \
                 CASE WHEN o.id IS NULL THEN j.payload_hash ELSE '' END AS payload_hash \
                 FROM ledger_journals j LEFT JOIN ledger_journals o ON o.id = j.reverses_id)";
    let mut all = Vec::new();
    for query in queries {
        let sql = format!("{named} SELECT CAST(t AS text) AS line FROM ({query}) AS t ORDER BY 1");
        for row in rows(db, &sql, vec![]).await {
            all.push(row.try_get("", "line").unwrap());
        }
    }
    all
}

async fn refusals_of_reversals(db: &Database) -> i64 {
    count(db, "ledger_refusals WHERE idem_key LIKE 'rev:%'").await
}

async fn schedule(dbs: [&TestDb; 2], ledgers: [Ledger; 2], steps: Vec<Step>) {
    let [fast, plain] = ledgers;
    let mut fast = World::new(dbs[0], fast);
    let mut plain = World { people: fast.people, name: fast.name.clone(), ..World::new(dbs[1], plain) };
    for (n, step) in steps.iter().enumerate() {
        assert_eq!(fast.take(step).await, plain.take(step).await, "step {n}: {step:?}");
    }
}

/// The key of a refused reversal holds an id that was drawn, so such rows are counted and not compared.
fn comparable(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !line.starts_with("(rev:") || line.contains(":post:")).collect()
}

#[test]
fn one_round_trip_and_plain_statements_say_and_write_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let start = || TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger));
    let (one, other) = runtime.block_on(async { (start().await, start().await) });
    let ambient = ambient(&FakeClock::at("2026-11-22T21:00:00.123456Z"));
    let fast = ledger_of(&one, ambient.clone());
    let plain = ledger_of(&other, ambient).in_plain_statements();
    let config = Config { cases: 24, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let run = TestRunner::new(config).run(&steps(60), |steps| {
        runtime.block_on(schedule([&one, &other], [fast.clone(), plain.clone()], steps));
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async {
        let (written_fast, written_plain) = (everything(&one).await, everything(&other).await);
        assert!(written_fast.len() > 500, "{}", written_fast.len());
        assert_eq!(comparable(written_fast), comparable(written_plain));
        assert_eq!(refusals_of_reversals(&one).await, refusals_of_reversals(&other).await);
        one.dispose().await;
        other.dispose().await;
    });
}

/// Eight hundred journals of seven people and the house, with few keys for each, so that many are known, reused or
/// refused. What each is told depends on the journals of its own user alone.
fn crowd() -> Vec<NewJournal> {
    let people: Vec<_> = (0..7).map(|_| anybody()).collect();
    let shapes = vec![
        Shape::TopUp,
        Shape::Bonus,
        Shape::Earn,
        Shape::Spend,
        Shape::Spend,
        Shape::SpendBonus,
        Shape::Owe,
    ];
    let journal =
        (0..people.len(), prop::sample::select(shapes), 0..60u8, 1..9i64, any::<bool>(), any::<bool>());
    let journals =
        prop::collection::vec(journal, 800).new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let journal = |(person, shape, key, amount, is_house, why): (usize, Shape, u8, i64, bool, bool)| {
        let user = people[person];
        let is_house = is_house && person == 0;
        let (owner, shape) =
            if is_house { ("house".to_owned(), Shape::Settle) } else { (user.to_string(), shape) };
        // The house's journals are written in no order: each has a key of its own, or is the same.
        let amount = if is_house { i64::from(key) + 1 } else { amount };
        let reference = Reference::new("thing", r#"{"quoted", \ and ₹}"#);
        let key = format!("{owner}:{key}");
        let journal =
            NewJournal::new(key, JournalKind::TopUp, reference, legs(shape, user, user, amount)).unwrap();
        if why && !is_house { journal.because(r#"why "not", {100 %}, \ NULL or ₹?"#) } else { journal }
    };
    journals.into_iter().map(journal).collect()
}

/// The tasks of one thread begin in order, and the service keeps each user's order.
#[tokio::test]
async fn many_in_one_statement_and_plain_statements_say_and_write_the_same() {
    let (one, other) = (
        TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await,
        TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await,
    );
    let ambient = ambient(&FakeClock::at("2026-11-22T21:00:00.123456Z"));
    let fast = ledger_of(&one, ambient.clone());
    let plain = ledger_of(&other, ambient).in_plain_statements();
    let (poster, journals) = (fast.poster(), crowd());
    let told = |outcome: Result<Outcome, _>| match outcome {
        Ok(Outcome::Posted(_)) => "posted".to_owned(),
        Ok(Outcome::Known(_)) => "known".to_owned(),
        Ok(Outcome::Refused(refusal)) => refusal.as_str().to_owned(),
        Err::<_, ledger::LedgerError>(error) => error.to_string(),
    };
    let together = at_once(journals.iter().cloned().map(|journal| {
        let poster = poster.clone();
        async move { poster.post(journal).await }
    }))
    .await;
    let mut seen = std::collections::BTreeMap::new();
    for ((n, journal), together) in journals.iter().enumerate().zip(together) {
        let (together, alone) = (told(together), told(plain.post(journal).await));
        // Two of the house under one key may be posted in either order.
        if !journal.key().starts_with("house") {
            assert_eq!(together, alone, "journal {n}: {journal:?}");
        }
        *seen.entry(alone).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert!(seen.values().all(|times| *times > 20), "{seen:?}");
    assert_eq!(everything(&one).await, everything(&other).await);
    assert_eq!(fast.house_balances().await.unwrap(), plain.house_balances().await.unwrap());
    one.dispose().await;
    other.dispose().await;
}

/// For servers that do not run the function: with it gone, plain statements post in each of the three ways.
#[tokio::test]
async fn plain_statements_call_no_function_of_the_database() {
    let db = TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await;
    let gone = "DROP FUNCTION ledger_post_many";
    db.schema_connection().execute_unprepared(gone).await.unwrap();
    let fast = ledger(&db);
    let plain = fast.clone().in_plain_statements();
    let user = anybody();
    let journal = |payment: &str| templates::top_up(payment, user, Money::inr(100)).unwrap();
    let is_posted = |outcome| matches!(outcome, Ok(Outcome::Posted(_)));
    assert!(fast.posts_at_once() && !plain.posts_at_once());

    assert!(is_posted(plain.post(&journal("pay_1")).await));
    assert!(is_posted(post_in_txn(&db, &plain, &journal("pay_2")).await));
    assert!(is_posted(plain.poster().post(journal("pay_3")).await));
    assert_eq!(plain.wallet(user).await.unwrap().available, Money::inr(300));
    db.dispose().await;
}

/// Among writes of others: only if what they found is there, and the wallet is as it was seen.
#[tokio::test]
async fn a_journal_among_other_writes_is_posted_with_them_or_not_at_all() {
    let db = TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await;
    let ledger = ledger(&db);
    let user = somebody_with(&ledger, 1_000).await;
    let gate = |is_open: bool| {
        OneStatement::default().with("gate", "SELECT 1 AS one WHERE CAST(? AS boolean)", [is_open.into()])
    };
    let version = ledger.glance(user).await.unwrap().unwrap().version;
    for (is_open, version, is_posted) in
        [(false, version, false), (true, version + 1, false), (true, version, true), (true, version, false)]
    {
        let (_, writes, posted) =
            ledger.post_at_once(gate(is_open), &spend("among", user, 10), "gate", version).unwrap();
        assert_eq!(db.at_once(&writes, posted).await.unwrap(), is_posted, "{is_open} {version}");
    }
    assert_eq!(available(&db, &ledger, user).await, 990);
    assert!(ledger.post_at_once(gate(true), &settle("house", 10), "gate", 1).is_none(), "no wallet is in it");
    let plain = ledger.in_plain_statements();
    assert!(plain.post_at_once(gate(true), &spend("plain", user, 10), "gate", version).is_none());
    db.dispose().await;
}

/// A connection keeps each different statement that it was sent.
#[tokio::test]
async fn a_journal_of_one_wallet_is_one_statement() {
    let db = TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await;
    let ledger = ledger(&db);
    let user = somebody_with(&ledger, 1_000).await;
    let statements = async |ledger: &Ledger, key: &str| {
        db.in_txn(async |txn| {
            let sent = async || {
                let count = "SELECT COUNT(*) AS n FROM pg_prepared_statements";
                let row = txn.query_one_raw(db.engine().statement(count, [])).await?.unwrap();
                row.try_get::<i64>("", "n")
            };
            sent().await.map_err(StoreError::from)?;
            let before = sent().await.map_err(StoreError::from)?;
            let outcome = ledger.post_in_txn(txn, &spend(key, user, 10)).await?;
            assert!(matches!(outcome, Outcome::Posted(_)), "{outcome:?}");
            Ok::<_, LedgerError>(sent().await.map_err(StoreError::from)? - before)
        })
        .await
        .unwrap()
    };
    assert!(statements(&ledger.clone().in_plain_statements(), "plain").await > 4);
    assert_eq!(statements(&ledger, "alone").await, 1);
    db.dispose().await;
}

/// A database that cannot is not a balance that does not fit.
#[tokio::test]
async fn a_wallet_that_is_waited_for_in_vain_is_told_as_such() {
    let db = TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await;
    let ledger = ledger(&db);
    let user = somebody_with(&ledger, 1_000).await;
    let (is_held, let_go) = (Notify::new(), Notify::new());
    let holding = db.in_txn(async |txn| {
        ledger.lock_wallet_in_txn(txn, user).await?;
        is_held.notify_one();
        let_go.notified().await;
        Ok::<_, LedgerError>(())
    });
    let impatient = async {
        is_held.notified().await;
        let told = db.in_txn(async |txn| {
            txn.execute_unprepared("SET LOCAL lock_timeout = '20ms'").await.map_err(StoreError::from)?;
            ledger.post_in_txn(txn, &spend("a", user, 10)).await
        });
        let told = told.await;
        let_go.notify_one();
        told
    };
    let (held, told) = tokio::join!(holding, impatient);
    held.unwrap();
    let told = told.unwrap_err();
    assert!(matches!(told, LedgerError::Store(_)) && format!("{told:?}").contains("55P03"), "{told:?}");
    assert_eq!(available(&db, &ledger, user).await, 1_000);
    db.dispose().await;
}

/// As one that was under way until others of its moment may have been sealed: what is asked for again is written.
#[tokio::test]
async fn a_statement_that_comes_too_late_writes_nothing() {
    let db = TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await;
    let in_time = ledger(&db);
    let late = in_time.clone().with_patience(Duration::ZERO);
    let user = somebody_with(&in_time, 1_000).await;
    let version = in_time.glance(user).await.unwrap().unwrap().version;
    for (ledger, is_posted) in [(&late, false), (&in_time, true)] {
        let gate = OneStatement::default().with("gate", "SELECT 1 AS one", []);
        let (_, writes, posted) =
            ledger.post_at_once(gate, &spend("gated", user, 10), "gate", version).unwrap();
        assert_eq!(db.at_once(&writes, posted).await.unwrap(), is_posted);
    }
    let alone = late.post(&spend("alone", user, 10)).await;
    assert!(matches!(alone, Ok(Outcome::Posted(_))), "a statement at a time: {alone:?}");

    // Several that are posted in one statement have one transaction, and a statement at a time one for each.
    for (ledger, name, is_together) in [(&late, "late", false), (&in_time, "in-time", true)] {
        let poster = ledger.poster();
        let posted = at_once((0..8).map(|n| {
            let (poster, journal) = (
                poster.clone(),
                templates::top_up(&format!("{name}-{n}"), anybody(), Money::inr(100)).unwrap(),
            );
            async move { poster.post(journal).await }
        }))
        .await;
        assert!(posted.iter().all(|outcome| matches!(outcome, Ok(Outcome::Posted(_)))), "{posted:?}");
        let sql = format!(
            "SELECT COUNT(DISTINCT CAST(xmin AS text)) AS n FROM ledger_journals WHERE ref_id LIKE '{name}-%'"
        );
        let row =
            db.reader().unwrap().query_one_raw(Engine::Postgres.statement(&sql, [])).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap() < 8, is_together, "{name}");
    }
    db.dispose().await;
}
