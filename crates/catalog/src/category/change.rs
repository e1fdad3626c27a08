//! A change of a category: all that staff write of it, at once.

use kernel::{Caller, CategoryId, InvalidInput, ParseError, Permission};
use serde_json::{Value as Json, json};
use store::audit;

use super::{CategoryInput, CategoryView, rows, rules};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Changes a category, from the given version if one is given. Staff only. Listings keep the attributes that
    /// they have; new definitions bind them when they are next edited.
    ///
    /// # Errors
    /// When the caller may not, there is no such category, the version is out of date, the slug is taken, or it
    /// would stand below itself or too deep.
    pub async fn update_category(
        &self,
        caller: &Caller,
        id: CategoryId,
        version: Option<i64>,
        input: &CategoryInput,
    ) -> Result<CategoryView, CatalogError> {
        self.require(caller, Permission::CategoriesManage)?;
        self.db
            .in_txn(async |txn| {
                rows::lock_tree(txn).await?;
                let before = rows::find(txn, id).await?.ok_or(CatalogError::CategoryNotFound)?;
                if version.is_some_and(|version| version != before.version) {
                    return Err(CatalogError::VersionMismatch);
                }
                let parents = rows::parents(txn).await?;
                rules::check_place(&parents, id, input.parent).map_err(parent_error)?;
                if rows::has_slug(txn, &input.slug).await?.is_some_and(|other| other != id) {
                    return Err(CatalogError::SlugTaken);
                }
                rows::update(txn, id, input, self.ambient.now()).await?;
                let entry = audit::Entry {
                    caller,
                    action: "category.updated",
                    subject_kind: "category",
                    subject_id: id.to_string(),
                    before: record(&before.input),
                    after: record(input),
                    reason: None,
                };
                audit::append_in_txn(txn, &self.ambient, entry).await?;
                Ok(())
            })
            .await?;
        self.categories.drop_copy();
        let tree = self.category_tree().await?;
        let category = tree.get(id).ok_or(CatalogError::CategoryNotFound)?;
        Ok(CategoryView::new(category, tree.listing_count(id)))
    }
}

/// A fault of the place, told of the field that gives it.
pub(super) fn parent_error(error: ParseError) -> InvalidInput {
    InvalidInput(vec![error.of("parentId")])
}

/// The category as the audit log keeps it.
pub(super) fn record(input: &CategoryInput) -> Json {
    json!({
        "slug": input.slug.as_str(),
        "name": input.name.as_str(),
        "icon": input.icon.as_ref().map(|icon| icon.as_str()),
        "parentId": input.parent,
        "attributes": input.attributes,
        "autoApprove": input.auto_approve,
        "expiryDays": input.expiry_days.map(|days| days.days()),
        "order": input.order,
        "active": input.active,
    })
}
