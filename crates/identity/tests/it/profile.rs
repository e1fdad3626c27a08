//! Profiles: changing one's own, seeing a seller's, never losing another's change.

use identity::{Avatar, DisplayName, Language, Pincode, Place, ProfileChanges};
use kernel::Ambient;
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused};

fn name(text: &str) -> ProfileChanges {
    ProfileChanges { name: Some(DisplayName::parse(text).unwrap()), ..ProfileChanges::default() }
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn what_is_given_changes_and_what_is_not_stays(db: TestDb) {
        let stage = Stage::on(db);
        let user = stage.log_in(ASHA).await.user;
        let photo = Ambient::system().new_id();
        let avatar = Avatar { photo, file: "ab12.jpg".to_owned() };
        let all = ProfileChanges {
            name: Some(DisplayName::parse("आशा राव").unwrap()),
            city: Some(Some(Place::parse("Pune").unwrap())),
            state: Some(Some(Place::parse("Maharashtra").unwrap())),
            pincode: Some(Some(Pincode::parse("411001").unwrap())),
            language: Some(Language::Hi),
            avatar: Some(Some(avatar)),
        };
        let changed = stage.identity.update_profile(user.id, &all, None).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.city.as_deref()), ("आशा राव", Some("Pune")));
        assert_eq!((changed.language, changed.avatar_photo_id), (Language::Hi, Some(photo)));
        assert_eq!(changed.avatar_url.as_deref(), Some("/media/ab12.jpg"));
        assert_eq!(changed.version, user.version + 1);

        let some = ProfileChanges { city: Some(None), ..name("Asha") };
        let changed = stage.identity.update_profile(user.id, &some, None).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.city.as_deref()), ("Asha", None));
        assert_eq!((changed.pincode.as_deref(), changed.language), (Some("411001"), Language::Hi));
        assert_eq!((changed.avatar_photo_id, changed.version), (Some(photo), user.version + 2));
        assert_eq!(stage.identity.profile(user.id).await.unwrap(), changed);

        let without = ProfileChanges { avatar: Some(None), ..ProfileChanges::default() };
        let changed = stage.identity.update_profile(user.id, &without, None).await.unwrap();
        assert_eq!((changed.avatar_photo_id, changed.avatar_url), (None, None));
    }

    async fn of_eight_edits_of_the_same_version_one_is_made(db: TestDb) {
        let stage = Stage::on(db);
        let user = stage.log_in(ASHA).await.user;
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (identity, version) = (stage.identity.clone(), user.version);
                let changes = name(&format!("Asha {n}"));
                tokio::spawn(async move { identity.update_profile(user.id, &changes, Some(version)).await })
            })
            .collect();
        let mut made = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(view) => made.push(view.name),
                Err(error) => assert_eq!(kernel::DomainError::code(&error), "version_mismatch"),
            }
        }
        assert_eq!(made.len(), 1);
        assert_eq!(stage.identity.profile(user.id).await.unwrap().name, made[0]);
    }

    async fn a_seller_is_shown_without_their_contact(db: TestDb) {
        let stage = Stage::on(db);
        let (asha, ravi) = (stage.log_in(ASHA).await.user, stage.log_in(RAVI).await.user);
        stage.identity.update_profile(asha.id, &name("Asha"), None).await.unwrap();
        let card = stage.identity.seller(asha.id).await.unwrap();
        assert_eq!((card.name.as_str(), card.verified, card.member_since), ("Asha", true, asha.created_at));
        let wire = serde_json::to_string(&card).unwrap();
        assert!(!wire.contains("9876543210"), "{wire}");
        let unknown = Ambient::system().new_id();
        let mut ids: Vec<_> =
            stage.identity.sellers(&[ravi.id, unknown, asha.id]).await.unwrap().iter().map(|s| s.id).collect();
        ids.sort_unstable();
        let mut expected = [asha.id, ravi.id];
        expected.sort_unstable();
        assert_eq!(ids, expected);
        assert!(stage.identity.sellers(&[]).await.unwrap().is_empty());
        assert_refused(stage.identity.seller(unknown).await, "user_not_found");
        assert_refused(stage.identity.profile(unknown).await, "user_not_found");
    }

    async fn a_number_is_told_while_its_owner_is_active(db: TestDb) {
        let stage = Stage::on(db);
        let user = stage.log_in(ASHA).await.user.id;
        assert_eq!(stage.identity.phone_of(user).await.unwrap().as_str(), ASHA);
        let reason = identity::Reason::parse("because of the test").unwrap();
        let ban = identity::StatusChange::Ban;
        stage.identity.set_status(&kernel::Caller::system("test"), user, ban, &reason).await.unwrap();
        assert_refused(stage.identity.phone_of(user).await, "user_not_found");
    }
}
