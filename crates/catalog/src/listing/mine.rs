//! A seller's own listings, in every state but deleted.

use chrono::{DateTime, Utc};
use kernel::{ListingId, Page, Paging, TypedId, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use serde::{Deserialize, Serialize};
use store::{Engine, StoreError};

use super::search::{CARD, read_card};
use super::{ListingStatus, OwnListing};
use crate::photo::MediaUrls;
use crate::{Catalog, CatalogError};

/// Where the list was left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    created_micros: i64,
    id: ListingId,
}

impl Catalog {
    /// The seller's listings, those made last first; of one status, or of all but DELETED.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn my_listings(
        &self,
        seller: UserId,
        status: Option<ListingStatus>,
        paging: &Paging,
    ) -> Result<Page<OwnListing>, CatalogError> {
        let scope = format!("my-listings:{seller}:{}", status.map_or("", ListingStatus::as_str));
        let (now, prominent) = (self.ambient.now(), self.prominent_listings().await?);
        let reader = self.db.reader()?;
        let engine = self.db.engine();
        let mut condition = "l.seller_id = ? AND l.status <> 'DELETED'".to_owned();
        let mut values: Vec<Value> = vec![seller.uuid().into()];
        if let Some(status) = status {
            condition += " AND l.status = ?";
            values.push(status.as_str().into());
        }
        match paging {
            Paging::Numbered { page, limit } => {
                let count = format!("SELECT COUNT(*) AS total FROM listings l WHERE {condition}");
                let row = reader.query_one_raw(engine.statement(&count, values.clone())).await?;
                let total: i64 = row.map(|row| row.try_get("", "total")).transpose()?.unwrap_or_default();
                let statement = select(engine, &condition, values, *limit, paging.offset());
                let mut listings = read_all(&reader.query_all_raw(statement).await?, &self.config.media)?;
                listings.iter_mut().for_each(|own| own.card.show(&prominent, now));
                Ok(Page::numbered(listings, *page, *limit, u64::try_from(total).unwrap_or_default()))
            }
            Paging::After { cursor, limit } => {
                if let Some(cursor) = cursor {
                    let at: Position = self.config.cursors.open(&scope, cursor)?;
                    condition += " AND l.created_at <= ? AND (l.created_at < ? OR l.id < ?)";
                    let created_at: DateTime<Utc> =
                        DateTime::from_timestamp_micros(at.created_micros).unwrap_or_default();
                    values.extend([created_at.into(), created_at.into(), at.id.uuid().into()]);
                }
                let statement = select(engine, &condition, values, limit + 1, 0);
                let mut listings = read_all(&reader.query_all_raw(statement).await?, &self.config.media)?;
                listings.iter_mut().for_each(|own| own.card.show(&prominent, now));
                Ok(Page::feed(listings, *limit, |last| {
                    let position = Position {
                        created_micros: last.card.created_at.timestamp_micros(),
                        id: last.card.id,
                    };
                    self.config.cursors.seal(&scope, &position)
                }))
            }
        }
    }
}

fn select(engine: Engine, condition: &str, values: Vec<Value>, rows: u32, offset: u64) -> sea_orm::Statement {
    let sql = format!(
        "SELECT {CARD}, l.expires_at, s.views, s.contact_views, l.review_reason FROM listings l \
         JOIN listing_stats s ON s.listing_id = l.id WHERE {condition} \
         ORDER BY l.created_at DESC, l.id DESC LIMIT {rows} OFFSET {offset}"
    );
    engine.statement(&sql, values)
}

fn read_all(rows: &[QueryResult], urls: &MediaUrls) -> Result<Vec<OwnListing>, StoreError> {
    rows.iter()
        .map(|row| {
            Ok(OwnListing {
                card: read_card(row, urls)?,
                expires_at: row.try_get("", "expires_at")?,
                views: row.try_get("", "views")?,
                contact_views: row.try_get("", "contact_views")?,
                review_reason: row.try_get("", "review_reason")?,
            })
        })
        .collect()
}
