//! Goods: categories and their attributes, listings and how they are found, photos, boosts.
//!
//! Owns the tables `categories`, `category_tree`, `category_counts`, `listings`, `listing_stats`,
//! `listing_attributes`, `listing_contacts`, `contact_quotas`, `listing_search`, `listing_words`, `boost_plans`,
//! `boosts`, `listing_prominence`, and those of [`photo`].
//!
//! Invariants:
//! - A listing changes state only as [`listing_rules`] says, while its row is locked, by its seller, a moderator or the
//!   marketplace itself; to others than its seller and staff it exists only while it is ACTIVE.
//! - What was reviewed and then changed is reviewed again, unless its category needs no review.
//! - The category tree is a tree of at most three levels, and a category that is used is never deleted.
//! - A category's count of ACTIVE listings changes in the transaction that changes a listing's state.
//! - What people search for and what they find it in become words here, so that all three engines find the same.
//! - A listing is boosted exactly as long as boosts that a journal paid for say so, one boost per journal.
//! - Every change of a listing is told in the outbox as `listing.…`, every change by staff in the audit log.
//!
//! ```no_run
//! # async fn example(db: store::Database, ambient: kernel::Ambient) -> Result<(), catalog::CatalogError> {
//! use catalog::{Catalog, CatalogConfig, ListingFilters, ListingQuery};
//! use kernel::{CursorCodec, Paging};
//!
//! let config = CatalogConfig {
//!     cursors: CursorCodec::new(b"a key of at least thirty-two bytes"),
//!     media: Default::default(),
//! };
//! let catalog = Catalog::new(db, ambient, config);
//! let query = ListingQuery::new(ListingFilters::default(), None, None, None)?;
//! let newest = Paging::After { cursor: None, limit: 20 };
//! let page = catalog.search_listings(None, &query, &newest).await?;
//! assert!(page.data.len() <= 20);
//! # Ok(())
//! # }
//! ```

mod boost;
mod category;
mod error;
mod events;
mod fold;
mod listing;
pub mod photo;

use std::sync::Arc;

use kernel::{Ambient, Caller, CursorCodec, Permission};
use store::Database;

pub use boost::{
    BoostKind, BoostOrder, BoostParts, BoostPayment, BoostPlanInput, BoostPlanView, BoostQuote, BoostRefund,
    BoostStatus, BoostView, GrantedBoost, OpenBoostQuote, PlanDays, PlanFeatures, PlanName, PlanPrice,
};
pub use category::{
    AttributeKind, AttributeSchema, AttributeSpec, CategoryIcon, CategoryInput, CategoryName, CategoryNode,
    CategoryView, ExpiryDays, MAX_DEPTH, Slug, TreeDocument,
};
pub use error::CatalogError;
pub use listing::rules as listing_rules;
pub use listing::{
    AttributeFilters, Condition, Contact, Decision, Description, Expired, ListingCard, ListingFilters,
    ListingInput, ListingQuery, ListingSettings, ListingSort, ListingStatus, ListingView, Location,
    LocationView, NewListing, OwnListing, PendingListing, Pincode, Place, Point, Price, ReviewFacts,
    Reviewed, SearchWords, SortOrder, Title, contact_day,
};

use crate::boost::ProminenceCache;
use crate::category::CategoryCache;
use crate::listing::ViewCounter;
use crate::photo::MediaUrls;

/// How the catalogue is set up.
#[derive(Debug, Clone)]
pub struct CatalogConfig {
    /// Signs the cursors of its lists.
    pub cursors: CursorCodec,
    /// Where clients find photo files.
    pub media: MediaUrls,
}

/// Categories and listings. Cheap to clone; clones share the copies in memory and the counted looks.
#[derive(Debug, Clone)]
pub struct Catalog {
    db: Database,
    ambient: Ambient,
    config: Arc<CatalogConfig>,
    categories: Arc<CategoryCache>,
    views: Arc<ViewCounter>,
    prominence: Arc<ProminenceCache>,
}

impl Catalog {
    /// A catalogue in the database.
    pub fn new(db: Database, ambient: Ambient, config: CatalogConfig) -> Self {
        Self {
            db,
            ambient,
            config: Arc::new(config),
            categories: Arc::default(),
            views: Arc::default(),
            prominence: Arc::default(),
        }
    }

    fn require(&self, caller: &Caller, permission: Permission) -> Result<(), CatalogError> {
        if caller.actor.may(permission) { Ok(()) } else { Err(CatalogError::Forbidden) }
    }
}
