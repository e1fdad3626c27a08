//! The SQL of reviews.

use kernel::{ListingId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::{Decision, ReviewView};
use crate::ReasonCode;

/// Writes the decision unless there is one on this submission.
pub(super) async fn insert(txn: &DatabaseTransaction, review: &ReviewView) -> Result<bool, StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO reviews (id, listing_id, listing_version, moderator_id, decision, reason_code, note, decided_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            review.id.uuid().into(),
            review.listing_id.uuid().into(),
            review.listing_version.into(),
            review.moderator_id.map(UserId::uuid).into(),
            review.decision.as_str().into(),
            review.reason_code.map(ReasonCode::as_str).into(),
            review.note.as_deref().into(),
            review.decided_at.into(),
        ],
    );
    insert_if_absent(txn, insert).await
}

/// The decisions on a listing, latest first.
pub(super) async fn of_listing(
    db: &impl ConnectionTrait,
    listing: ListingId,
) -> Result<Vec<ReviewView>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT id, listing_version, moderator_id, decision, reason_code, note, decided_at FROM reviews \
         WHERE listing_id = ? ORDER BY listing_version DESC",
        [listing.uuid().into()],
    );
    db.query_all_raw(select).await?.iter().map(|row| read(row, listing)).collect()
}

fn read(row: &QueryResult, listing_id: ListingId) -> Result<ReviewView, StoreError> {
    let reason_code: Option<String> = row.try_get("", "reason_code")?;
    let reason_code = reason_code.as_deref().map(read_reason).transpose()?;
    Ok(ReviewView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        listing_id,
        listing_version: row.try_get("", "listing_version")?,
        moderator_id: row.try_get::<Option<Uuid>>("", "moderator_id")?.map(UserId::from),
        decision: read_decision(&row.try_get::<String>("", "decision")?)?,
        reason_code,
        reason: reason_code.map(Into::into),
        note: row.try_get("", "note")?,
        decided_at: row.try_get("", "decided_at")?,
    })
}

fn read_decision(text: &str) -> Result<Decision, StoreError> {
    [Decision::Approved, Decision::Rejected]
        .into_iter()
        .find(|decision| decision.as_str() == text)
        .ok_or_else(|| StoreError::Corrupt(format!("a review's decision is {text}")))
}

fn read_reason(text: &str) -> Result<ReasonCode, StoreError> {
    text.parse().ok().ok_or_else(|| StoreError::Corrupt(format!("a review's reason is {text}")))
}
