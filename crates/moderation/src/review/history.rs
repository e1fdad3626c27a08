//! What was decided on a listing.

use kernel::ListingId;

use super::{ReviewView, rows};
use crate::{Moderation, ModerationError};

impl Moderation {
    /// The decisions on a listing, latest first. A listing is decided on once per submission, so they are few.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reviews_of(&self, listing: ListingId) -> Result<Vec<ReviewView>, ModerationError> {
        Ok(rows::of_listing(self.db.reader()?, listing).await?)
    }
}
