//! In which order listings are found, and where a feed was left.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kernel::{ListingId, ParseError};
use serde::{Deserialize, Serialize};

use super::super::{ListingCard, Point};

/// What lists are ordered by, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ListingSort {
    /// When it was published; before that, when it was made.
    CreatedAt,
    /// What it costs.
    Price,
    /// How often it was looked at.
    Views,
    /// How many of the words searched for stand in the title, the newest first among equals.
    Relevance,
    /// How far it is from a point; what has no place on the map is left out.
    Distance,
}

impl ListingSort {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::CreatedAt, Self::Price, Self::Views, Self::Relevance, Self::Distance];

    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "createdAt",
            Self::Price => "price",
            Self::Views => "views",
            Self::Relevance => "relevance",
            Self::Distance => "distance",
        }
    }

    /// The direction that people expect: the newest, the most, the cheapest, the nearest first.
    pub(super) fn usual_order(self) -> SortOrder {
        match self {
            Self::CreatedAt | Self::Views | Self::Relevance => SortOrder::Desc,
            Self::Price | Self::Distance => SortOrder::Asc,
        }
    }
}

impl FromStr for ListingSort {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or_else(|| {
            let message = "must be createdAt, price, views, relevance or distance";
            ParseError::new("unknown_sort", message)
        })
    }
}

/// From which end a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortOrder {
    /// The oldest, cheapest, least, nearest first.
    Asc,
    /// The newest, dearest, most, farthest first.
    Desc,
}

impl SortOrder {
    /// The SQL keyword.
    pub(super) fn keyword(self) -> &'static str {
        match self {
            Self::Asc => "ASC",
            Self::Desc => "DESC",
        }
    }

    /// The comparison that holds for what comes later.
    pub(super) fn later(self) -> char {
        match self {
            Self::Asc => '>',
            Self::Desc => '<',
        }
    }
}

impl FromStr for SortOrder {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "asc" => Ok(Self::Asc),
            "desc" => Ok(Self::Desc),
            _ => Err(ParseError::new("unknown_order", "must be asc or desc")),
        }
    }
}

/// What a list is ordered by, with what it takes to compute it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum SortKey {
    Listed,
    Price,
    Views,
    Relevance,
    Distance {
        latitude_e3: i64,
        longitude_e3: i64,
        /// See [`Point::longitude_scale_squared_e6`].
        scale_e6: i64,
    },
}

impl SortKey {
    pub(super) fn distance_from(point: Point) -> Self {
        Self::Distance {
            latitude_e3: point.latitude_e3(),
            longitude_e3: point.longitude_e3(),
            scale_e6: point.longitude_scale_squared_e6(),
        }
    }
}

/// Where a feed was left: the last item's sort keys, as numbers, and its id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Position {
    /// The sort key, where it is a number that the row tells: price, views, relevance, distance.
    #[serde(rename = "k")]
    pub(super) key: Option<i64>,
    /// When it was listed, in microseconds since 1970.
    #[serde(rename = "t")]
    listed_micros: i64,
    #[serde(rename = "i")]
    pub(super) id: ListingId,
}

impl Position {
    /// After a card, whose computed sort key is given if it has one.
    pub(super) fn after(card: &ListingCard, key: Option<i64>) -> Self {
        Self {
            key,
            listed_micros: card.published_at.unwrap_or(card.created_at).timestamp_micros(),
            id: card.id,
        }
    }

    pub(super) fn listed_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.listed_micros).unwrap_or_default()
    }
}
