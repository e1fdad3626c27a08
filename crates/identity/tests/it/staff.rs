//! What staff see of people, and blocking them.

use chrono::TimeDelta;
use identity::{DisplayName, ProfileChanges, Reason, StatusChange, UserFilter, UserSearch, UserStatus};
use kernel::{Caller, Clock, Paging, Role};
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused};

fn reason() -> Reason {
    Reason::parse("because of the test").unwrap()
}

fn page(page: u32, limit: u32) -> Paging {
    Paging::Numbered { page, limit }
}

async fn named(stage: &Stage, phone: &str, name: &str) -> kernel::UserId {
    let user = stage.log_in(phone).await.user.id;
    let changes =
        ProfileChanges { name: Some(DisplayName::parse(name).unwrap()), ..ProfileChanges::default() };
    stage.identity.update_profile(user, &changes, None).await.unwrap();
    user
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn people_are_found_by_role_status_and_search(db: TestDb) {
        let stage = Stage::on(db);
        let asha = named(&stage, ASHA, "Asha Rao").await;
        let ravi = named(&stage, RAVI, "Ravi 100%_done!").await;
        let third = named(&stage, "9876543212", "ASHOK").await;
        let system = Caller::system("test");
        stage.identity.set_role(&system, ravi, Role::Moderator, None).await.unwrap();
        stage.identity.set_status(&system, third, StatusChange::Ban, &reason()).await.unwrap();

        let found = async |filter: UserFilter| {
            let page = stage.identity.list_users(&filter, &page(1, 20)).await.unwrap();
            assert_eq!(page.pagination.total, Some(u64::try_from(page.data.len()).unwrap()));
            page.data.into_iter().map(|user| user.id).collect::<Vec<_>>()
        };
        let search = |text: &str| UserFilter {
            search: Some(UserSearch::parse(text).unwrap()),
            ..UserFilter::default()
        };
        assert_eq!(found(UserFilter::default()).await, [third, ravi, asha], "newest first");
        assert_eq!(found(UserFilter { role: Some(Role::Moderator), ..UserFilter::default() }).await, [ravi]);
        let banned = UserFilter { status: Some(UserStatus::Banned), ..UserFilter::default() };
        assert_eq!(found(banned).await, [third]);
        assert_eq!(found(search("98765 43210")).await, [asha]);
        assert_eq!(found(search("aSh")).await, [third, asha]);
        assert_eq!(found(search("100%_d")).await, [ravi]);
        assert_eq!(found(search("done!")).await, [ravi]);
        assert_eq!(found(search("0%%")).await, []);
        assert_eq!(found(search("nobody@example.in")).await, []);
        assert_eq!(found(search("' OR 1=1 --")).await, []);
    }

    async fn pages_are_numbered(db: TestDb) {
        let stage = Stage::on(db);
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(stage.log_in(&format!("987654321{n}")).await.user.id);
        }
        ids.reverse();
        let all = UserFilter::default();
        let second = stage.identity.list_users(&all, &page(2, 2)).await.unwrap();
        assert_eq!(second.data.iter().map(|user| user.id).collect::<Vec<_>>(), ids[2..4]);
        let told = (second.pagination.page, second.pagination.total, second.pagination.total_pages);
        assert_eq!(told, (Some(2), Some(5), Some(3)));
        let first = Paging::After { cursor: None, limit: 3 };
        assert_eq!(stage.identity.list_users(&all, &first).await.unwrap().data.len(), 3);
        let cursor = Paging::After { cursor: Some("x".to_owned()), limit: 3 };
        assert_refused(stage.identity.list_users(&all, &cursor).await, "invalid_input");
    }

    async fn a_block_ends_every_session_at_once_and_is_recorded(db: TestDb) {
        let stage = Stage::on(db);
        let admin = stage.caller(&stage.staff(RAVI, Role::Admin).await).await;
        let (one, other) = (stage.log_in(ASHA).await, stage.log_in(ASHA).await);
        let user = one.user.id;
        let view = stage.identity.set_status(&admin, user, StatusChange::Ban, &reason()).await.unwrap();
        assert_eq!((view.status, view.status_reason.as_deref()), (UserStatus::Banned, Some("because of the test")));
        for login in [&one, &other] {
            assert_refused(stage.identity.authenticate(login.access_token.expose()).await, "account_banned");
        }
        assert_eq!(stage.events("user.blocked").await, 1);
        stage.identity.set_status(&admin, user, StatusChange::Ban, &reason()).await.unwrap();
        assert_eq!(stage.events("user.blocked").await, 1, "nothing changed the second time");

        stage.identity.set_status(&admin, user, StatusChange::Activate, &reason()).await.unwrap();
        assert_refused(stage.identity.authenticate(one.access_token.expose()).await, "session_ended");
        assert_eq!(stage.audited(user).await, ["user.blocked", "user.unblocked"]);
        let records = store::audit::of_subject(stage.db.reader().unwrap(), "user", &user.to_string()).await.unwrap();
        assert_eq!(records[0].after["status"], "BANNED");
        assert_eq!(records[0].actor_id, admin.actor.name());
        assert!(!serde_json::to_string(&records).unwrap().contains("9876543210"), "no contact in the record");
    }

    async fn a_moderator_suspends_for_a_week_at_most(db: TestDb) {
        let stage = Stage::on(db);
        let moderator = stage.caller(&stage.staff(RAVI, Role::Moderator).await).await;
        let login = stage.log_in(ASHA).await;
        let user = login.user.id;
        let suspend = |days| StatusChange::Suspend { until: stage.clock.now() + TimeDelta::days(days) };
        assert_refused(stage.identity.set_status(&moderator, user, suspend(8), &reason()).await, "not_allowed");
        assert_refused(stage.identity.set_status(&moderator, user, StatusChange::Ban, &reason()).await, "not_allowed");
        let view = stage.identity.set_status(&moderator, user, suspend(7), &reason()).await.unwrap();
        assert!(view.suspended_until.is_some());
        assert_refused(stage.identity.authenticate(login.access_token.expose()).await, "account_suspended");
        let unknown = kernel::Ambient::system().new_id();
        assert_refused(stage.identity.set_status(&moderator, unknown, suspend(1), &reason()).await, "user_not_found");
    }

    async fn a_request_of_somebody_who_is_no_staff_changes_nothing(db: TestDb) {
        let stage = Stage::on(db);
        let ravi = stage.caller(&stage.log_in(RAVI).await).await;
        let asha = stage.log_in(ASHA).await;
        let ban = stage.identity.set_status(&ravi, asha.user.id, StatusChange::Ban, &reason()).await;
        assert_refused(ban, "outranked");
        let appoint = stage.identity.set_role(&ravi, asha.user.id, Role::Admin, None).await;
        assert_refused(appoint, "not_allowed");
        assert!(stage.identity.authenticate(asha.access_token.expose()).await.is_ok());
        assert!(stage.audited(asha.user.id).await.is_empty());
    }
}
