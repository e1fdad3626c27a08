//! Categories: a tree of at most three levels, each with the attributes that its listings have.
//!
//! Invariants:
//! - A slug names one category.
//! - No category is its own ancestor, and none lies deeper than [`MAX_DEPTH`]; every change of the tree locks one
//!   row first, so that two moves at once cannot break this together.
//! - A category with subcategories or listings is never deleted.
//! - `active_listings` counts the category's ACTIVE listings; it changes in the transaction that changes a status.

mod attribute;
mod change;
mod create;
mod delete;
mod fields;
mod read;
pub(crate) mod rows;
mod rules;
mod seed;
mod snapshot;
mod tree;
mod values;
mod view;

use kernel::CategoryId;

pub use attribute::{AttributeKind, AttributeSchema, AttributeSpec};
pub use fields::{CategoryIcon, CategoryName, ExpiryDays, Slug};
pub use rules::MAX_DEPTH;
pub(crate) use snapshot::CategoryCache;
pub(crate) use tree::CategoryTree;
pub use tree::TreeDocument;
pub(crate) use values::{AttributeValues, Completeness, index_value};
pub use view::{CategoryNode, CategoryView};

/// What staff write of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryInput {
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for people.
    pub name: CategoryName,
    /// A picture's address or an icon's name.
    pub icon: Option<CategoryIcon>,
    /// The category above it; none at the top.
    pub parent: Option<CategoryId>,
    /// What its listings tell of themselves.
    pub attributes: AttributeSchema,
    /// Whether its listings become ACTIVE without review.
    pub auto_approve: bool,
    /// For how long its listings run; by default as long as the settings say.
    pub expiry_days: Option<ExpiryDays>,
    /// Its place among its siblings, from low to high.
    pub order: i32,
    /// Whether people see it and may list in it.
    pub active: bool,
}

/// A category as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) id: CategoryId,
    pub(crate) input: CategoryInput,
    pub(crate) version: i64,
    /// ACTIVE listings in the category itself.
    pub(crate) active_listings: i64,
}
