//! Which ends of listings their sellers were reminded of.

use crate::sql::Step;

pub(super) const STEPS: &[Step] = &[Step::Table(
    "listing_reminders",
    "listing_id {id} NOT NULL,
     expires_at {instant} NOT NULL,
     reminded_at {instant} NOT NULL,
     PRIMARY KEY (listing_id, expires_at),
     FOREIGN KEY (listing_id) REFERENCES listings (id)",
)];
