//! The categories that a new marketplace begins with; they stand in `seed.json`.

use kernel::{Caller, CategoryId};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use store::StoreError;

use super::{
    AttributeSchema, AttributeSpec, CategoryIcon, CategoryInput, CategoryName, ExpiryDays, Slug, rows,
};
use crate::{Catalog, CatalogError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seed {
    slug: String,
    name: String,
    icon: String,
    #[serde(default)]
    attributes: Vec<AttributeSpec>,
    expiry_days: Option<i64>,
    #[serde(default)]
    children: Vec<Seed>,
}

impl Catalog {
    /// Makes those of the first categories whose slugs are not taken yet; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seed_categories(&self, caller: &Caller) -> Result<usize, CatalogError> {
        let made = self.db.in_txn(async |txn| self.seed_categories_in_txn(txn, caller).await).await?;
        self.categories.drop_copy();
        Ok(made)
    }

    /// The same in a transaction of the caller's. Copies of the tree in memory show it once they are two seconds old.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seed_categories_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
    ) -> Result<usize, CatalogError> {
        rows::lock_tree(txn).await?;
        let mut made = 0;
        let mut waiting: Vec<(Option<CategoryId>, i32, Seed)> = numbered(None, seeds()?);
        while let Some((parent, order, seed)) = waiting.pop() {
            let (input, children) = parse(parent, order, seed)?;
            let id = match rows::has_slug(txn, &input.slug).await? {
                Some(id) => id,
                None => {
                    let id = self.ambient.new_id();
                    self.insert_category_in_txn(txn, caller, id, &input).await?;
                    made += 1;
                    id
                }
            };
            waiting.extend(numbered(Some(id), children));
        }
        Ok(made)
    }
}

fn seeds() -> Result<Vec<Seed>, StoreError> {
    serde_json::from_str(include_str!("seed.json"))
        .map_err(|error| StoreError::Corrupt(format!("the first categories: {error}")))
}

fn numbered(parent: Option<CategoryId>, seeds: Vec<Seed>) -> Vec<(Option<CategoryId>, i32, Seed)> {
    (0..).zip(seeds).map(|(order, seed)| (parent, order, seed)).collect()
}

fn parse(
    parent: Option<CategoryId>,
    order: i32,
    seed: Seed,
) -> Result<(CategoryInput, Vec<Seed>), CatalogError> {
    let corrupt = |error| StoreError::Corrupt(format!("the first categories: {error}"));
    let expiry_days = seed.expiry_days.map(ExpiryDays::parse).transpose();
    let input = CategoryInput {
        slug: Slug::parse(&seed.slug).map_err(corrupt)?,
        name: CategoryName::parse(&seed.name).map_err(corrupt)?,
        icon: Some(CategoryIcon::parse(&seed.icon).map_err(corrupt)?),
        parent,
        attributes: AttributeSchema::parse(seed.attributes)?,
        auto_approve: false,
        expiry_days: expiry_days.map_err(corrupt)?,
        order,
        active: true,
    };
    Ok((input, seed.children))
}
