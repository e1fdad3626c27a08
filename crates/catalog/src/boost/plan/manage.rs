//! Plans made, changed and withdrawn by staff. What was bought stays as it was bought.

use kernel::{BoostPlanId, Caller, Permission};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value as Json, json};
use store::{Engine, StoreError, audit, insert_if_absent};

use super::{BoostPlan, BoostPlanInput, BoostPlanView, rows};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Makes a plan. Staff only.
    ///
    /// # Errors
    /// When the caller may not, or the slug is taken.
    pub async fn create_boost_plan(
        &self,
        caller: &Caller,
        input: &BoostPlanInput,
    ) -> Result<BoostPlanView, CatalogError> {
        self.require(caller, Permission::BoostPlansManage)?;
        let id: BoostPlanId = self.ambient.new_id();
        self.db
            .in_txn(async |txn| {
                if !self.insert_boost_plan_in_txn(txn, caller, id, input).await? {
                    return Err(CatalogError::PlanSlugTaken);
                }
                Ok(BoostPlan { id, input: input.clone(), version: 1 }.into())
            })
            .await
    }

    /// Writes a plan and its audit record, unless its slug is taken; tells whether it did.
    pub(super) async fn insert_boost_plan_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        id: BoostPlanId,
        input: &BoostPlanInput,
    ) -> Result<bool, CatalogError> {
        let engine = Engine::of(txn.get_database_backend());
        if !insert_if_absent(txn, rows::insert(engine, id, input, self.ambient.now())).await? {
            return Ok(false);
        }
        self.record_in_txn(txn, caller, "boost_plan.created", id, Json::Null, record(input)).await?;
        Ok(true)
    }

    /// Changes a plan, from the given version if one is given: all that staff write of it, at once. Staff only.
    ///
    /// # Errors
    /// When the caller may not, there is no such plan, the version is out of date, or the slug is taken.
    pub async fn update_boost_plan(
        &self,
        caller: &Caller,
        id: BoostPlanId,
        version: Option<i64>,
        input: &BoostPlanInput,
    ) -> Result<BoostPlanView, CatalogError> {
        self.change_boost_plan(caller, id, version, "boost_plan.updated", |_| input.clone()).await
    }

    /// Withdraws a plan: it can be bought no more. Staff only.
    ///
    /// # Errors
    /// When the caller may not, there is no such plan, or the version is out of date.
    pub async fn withdraw_boost_plan(
        &self,
        caller: &Caller,
        id: BoostPlanId,
        version: Option<i64>,
    ) -> Result<(), CatalogError> {
        let withdrawn = |was: &BoostPlanInput| BoostPlanInput { active: false, ..was.clone() };
        self.change_boost_plan(caller, id, version, "boost_plan.withdrawn", withdrawn).await.map(drop)
    }

    async fn change_boost_plan(
        &self,
        caller: &Caller,
        id: BoostPlanId,
        version: Option<i64>,
        action: &'static str,
        change: impl Fn(&BoostPlanInput) -> BoostPlanInput + Clone + Send,
    ) -> Result<BoostPlanView, CatalogError> {
        self.require(caller, Permission::BoostPlansManage)?;
        self.db
            .in_txn(async |txn| {
                let was = rows::lock(txn, id).await?.ok_or(CatalogError::BoostPlanNotFound)?;
                if version.is_some_and(|version| version != was.version) {
                    return Err(CatalogError::VersionMismatch);
                }
                let input = change(&was.input);
                rows::update(txn, id, &input, self.ambient.now()).await.map_err(slug_taken)?;
                self.record_in_txn(txn, caller, action, id, record(&was.input), record(&input)).await?;
                Ok(BoostPlan { id, input, version: was.version + 1 }.into())
            })
            .await
    }

    async fn record_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        action: &'static str,
        id: BoostPlanId,
        before: Json,
        after: Json,
    ) -> Result<(), CatalogError> {
        let (subject_kind, subject_id) = ("boost_plan", id.to_string());
        let entry = audit::Entry { caller, action, subject_kind, subject_id, before, after, reason: None };
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        Ok(())
    }
}

fn slug_taken(error: StoreError) -> CatalogError {
    if error.is_unique_violation() { CatalogError::PlanSlugTaken } else { error.into() }
}

/// The plan as the audit log keeps it.
fn record(input: &BoostPlanInput) -> Json {
    json!({
        "kind": input.kind,
        "slug": input.slug.as_str(),
        "name": input.name.as_str(),
        "price": input.price.money(),
        "days": input.days.days(),
        "features": input.features.lines(),
        "topPlacement": input.top_placement,
        "highlight": input.highlight,
        "popular": input.popular,
        "order": input.order,
        "active": input.active,
    })
}
