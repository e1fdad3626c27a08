//! Idempotency keys: the first request has its effect, and whoever repeats it gets the first one's answer.

use chrono::{DateTime, TimeDelta, Utc};
use store::{
    Claim, Database, IdempotencyKey, StoreError, StoredAnswer, claim_key_in_txn, forget_expired_keys,
    keep_answer_in_txn,
};
use testkit::{Scope, on_every_engine};

use crate::support::count;

fn key(scope: &str, key: &str, body: &str) -> IdempotencyKey {
    IdempotencyKey::new(scope, key, body.as_bytes())
}

fn answer(body: &str) -> StoredAnswer {
    StoredAnswer { status: 201, body: body.to_owned() }
}

fn now() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Does what an endpoint does: claims the key, has its effect when that is fresh, and keeps its answer.
async fn request(
    db: &Database,
    key: &IdempotencyKey,
    at: DateTime<Utc>,
    body: &str,
) -> Result<Claim, StoreError> {
    db.in_txn(async |txn| {
        let claim = claim_key_in_txn(txn, key, at).await?;
        if claim == Claim::Fresh {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            keep_answer_in_txn(txn, key, &answer(body)).await?;
        }
        Ok(claim)
    })
    .await
}

on_every_engine! { Scope::Store =>
    async fn a_repeated_request_gets_the_first_answer(db: TestDb) {
        let first = key("u1 POST /orders", "k", "{}");
        assert_eq!(request(db, &first, now(), "one").await.unwrap(), Claim::Fresh);
        for _ in 0..3 {
            assert_eq!(request(db, &first, now(), "two").await.unwrap(), Claim::Answered(answer("one")));
        }
    }

    async fn another_body_under_the_same_key_is_another_request(db: TestDb) {
        request(db, &key("u1 POST /orders", "k", "{\"amount\":1}"), now(), "one").await.unwrap();
        let other = key("u1 POST /orders", "k", "{\"amount\":2}");
        assert_eq!(request(db, &other, now(), "two").await.unwrap(), Claim::OtherRequest);
    }

    async fn another_scope_is_another_key_and_so_is_another_case(db: TestDb) {
        request(db, &key("u1 POST /orders", "key", "{}"), now(), "one").await.unwrap();
        for other in [key("u2 POST /orders", "key", "{}"), key("u1 POST /orders", "KEY", "{}")] {
            assert_eq!(request(db, &other, now(), "x").await.unwrap(), Claim::Fresh, "{other:?}");
        }
    }

    async fn of_sixty_four_at_once_one_is_fresh_and_the_others_get_its_answer(db: TestDb) {
        let tasks: Vec<_> = (0..64)
            .map(|n| {
                let db = db.database().clone();
                tokio::spawn(async move { request(&db, &key("u1", "k", "{}"), now(), &n.to_string()).await })
            })
            .collect();
        let (mut fresh, mut answers) = (0, Vec::new());
        for task in tasks {
            match task.await.unwrap().unwrap() {
                Claim::Fresh => fresh += 1,
                Claim::Answered(answer) => answers.push(answer),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((fresh, answers.len()), (1, 63));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "one answer for all");
    }

    /// Each of eight requests fails but the last to run: every failure leaves the key to the next.
    async fn a_request_that_rolled_back_leaves_the_key_free(db: TestDb) {
        let key = key("u1", "k", "{}");
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (db, key) = (db.database().clone(), key.clone());
                tokio::spawn(async move {
                    db.in_txn(async |txn| {
                        assert_eq!(claim_key_in_txn(txn, &key, now()).await?, Claim::Fresh);
                        keep_answer_in_txn(txn, &key, &answer("never seen")).await?;
                        Err::<(), _>(StoreError::UnknownEngine)
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            assert!(matches!(task.await.unwrap(), Err(StoreError::UnknownEngine)));
        }
        assert_eq!(request(db, &key, now(), "one").await.unwrap(), Claim::Fresh);
    }

    async fn a_key_is_kept_for_a_day_and_then_free_again(db: TestDb) {
        let key = key("u1", "k", "{}");
        request(db, &key, now(), "one").await.unwrap();
        let almost = now() + TimeDelta::hours(24) - TimeDelta::microseconds(1);
        assert_eq!(request(db, &key, almost, "two").await.unwrap(), Claim::Answered(answer("one")));
        let over = now() + TimeDelta::hours(24);
        assert_eq!(request(db, &key, over, "two").await.unwrap(), Claim::Fresh);
        assert_eq!(request(db, &key, over, "three").await.unwrap(), Claim::Answered(answer("two")));
    }

    async fn of_sixteen_at_once_one_takes_over_a_key_whose_time_is_over(db: TestDb) {
        let key = key("u1", "k", "{}");
        request(db, &key, now(), "old").await.unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let (db, key, at) = (db.database().clone(), key.clone(), now() + TimeDelta::hours(24));
                tokio::spawn(async move { request(&db, &key, at, &n.to_string()).await.unwrap() })
            })
            .collect();
        let mut claims = Vec::new();
        for task in tasks {
            claims.push(task.await.unwrap());
        }
        let answers: Vec<_> = claims.iter().filter(|claim| **claim != Claim::Fresh).collect();
        assert_eq!(answers.len(), 15);
        assert!(answers.iter().all(|claim| *claim == answers[0] && **claim != Claim::Answered(answer("old"))));
    }

    async fn expired_keys_are_forgotten_and_others_are_not(db: TestDb) {
        request(db, &key("u1", "old", "{}"), now(), "one").await.unwrap();
        request(db, &key("u1", "new", "{}"), now() + TimeDelta::hours(1), "one").await.unwrap();
        let at = now() + TimeDelta::hours(24);
        assert_eq!(db.in_txn(async |txn| forget_expired_keys(txn, at).await).await.unwrap(), 1);
        assert_eq!(count(db, "idempotency_keys WHERE idem_key = 'new'").await, 1);
    }

    async fn an_answer_without_a_claim_is_refused(db: TestDb) {
        let kept = db.in_txn(async |txn| keep_answer_in_txn(txn, &key("u1", "k", ""), &answer("x")).await).await;
        assert!(matches!(kept, Err(StoreError::Corrupt(_))));
    }
}
