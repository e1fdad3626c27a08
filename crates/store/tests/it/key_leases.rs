//! Leased idempotency keys: one request goes on, another one waits, and whoever comes after a death takes over.

use chrono::{DateTime, TimeDelta, Utc};
use store::{
    Claim, Database, IdempotencyKey, KeyLease, LeaseClaim, StoreError, StoredAnswer, lease_key_in_txn,
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
        db.in_txn(async |txn| {
            first.release_in_txn(txn, at(61)).await?;
            first.forget_in_txn(txn).await
        })
        .await
        .unwrap();
        assert_eq!(lease(db, "intent-3", at(62)).await, LeaseClaim::Refused(Claim::InProgress));
        keep(db, &second).await;
        keep(db, &first).await;
        assert_eq!(lease(db, "intent-4", at(200)).await, LeaseClaim::Refused(Claim::Answered(answer())));
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
