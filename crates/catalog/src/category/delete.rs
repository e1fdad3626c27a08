//! The end of a category that nothing uses.

use kernel::{Caller, CategoryId, Permission};
use store::{StoreError, audit};

use super::{change, rows};
use crate::error::is_foreign_key_violation;
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Deletes a category, from the given version if one is given. Staff only.
    ///
    /// # Errors
    /// When the caller may not, there is no such category, the version is out of date, or it has subcategories or
    /// listings.
    pub async fn delete_category(
        &self,
        caller: &Caller,
        id: CategoryId,
        version: Option<i64>,
    ) -> Result<(), CatalogError> {
        self.require(caller, Permission::CategoriesManage)?;
        self.db
            .in_txn(async |txn| {
                rows::lock_tree(txn).await?;
                let before = rows::find(txn, id).await?.ok_or(CatalogError::CategoryNotFound)?;
                if version.is_some_and(|version| version != before.version) {
                    return Err(CatalogError::VersionMismatch);
                }
                if rows::is_used(txn, id).await? {
                    return Err(CatalogError::CategoryInUse);
                }
                rows::delete(txn, id).await.map_err(in_use)?;
                let entry = audit::Entry {
                    caller,
                    action: "category.deleted",
                    subject_kind: "category",
                    subject_id: id.to_string(),
                    before: change::record(&before.input),
                    after: serde_json::Value::Null,
                    reason: None,
                };
                audit::append_in_txn(txn, &self.ambient, entry).await?;
                Ok(())
            })
            .await?;
        self.categories.drop_copy();
        Ok(())
    }
}

/// A listing that came in between holds its category by the foreign key.
fn in_use(error: StoreError) -> CatalogError {
    if is_foreign_key_violation(&error) { CatalogError::CategoryInUse } else { error.into() }
}
