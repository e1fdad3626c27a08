//! Leased idempotency keys: one request goes on, another one waits, and whoever comes after a death takes over.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use store::{
    Claim, Database, IdempotencyKey, KeyLease, LeaseClaim, StoreError, StoredAnswer, claim_key_in_txn,
    lease_key_in_txn,
};
use testkit::{Scope, on_every_engine};

fn key(body: &str) -> IdempotencyKey {
    IdempotencyKey::new("u1 POST /orders", "k", body.as_bytes())
}

fn answer() -> StoredAnswer {
    StoredAnswer { status: 201, body: "made".to_owned() }
}

fn at(seconds: i64) -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

/// Leases the key for a minute and, when nobody intended anything yet, writes an intent of its own down.
async fn lease(db: &Database, intent: &str, at: DateTime<Utc>) -> LeaseClaim {
    db.in_txn(async |txn| {
        let mut claim = lease_key_in_txn(txn, &key("{}"), at, TimeDelta::seconds(60)).await?;
        if let LeaseClaim::Held(lease) = &mut claim
            && lease.recovery_point().is_none()
        {
            lease.mark_in_txn(txn, intent).await?;
        }
        Ok::<_, StoreError>(claim)
    })
    .await
    .unwrap()
}

fn held(claim: LeaseClaim) -> KeyLease {
    match claim {
        LeaseClaim::Held(lease) => lease,
        LeaseClaim::Refused(claim) => panic!("{claim:?}"),
    }
}

/// Leases another key for a minute.
async fn lease_of(db: &Database, name: &str, at: DateTime<Utc>) -> LeaseClaim {
    let key = IdempotencyKey::new("u1 POST /orders", name, b"{}");
    db.in_txn(async |txn| lease_key_in_txn(txn, &key, at, TimeDelta::seconds(60)).await).await.unwrap()
}

/// Has an effect, a row of this name, and keeps the answer, as a request does at its end.
async fn finish(db: &Database, lease: &KeyLease, name: &str) -> Result<(), StoreError> {
    db.in_txn(async |txn| {
        let effect = IdempotencyKey::new("effects", name, b"");
        assert_eq!(claim_key_in_txn(txn, &effect, at(0)).await?, Claim::Fresh);
        lease.keep_answer_in_txn(txn, &answer()).await
    })
    .await
}

/// The names of the effects that there were.
async fn effects(db: &Database) -> Vec<String> {
    let sql = "SELECT idem_key FROM idempotency_keys WHERE scope = 'effects' ORDER BY idem_key";
    let rows = db.reader().unwrap().query_all_raw(db.engine().statement(sql, [])).await.unwrap();
    rows.iter().map(|row| row.try_get("", "idem_key").unwrap()).collect()
}

async fn keep(db: &Database, lease: &KeyLease) {
    db.in_txn(async |txn| lease.keep_answer_in_txn(txn, &answer()).await).await.unwrap();
}

on_every_engine! { Scope::Store =>
    async fn a_second_request_finds_the_key_in_progress_and_later_its_answer(db: TestDb) {
        let first = held(lease(db, "intent-1", at(0)).await);
        assert_eq!(lease(db, "intent-2", at(59)).await, LeaseClaim::Refused(Claim::InProgress));
        keep(db, &first).await;
        assert_eq!(lease(db, "intent-3", at(61)).await, LeaseClaim::Refused(Claim::Answered(answer())));
    }

    async fn whoever_comes_after_a_death_goes_on_with_the_same_intent(db: TestDb) {
        held(lease(db, "intent-1", at(0)).await);
        let second = held(lease(db, "intent-2", at(60)).await);
        assert_eq!(second.recovery_point(), Some("intent-1"));
        assert_eq!(lease(db, "intent-3", at(61)).await, LeaseClaim::Refused(Claim::InProgress));
    }

    async fn of_sixteen_that_come_after_a_death_one_takes_over(db: TestDb) {
        held(lease(db, "intent-1", at(0)).await);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let db = db.database().clone();
                tokio::spawn(async move { lease(&db, "intent-2", at(60)).await })
            })
            .collect();
        let mut claims = Vec::new();
        for task in tasks {
            claims.push(task.await.unwrap());
        }
        let (held, others): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| matches!(claim, LeaseClaim::Held(_)));
        assert_eq!(held.len(), 1);
        assert!(others.iter().all(|claim| *claim == LeaseClaim::Refused(Claim::InProgress)), "{others:?}");
    }

    async fn one_who_was_taken_over_can_neither_let_go_nor_forget(db: TestDb) {
        let first = held(lease(db, "intent-1", at(0)).await);
        let second = held(lease(db, "intent-2", at(60)).await);
        db.in_txn(async |txn| first.release_in_txn(txn, at(61)).await).await.unwrap();
        let forgot = db.in_txn(async |txn| first.forget_in_txn(txn).await).await;
        assert!(matches!(forgot, Err(StoreError::LeaseLost)), "{forgot:?}");
        assert_eq!(lease(db, "intent-3", at(62)).await, LeaseClaim::Refused(Claim::InProgress));
        keep(db, &second).await;
        assert_eq!(lease(db, "intent-4", at(200)).await, LeaseClaim::Refused(Claim::Answered(answer())));
    }

    /// The answer and what it is about are written together, or neither is.
    async fn one_who_was_taken_over_writes_neither_an_answer_nor_its_effect(db: TestDb) {
        let first = held(lease(db, "intent-1", at(0)).await);
        let second = held(lease(db, "intent-2", at(60)).await);
        let lost = finish(db, &first, "first").await;
        assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
        assert_eq!(effects(db).await, Vec::<String>::new());
        finish(db, &second, "second").await.unwrap();
        let lost = finish(db, &first, "first").await;
        assert!(matches!(lost, Err(StoreError::LeaseLost)), "also once the other has answered: {lost:?}");
        assert_eq!(effects(db).await, ["second"]);
        assert_eq!(lease(db, "intent-3", at(200)).await, LeaseClaim::Refused(Claim::Answered(answer())));
    }

    /// At the last moment of a lease, its holder finishes and another one takes over and finishes too: one of them does.
    async fn of_a_late_holder_and_one_who_takes_over_at_once_one_has_the_effect(db: TestDb) {
        let (mut by_first, mut by_second) = (0, 0);
        for round in 0..24 {
            let name = format!("k{round}");
            let first = held(lease_of(db, &name, at(0)).await);
            let late = {
                let (db, name) = (db.database().clone(), format!("{name}-first"));
                tokio::spawn(async move { finish(&db, &first, &name).await })
            };
            let taken = {
                let (db, name) = (db.database().clone(), name.clone());
                tokio::spawn(async move {
                    // Now a little sooner, now a little later than the other.
                    for _ in 0..round * 4 {
                        tokio::task::yield_now().await;
                    }
                    match lease_of(&db, &name, at(60)).await {
                        LeaseClaim::Held(second) => finish(&db, &second, &format!("{name}-second")).await,
                        LeaseClaim::Refused(_) => Err(StoreError::LeaseLost),
                    }
                })
            };
            let ended = [late.await.unwrap().is_ok(), taken.await.unwrap().is_ok()];
            assert!(ended[0] != ended[1], "round {round}: {ended:?}");
            by_first += i32::from(ended[0]);
            by_second += i32::from(ended[1]);
            let expected = format!("{name}-{}", if ended[0] { "first" } else { "second" });
            let written: Vec<_> = effects(db).await.into_iter().filter(|one| one.starts_with(&format!("{name}-"))).collect();
            assert_eq!(written, [expected]);
        }
        assert_eq!(by_first + by_second, 24);
    }

    async fn a_lease_that_was_given_back_is_taken_up_at_once(db: TestDb) {
        let first = held(lease(db, "intent-1", at(0)).await);
        db.in_txn(async |txn| first.release_in_txn(txn, at(1)).await).await.unwrap();
        assert_eq!(held(lease(db, "intent-2", at(1)).await).recovery_point(), Some("intent-1"));
    }

    async fn a_forgotten_key_is_free(db: TestDb) {
        let first = held(lease(db, "intent-1", at(0)).await);
        db.in_txn(async |txn| first.forget_in_txn(txn).await).await.unwrap();
        assert_eq!(held(lease(db, "intent-2", at(1)).await).recovery_point(), Some("intent-2"));
    }

    async fn another_request_under_a_leased_key_is_refused(db: TestDb) {
        held(lease(db, "intent-1", at(0)).await);
        let other = db.in_txn(async |txn| lease_key_in_txn(txn, &key("other"), at(90), TimeDelta::seconds(60)).await).await;
        assert_eq!(other.unwrap(), LeaseClaim::Refused(Claim::OtherRequest));
    }
}
