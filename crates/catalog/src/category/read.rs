//! Categories read: from memory, mostly.

use std::sync::Arc;

use kernel::{Actor, CategoryId, Permission};

use super::{CategoryNode, CategoryTree, CategoryView, TreeDocument};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// The tree that people see, as it is sent. Costs two reference counts while the copy in memory is fresh.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn category_tree_document(&self) -> Result<TreeDocument, CatalogError> {
        Ok(self.category_tree().await?.document().clone())
    }

    /// The tree that people see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn category_nodes(&self) -> Result<Vec<CategoryNode>, CatalogError> {
        Ok(self.category_tree().await?.nodes(None))
    }

    /// All categories that the viewer may see, each followed by those below it; those who manage categories see
    /// inactive ones too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_categories(&self, viewer: Option<&Actor>) -> Result<Vec<CategoryView>, CatalogError> {
        let tree = self.category_tree().await?;
        let mut views = tree.views();
        if !manages(viewer) {
            views.retain(|view| tree.is_visible(view.id));
        }
        Ok(views)
    }

    /// One category.
    ///
    /// # Errors
    /// When there is none that the viewer may see.
    pub async fn get_category(
        &self,
        viewer: Option<&Actor>,
        id: CategoryId,
    ) -> Result<CategoryView, CatalogError> {
        let tree = self.category_tree().await?;
        let category = tree
            .get(id)
            .filter(|_| manages(viewer) || tree.is_visible(id))
            .ok_or(CatalogError::CategoryNotFound)?;
        Ok(CategoryView::new(category, tree.listing_count(id)))
    }

    /// The tree in memory, loaded if need be.
    pub(crate) async fn category_tree(&self) -> Result<Arc<CategoryTree>, CatalogError> {
        let now = self.ambient.now();
        match self.categories.fresh(now) {
            Some(tree) => Ok(tree),
            None => self.categories.get(self.db.reader()?, now).await,
        }
    }
}

fn manages(viewer: Option<&Actor>) -> bool {
    viewer.is_some_and(|actor| actor.may(Permission::CategoriesManage))
}
