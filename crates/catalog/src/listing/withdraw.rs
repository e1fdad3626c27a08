//! What a blocked seller offers is taken off sale, as part of the flow that blocks them.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use kernel::{CategoryId, ListingId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::rows;
use super::rules::{Action, Who};
use crate::category;
use crate::events;
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Pauses all ACTIVE listings of a seller, each told as `listing.paused`; gives how many. Only the seller puts
    /// them back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause_all_of_in_txn(
        &self,
        txn: &DatabaseTransaction,
        seller: UserId,
    ) -> Result<u32, CatalogError> {
        let now = self.ambient.now();
        let mut paused = 0;
        let mut uncounted: BTreeMap<CategoryId, i64> = BTreeMap::new();
        for id in on_sale(txn, seller).await? {
            let Some(was) = rows::lock(txn, id).await? else { continue };
            let mut standing = was.standing;
            // A pause gives no time, so the category's term does not matter.
            standing.act(Action::Pause, Who::System, now, TimeDelta::zero())?;
            rows::update_standing(txn, id, &standing, now).await?;
            *uncounted.entry(was.category).or_default() -= 1;
            let (facts, automatic) = (was.facts(standing.status), json!({"automatic": true}));
            events::tell_in_txn(txn, &self.ambient, events::PAUSED, facts, automatic).await?;
            paused += 1;
        }
        // After all listings and in the order of ids, as everybody locks them.
        for (category, change) in uncounted {
            category::rows::add_to_count(txn, category, change).await?;
        }
        Ok(paused)
    }
}

/// The seller's ACTIVE listings, locked in the order of ids.
async fn on_sale(txn: &DatabaseTransaction, seller: UserId) -> Result<Vec<ListingId>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id FROM listings WHERE seller_id = ? AND status = 'ACTIVE' ORDER BY id{}",
        engine.for_update()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [seller.uuid().into()])).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
}
