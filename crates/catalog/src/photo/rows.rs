//! The SQL of photos and of their files.

use chrono::{DateTime, Utc};
use kernel::{ListingId, PhotoId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::{AttachedPhoto, BlobName};

/// A photo as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhotoRow {
    pub photo: AttachedPhoto,
    /// The listing it stands on, and where.
    pub place: Option<(ListingId, i32)>,
}

impl PhotoRow {
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let pixels = |column: &str| -> Result<u32, StoreError> {
            let value: i32 = row.try_get("", column)?;
            u32::try_from(value).map_err(|error| StoreError::Corrupt(format!("photos.{column}: {error}")))
        };
        let listing: Option<Uuid> = row.try_get("", "listing_id")?;
        let position: Option<i32> = row.try_get("", "position")?;
        Ok(Self {
            photo: AttachedPhoto {
                id: PhotoId::from(row.try_get::<Uuid>("", "id")?),
                thumb: row.try_get("", "thumb_name")?,
                card: row.try_get("", "card_name")?,
                full: row.try_get("", "full_name")?,
                width: pixels("width")?,
                height: pixels("height")?,
            },
            place: listing.map(ListingId::from).zip(position),
        })
    }
}

/// Locks the owner's photos among those asked for, and all that stand on the listing, in the order of their ids.
pub(super) async fn lock_candidates(
    txn: &DatabaseTransaction,
    owner: UserId,
    listing: ListingId,
    photos: &[PhotoId],
) -> Result<Vec<PhotoRow>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let asked_for = if photos.is_empty() {
        String::new()
    } else {
        format!(" OR id IN ({})", Engine::placeholders(photos.len()))
    };
    let sql = format!(
        "SELECT id, listing_id, position, width, height, thumb_name, card_name, full_name FROM photos \
         WHERE owner_id = ? AND (listing_id = ?{asked_for}) ORDER BY id{}",
        engine.for_update()
    );
    let values =
        [owner.uuid(), listing.uuid()].into_iter().chain(photos.iter().map(|id| id.uuid())).map(Value::from);
    let rows = txn.query_all_raw(engine.statement(&sql, values)).await?;
    rows.iter().map(PhotoRow::read).collect()
}

/// Puts a locked photo onto a listing.
pub(super) async fn place(
    txn: &DatabaseTransaction,
    photo: PhotoId,
    listing: ListingId,
    position: i32,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE photos SET listing_id = ?, position = ?, free_since = NULL WHERE id = ?",
        [listing.uuid().into(), position.into(), photo.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Takes a locked photo off its listing.
pub(super) async fn set_free(
    txn: &DatabaseTransaction,
    photo: PhotoId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE photos SET listing_id = NULL, position = NULL, free_since = ? WHERE id = ?",
        [now.into(), photo.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// How many of the person's photos stand on no listing.
pub(super) async fn count_free(db: &impl ConnectionTrait, owner: UserId) -> Result<i64, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT COUNT(*) AS n FROM photos WHERE owner_id = ? AND listing_id IS NULL",
        [owner.uuid().into()],
    );
    let row = db.query_one_raw(select).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0))
}

/// Makes the person's other uploads wait until this transaction ends.
pub(super) async fn lock_owner(txn: &DatabaseTransaction, owner: UserId) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let select = format!("SELECT owner_id FROM photo_owners WHERE owner_id = ?{}", engine.for_update());
    let lock = engine.statement(&select, [owner.uuid().into()]);
    if txn.query_one_raw(lock.clone()).await?.is_some() {
        return Ok(());
    }
    let insert = engine.statement("INSERT INTO photo_owners (owner_id) VALUES (?)", [owner.uuid().into()]);
    // Inserting locks the row too; whoever was quicker has committed, so there is one to lock.
    if !insert_if_absent(txn, insert).await? {
        txn.query_one_raw(lock).await?;
    }
    Ok(())
}

/// Writes a photo that stands on no listing yet.
pub(super) async fn insert(
    txn: &DatabaseTransaction,
    owner: UserId,
    photo: &AttachedPhoto,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let pixels = |value: u32| Value::from(i32::try_from(value).unwrap_or(i32::MAX));
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO photos (id, owner_id, width, height, thumb_name, card_name, full_name, created_at, free_since) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            photo.id.uuid().into(),
            owner.uuid().into(),
            pixels(photo.width),
            pixels(photo.height),
            photo.thumb.as_str().into(),
            photo.card.as_str().into(),
            photo.full.as_str().into(),
            now.into(),
            now.into(),
        ],
    );
    txn.execute_raw(insert).await?;
    Ok(())
}

/// Notes that a file is about to be written, or needed again, and is not to be deleted before `check_at`.
pub(super) async fn announce_blob(
    txn: &DatabaseTransaction,
    name: &BlobName,
    check_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let update = engine.statement(
        "UPDATE photo_blobs SET check_at = ? WHERE name = ?",
        [check_at.into(), name.as_str().into()],
    );
    if txn.execute_raw(update.clone()).await?.rows_affected() == 1 {
        return Ok(());
    }
    let insert = engine.statement(
        "INSERT INTO photo_blobs (name, check_at) VALUES (?, ?)",
        [name.as_str().into(), check_at.into()],
    );
    if !insert_if_absent(txn, insert).await? {
        txn.execute_raw(update).await?;
    }
    Ok(())
}

/// Deletes photos that have stood on no listing since before `cutoff`; has their files looked at from `check_at` on.
pub(super) async fn delete_forgotten(
    txn: &DatabaseTransaction,
    cutoff: DateTime<Utc>,
    check_at: DateTime<Utc>,
    batch: u32,
) -> Result<usize, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id, listing_id, position, width, height, thumb_name, card_name, full_name FROM photos \
         WHERE free_since < ? ORDER BY free_since LIMIT ?{}",
        engine.for_update_skip_locked()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [cutoff.into(), i64::from(batch).into()])).await?;
    let rows: Vec<PhotoRow> = rows.iter().map(PhotoRow::read).collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return Ok(0);
    }
    let sql = format!("DELETE FROM photos WHERE id IN ({})", Engine::placeholders(rows.len()));
    let ids = rows.iter().map(|row| row.photo.id.uuid().into());
    txn.execute_raw(engine.statement(&sql, ids)).await?;
    let names: Vec<&str> = rows
        .iter()
        .flat_map(|row| [&row.photo.thumb, &row.photo.card, &row.photo.full])
        .map(String::as_str)
        .collect();
    let sql =
        format!("UPDATE photo_blobs SET check_at = ? WHERE name IN ({})", Engine::placeholders(names.len()));
    let values = std::iter::once(Value::from(check_at)).chain(names.into_iter().map(Value::from));
    txn.execute_raw(engine.statement(&sql, values)).await?;
    Ok(rows.len())
}

/// Files that are to be looked at by now.
pub(super) async fn blobs_to_check(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    batch: u32,
) -> Result<Vec<BlobName>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT name FROM photo_blobs WHERE check_at <= ? ORDER BY check_at LIMIT ?",
        [now.into(), i64::from(batch).into()],
    );
    let rows = db.query_all_raw(select).await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get("", "name")?;
            BlobName::parse(&name).ok_or_else(|| StoreError::Corrupt(format!("photo_blobs.name: {name}")))
        })
        .collect()
}

/// Locks the file's row; tells whether it is still to be looked at by now.
pub(super) async fn lock_blob_to_check(
    txn: &DatabaseTransaction,
    name: &BlobName,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!("SELECT name FROM photo_blobs WHERE name = ? AND check_at <= ?{}", engine.for_update());
    let select = engine.statement(&sql, [name.as_str().into(), now.into()]);
    Ok(txn.query_one_raw(select).await?.is_some())
}

/// Whether any photo shows the file.
pub(super) async fn is_shown(txn: &DatabaseTransaction, name: &BlobName) -> Result<bool, StoreError> {
    let select = Engine::of(txn.get_database_backend()).statement(
        "SELECT 1 AS shown FROM photos WHERE thumb_name = ? OR card_name = ? OR full_name = ? LIMIT 1",
        [name.as_str().into(), name.as_str().into(), name.as_str().into()],
    );
    Ok(txn.query_one_raw(select).await?.is_some())
}

/// Notes that the file is shown: it is looked at again when one of its photos goes.
pub(super) async fn settle_blob(txn: &DatabaseTransaction, name: &BlobName) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend())
        .statement("UPDATE photo_blobs SET check_at = NULL WHERE name = ?", [name.as_str().into()]);
    txn.execute_raw(update).await?;
    Ok(())
}

/// Deletes the file's row; the foreign keys refuse it while a photo shows the file.
pub(super) async fn delete_blob(txn: &DatabaseTransaction, name: &BlobName) -> Result<(), StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM photo_blobs WHERE name = ?", [name.as_str().into()]);
    txn.execute_raw(delete).await?;
    Ok(())
}
