//! The states of a listing and the conditions of a thing, as they are written.

use std::str::FromStr;

use kernel::ParseError;
use serde::{Deserialize, Serialize};

/// Where a listing stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ListingStatus {
    /// Being written; only its seller and staff see it.
    Draft,
    /// Waiting for a moderator.
    Pending,
    /// For sale, seen by everybody.
    Active,
    /// Taken off by its seller for a while.
    Paused,
    /// Its time ran out; its seller can renew it.
    Expired,
    /// Sold.
    Sold,
    /// Refused by a moderator; its seller can edit it and submit it again.
    Rejected,
    /// Deleted by its seller; kept for the record.
    Deleted,
}

impl ListingStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::Pending,
        Self::Active,
        Self::Paused,
        Self::Expired,
        Self::Sold,
        Self::Rejected,
        Self::Deleted,
    ];

    /// As it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Expired => "EXPIRED",
            Self::Sold => "SOLD",
            Self::Rejected => "REJECTED",
            Self::Deleted => "DELETED",
        }
    }
}

impl FromStr for ListingStatus {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| ParseError::new("unknown_status", "must be a listing's status, such as ACTIVE"))
    }
}

/// In what condition the thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Condition {
    /// Never used.
    New,
    /// Used, without a trace of it.
    LikeNew,
    /// Used, with small traces.
    Good,
    /// Used a lot, works.
    Fair,
    /// Damaged or incomplete.
    Poor,
}

impl Condition {
    /// All of them, from best to worst.
    pub const ALL: [Self; 5] = [Self::New, Self::LikeNew, Self::Good, Self::Fair, Self::Poor];

    /// As it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::LikeNew => "LIKE_NEW",
            Self::Good => "GOOD",
            Self::Fair => "FAIR",
            Self::Poor => "POOR",
        }
    }
}

impl FromStr for Condition {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|condition| condition.as_str() == text)
            .ok_or_else(|| ParseError::new("unknown_condition", "must be NEW, LIKE_NEW, GOOD, FAIR or POOR"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_back_as_it_is_written_to_row_and_wire() {
        for status in ListingStatus::ALL {
            assert_eq!(status.as_str().parse::<ListingStatus>().unwrap(), status);
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for condition in Condition::ALL {
            assert_eq!(condition.as_str().parse::<Condition>().unwrap(), condition);
            assert_eq!(serde_json::to_value(condition).unwrap(), condition.as_str());
        }
        assert!("active".parse::<ListingStatus>().is_err());
    }
}
