//! Buyers who ask for a seller's number: on record, once per listing and day, and not without end.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use kernel::{ListingId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde_json::json;
use store::{Engine, insert_if_absent};
use uuid::Uuid;

use super::{ListingStatus, rows};
use crate::events::{self, Facts};
use crate::{Catalog, CatalogError};

/// Indian Standard Time is 5:30 ahead of UTC, without daylight saving.
const IST_SECONDS: i32 = 19_800;

/// The day in India on which caps are counted.
pub fn contact_day(now: DateTime<Utc>) -> NaiveDate {
    match FixedOffset::east_opt(IST_SECONDS) {
        Some(ist) => now.with_timezone(&ist).date_naive(),
        None => now.date_naive(),
    }
}

/// A buyer who may be told the seller's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// Whose number it is.
    pub seller: UserId,
    /// Whether the buyer asks for it the first time today.
    pub is_first_today: bool,
}

impl Catalog {
    /// Who sells an ACTIVE listing.
    ///
    /// # Errors
    /// When there is no such listing, or it is not ACTIVE.
    pub async fn seller_of(&self, listing: ListingId) -> Result<UserId, CatalogError> {
        Ok(offer(self.db.reader()?, listing).await?.0)
    }

    /// Records that a buyer asks for the number of a listing's seller, and counts it: at most `daily_cap` listings
    /// per buyer and day. Asking again on the same day is free. Tells it as `listing.contacted` the first time.
    ///
    /// # Errors
    /// When the listing is not ACTIVE or the buyer's own, or the cap is reached.
    pub async fn record_contact_in_txn(
        &self,
        txn: &DatabaseTransaction,
        listing: ListingId,
        buyer: UserId,
        day: NaiveDate,
        daily_cap: u32,
    ) -> Result<Contact, CatalogError> {
        let engine = Engine::of(txn.get_database_backend());
        let (seller, offer) = offer(txn, listing).await?;
        if seller == buyer {
            return Err(CatalogError::OwnContact);
        }
        let now = self.ambient.now();
        let record = engine.statement(
            "INSERT INTO listing_contacts (listing_id, buyer_id, day, created_at) VALUES (?, ?, ?, ?)",
            [listing.uuid().into(), buyer.uuid().into(), day.into(), now.into()],
        );
        if !insert_if_absent(txn, record).await? {
            return Ok(Contact { seller, is_first_today: false });
        }
        self.use_quota(txn, buyer, day, daily_cap).await?;
        let count = "UPDATE listing_stats SET contact_views = contact_views + 1 WHERE listing_id = ?";
        txn.execute_raw(engine.statement(count, [listing.uuid().into()])).await?;
        let more = json!({"buyerId": buyer});
        events::tell_in_txn(txn, &self.ambient, events::CONTACTED, offer.facts(listing, seller), more)
            .await?;
        Ok(Contact { seller, is_first_today: true })
    }

    /// Takes one of the buyer's contacts of the day, if one is left: a guarded update, so that no number of
    /// simultaneous requests takes more.
    async fn use_quota(
        &self,
        txn: &DatabaseTransaction,
        buyer: UserId,
        day: NaiveDate,
        daily_cap: u32,
    ) -> Result<(), CatalogError> {
        let engine = Engine::of(txn.get_database_backend());
        let cap = i32::try_from(daily_cap).unwrap_or(i32::MAX);
        let key = [Value::from(buyer.uuid()), day.into()];
        // The first contact of the day finds no row, and may find that another has just made it.
        for _ in 0..3 {
            let take =
                "UPDATE contact_quotas SET used = used + 1 WHERE buyer_id = ? AND day = ? AND used < ?";
            let values = key.iter().cloned().chain([cap.into()]);
            if txn.execute_raw(engine.statement(take, values)).await?.rows_affected() == 1 {
                return Ok(());
            }
            let select = "SELECT used FROM contact_quotas WHERE buyer_id = ? AND day = ?";
            match txn.query_one_raw(engine.statement(select, key.clone())).await? {
                Some(row) if row.try_get::<i32>("", "used")? >= cap => break,
                Some(_) => {}
                None => {
                    let open = "INSERT INTO contact_quotas (buyer_id, day, used) VALUES (?, ?, 0)";
                    insert_if_absent(txn, engine.statement(open, key.clone())).await?;
                }
            }
        }
        Err(CatalogError::ContactCapReached { retry_after: until_next_day(self.ambient.now(), day) })
    }
}

/// What the event tells of the listing.
struct Offer {
    category: Uuid,
    title: String,
}

impl Offer {
    fn facts(&self, id: ListingId, seller: UserId) -> Facts<'_> {
        Facts {
            id,
            seller,
            category: self.category.into(),
            title: &self.title,
            status: ListingStatus::Active,
        }
    }
}

async fn offer(db: &impl ConnectionTrait, id: ListingId) -> Result<(UserId, Offer), CatalogError> {
    let statement = Engine::of(db.get_database_backend()).statement(
        "SELECT seller_id, category_id, title, status FROM listings WHERE id = ?",
        [id.uuid().into()],
    );
    let row = db.query_one_raw(statement).await?.ok_or(CatalogError::ListingNotFound)?;
    if rows::read_word::<ListingStatus>(&row, "status")? != ListingStatus::Active {
        return Err(CatalogError::ListingNotFound);
    }
    let offer = Offer { category: row.try_get("", "category_id")?, title: row.try_get("", "title")? };
    Ok((row.try_get::<Uuid>("", "seller_id")?.into(), offer))
}

fn until_next_day(now: DateTime<Utc>, day: NaiveDate) -> std::time::Duration {
    let midnight = day
        .succ_opt()
        .and_then(|next| next.and_hms_opt(0, 0, 0))
        .map(|midnight| midnight.and_utc() - TimeDelta::seconds(i64::from(IST_SECONDS)));
    midnight.and_then(|midnight| (midnight - now).to_std().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_at_midnight_in_india() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(contact_day(at("2026-01-01T18:29:59Z")).to_string(), "2026-01-01");
        assert_eq!(contact_day(at("2026-01-01T18:30:00Z")).to_string(), "2026-01-02");
        let now = at("2026-01-01T18:00:00Z");
        assert_eq!(until_next_day(now, contact_day(now)).as_secs(), 1_800);
    }
}
