//! A new category.

use kernel::{Caller, CategoryId, Permission};
use sea_orm::DatabaseTransaction;
use store::audit;

use super::{CategoryInput, CategoryView, change, rows, rules};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Makes a category. Staff only.
    ///
    /// # Errors
    /// When the caller may not, the slug is taken, or the parent is unknown or lies too deep.
    pub async fn create_category(
        &self,
        caller: &Caller,
        input: &CategoryInput,
    ) -> Result<CategoryView, CatalogError> {
        self.require(caller, Permission::CategoriesManage)?;
        let id: CategoryId = self.ambient.new_id();
        let view = self
            .db
            .in_txn(async |txn| {
                rows::lock_tree(txn).await?;
                self.insert_category_in_txn(txn, caller, id, input).await?;
                let category = rows::find(txn, id).await?.ok_or(CatalogError::CategoryNotFound)?;
                Ok::<_, CatalogError>(CategoryView::new(&category, 0))
            })
            .await?;
        self.categories.drop_copy();
        Ok(view)
    }

    /// Checks and inserts a category, with its audit record. The tree must be locked.
    pub(super) async fn insert_category_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        id: CategoryId,
        input: &CategoryInput,
    ) -> Result<(), CatalogError> {
        let parents = rows::parents(txn).await?;
        rules::check_place(&parents, id, input.parent).map_err(change::parent_error)?;
        if rows::has_slug(txn, &input.slug).await?.is_some() {
            return Err(CatalogError::SlugTaken);
        }
        rows::insert(txn, id, input, self.ambient.now()).await?;
        let entry = audit::Entry {
            caller,
            action: "category.created",
            subject_kind: "category",
            subject_id: id.to_string(),
            before: serde_json::Value::Null,
            after: change::record(input),
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        Ok(())
    }
}
