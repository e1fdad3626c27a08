//! Seeing and changing one's own profile.

use kernel::UserId;
use sea_orm::DatabaseTransaction;

use super::rows::{self, ProfileFacts};
use super::{Avatar, DisplayName, Language, Pincode, Place, UserView};
use crate::{Identity, IdentityError};

/// What to change of a profile: `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChanges {
    /// What they are called.
    pub name: Option<DisplayName>,
    /// Where they live.
    pub city: Option<Option<Place>>,
    /// In which state.
    pub state: Option<Option<Place>>,
    /// Their PIN code.
    pub pincode: Option<Option<Pincode>>,
    /// How they are addressed.
    pub language: Option<Language>,
    /// Their picture.
    pub avatar: Option<Option<Avatar>>,
}

impl Identity {
    /// Somebody's own profile.
    ///
    /// # Errors
    /// [`UserNotFound`](IdentityError::UserNotFound) when there is no such person.
    pub async fn profile(&self, user: UserId) -> Result<UserView, IdentityError> {
        let found = rows::find(self.db.reader()?, user, self.config()).await?;
        found.ok_or(IdentityError::UserNotFound)
    }

    /// Changes one's own profile. With `expected_version`, only if nobody changed it since that version.
    ///
    /// # Errors
    /// [`VersionMismatch`](IdentityError::VersionMismatch) when somebody did.
    pub async fn update_profile(
        &self,
        user: UserId,
        changes: &ProfileChanges,
        expected_version: Option<i64>,
    ) -> Result<UserView, IdentityError> {
        self.db
            .in_txn(async |txn| self.update_profile_in_txn(txn, user, changes, expected_version).await)
            .await
    }

    /// [`update_profile`](Self::update_profile) in the caller's transaction.
    ///
    /// # Errors
    /// As there.
    pub async fn update_profile_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        changes: &ProfileChanges,
        expected_version: Option<i64>,
    ) -> Result<UserView, IdentityError> {
        rows::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
        let before = rows::find(txn, user, self.config()).await?.ok_or(IdentityError::UserNotFound)?;
        if expected_version.is_some_and(|version| version != before.version) {
            return Err(IdentityError::VersionMismatch);
        }
        rows::set_profile_in_txn(txn, user, changes.applied_to(before), self.ambient.now()).await?;
        rows::find(txn, user, self.config()).await?.ok_or(IdentityError::UserNotFound)
    }
}

impl ProfileChanges {
    fn applied_to(&self, before: UserView) -> ProfileFacts {
        let Self { name, city, state, pincode, language, avatar } = self.clone();
        ProfileFacts {
            name: name.map_or(before.name, |name| name.as_str().to_owned()),
            avatar,
            city: city.map_or(before.city, |city| city.map(Place::into_string)),
            state: state.map_or(before.state, |state| state.map(Place::into_string)),
            pincode: pincode.map_or(before.pincode, |pincode| pincode.map(Pincode::into_string)),
            language: language.unwrap_or(before.language),
        }
    }
}
