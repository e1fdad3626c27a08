//! The SQL of one listing: written, and locked to be changed.

use chrono::{DateTime, Utc};
use kernel::{CategoryId, ListingId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::rules::Standing;
use super::{ListingInput, ListingStatus, Point, ReviewFacts};
use crate::category::{self, AttributeValues};
use crate::photo::AttachedPhoto;

/// What a use case needs to know of a listing whose row it has locked.
#[derive(Debug, Clone)]
pub(super) struct LockedListing {
    pub(super) id: ListingId,
    pub(super) seller: UserId,
    pub(super) category: CategoryId,
    pub(super) title: String,
    pub(super) description: String,
    /// JSON, in the order of the category at the time.
    pub(super) attributes: String,
    pub(super) photos: Vec<AttachedPhoto>,
    pub(super) auto_renew: bool,
    pub(super) standing: Standing,
    pub(super) version: i64,
}

/// Reads a listing and keeps everybody else from changing it until the transaction ends.
pub(super) async fn lock(
    txn: &DatabaseTransaction,
    id: ListingId,
) -> Result<Option<LockedListing>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT seller_id, category_id, title, description, attributes, photos, auto_renew, status, published_at, \
         listed_at, expires_at, sold_at, renew_count, version FROM listings WHERE id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await?;
    row.map(|row| {
        Ok(LockedListing {
            id,
            seller: row.try_get::<Uuid>("", "seller_id")?.into(),
            category: row.try_get::<Uuid>("", "category_id")?.into(),
            title: row.try_get("", "title")?,
            description: row.try_get("", "description")?,
            attributes: row.try_get("", "attributes")?,
            photos: read_photos(&row)?,
            auto_renew: row.try_get("", "auto_renew")?,
            standing: Standing {
                status: read_word(&row, "status")?,
                published_at: row.try_get("", "published_at")?,
                listed_at: row.try_get("", "listed_at")?,
                expires_at: row.try_get("", "expires_at")?,
                sold_at: row.try_get("", "sold_at")?,
                renew_count: row.try_get("", "renew_count")?,
            },
            version: row.try_get("", "version")?,
        })
    })
    .transpose()
}

const CONTENT: [&str; 17] = [
    "category_id",
    "title",
    "description",
    "price",
    "negotiable",
    "item_condition",
    "city",
    "state",
    "city_key",
    "state_key",
    "pincode",
    "latitude_e3",
    "longitude_e3",
    "auto_renew",
    "attributes",
    "photos",
    "cover",
];

const STANDING: [&str; 6] = ["status", "published_at", "listed_at", "expires_at", "sold_at", "renew_count"];

/// A seller's input in the form of the columns of `CONTENT`.
pub(super) fn content(input: &ListingInput, attributes_json: &str, photos: &[AttachedPhoto]) -> Vec<Value> {
    let place = &input.location;
    // Ids, names and numbers always serialise.
    let photos_json = serde_json::to_string(photos).unwrap_or_default();
    vec![
        input.category.uuid().into(),
        input.title.as_str().into(),
        input.description.as_str().into(),
        input.price.money().amount().into(),
        input.negotiable.into(),
        input.condition.as_str().into(),
        place.city.as_str().into(),
        place.state.as_str().into(),
        place.city.key().into(),
        place.state.key().into(),
        place.pincode.as_ref().map(|pincode| pincode.as_str().to_owned()).into(),
        place.point.map(Point::latitude_e3).into(),
        place.point.map(Point::longitude_e3).into(),
        input.auto_renew.into(),
        attributes_json.into(),
        photos_json.into(),
        photos.first().map(|photo| photo.card.clone()).into(),
    ]
}

fn standing_values(standing: &Standing) -> [Value; 6] {
    [
        standing.status.as_str().into(),
        standing.published_at.into(),
        standing.listed_at.into(),
        standing.expires_at.into(),
        standing.sold_at.into(),
        standing.renew_count.into(),
    ]
}

/// Writes a new listing and its empty statistics.
pub(super) async fn insert(
    txn: &DatabaseTransaction,
    id: ListingId,
    seller: UserId,
    content: Vec<Value>,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "INSERT INTO listings ({}, {}, id, seller_id, created_at, updated_at, version) VALUES ({}, 1)",
        CONTENT.join(", "),
        STANDING.join(", "),
        Engine::placeholders(CONTENT.len() + STANDING.len() + 4),
    );
    let mut values = content;
    values.extend(standing_values(standing));
    values.extend([id.uuid().into(), seller.uuid().into(), now.into(), now.into()]);
    txn.execute_raw(engine.statement(&sql, values)).await?;
    let stats = "INSERT INTO listing_stats (listing_id, views, contact_views) VALUES (?, 0, 0)";
    txn.execute_raw(engine.statement(stats, [id.uuid().into()])).await?;
    Ok(())
}

/// Writes the seller's changes and the standing that follows. The row must be locked.
pub(super) async fn update(
    txn: &DatabaseTransaction,
    id: ListingId,
    content: Vec<Value>,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let columns: Vec<&str> = CONTENT.into_iter().chain(STANDING).collect();
    let mut values = content;
    values.extend(standing_values(standing));
    set(txn, id, &columns, values, now).await
}

/// Writes a new standing. The row must be locked.
pub(super) async fn update_standing(
    txn: &DatabaseTransaction,
    id: ListingId,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    set(txn, id, &STANDING, standing_values(standing).into(), now).await
}

/// Writes a decision and the standing that follows. The row must be locked.
pub(super) async fn update_review(
    txn: &DatabaseTransaction,
    id: ListingId,
    standing: &Standing,
    review: &ReviewFacts,
) -> Result<(), StoreError> {
    let columns: Vec<&str> =
        STANDING.into_iter().chain(["reviewed_at", "review_reason", "review_note"]).collect();
    let mut values = Vec::from(standing_values(standing));
    values.extend([review.at.into(), review.reason.clone().into(), review.note.clone().into()]);
    set(txn, id, &columns, values, review.at).await
}

async fn set(
    txn: &DatabaseTransaction,
    id: ListingId,
    columns: &[&str],
    mut values: Vec<Value>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let assignments: Vec<String> = columns.iter().map(|column| format!("{column} = ?")).collect();
    let sql = format!(
        "UPDATE listings SET {}, updated_at = ?, version = version + 1 WHERE id = ?",
        assignments.join(", ")
    );
    values.extend([now.into(), id.uuid().into()]);
    let statement = Engine::of(txn.get_database_backend()).statement(&sql, values);
    Ok(txn.execute_raw(statement).await.map(drop)?)
}

/// Files a listing under these attributes, instead of those before.
pub(super) async fn replace_attributes(
    txn: &DatabaseTransaction,
    id: ListingId,
    attributes: &AttributeValues,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let delete = "DELETE FROM listing_attributes WHERE listing_id = ?";
    txn.execute_raw(engine.statement(delete, [id.uuid().into()])).await?;
    let mut values: Vec<Value> = Vec::new();
    let mut rows = Vec::new();
    for (name, value) in attributes.index_values() {
        rows.push("(?, ?, ?)");
        values.extend([id.uuid().into(), name.into(), value.into()]);
    }
    if !rows.is_empty() {
        let insert =
            format!("INSERT INTO listing_attributes (listing_id, name, value) VALUES {}", rows.join(", "));
        txn.execute_raw(engine.statement(&insert, values)).await?;
    }
    Ok(())
}

/// Counts a listing out of the category that it was ACTIVE in and into the one that it is ACTIVE in.
pub(super) async fn recount(
    txn: &DatabaseTransaction,
    was: Option<CategoryId>,
    is: Option<CategoryId>,
) -> Result<(), StoreError> {
    if was == is {
        return Ok(());
    }
    let mut changes: Vec<(CategoryId, i64)> =
        was.map(|id| (id, -1)).into_iter().chain(is.map(|id| (id, 1))).collect();
    changes.sort_unstable();
    for (id, change) in changes {
        category::rows::add_to_count(txn, id, change).await?;
    }
    Ok(())
}

/// The category, if the standing makes the listing count in it.
pub(super) fn counted(standing: &Standing, category: CategoryId) -> Option<CategoryId> {
    (standing.status == ListingStatus::Active).then_some(category)
}

/// The photos that a row keeps.
pub(super) fn read_photos(row: &QueryResult) -> Result<Vec<AttachedPhoto>, StoreError> {
    let json: String = row.try_get("", "photos")?;
    serde_json::from_str(&json).map_err(|error| StoreError::Corrupt(format!("a listing's photos: {error}")))
}

/// A column that holds one of a few words.
pub(super) fn read_word<T: std::str::FromStr>(row: &QueryResult, column: &str) -> Result<T, StoreError> {
    let word: String = row.try_get("", column)?;
    word.parse().ok().ok_or_else(|| StoreError::Corrupt(format!("a listing's {column}: {word}")))
}
