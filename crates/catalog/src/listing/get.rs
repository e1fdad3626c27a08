//! One listing, read.

use kernel::{Actor, ListingId, Permission};

use super::{ListingStatus, ListingView, detail};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// A listing in full. Everybody sees an ACTIVE one; its seller sees it until it is deleted, and staff in every
    /// state.
    ///
    /// # Errors
    /// When there is none that the viewer may see.
    pub async fn get_listing(
        &self,
        viewer: Option<&Actor>,
        id: ListingId,
    ) -> Result<ListingView, CatalogError> {
        let mut view = detail::find(self.db.reader()?, id, &self.config.media, self.ambient.now())
            .await?
            .ok_or(CatalogError::ListingNotFound)?;
        let is_own = viewer.is_some_and(|actor| actor.is(view.seller_id));
        let is_staff = viewer.is_some_and(|actor| actor.may(Permission::ListingsViewAll));
        let is_visible = match view.status {
            ListingStatus::Active => true,
            ListingStatus::Deleted => is_staff,
            _ => is_own || is_staff,
        };
        if !is_visible {
            return Err(CatalogError::ListingNotFound);
        }
        if !is_own && !is_staff {
            view.review = None;
        }
        Ok(view)
    }
}
