//! Photos onto a listing, in the order that its seller gives them.

use chrono::{DateTime, Utc};
use kernel::{FieldErrors, InvalidInput, ListingId, PhotoId, UserId};
use sea_orm::DatabaseTransaction;

use super::rows::{self, PhotoRow};
use super::{AttachedPhoto, PhotoError};

/// The field that refusals name.
const FIELD: &str = "photoIds";

/// Puts exactly these photos onto the listing, in this order, and takes off those that stood there before. An empty
/// list takes off all of them; what is taken off is deleted a day later unless it is attached again.
///
/// Give the listing's owner, not the caller, where staff act for somebody. Fits into a transaction that writes the
/// listing's row before or after.
///
/// # Errors
/// [`PhotoError::Invalid`], naming `photoIds`, when one is given twice, or is not the owner's, or stands on another
/// listing. [`PhotoError::Store`] when the database fails: let it out of `in_txn` as the store's error, so that a
/// deadlock is tried again.
pub async fn attach_in_txn(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    owner: UserId,
    listing: ListingId,
    photos: &[PhotoId],
) -> Result<Vec<AttachedPhoto>, PhotoError> {
    refuse_repeats(photos)?;
    let rows = rows::lock_candidates(txn, owner, listing, photos).await?;
    let chosen = choose(&rows, listing, photos)?;
    for (position, row) in (0_i32..).zip(&chosen) {
        if row.place != Some((listing, position)) {
            rows::place(txn, row.photo.id, listing, position).await?;
        }
    }
    for row in &rows {
        if row.place.is_some() && !photos.contains(&row.photo.id) {
            rows::set_free(txn, row.photo.id, now).await?;
        }
    }
    Ok(chosen.into_iter().map(|row| row.photo.clone()).collect())
}

fn refuse_repeats(photos: &[PhotoId]) -> Result<(), InvalidInput> {
    let mut sorted = photos.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() == photos.len() {
        Ok(())
    } else {
        Err(InvalidInput::field(FIELD, "duplicate_photo", "must not name a photo twice"))
    }
}

/// The rows in the order asked for. Somebody else's photo is answered like one that does not exist.
fn choose<'r>(
    rows: &'r [PhotoRow],
    listing: ListingId,
    photos: &[PhotoId],
) -> Result<Vec<&'r PhotoRow>, InvalidInput> {
    let mut errors = FieldErrors::default();
    let mut chosen = Vec::with_capacity(photos.len());
    for id in photos {
        let row = rows.iter().find(|row| row.photo.id == *id);
        match row {
            Some(row) if row.place.is_none_or(|(place, _)| place == listing) => chosen.push(row),
            _ => errors.add(
                FIELD,
                "unknown_photo",
                format!("must name photos that you uploaded and that no other listing shows; {id} is none"),
            ),
        }
    }
    errors.finish().map(|()| chosen)
}
