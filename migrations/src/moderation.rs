//! The tables of moderation: decisions on listings.

use crate::sql::{SqlMigration, Step};

pub(crate) const MIGRATIONS: &[SqlMigration] = &[SqlMigration::new("moderation_0001_reviews", REVIEWS)];

/// One decision per submission: the unique key is what keeps two moderators from both deciding.
const REVIEWS: &[Step] = &[Step::Table(
    "reviews",
    "id {id} PRIMARY KEY,
     listing_id {id} NOT NULL,
     listing_version BIGINT NOT NULL,
     moderator_id {id} NULL,
     decision VARCHAR(16) NOT NULL,
     reason_code VARCHAR(32) NULL,
     note {text} NULL,
     decided_at {instant} NOT NULL,
     UNIQUE (listing_id, listing_version),
     CHECK (decision IN ('APPROVED', 'REJECTED')),
     CHECK ((reason_code IS NULL) = (decision = 'APPROVED'))",
)];
