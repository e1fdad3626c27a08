//! Devices that take push messages.

use chrono::TimeDelta;
use kernel::DomainError;
use notify::{Claim, DeliveryStatus, Kind, Platform, PushTarget, TargetKind};
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;
use testkit::{Domain, Scope, on_every_engine};

use crate::house::{House, event};

fn target(token: &str) -> PushTarget {
    PushTarget::parse(TargetKind::Token, token).unwrap()
}

#[test]
fn what_no_token_looks_like_is_refused() {
    for text in ["", "a b", "a\nb", "टोकन", &"x".repeat(1_025)] {
        assert!(PushTarget::parse(TargetKind::Token, text).is_err(), "{text}");
    }
    assert!(!format!("{:?}", target("secret-token")).contains("secret-token"));
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn a_device_registers_as_often_as_it_likes(db: TestDb) {
        let house = House::open(db);
        let (asha, session) = (house.person(), house.ambient.new_id());
        let first = house.notify.register_device((asha.user, session), Platform::Android, &target("t")).await.unwrap();
        house.clock.advance(TimeDelta::days(1));
        let again = house.notify.register_device((asha.user, session), Platform::Android, &target("t")).await.unwrap();
        assert_eq!((first.id, first.created_at), (again.id, again.created_at));
        assert!(again.seen_at > first.seen_at);
        assert_eq!(house.notify.devices(asha.user).await.unwrap().len(), 1);
        let fid = PushTarget::parse(TargetKind::Fid, "t").unwrap();
        house.notify.register_device((asha.user, session), Platform::Ios, &fid).await.unwrap();
        assert_eq!(house.notify.devices(asha.user).await.unwrap().len(), 2, "an installation id is another name");
    }

    /// A phone that is sold does not tell its new owner what was on its way to the old one.
    async fn a_phone_that_changes_hands_tells_nothing_of_the_old_owner(db: TestDb) {
        let house = House::open(db);
        let (asha, ravi) = (house.person(), house.person());
        house.device(asha.user, "t").await;
        let told = house.tell(&asha, &event(Kind::ListingApproved, "e")).await;
        house.device(ravi.user, "t").await;
        assert!(house.notify.devices(asha.user).await.unwrap().is_empty());
        assert_eq!(house.notify.devices(ravi.user).await.unwrap().len(), 1);
        let claim = house.claim(told.deliveries[0].id).await;
        assert!(matches!(claim, Claim::Over(DeliveryStatus::Failed)), "{claim:?}");
        house.device(asha.user, "t").await;
        assert_eq!(house.notify.devices(asha.user).await.unwrap().len(), 1);
    }

    async fn of_sixteen_registrations_at_once_one_device_comes(db: TestDb) {
        let house = std::sync::Arc::new(House::open(db));
        let people: Vec<_> = (0..16).map(|_| house.person().user).collect();
        let tasks: Vec<_> = people
            .iter()
            .map(|user| {
                let (house, user) = (std::sync::Arc::clone(&house), *user);
                tokio::spawn(async move { house.device(user, "t").await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let mut devices = 0;
        for user in people {
            devices += house.notify.devices(user).await.unwrap().len();
        }
        assert_eq!(devices, 1);
    }

    async fn the_device_that_was_not_seen_for_longest_makes_room(db: TestDb) {
        let house = House::with(db, |config| config.devices_per_user = 3);
        let asha = house.person();
        for token in ["a", "b", "c"] {
            house.device(asha.user, token).await;
            house.clock.advance(TimeDelta::days(1));
        }
        house.device(asha.user, "a").await;
        let kept: Vec<_> = house.notify.devices(asha.user).await.unwrap().iter().map(|one| one.id).collect();
        house.clock.advance(TimeDelta::days(1));
        house.device(asha.user, "d").await;
        let now: Vec<_> = house.notify.devices(asha.user).await.unwrap().iter().map(|one| one.id).collect();
        assert_eq!(now.len(), 3);
        assert_eq!(now[1..], kept[..2], "b is gone");
    }

    async fn somebody_elses_device_is_not_found(db: TestDb) {
        let house = House::open(db);
        let (asha, ravi) = (house.person(), house.person());
        let of = (asha.user, house.ambient.new_id());
        let device = house.notify.register_device(of, Platform::Web, &target("t")).await.unwrap().id;
        for (user, id) in [(ravi.user, device), (asha.user, house.ambient.new_id())] {
            assert_eq!(house.notify.delete_device(user, id).await.unwrap_err().code(), "device_not_found");
        }
        house.notify.delete_device(asha.user, device).await.unwrap();
        assert!(house.notify.devices(asha.user).await.unwrap().is_empty());
    }

    /// A login that ends takes its devices along, and a message that was on its way to them with it.
    async fn a_device_goes_with_the_login_it_is_used_through(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let phone = house.device(asha.user, "phone").await;
        let told = house.tell(&asha, &event(Kind::ListingApproved, "e")).await;
        house.device(asha.user, "tablet").await;
        let end = async |session| {
            db.in_txn(async |txn| house.notify.delete_devices_of_session_in_txn(txn, session).await).await.unwrap()
        };
        assert_eq!((end(phone).await, end(phone).await, end(house.ambient.new_id()).await), (1, 0, 0));
        assert_eq!(house.notify.devices(asha.user).await.unwrap().len(), 1, "the tablet stays");
        let claim = house.claim(told.deliveries[0].id).await;
        assert!(matches!(claim, Claim::Over(DeliveryStatus::Failed)), "{claim:?}");
        // One that registered through a later login goes with that one.
        let (before, after) = (house.device(asha.user, "phone").await, house.device(asha.user, "phone").await);
        let told = house.tell(&asha, &event(Kind::ListingApproved, "f")).await;
        assert_eq!((told.deliveries.len(), end(before).await), (2, 0));
        let mut sessions = Vec::new();
        for planned in &told.deliveries {
            let Claim::Send(claimed) = house.claim(planned.id).await else {
                panic!("it is due");
            };
            sessions.extend(claimed.session());
        }
        assert!(sessions.contains(&after) && !sessions.contains(&before));
        assert_eq!(end(after).await, 1);
    }

    /// After a change of keys what the old one sealed moves to the new one. What cannot be opened stays as it is, and
    /// nothing waits for it.
    async fn tokens_move_to_the_new_key(db: TestDb) {
        let house = House::open(db);
        let (asha, ravi) = (house.person(), house.person());
        let (lost, old) = (house.with_keys(&[("lost", 3)]), house.with_keys(&[("old", 1)]));
        lost.device(ravi.user, "lost").await;
        for token in ["a", "b", "c"] {
            old.device(asha.user, token).await;
        }
        let both = house.with_keys(&[("new", 2), ("old", 1)]);
        both.device(asha.user, "d").await;
        assert_eq!(both.notify.reseal_secrets().await.unwrap(), 3);
        assert_eq!(both.notify.reseal_secrets().await.unwrap(), 0);
        let opened = house.with_keys(&[("new", 2)]).notify.push_targets(asha.user).await.unwrap();
        let mut tokens: Vec<_> = opened.iter().map(|one| one.value.expose_secret().to_owned()).collect();
        tokens.sort();
        assert_eq!(tokens, ["a", "b", "c", "d"]);
        assert!(both.notify.push_targets(ravi.user).await.is_err());
        assert_eq!(lost.notify.push_targets(ravi.user).await.unwrap().len(), 1);
    }

    async fn no_token_can_be_read_from_the_database(db: TestDb) {
        let house = House::open(db);
        house.device(house.person().user, "canary-token").await;
        let select = db.engine().statement("SELECT token, token_hash FROM push_devices", []);
        let row = db.reader().unwrap().query_one_raw(select).await.unwrap().unwrap();
        let (sealed, hash): (Vec<u8>, String) = (row.try_get("", "token").unwrap(), row.try_get("", "token_hash").unwrap());
        assert!(!String::from_utf8_lossy(&sealed).contains("canary") && !hash.contains("canary"));
    }
}
