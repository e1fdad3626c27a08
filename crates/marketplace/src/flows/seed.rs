//! What a marketplace starts with: categories, boost plans, and somebody who runs it.

use kernel::{Caller, Phone, UserId};

use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Writes the categories, the boost plans and the first super admin. Running it again changes nothing; what staff changed stays.
    ///
    /// # Errors
    /// When the database fails, or the number belongs to somebody who is blocked.
    pub async fn seed(&self, admin: &Phone) -> Result<(), FlowError> {
        let categories = self.catalog.seed_categories(&Caller::system("seed")).await?;
        let plans = self.catalog.seed_boost_plans(&Caller::system("seed")).await?;
        let admin = self.identity.create_super_admin(admin).await?;
        tracing::info!(categories, plans, %admin, "seeded");
        Ok(())
    }

    /// Makes somebody super admin by their number.
    ///
    /// # Errors
    /// When the database fails, or the number belongs to somebody who is blocked.
    pub async fn create_super_admin(&self, phone: &Phone) -> Result<UserId, FlowError> {
        Ok(self.identity.create_super_admin(phone).await?)
    }
}
