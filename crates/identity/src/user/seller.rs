//! What buyers learn of a seller.

use kernel::{Phone, UserId};
use sea_orm::DatabaseTransaction;
use store::StoreError;

use super::{SellerView, rows};
use crate::{Identity, IdentityError};

impl Identity {
    /// A seller's card.
    ///
    /// # Errors
    /// [`UserNotFound`](IdentityError::UserNotFound) when there is no such person, or they left.
    pub async fn seller(&self, user: UserId) -> Result<SellerView, IdentityError> {
        let found = self.sellers(&[user]).await?.pop();
        found.ok_or(IdentityError::UserNotFound)
    }

    /// The cards of several sellers, in no order; those who left are not among them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sellers(&self, users: &[UserId]) -> Result<Vec<SellerView>, IdentityError> {
        Ok(rows::sellers(self.db.reader()?, users, self.config()).await?)
    }

    /// Holds a seller's row until the transaction ends, so that what goes on sale in it cannot cross a block.
    ///
    /// # Errors
    /// [`SellerBlocked`](IdentityError::SellerBlocked) when they are suspended or banned, or have left.
    pub async fn hold_seller_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
    ) -> Result<(), IdentityError> {
        let seller = rows::lock(txn, user).await?.ok_or(IdentityError::SellerBlocked)?;
        seller.standing.check(self.ambient.now()).or(Err(IdentityError::SellerBlocked))
    }

    /// The number under which a seller is reached: for the one answer that tells it.
    ///
    /// # Errors
    /// [`UserNotFound`](IdentityError::UserNotFound) when there is no such person or they are blocked,
    /// [`NoPhone`](IdentityError::NoPhone) when they only have an e-mail address.
    pub async fn phone_of(&self, user: UserId) -> Result<Phone, IdentityError> {
        let found = rows::phone(self.db.reader()?, user).await?;
        let phone = found.ok_or(IdentityError::UserNotFound)?.ok_or(IdentityError::NoPhone)?;
        let corrupt = |_| StoreError::Corrupt("users.phone is no phone number".to_owned());
        Ok(Phone::parse(&phone).map_err(corrupt)?)
    }
}
