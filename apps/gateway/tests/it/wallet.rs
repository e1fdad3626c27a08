//! Wallets over HTTP: what one has and where it came from, promotional credit, and the ledger's own upkeep.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::{Money, Role, UserId};
use ledger::{Outcome, templates};
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use store::{Scheduler, StoreError};
use testkit::{Scope, TestDb, on_every_engine};

use crate::support::{Answer, Session, TestApp};

impl TestApp {
    /// Credits a payment to somebody's wallet.
    async fn credit(&self, who: &Session, payment: &str, paise: i64) {
        let user: UserId = who.user_id.parse().unwrap();
        let journal = templates::top_up(payment, user, Money::inr(paise)).unwrap();
        let posted = self.state.market.ledger.post(&journal).await.unwrap();
        assert!(matches!(posted, Outcome::Posted(_)));
    }

    async fn give(&self, admin: &Session, to: &str, key: &str, body: &Value) -> Answer {
        let path = format!("/api/wallets/{to}/bonus");
        self.post(&path).bearer(admin).header("idempotency-key", key).json(body).send().await
    }

    async fn promo_of(&self, who: &Session) -> i64 {
        let wallet = self.get("/api/wallet").bearer(who).send().await.expect(StatusCode::OK);
        wallet.body["promo"]["amount"].as_i64().unwrap()
    }
}

fn bonus(paise: i64) -> Value {
    json!({ "amount": paise, "reason": "Sorry for the outage" })
}

fn types(answer: &Answer) -> Vec<&str> {
    answer.body["data"].as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap()).collect()
}

async fn count(db: &TestDb, sql: &str) -> i64 {
    let row = db.reader().unwrap().query_one_raw(db.engine().statement(sql, [])).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

async fn tamper(db: &TestDb, sql: &str) {
    let statement = db.engine().statement(sql, []);
    let done =
        db.in_txn(async |txn| txn.execute_raw(statement.clone()).await.map_err(StoreError::from)).await;
    assert_eq!(done.unwrap().rows_affected(), 1, "{sql}");
}

/// The command, on the test's database.
async fn verify_ledger(db: &TestDb) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command
        .arg("verify-ledger")
        .env("DGT__DATABASE__URL", db.url())
        .env("DGT__MEDIA__FOLDER", std::env::temp_dir().join("dgt-verify-ledger-media"))
        .env("DGT__LOG__FILTER", "warn");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

on_every_engine! { Scope::All =>
    async fn a_wallet_tells_what_one_has_and_where_it_came_from(db: TestDb) {
        let app = TestApp::start(db).await;
        let (mut member, mut other) = (app.member().await, app.member().await);
        let empty = app.get("/api/wallet").bearer(&member).send().await.expect(StatusCode::OK);
        assert_eq!(empty.body["spendable"], json!({ "amount": 0, "currency": "INR" }));
        app.credit(&member, "pay_1", 50_000).await;
        app.clock.advance(TimeDelta::hours(1));
        app.credit(&member, "pay_2", 1_000).await;
        app.refresh(&mut member).await;
        app.refresh(&mut other).await;

        let wallet = app.get("/api/wallet").bearer(&member).send().await.expect(StatusCode::OK).body;
        assert_eq!((&wallet["available"]["amount"], &wallet["currency"]), (&json!(51_000), &json!("INR")));
        assert_eq!(wallet["lifetime"]["credited"]["amount"], 51_000);
        let rows = app.get("/api/wallet/transactions").bearer(&member).send().await.expect(StatusCode::OK).body;
        let row = &rows["data"][0];
        assert_eq!((&row["id"], &row["type"]), (&json!("2-0"), &json!("CREDIT_TOPUP")));
        assert_eq!(row["amount"], json!({ "amount": 1_000, "currency": "INR" }));
        assert_eq!((&row["spendable"]["before"]["amount"], &row["spendable"]["after"]["amount"]), (&json!(50_000), &json!(51_000)));
        assert_eq!(row["reference"], json!({ "kind": "payment", "id": "pay_2" }));
        assert_eq!((&row["status"], &row["reason"]), (&json!("COMPLETED"), &Value::Null));
        let stats = app.get("/api/wallet/stats").bearer(&member).send().await.expect(StatusCode::OK).body;
        assert_eq!((&stats["types"][0]["type"], &stats["types"][0]["lifetime"]["amount"]), (&json!("CREDIT_TOPUP"), &json!(51_000)));

        let theirs = app.get("/api/wallet/transactions").bearer(&other).send().await;
        assert!(types(&theirs.expect(StatusCode::OK)).is_empty(), "one sees one's own");
        app.stop().await;
    }

    async fn a_history_is_filtered_and_turned_by_pages_and_cursors(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        for number in 0..5 {
            app.credit(&member, &format!("pay_{number}"), 1_000 + number).await;
            app.clock.advance(TimeDelta::seconds(10));
        }
        let get = |query: &str| app.get(&format!("/api/wallet/transactions?{query}")).bearer(&member).send();
        let first = get("limit=3").await.expect(StatusCode::OK);
        assert_eq!((first.body["data"].as_array().unwrap().len(), &first.body["pagination"]["total"]), (3, &Value::Null));
        let cursor = first.text("/pagination/nextCursor");
        let rest = get(&format!("limit=3&cursor={cursor}")).await.expect(StatusCode::OK);
        assert_eq!((rest.text("/data/0/id"), rest.text("/data/1/id")), ("2-0".to_owned(), "1-0".to_owned()));
        let page = get("page=2&limit=2").await.expect(StatusCode::OK);
        assert_eq!((page.text("/data/0/id"), &page.body["pagination"]["total"]), ("3-0".to_owned(), &json!(5)));
        assert_eq!(types(&get("type=CREDIT_TOPUP&type=HOLD").await.expect(StatusCode::OK)).len(), 5);
        assert!(types(&get("type=DEBIT_PAYOUT").await.expect(StatusCode::OK)).is_empty());

        for (query, fields) in [
            ("type=GIFT", vec!["type"]),
            ("from=yesterday", vec!["from"]),
            ("from=2026-03-02T06:00:00Z&to=2026-03-02T06:00:00Z&limit=0", vec!["to", "limit"]),
            ("cursor=made-up", vec!["cursor"]),
            ("page=1&cursor=x", vec!["cursor"]),
            ("colour=red", vec!["colour"]),
        ] {
            let refused = get(query).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
            let told: Vec<_> = refused.fields().iter().map(|field| field.split('[').next().unwrap().to_owned()).collect();
            assert_eq!(told, fields, "{query}");
        }
        let of_others = app.member().await;
        let stolen = app.get(&format!("/api/wallet/transactions?cursor={cursor}&limit=3")).bearer(&of_others).send().await;
        assert_eq!(stolen.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["cursor"]);
        app.stop().await;
    }

    async fn a_statement_is_a_file_of_the_history(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        for number in 0..3 {
            app.credit(&member, &format!("pay_{number}"), 123_456).await;
        }
        let answer = app.get("/api/wallet/statement").bearer(&member).send().await.expect(StatusCode::OK);
        assert!(answer.header("content-type").starts_with("text/csv"));
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"wallet-statement.csv\"");
        let csv = String::from_utf8(answer.bytes.clone()).unwrap();
        assert_eq!(csv.lines().count(), 4);
        assert!(csv.lines().nth(1).unwrap().contains(",CREDIT_TOPUP,123456,1234.56,246912,370368,3703.68,0,0,0.00,payment,pay_2,COMPLETED,"), "{csv}");
        let none = app.get("/api/wallet/statement?type=HOLD").bearer(&member).send().await.expect(StatusCode::OK);
        assert_eq!(String::from_utf8(none.bytes).unwrap().lines().count(), 1);
        let refused = app.get("/api/wallet/statement?page=2").bearer(&member).send().await;
        refused.problem(StatusCode::BAD_REQUEST, "invalid_input");
        app.stop().await;
    }

    async fn a_bonus_is_given_once_told_and_written_down(db: TestDb) {
        let app = TestApp::start(db).await;
        let (admin, mut member) = (app.staff(Role::Admin).await, app.member().await);
        let given = app.give(&admin, &member.user_id, "k-1", &bonus(5_000)).await.expect(StatusCode::CREATED);
        assert_eq!((&given.body["amount"]["amount"], &given.body["promo"]["amount"]), (&json!(5_000), &json!(5_000)));
        let again = app.give(&admin, &member.user_id, "k-1", &bonus(5_000)).await.expect(StatusCode::CREATED);
        assert_eq!((again.header("idempotent-replayed"), &again.bytes), ("true", &given.bytes));
        let other = app.give(&admin, &member.user_id, "k-1", &bonus(6_000)).await;
        other.problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");

        app.refresh(&mut member).await;
        let rows = app.get("/api/wallet/transactions").bearer(&member).send().await.expect(StatusCode::OK);
        assert_eq!(types(&rows), ["CREDIT_BONUS"]);
        assert_eq!((rows.text("/data/0/reason"), app.promo_of(&member).await), ("Sorry for the outage".to_owned(), 5_000));
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'wallet.bonus_granted'").await, 1);
        let told = format!("SELECT COUNT(*) AS n FROM outbox_events WHERE kind = 'wallet.updated' AND subject = 'user:{}'", member.user_id);
        assert_eq!(count(db, &told).await, 1);
        app.stop().await;
    }

    async fn sixty_four_identical_bonuses_at_once_are_one(db: TestDb) {
        let app = TestApp::start(db).await;
        let (admin, mut member) = (app.staff(Role::Admin).await, app.member().await);
        let (user, body) = (member.user_id.clone(), bonus(700));
        let answers = join_all((0..64).map(|_| app.give(&admin, &user, "one-key", &body))).await;
        assert!(answers.iter().all(|answer| answer.status == 201), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        let bodies: BTreeSet<_> = answers.iter().map(|answer| answer.bytes.clone()).collect();
        assert_eq!(bodies.len(), 1, "every answer is the first one");
        app.refresh(&mut member).await;
        assert_eq!(app.promo_of(&member).await, 700);
        app.stop().await;
    }

    async fn a_bonus_needs_an_admin_a_fresh_code_a_key_a_reason_and_somebody(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let finance = app.staff(Role::Finance).await;
        let member = app.member().await;
        let path = format!("/api/wallets/{}/bonus", member.user_id);
        let keyless = app.post(&path).bearer(&admin).json(&bonus(100)).send().await;
        assert_eq!(keyless.problem(StatusCode::BAD_REQUEST, "idempotency_key_required").fields(), ["Idempotency-Key"]);
        app.give(&finance, &member.user_id, "k", &bonus(100)).await.problem(StatusCode::FORBIDDEN, "forbidden");
        app.give(&admin, &admin.user_id, "k", &bonus(100)).await.problem(StatusCode::FORBIDDEN, "own_account");
        let nobody = "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11";
        app.give(&admin, nobody, "k", &bonus(100)).await.problem(StatusCode::NOT_FOUND, "user_not_found");
        for (body, field) in [
            (json!({ "amount": 0, "reason": "for the test" }), "amount"),
            (json!({ "amount": 1_000_001, "reason": "for the test" }), "amount"),
            (json!({ "amount": 1.5, "reason": "for the test" }), "amount"),
            (json!({ "amount": "100", "reason": "for the test" }), "amount"),
            (json!({ "amount": 100, "reason": "x" }), "reason"),
            (json!({ "amount": 100 }), "reason"),
        ] {
            let refused = app.give(&admin, &member.user_id, "k", &body).await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [field], "{body}");
        }
        app.clock.advance(TimeDelta::minutes(6));
        app.give(&admin, &member.user_id, "k", &bonus(100)).await.problem(StatusCode::FORBIDDEN, "step_up_required");
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM ledger_journals").await, 0);
        app.stop().await;
    }

    async fn the_jobs_fold_seal_and_check_the_ledger(db: TestDb) {
        let app = TestApp::start(db).await;
        let scheduler = Scheduler::new(db.database().clone(), app.state.ambient.clone(), marketplace::schedules());
        scheduler.tick().await.unwrap();
        let member = app.member().await;
        app.topped_up(&member, 5_000).await;
        app.topped_up(&member, 5_000).await;
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM ledger_deltas").await, 8, "of two payments and their fees");
        app.clock.advance(TimeDelta::minutes(4));
        scheduler.tick().await.unwrap();
        app.run_jobs().await;
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM ledger_deltas").await, 0);
        assert_eq!(count(db, "SELECT journals AS n FROM ledger_seals").await, 4);

        // 03:30 in India is 22:00 UTC; the clock stood at 06:00.
        app.clock.advance(TimeDelta::hours(16));
        scheduler.tick().await.unwrap();
        app.run_jobs().await;
        let done = "SELECT COUNT(*) AS n FROM jobs WHERE kind = 'ledger.self_check' AND finished_at IS NOT NULL";
        assert_eq!(count(db, done).await, 1);
        app.stop().await;
    }

    async fn the_command_verifies_the_ledger_and_fails_on_the_first_wrong_row(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        app.topped_up(&member, 5_000).await;
        let clean = verify_ledger(db).await;
        let (said, told) = (String::from_utf8(clean.stdout).unwrap(), String::from_utf8(clean.stderr).unwrap());
        assert!(clean.status.success(), "{told}");
        assert!(!said.contains("the newest seal"), "nothing is sealed yet: {said}");
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("the ledger is right: 2 journals with 3 postings"), "{said}");
        assert!(told.contains("1 wallets are right"), "progress goes to standard error: {told}");

        tamper(db, "UPDATE ledger_wallets SET available = available + 1").await;
        let wrong = verify_ledger(db).await;
        let told = String::from_utf8(wrong.stderr).unwrap();
        assert_eq!(wrong.status.code(), Some(1), "{told}");
        let row = format!("ledger_wallets (user_id {}): available should be 5000 and is 5001", member.user_id);
        assert!(told.contains(&row), "{told}");
        app.stop().await;
    }
}
