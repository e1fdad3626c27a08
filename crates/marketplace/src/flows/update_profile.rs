//! Changing one's profile; a new picture is taken from one's own uploads.

use catalog::photo::{PhotoError, attach_in_txn};
use identity::{Avatar, ProfileChanges, UserView};
use kernel::{InvalidInput, ListingId, PhotoId, TypedId, UserId};

use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Changes the profile. `avatar` names an uploaded photo of theirs, or takes the picture away; it replaces what
    /// `changes` say of it.
    ///
    /// # Errors
    /// Naming `avatarPhotoId` when the photo is not theirs or a listing shows it; identity's own.
    pub async fn update_profile(
        &self,
        user: UserId,
        changes: &ProfileChanges,
        avatar: Option<Option<PhotoId>>,
        expected_version: Option<i64>,
    ) -> Result<UserView, FlowError> {
        let now = self.ambient.now();
        self.db
            .in_txn(async |txn| {
                let mut changes = changes.clone();
                if let Some(photo) = avatar {
                    // Photos are kept while they stand somewhere. The profile is such a place, under its owner's id:
                    // ids are unique across kinds, so it is no listing's.
                    let profile = ListingId::from(user.uuid());
                    let photos = attach_in_txn(txn, now, user, profile, photo.as_slice()).await;
                    let photo = photos.map_err(about_avatar)?.pop();
                    changes.avatar = Some(photo.map(|photo| Avatar { photo: photo.id, file: photo.card }));
                }
                Ok(self.identity.update_profile_in_txn(txn, user, &changes, expected_version).await?)
            })
            .await
    }
}

/// A refusal of the photo, told of the field that names it here.
fn about_avatar(error: PhotoError) -> FlowError {
    match error {
        PhotoError::Invalid(_) => {
            let message = "must name a photo that you uploaded and that no listing shows";
            InvalidInput::field("avatarPhotoId", "unknown_photo", message).into()
        }
        other => other.into(),
    }
}
