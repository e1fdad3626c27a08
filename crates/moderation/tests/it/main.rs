//! Decisions on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use kernel::{Actor, Ambient, Caller, DomainError, ErrorKind, ListingId, Origin, Role};
use moderation::{Decision, Moderation, ModerationError, NewDecision, ReasonCode, ReviewView, Verdict};
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::audit;
use testkit::{Domain, Scope, TestDb, on_every_engine};

fn moderator() -> Caller {
    let ambient = Ambient::system();
    Caller {
        actor: Actor::Person {
            user: ambient.new_id(),
            role: Role::Moderator,
            session: ambient.new_id(),
            staff: None,
        },
        origin: Origin::default(),
    }
}

fn rejection() -> Verdict {
    Verdict::parse("REJECT", Some("other"), Some("Call me: नहीं")).unwrap()
}

async fn decide(
    db: &store::Database,
    caller: &Caller,
    listing: ListingId,
    version: i64,
    verdict: Verdict,
) -> Result<ReviewView, ModerationError> {
    let moderation = Moderation::new(db.clone(), Ambient::system());
    db.in_txn(async |txn| {
        let new = NewDecision { listing, listing_version: version, verdict: verdict.clone() };
        moderation.record_decision_in_txn(txn, caller, new).await
    })
    .await
}

fn moderation(db: &TestDb) -> Moderation {
    Moderation::new(db.database().clone(), Ambient::system())
}

/// How many records there are in the audit log.
async fn records(db: &TestDb) -> i64 {
    let count = db.engine().statement("SELECT COUNT(*) AS n FROM audit_log", []);
    db.reader().unwrap().query_one_raw(count).await.unwrap().unwrap().try_get("", "n").unwrap()
}

on_every_engine! { Scope::Domain(Domain::Moderation) =>
    async fn a_decision_is_kept_with_who_made_it(db: TestDb) {
        let (caller, listing) = (moderator(), Ambient::system().new_id());
        let review = decide(db, &caller, listing, 3, rejection()).await.unwrap();
        assert_eq!(review.moderator_id, caller.actor.user());
        assert_eq!((review.decision, review.reason_code), (Decision::Rejected, Some(ReasonCode::Other)));
        let history = moderation(db).reviews_of(listing).await.unwrap();
        assert_eq!(history, std::slice::from_ref(&review), "it reads back as written");

        let records = audit::of_subject(db.reader().unwrap(), "review", &review.id.to_string()).await.unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].actor_id, caller.actor.name());
        assert_eq!(
            records[0].after,
            json!({"listingId": listing, "listingVersion": 3, "decision": "REJECTED", "reasonCode": "other"})
        );
    }

    async fn each_submission_is_decided_once(db: TestDb) {
        let (caller, listing) = (moderator(), Ambient::system().new_id());
        decide(db, &caller, listing, 1, rejection()).await.unwrap();
        let again = decide(db, &moderator(), listing, 1, Verdict::approval()).await.unwrap_err();
        assert!(matches!(again, ModerationError::AlreadyDecided));
        assert_eq!((again.kind(), again.code()), (ErrorKind::Conflict, "already_decided"));
        decide(db, &moderator(), listing, 2, Verdict::approval()).await.unwrap();
        decide(db, &moderator(), Ambient::system().new_id(), 1, Verdict::approval()).await.unwrap();
        let history = moderation(db).reviews_of(listing).await.unwrap();
        let decisions: Vec<_> = history.iter().map(|review| (review.listing_version, review.decision)).collect();
        assert_eq!(decisions, [(2, Decision::Approved), (1, Decision::Rejected)]);
    }

    async fn of_eight_moderators_at_once_one_decides(db: TestDb) {
        let listing = Ambient::system().new_id();
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let db = db.database().clone();
                let verdict = if n % 2 == 0 { Verdict::approval() } else { rejection() };
                tokio::spawn(async move { decide(&db, &moderator(), listing, 1, verdict).await })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(review) => won.push(review),
                Err(error) => assert!(matches!(error, ModerationError::AlreadyDecided), "{error}"),
            }
        }
        assert_eq!(won.len(), 1);
        assert_eq!(moderation(db).reviews_of(listing).await.unwrap(), won);
        assert_eq!(records(db).await, 1, "who did not decide left no record");
    }

    async fn a_decision_that_is_rolled_back_leaves_nothing(db: TestDb) {
        let (caller, listing) = (moderator(), Ambient::system().new_id());
        let moderation = moderation(db);
        let result: Result<(), _> = db
            .in_txn(async |txn| {
                let new = NewDecision { listing, listing_version: 1, verdict: Verdict::approval() };
                moderation.record_decision_in_txn(txn, &caller, new).await?;
                Err(ModerationError::AlreadyDecided)
            })
            .await;
        assert!(result.is_err());
        assert!(moderation.reviews_of(listing).await.unwrap().is_empty());
        assert_eq!(records(db).await, 0);
        decide(db, &caller, listing, 1, Verdict::approval()).await.unwrap();
    }

    async fn the_marketplace_itself_may_decide(db: TestDb) {
        let listing = Ambient::system().new_id();
        let review = decide(db, &Caller::system("auto-approve"), listing, 1, Verdict::approval()).await.unwrap();
        assert_eq!(review.moderator_id, None);
        assert_eq!(moderation(db).reviews_of(listing).await.unwrap(), [review]);
    }

    async fn the_database_itself_refuses_a_rejection_without_a_reason(db: TestDb) {
        let insert = db.engine().statement(
            "INSERT INTO reviews (id, listing_id, listing_version, decision, decided_at) VALUES (?, ?, 1, 'REJECTED', ?)",
            [Ambient::system().new_uuid().into(), Ambient::system().new_uuid().into(), Ambient::system().now().into()],
        );
        assert!(db.schema_connection().execute_raw(insert).await.is_err());
    }
}
