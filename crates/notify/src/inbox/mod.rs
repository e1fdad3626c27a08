//! The inbox: what somebody was told, newest first, until they delete it.

mod list;
mod mark;
mod rows;

use chrono::{DateTime, Utc};
use kernel::NotificationId;
use serde::Serialize;
use serde_json::Value as Json;

use crate::Category;

pub(crate) use rows::{NewRow, forget, insert, merge};

/// Which notifications to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// Only those that were not read.
    pub unread: bool,
    /// Only those of this category.
    pub category: Option<Category>,
}

/// A notification as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationView {
    /// Its id.
    pub id: NotificationId,
    /// What it is about, dotted.
    #[schema(example = "listing.approved")]
    pub kind: String,
    /// What people choose about together.
    #[schema(example = "listings")]
    pub category: String,
    /// One line.
    #[schema(example = "Your listing is live")]
    pub title: String,
    /// A sentence or two.
    #[schema(example = "“Red bicycle” was approved and is now shown to buyers.")]
    pub body: String,
    /// Where it leads inside the app: a path.
    #[schema(example = "/listings/018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    pub action: Option<String>,
    /// The facts behind the words, for clients that write their own.
    #[schema(value_type = Object)]
    pub data: Json,
    /// The language that it is in: `en` or `hi`.
    #[schema(example = "en")]
    pub language: String,
    /// How many events it tells of.
    #[schema(example = 1)]
    pub count: i32,
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When the last event was merged into it.
    pub updated_at: DateTime<Utc>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
    /// When its action was followed.
    pub clicked_at: Option<DateTime<Utc>>,
}
