//! Changing phone or e-mail: proved by a code to the new one, never taking another's.

use std::sync::Arc;

use chrono::TimeDelta;
use identity::{Contact, ContactChanged, IdentityError, OtpCode, Purpose};
use kernel::{SessionId, UserId};
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused, digits, phone_of, wrong};

const NEW: &str = "+919876543299";

/// Confirms in a transaction of its own, which commits unless the contact was another's.
pub(crate) async fn confirm(
    stage: &Stage,
    who: (UserId, SessionId),
    contact: &Contact,
    code: &OtpCode,
) -> Result<ContactChanged, IdentityError> {
    stage
        .db
        .in_txn(async |txn| stage.identity.confirm_contact_change_in_txn(txn, who, contact, code).await)
        .await?
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn a_code_to_the_new_number_makes_it_ones_own_and_ends_other_sessions(db: TestDb) {
        let stage = Stage::on(db);
        let (old, here) = (stage.log_in(ASHA).await, stage.log_in(ASHA).await);
        let (user, session) = (here.user.id, stage.session(&here).await);
        let code = stage.code_for(&phone_of(NEW), Purpose::ContactChange(user)).await;
        let changed =
            confirm(&stage, (user, session), &phone_of(NEW), &digits(&code)).await.unwrap().user;
        assert_eq!((changed.phone.as_deref(), changed.phone_verified), (Some(NEW), true));
        assert!(changed.version > here.user.version);
        assert!(stage.identity.authenticate(here.access_token.expose()).await.is_ok());
        assert_refused(stage.identity.authenticate(old.access_token.expose()).await, "session_ended");
        assert_eq!(stage.events("user.contact_changed").await, 1);
        assert_eq!(stage.log_in(NEW).await.user.id, user);
        assert_ne!(stage.log_in(ASHA).await.user.id, user, "the old number is free");
    }

    async fn an_address_is_added_beside_the_number(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let (user, session) = (login.user.id, stage.session(&login).await);
        let address = Contact::parse(None, Some("asha@example.in")).unwrap();
        let code = stage.code_for(&address, Purpose::ContactChange(user)).await;
        let changed =
            confirm(&stage, (user, session), &address, &digits(&code)).await.unwrap().user;
        assert_eq!((changed.phone.as_deref(), changed.email.as_deref()), (Some(ASHA), Some("asha@example.in")));
        assert!(changed.phone_verified && changed.email_verified);
    }

    async fn the_contact_before_is_told_to_whoever_is_to_warn_it(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let who = (login.user.id, stage.session(&login).await);
        let address = Contact::parse(None, Some("asha@example.in")).unwrap();
        for (contact, former) in [
            (&address, None),
            (&phone_of(NEW), Some(phone_of(ASHA))),
            // Proved once more, it is nobody's former contact.
            (&phone_of(NEW), None),
        ] {
            stage.wait(TimeDelta::seconds(61));
            let code = stage.code_for(contact, Purpose::ContactChange(who.0)).await;
            let changed = confirm(&stage, who, contact, &digits(&code)).await.unwrap();
            assert_eq!(changed.former, former, "{contact:?}");
        }
    }

    async fn a_contact_of_another_is_told_only_after_its_code(db: TestDb) {
        let stage = Stage::on(db);
        let (asha, ravi) = (stage.log_in(ASHA).await, stage.log_in(RAVI).await);
        let session = stage.session(&asha).await;
        stage.wait(TimeDelta::seconds(31));
        let code = stage.code_for(&phone_of(RAVI), Purpose::ContactChange(asha.user.id)).await;
        let who = (asha.user.id, session);
        let guess = confirm(&stage, who, &phone_of(RAVI), &digits(&wrong(&code))).await;
        assert_refused(guess, "invalid_code");
        let taken = confirm(&stage, who, &phone_of(RAVI), &digits(&code)).await;
        assert_refused(taken, "contact_taken");
        assert_eq!(stage.identity.profile(ravi.user.id).await.unwrap().phone.as_deref(), Some(RAVI));
        assert_eq!(stage.identity.profile(asha.user.id).await.unwrap().phone.as_deref(), Some(ASHA));
    }

    async fn a_code_of_one_person_changes_nothing_for_another(db: TestDb) {
        let stage = Stage::on(db);
        let (asha, ravi) = (stage.log_in(ASHA).await, stage.log_in(RAVI).await);
        let code = stage.code_for(&phone_of(NEW), Purpose::ContactChange(asha.user.id)).await;
        let session = stage.session(&ravi).await;
        let stolen =
            confirm(&stage, (ravi.user.id, session), &phone_of(NEW), &digits(&code)).await;
        assert_refused(stolen, "invalid_code");
    }

    async fn wrong_codes_are_counted_here_too(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let who = (login.user.id, stage.session(&login).await);
        let code = stage.code_for(&phone_of(NEW), Purpose::ContactChange(login.user.id)).await;
        for _ in 0..5 {
            let guess = confirm(&stage, who, &phone_of(NEW), &digits(&wrong(&code))).await;
            assert_refused(guess, "invalid_code");
        }
        let late = confirm(&stage, who, &phone_of(NEW), &digits(&code)).await;
        assert_refused(late, "invalid_code");
    }

    /// Two people prove the same number at once: one gets it.
    async fn two_who_claim_one_number_at_once_do_not_both_get_it(db: TestDb) {
        let stage = Arc::new(Stage::on(db));
        let mut tasks = Vec::new();
        for phone in [ASHA, RAVI] {
            let login = stage.log_in(phone).await;
            let who = (login.user.id, stage.session(&login).await);
            let code = digits(&stage.code_for(&phone_of(NEW), Purpose::ContactChange(who.0)).await);
            tasks.push((Arc::clone(&stage), who, code));
        }
        let tasks: Vec<_> = tasks
            .into_iter()
            .map(|(stage, who, code)| {
                tokio::spawn(async move { confirm(&stage, who, &phone_of(NEW), &code).await })
            })
            .collect();
        let mut got = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => got += 1,
                Err(error) => assert_eq!(kernel::DomainError::code(&error), "contact_taken"),
            }
        }
        assert_eq!(got, 1);
    }
}
