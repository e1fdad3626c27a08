//! The SQL of one listing as it is shown, in full.

use chrono::{DateTime, Utc};
use kernel::{ListingId, Money, TypedId};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::value::RawValue;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::rows::{read_photos, read_word};
use super::{ListingView, LocationView, Point, ReviewFacts};
use crate::boost::in_force;
use crate::photo::MediaUrls;

/// A listing in full, as it is `now`; one statement.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: ListingId,
    urls: &MediaUrls,
    now: DateTime<Utc>,
) -> Result<Option<ListingView>, StoreError> {
    let sql = "SELECT l.id, l.seller_id, l.category_id, l.title, l.description, l.price, l.negotiable, \
               l.item_condition, l.city, l.state, l.pincode, l.latitude_e3, l.longitude_e3, l.attributes, l.photos, \
               l.status, l.created_at, l.updated_at, l.published_at, l.expires_at, l.sold_at, l.auto_renew, \
               l.renew_count, l.reviewed_at, l.review_reason, l.review_note, l.version, s.views, s.contact_views, \
               h.boosted_since, h.boosted_until, h.featured_since, h.featured_until, h.top_since, h.top_until, \
               h.highlighted_since, h.highlighted_until \
               FROM listings l JOIN listing_stats s ON s.listing_id = l.id \
               LEFT JOIN listing_prominence h ON h.listing_id = l.id WHERE l.id = ?";
    let statement = Engine::of(db.get_database_backend()).statement(sql, [id.uuid().into()]);
    let row = db.query_one_raw(statement).await?;
    row.map(|row| read_view(&row, urls, now)).transpose()
}

fn read_view(row: &QueryResult, urls: &MediaUrls, now: DateTime<Utc>) -> Result<ListingView, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a listing's {what}"));
    let attributes = RawValue::from_string(row.try_get("", "attributes")?);
    let review = row.try_get::<Option<DateTime<Utc>>>("", "reviewed_at")?;
    let (reason, note) = (row.try_get("", "review_reason")?, row.try_get("", "review_note")?);
    let prominence = in_force::read(row)?;
    Ok(ListingView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        seller_id: row.try_get::<Uuid>("", "seller_id")?.into(),
        category_id: row.try_get::<Uuid>("", "category_id")?.into(),
        title: row.try_get("", "title")?,
        description: row.try_get("", "description")?,
        price: Money::inr(row.try_get("", "price")?),
        negotiable: row.try_get("", "negotiable")?,
        condition: read_word(row, "item_condition")?,
        location: read_location(row)?,
        attributes: attributes.ok().ok_or_else(|| corrupt("attributes"))?,
        photos: read_photos(row)?.iter().map(|photo| photo.view(urls)).collect(),
        status: read_word(row, "status")?,
        views: row.try_get("", "views")?,
        contact_views: row.try_get("", "contact_views")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
        published_at: row.try_get("", "published_at")?,
        expires_at: row.try_get("", "expires_at")?,
        sold_at: row.try_get("", "sold_at")?,
        boosted_until: prominence.boosted_until(now),
        featured_until: prominence.featured_until(now),
        highlighted: prominence.is_highlighted(now),
        auto_renew: row.try_get("", "auto_renew")?,
        renew_count: row.try_get("", "renew_count")?,
        review: review.map(|at| ReviewFacts { at, reason, note }),
        version: row.try_get("", "version")?,
    })
}

fn read_location(row: &QueryResult) -> Result<LocationView, StoreError> {
    let latitude: Option<i64> = row.try_get("", "latitude_e3")?;
    let longitude: Option<i64> = row.try_get("", "longitude_e3")?;
    let point = latitude.zip(longitude).map(|(north, east)| Point::from_e3(north, east));
    Ok(LocationView {
        city: row.try_get("", "city")?,
        state: row.try_get("", "state")?,
        pincode: row.try_get("", "pincode")?,
        latitude: point.map(Point::latitude),
        longitude: point.map(Point::longitude),
    })
}
