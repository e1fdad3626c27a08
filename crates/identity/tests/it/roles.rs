//! Appointing and dismissing: at once, recorded, and never the last super admin.

use identity::{IdentityError, Reason, StatusChange};
use kernel::{Caller, Phone, Role};
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused};

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn a_new_role_counts_from_the_next_request_on(db: TestDb) {
        let stage = Stage::on(db);
        let top = stage.caller(&stage.staff(RAVI, Role::SuperAdmin).await).await;
        let before = stage.log_in(ASHA).await;
        let user = before.user.id;
        let view = stage.identity.set_role(&top, user, Role::Moderator, None).await.unwrap();
        assert_eq!(view.role, Role::Moderator);
        assert_refused(stage.identity.authenticate(before.access_token.expose()).await, "session_ended");
        assert_eq!(stage.actor(&stage.log_in(ASHA).await).await.role(), Some(Role::Moderator));
        assert_eq!(stage.audited(user).await, ["user.role_changed"]);

        let after = stage.log_in(ASHA).await;
        stage.identity.set_role(&top, user, Role::Moderator, None).await.unwrap();
        assert!(stage.identity.authenticate(after.access_token.expose()).await.is_ok(), "nothing changed");
        stage.identity.set_role(&top, user, Role::User, None).await.unwrap();
        assert_refused(stage.identity.authenticate(after.access_token.expose()).await, "session_ended");
    }

    async fn nobody_changes_their_own_role(db: TestDb) {
        let stage = Stage::on(db);
        let top = stage.caller(&stage.staff(RAVI, Role::SuperAdmin).await).await;
        let own = stage.identity.set_role(&top, top.actor.user().unwrap(), Role::User, None).await;
        assert_refused(own, "own_account");
    }

    /// Two super admins dismiss each other at the same moment: one of them stays.
    async fn two_super_admins_who_demote_each_other_do_not_both_go(db: TestDb) {
        for ban in [false, true] {
            let stage = Stage::on(db);
            let (a, b) = if ban { ("9000000001", "9000000002") } else { (ASHA, RAVI) };
            let (a, b) = (stage.staff(a, Role::SuperAdmin).await, stage.staff(b, Role::SuperAdmin).await);
            let (one, other) = (stage.caller(&a).await, stage.caller(&b).await);
            let act = |by: Caller, upon| {
                let identity = stage.identity.clone();
                tokio::spawn(async move {
                    if ban {
                        let reason = Reason::parse("because of the test").unwrap();
                        identity.set_status(&by, upon, StatusChange::Ban, &reason).await
                    } else {
                        identity.set_role(&by, upon, Role::User, None).await
                    }
                })
            };
            let tasks = [act(one, b.user.id), act(other, a.user.id)];
            let mut refused = 0;
            for task in tasks {
                if let Err(error) = task.await.unwrap() {
                    assert!(matches!(error, IdentityError::LastSuperAdmin), "{error}");
                    refused += 1;
                }
            }
            assert_eq!(refused, 1);
            let active = "SELECT COUNT(*) AS n FROM users WHERE role = 'SUPER_ADMIN' AND status = 'ACTIVE'";
            assert_eq!(stage.number(active, []).await, 1);
            // Make room for the second round: the one who stayed must not count there.
            let demote = "UPDATE users SET role = 'USER'";
            sea_orm::ConnectionTrait::execute_unprepared(stage.db.schema_connection(), demote).await.unwrap();
        }
    }

    async fn the_operator_makes_a_super_admin_once(db: TestDb) {
        let stage = Stage::on(db);
        let phone = Phone::parse(ASHA).unwrap();
        let made = stage.identity.create_super_admin(&phone).await.unwrap();
        assert_eq!(stage.identity.create_super_admin(&phone).await.unwrap(), made);
        assert_eq!(stage.audited(made).await, ["user.created"]);
        assert!(!stage.identity.profile(made).await.unwrap().phone_verified, "until they log in");
        let login = stage.log_in(ASHA).await;
        assert_eq!((login.user.id, login.user.role, login.user.phone_verified), (made, Role::SuperAdmin, true));

        let member = stage.log_in(RAVI).await.user.id;
        let raised = stage.identity.create_super_admin(&Phone::parse(RAVI).unwrap()).await.unwrap();
        assert_eq!(raised, member);
        assert_eq!(stage.audited(member).await, ["user.role_changed"]);
    }

    async fn the_last_super_admin_is_not_dismissed_by_the_system_either(db: TestDb) {
        let stage = Stage::on(db);
        let only = stage.identity.create_super_admin(&Phone::parse(ASHA).unwrap()).await.unwrap();
        let system = Caller::system("test");
        assert_refused(stage.identity.set_role(&system, only, Role::User, None).await, "last_super_admin");
        let reason = Reason::parse("because of the test").unwrap();
        let ban = stage.identity.set_status(&system, only, StatusChange::Ban, &reason).await;
        assert_refused(ban, "last_super_admin");
    }
}
