//! Listings: things offered for sale, from draft to sale, and how they are found.
//!
//! Invariants:
//! - A listing changes state only as [`rules`] says, while its row is locked.
//! - Only its seller changes what a listing says; to everybody else it does not exist unless it is ACTIVE, staff aside.
//! - What was reviewed and then changed is reviewed again, unless its category needs no review.
//! - What changes often, views and contacts, lives in a table that no list scans.

mod contact;
mod create;
mod detail;
mod edit;
mod expire;
mod fields;
mod get;
mod lifecycle;
mod mine;
mod prepare;
mod remind;
mod review;
mod rows;
pub mod rules;
mod search;
mod sellers;
mod status;
mod view;
mod views;
mod withdraw;
mod word_index;
mod words;

use kernel::{CategoryId, PhotoId};
use serde_json::{Map, Value as Json};

pub use contact::{Contact, contact_day};
pub use create::NewListing;
pub use expire::Expired;
pub use fields::{Description, Location, Pincode, Place, Point, Price, Title};
pub use review::{Decision, PendingListing, Reviewed};
pub use search::{AttributeFilters, ListingFilters, ListingQuery, ListingSort, SortOrder};
pub use status::{Condition, ListingStatus};
pub use view::{ListingCard, ListingView, LocationView, OwnListing, ReviewFacts};
pub(crate) use views::ViewCounter;
pub use words::SearchWords;

/// What a seller writes of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ListingInput {
    /// The category it stands in.
    pub category: CategoryId,
    /// What it is.
    pub title: Title,
    /// All about it.
    pub description: Description,
    /// What it costs.
    pub price: Price,
    /// Whether the price can be talked about.
    pub negotiable: bool,
    /// In what condition it is.
    pub condition: Condition,
    /// Where it is.
    pub location: Location,
    /// What its category asks, by name; checked against the category when it is written.
    pub attributes: Map<String, Json>,
    /// Its photos, the first of which is shown in lists.
    pub photos: Vec<PhotoId>,
    /// Whether it is renewed by itself when its time runs out, [`rules::MAX_AUTO_RENEWALS`] times at most.
    pub auto_renew: bool,
}

/// The settings that bear on listings; whoever calls has read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingSettings {
    /// `max_images_per_listing`.
    pub max_images: usize,
    /// `listing_expiry_days`, for categories that do not say.
    pub expiry_days: u32,
}

impl Default for ListingSettings {
    fn default() -> Self {
        Self { max_images: 10, expiry_days: 30 }
    }
}
