//! What staff have set that bears on listings.

use catalog::ListingSettings;
use platform::settings::{LISTING_EXPIRY_DAYS, MAX_IMAGES_PER_LISTING};

use crate::Marketplace;

impl Marketplace {
    /// The settings of listings as they are now.
    pub async fn listing_settings(&self) -> ListingSettings {
        let fallback = ListingSettings::default();
        let max_images = self.settings.get(&MAX_IMAGES_PER_LISTING).await;
        let expiry_days = self.settings.get(&LISTING_EXPIRY_DAYS).await;
        ListingSettings {
            max_images: usize::try_from(max_images).unwrap_or(fallback.max_images),
            expiry_days: u32::try_from(expiry_days).unwrap_or(fallback.expiry_days),
        }
    }
}
