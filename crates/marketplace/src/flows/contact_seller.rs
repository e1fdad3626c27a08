//! A buyer asks for a seller's number: it is on record, within the day's cap, or the number is not told.

use catalog::contact_day;
use kernel::{ListingId, Phone, UserId};
use platform::settings::CONTACT_DAILY_CAP;

use crate::{FlowError, Marketplace};

/// A number told to a buyer. This is the one answer that holds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SellerContact {
    /// Whose number it is.
    pub seller: UserId,
    /// The number.
    pub phone: Phone,
}

impl Marketplace {
    /// Tells a buyer the number of an ACTIVE listing's seller, and records it. Asking again on the same day is free.
    ///
    /// The number is looked up first: a seller who has none, or is blocked, costs the buyer nothing.
    ///
    /// # Errors
    /// When the listing is not ACTIVE or the buyer's own, the seller has no number, or the buyer has contacted as
    /// many sellers today as the setting `contact_daily_cap` allows.
    pub async fn contact_seller(
        &self,
        buyer: UserId,
        listing: ListingId,
    ) -> Result<SellerContact, FlowError> {
        let seller = self.catalog.seller_of(listing).await?;
        let phone = self.identity.phone_of(seller).await?;
        let cap = self.settings.get(&CONTACT_DAILY_CAP).await;
        let cap = u32::try_from(cap).unwrap_or_default();
        let day = contact_day(self.ambient.now());
        self.db
            .in_txn(async |txn| {
                self.catalog.record_contact_in_txn(txn, listing, buyer, day, cap).await?;
                Ok::<_, FlowError>(())
            })
            .await?;
        Ok(SellerContact { seller, phone })
    }
}
