//! Plans, read.

use kernel::{Actor, BoostPlanId, Role};

use super::{BoostPlanView, rows};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// The plans that can be bought, in their order; staff see the others too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_boost_plans(&self, viewer: Option<&Actor>) -> Result<Vec<BoostPlanView>, CatalogError> {
        let plans = rows::all(self.db.reader()?, !sees_all(viewer)).await?;
        Ok(plans.into_iter().map(BoostPlanView::from).collect())
    }

    /// One plan.
    ///
    /// # Errors
    /// When there is none that the viewer may see.
    pub async fn get_boost_plan(
        &self,
        viewer: Option<&Actor>,
        id: BoostPlanId,
    ) -> Result<BoostPlanView, CatalogError> {
        let plan = rows::find(self.db.reader()?, id).await?;
        plan.filter(|plan| plan.input.active || sees_all(viewer))
            .map(BoostPlanView::from)
            .ok_or(CatalogError::BoostPlanNotFound)
    }
}

fn sees_all(viewer: Option<&Actor>) -> bool {
    viewer.and_then(Actor::role).is_some_and(Role::is_staff)
}
