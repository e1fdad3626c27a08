//! Listings as clients see them.

use chrono::{DateTime, Utc};
use kernel::{CategoryId, ListingId, Money, UserId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Condition, ListingStatus};
use crate::boost::ProminentListings;
use crate::photo::PhotoView;

/// Where a thing is.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocationView {
    /// City.
    #[schema(example = "Pune")]
    pub city: String,
    /// State.
    #[schema(example = "Maharashtra")]
    pub state: String,
    /// PIN code.
    #[schema(example = "411001")]
    pub pincode: Option<String>,
    /// Degrees north, rounded to three decimals.
    #[schema(example = 18.52)]
    pub latitude: Option<f64>,
    /// Degrees east, rounded to three decimals.
    #[schema(example = 73.857)]
    pub longitude: Option<f64>,
}

/// What the last review said; its seller and staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewFacts {
    /// When it was reviewed.
    pub at: DateTime<Utc>,
    /// Why it was rejected, as a code; null when it was approved.
    #[schema(example = "prohibited_item")]
    pub reason: Option<String>,
    /// What the moderator wrote to the seller.
    pub note: Option<String>,
}

/// A listing in full.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListingView {
    /// Its id.
    pub id: ListingId,
    /// Who sells it.
    pub seller_id: UserId,
    /// The category it stands in.
    pub category_id: CategoryId,
    /// What it is.
    #[schema(example = "iPhone 13, 128 GB, with box")]
    pub title: String,
    /// All about it, as plain text.
    #[schema(example = "Bought in January, always in a case, battery at 90 %. With box, charger and bill.")]
    pub description: String,
    /// What it costs.
    pub price: Money,
    /// Whether the price can be talked about.
    pub negotiable: bool,
    /// In what condition it is.
    pub condition: Condition,
    /// Where it is.
    pub location: LocationView,
    /// What its category asks, by name.
    #[schema(value_type = Object, example = json!({"brand": "Apple", "storage": 128}))]
    pub attributes: Box<RawValue>,
    /// Its photos, in the seller's order.
    pub photos: Vec<PhotoView>,
    /// Where it stands in its life.
    pub status: ListingStatus,
    /// How often it was looked at; some seconds old.
    pub views: i64,
    /// How many buyers asked for the seller's number, counted once a day each.
    pub contact_views: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When everybody could see it first.
    pub published_at: Option<DateTime<Utc>>,
    /// When its time runs out.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was sold.
    pub sold_at: Option<DateTime<Utc>>,
    /// Until when it is boosted; null when it is not.
    pub boosted_until: Option<DateTime<Utc>>,
    /// Until when it is among the featured ones; null when it is not.
    pub featured_until: Option<DateTime<Utc>>,
    /// Whether it is to be shown in another colour.
    pub highlighted: bool,
    /// Whether it is renewed by itself.
    pub auto_renew: bool,
    /// How often it was renewed.
    pub renew_count: i32,
    /// What the last review said; null for others than its seller and staff.
    pub review: Option<ReviewFacts>,
    /// Grows with each change.
    #[schema(example = 1)]
    pub version: i64,
}

/// A listing in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListingCard {
    /// Its id.
    pub id: ListingId,
    /// The category it stands in.
    pub category_id: CategoryId,
    /// What it is.
    #[schema(example = "iPhone 13, 128 GB, with box")]
    pub title: String,
    /// What it costs.
    pub price: Money,
    /// Whether the price can be talked about.
    pub negotiable: bool,
    /// In what condition it is.
    pub condition: Condition,
    /// Where it is.
    #[schema(example = "Pune")]
    pub city: String,
    /// Its first photo, at most 480 pixels on the longer side.
    #[schema(example = "/media/fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9.jpg")]
    pub photo_url: Option<String>,
    /// Where it stands in its life.
    pub status: ListingStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When everybody could see it first.
    pub published_at: Option<DateTime<Utc>>,
    /// Until when it is boosted; null when it is not. A few seconds old at most.
    pub boosted_until: Option<DateTime<Utc>>,
    /// Until when it is among the featured ones; null when it is not.
    pub featured_until: Option<DateTime<Utc>>,
    /// Whether it is to be shown in another colour.
    pub highlighted: bool,
}

impl ListingCard {
    /// Shows what is in force for it.
    pub(super) fn show(&mut self, prominent: &ProminentListings, now: DateTime<Utc>) {
        if let Some(prominence) = prominent.of(self.id) {
            self.boosted_until = prominence.boosted_until(now);
            self.featured_until = prominence.featured_until(now);
            self.highlighted = prominence.is_highlighted(now);
        }
    }
}

/// One of one's own listings in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnListing {
    /// What others see of it.
    #[serde(flatten)]
    pub card: ListingCard,
    /// When its time runs out.
    pub expires_at: Option<DateTime<Utc>>,
    /// How often it was looked at.
    pub views: i64,
    /// How many buyers asked for the number.
    pub contact_views: i64,
    /// Why it was rejected, as a code.
    #[schema(example = "prohibited_item")]
    pub review_reason: Option<String>,
}
