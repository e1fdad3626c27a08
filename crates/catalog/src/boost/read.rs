//! A listing's boosts, and what is in force in lists.

use std::sync::Arc;

use kernel::{Actor, ListingId, Permission};

use super::prominence::ProminentListings;
use super::{BoostView, rows};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// The latest boosts of a listing, at most a hundred, for its seller and staff.
    ///
    /// # Errors
    /// When there is no such listing of the viewer's.
    pub async fn boosts_of(
        &self,
        viewer: &Actor,
        listing: ListingId,
    ) -> Result<Vec<BoostView>, CatalogError> {
        let found = self.get_listing(Some(viewer), listing).await?;
        if !viewer.is(found.seller_id) && !viewer.may(Permission::ListingsViewAll) {
            return Err(CatalogError::ListingNotFound);
        }
        Ok(rows::of_listing(self.db.reader()?, listing, self.ambient.now()).await?)
    }

    /// What is in force for listings, from memory mostly.
    pub(crate) async fn prominent_listings(&self) -> Result<Arc<ProminentListings>, CatalogError> {
        let now = self.ambient.now();
        Ok(self.prominence.get(self.db.reader()?, now).await?)
    }
}
