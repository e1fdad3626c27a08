//! Categories as clients see them.

use kernel::CategoryId;
use serde::Serialize;

use super::{AttributeSpec, Category};

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryView {
    /// Its id.
    pub id: CategoryId,
    /// Its name in addresses.
    #[schema(example = "mobiles")]
    pub slug: String,
    /// Its name for people.
    #[schema(example = "Mobiles")]
    pub name: String,
    /// A picture's address or an icon's name.
    #[schema(example = "smartphone")]
    pub icon: Option<String>,
    /// The category above it; null at the top.
    pub parent_id: Option<CategoryId>,
    /// What its listings tell of themselves.
    pub attributes: Vec<AttributeSpec>,
    /// Whether its listings become ACTIVE without review.
    pub auto_approve: bool,
    /// For how many days its listings run; null means as long as the settings say.
    #[schema(example = 45)]
    pub expiry_days: Option<u16>,
    /// Its place among its siblings, from low to high.
    pub order: i32,
    /// Whether people see it and may list in it.
    pub active: bool,
    /// How many ACTIVE listings it and the categories below it hold; up to two seconds old.
    #[schema(example = 128)]
    pub listing_count: i64,
    /// Grows with each change of the category.
    #[schema(example = 1)]
    pub version: i64,
}

impl CategoryView {
    pub(crate) fn new(category: &Category, listing_count: i64) -> Self {
        let input = &category.input;
        Self {
            id: category.id,
            slug: input.slug.as_str().to_owned(),
            name: input.name.as_str().to_owned(),
            icon: input.icon.as_ref().map(|icon| icon.as_str().to_owned()),
            parent_id: input.parent,
            attributes: input.attributes.specs().to_vec(),
            auto_approve: input.auto_approve,
            expiry_days: input.expiry_days.map(super::ExpiryDays::days),
            order: input.order,
            active: input.active,
            listing_count,
            version: category.version,
        }
    }
}

/// A category with those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryNode {
    /// Its id.
    pub id: CategoryId,
    /// Its name in addresses.
    #[schema(example = "electronics")]
    pub slug: String,
    /// Its name for people.
    #[schema(example = "Electronics")]
    pub name: String,
    /// A picture's address or an icon's name.
    #[schema(example = "devices")]
    pub icon: Option<String>,
    /// What its listings tell of themselves.
    pub attributes: Vec<AttributeSpec>,
    /// How many ACTIVE listings it and the categories below it hold; up to two seconds old.
    #[schema(example = 512)]
    pub listing_count: i64,
    /// The categories below it, in their order.
    #[schema(no_recursion)]
    pub children: Vec<CategoryNode>,
}
