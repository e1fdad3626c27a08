//! Who sells.

use std::collections::HashSet;

use kernel::{TypedId, UserId};
use sea_orm::{ConnectionTrait, Value};
use store::lists;
use uuid::Uuid;

use crate::{Catalog, CatalogError};

impl Catalog {
    /// Those of these people who have ever written a listing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sellers_among(&self, users: &[UserId]) -> Result<HashSet<UserId>, CatalogError> {
        let mut sellers = HashSet::new();
        for (these, some) in lists(users) {
            let sql = format!("SELECT DISTINCT seller_id FROM listings WHERE seller_id IN ({these})");
            let ids = some.map(|user| Value::from(user.uuid()));
            let rows = self.db.reader()?.query_all_raw(self.db.engine().statement(&sql, ids)).await?;
            for row in rows {
                sellers.insert(row.try_get::<Uuid>("", "seller_id")?.into());
            }
        }
        Ok(sellers)
    }

    /// People who have ever written a listing, in the order of their ids: so many after somebody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sellers_after(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserId>, CatalogError> {
        let sql = format!(
            "SELECT DISTINCT seller_id FROM listings WHERE seller_id > ? ORDER BY seller_id LIMIT {limit}"
        );
        let after = after.map_or(Uuid::nil(), TypedId::uuid);
        let rows = self.db.reader()?.query_all_raw(self.db.engine().statement(&sql, [after.into()])).await?;
        rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "seller_id")?.into())).collect()
    }
}
