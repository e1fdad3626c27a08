//! Telling somebody something: once, as they want it, and no more than is good.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::DomainError;
use notify::{
    Category, Channel, DailyCaps, DeliveryStatus, Kind, Language, Preference, QuietHours, Recipient,
};
use serde_json::json;
use testkit::{Domain, Scope, on_every_engine};

use crate::house::{House, event};

fn channels(told: &notify::Told) -> Vec<Channel> {
    told.deliveries.iter().map(|planned| planned.channel).collect()
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn an_event_is_told_once(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "token-1").await;
        house.device(asha.user, "token-2").await;
        let first = house.tell(&asha, &event(Kind::ListingRejected, "e1")).await;
        assert!(first.is_new && first.notification.is_some() && !first.merged);
        assert_eq!(channels(&first), [Channel::Push, Channel::Push, Channel::Email], "one for each device");
        assert_eq!(house.tell(&asha, &event(Kind::ListingRejected, "e1")).await, notify::Told::default());
        let ravi = house.person();
        assert!(house.tell(&ravi, &event(Kind::ListingRejected, "e1")).await.is_new, "it is told to each person");
        assert_eq!((house.inbox(asha.user).await.len(), house.log(asha.user).await.len()), (1, 3));
    }

    /// The same event from sixteen relays at once.
    async fn an_event_is_told_once_however_many_tell_it(db: TestDb) {
        let house = Arc::new(House::open(db));
        let asha = house.person();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { house.tell(&asha, &event(Kind::RefundProcessed, "e")).await.is_new })
            })
            .collect();
        let mut new = 0;
        for task in tasks {
            new += usize::from(task.await.unwrap());
        }
        assert_eq!((new, house.inbox(asha.user).await.len(), house.log(asha.user).await.len()), (1, 1, 1));
    }

    async fn a_telling_that_rolled_back_never_was(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let failed: Result<(), notify::NotifyError> = db
            .in_txn(async |txn| {
                house.notify.notify_in_txn(txn, &asha, &event(Kind::ListingApproved, "e")).await?;
                Err(notify::NotifyError::LeaseLost)
            })
            .await;
        assert!(failed.is_err());
        assert!(house.inbox(asha.user).await.is_empty());
        assert!(house.tell(&asha, &event(Kind::ListingApproved, "e")).await.is_new);
    }

    async fn it_is_told_in_the_persons_language(db: TestDb) {
        let house = House::open(db);
        let asha = Recipient { language: Language::Hindi, ..house.person() };
        house.tell(&asha, &event(Kind::WalletToppedUp, "e")).await;
        let told = house.inbox(asha.user).await.remove(0);
        assert_eq!((told.title.as_str(), told.language.as_str()), ("पैसे आ गए हैं", "hi"));
        assert!(told.body.contains("₹500.00"), "{}", told.body);
        assert_eq!(told.data["amount"], json!({"amount": 50_000, "currency": "INR"}));
    }

    async fn who_cannot_be_reached_is_told_in_the_inbox_alone(db: TestDb) {
        let house = House::open(db);
        let asha = Recipient { has_phone: false, has_email: false, ..house.person() };
        let told = house.tell(&asha, &event(Kind::AccountBlocked, "e")).await;
        assert!(told.notification.is_some() && told.deliveries.is_empty());
    }

    async fn a_missing_variable_is_refused_by_name(db: TestDb) {
        let house = House::open(db);
        let mut new = event(Kind::ListingRejected, "e");
        new.params = json!({"title": "x"});
        let asha = house.person();
        let error = db.in_txn(async |txn| house.notify.notify_in_txn(txn, &asha, &new).await).await.unwrap_err();
        assert_eq!(error.fields()[0].field, "params.reason");
    }

    async fn what_somebody_switched_off_does_not_go(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let off = |channel| Preference { category: Category::Wallet, channel, enabled: false };
        let sms = Preference { category: Category::Wallet, channel: Channel::Sms, enabled: true };
        house.choose(asha.user, &[off(Channel::InApp), off(Channel::Email), sms], None).await.unwrap();
        let told = house.tell(&asha, &event(Kind::RefundProcessed, "e")).await;
        assert_eq!((told.notification, channels(&told)), (None, vec![Channel::Sms]));
        let told = house.tell(&asha, &event(Kind::ListingRejected, "e2")).await;
        assert_eq!(channels(&told), [Channel::Email], "another category goes as ever");
    }

    async fn quiet_hours_put_off_what_can_wait(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "token-1").await;
        let night = QuietHours::parse("22:00", "07:00").unwrap();
        house.choose(asha.user, &[], Some(Some(night))).await.unwrap();
        house.clock.set("2026-01-05T18:00:00Z".parse().unwrap());
        let told = house.tell(&asha, &event(Kind::ListingRejected, "e1")).await;
        let morning: DateTime<Utc> = "2026-01-06T01:30:00Z".parse().unwrap();
        assert!(told.notification.is_some(), "the inbox has it at once");
        assert!(told.deliveries.iter().all(|planned| planned.due_at == morning), "{told:?}");
        let told = house.tell(&asha, &event(Kind::SecurityNewLogin, "e2")).await;
        assert!(told.deliveries.iter().all(|planned| planned.due_at == house.ambient.now()), "{told:?}");
        assert_eq!(told.deliveries.len(), 2);
    }

    /// Thirty-two events at once for somebody who gets five SMS a day.
    async fn no_number_of_parallel_events_gets_past_the_daily_cap(db: TestDb) {
        let caps = DailyCaps { sms: 5, email: 7, ..DailyCaps::default() };
        let house = Arc::new(House::with(db, |config| config.caps = caps));
        let asha = house.person();
        let sms = Preference { category: Category::Wallet, channel: Channel::Sms, enabled: true };
        house.choose(asha.user, &[sms], None).await.unwrap();
        let tasks: Vec<_> = (0..32)
            .map(|n| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { house.tell(&asha, &event(Kind::RefundProcessed, &format!("e{n}"))).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let log = house.log(asha.user).await;
        let count = |channel, status| {
            log.iter().filter(|one| one.channel == channel && one.status == status).count()
        };
        assert_eq!(count(Channel::Sms, DeliveryStatus::Queued), 5);
        assert_eq!(count(Channel::Sms, DeliveryStatus::Withheld), 27);
        assert_eq!(count(Channel::Email, DeliveryStatus::Queued), 7);
        assert!(log.iter().all(|one| (one.status == DeliveryStatus::Withheld) == one.reason.is_some()));
        assert_eq!(house.inbox(asha.user).await.len(), 32, "the inbox has no cap");
        let told = house.tell(&asha, &event(Kind::AccountBlocked, "critical")).await;
        assert_eq!(channels(&told), [Channel::Sms, Channel::Email], "what is critical goes all the same");
        house.clock.advance(TimeDelta::days(1));
        let told = house.tell(&asha, &event(Kind::RefundProcessed, "tomorrow")).await;
        assert_eq!(channels(&told), [Channel::Sms, Channel::Email]);
    }

    async fn several_of_one_thing_become_one_while_they_are_unread(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let first = house.tell(&asha, &event(Kind::ContactReceived, "e1")).await;
        let second = house.tell(&asha, &event(Kind::ContactReceived, "e2")).await;
        assert!(second.merged && second.notification == first.notification);
        assert!(!house.tell(&asha, &event(Kind::ContactReceived, "e2")).await.is_new, "nor is one merged twice");
        let inbox = house.inbox(asha.user).await;
        assert_eq!((inbox.len(), inbox[0].count), (1, 2));
        assert!(inbox[0].body.starts_with("2 buyers"), "{}", inbox[0].body);
        let mut other = event(Kind::ContactReceived, "e3");
        other.action = Some("/listings/2".to_owned());
        assert!(!house.tell(&asha, &other).await.merged, "another listing is another thing");
        house.notify.mark_notification_read(asha.user, first.notification.unwrap()).await.unwrap();
        assert!(!house.tell(&asha, &event(Kind::ContactReceived, "e4")).await.merged, "what was read stays");
        house.clock.advance(TimeDelta::hours(2));
        assert!(!house.tell(&asha, &event(Kind::ContactReceived, "e5")).await.merged, "the window is over");
        assert_eq!(house.inbox(asha.user).await.len(), 4);
    }

    async fn of_events_at_once_each_is_counted_in_the_one_notification(db: TestDb) {
        let house = Arc::new(House::open(db));
        let asha = house.person();
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { house.tell(&asha, &event(Kind::ContactReceived, &format!("e{n}"))).await })
            })
            .collect();
        let mut ids = HashSet::new();
        for task in tasks {
            ids.insert(task.await.unwrap().notification);
        }
        let inbox = house.inbox(asha.user).await;
        assert_eq!((ids.len(), inbox.len(), inbox[0].count), (1, 1, 16));
    }

    async fn a_push_that_waits_tells_of_the_later_event_too(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "token-1").await;
        let night = QuietHours::parse("10:00", "18:00").unwrap();
        house.choose(asha.user, &[], Some(Some(night))).await.unwrap();
        house.tell(&asha, &event(Kind::ContactReceived, "e1")).await;
        assert!(house.tell(&asha, &event(Kind::ContactReceived, "e2")).await.deliveries.is_empty());
        house.clock.advance(TimeDelta::hours(8));
        let waiting = house.log(asha.user).await;
        assert_eq!(waiting.len(), 1);
        let notify::Claim::Send(claimed) = house.claim(waiting[0].id).await else {
            panic!("it is time");
        };
        assert!(claimed.text.body.starts_with("2 buyers"), "{}", claimed.text.body);
    }

    async fn who_wants_no_inbox_gets_no_duplicates_either(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "token-1").await;
        let category = Kind::ContactReceived.spec().category;
        let off = Preference { category, channel: Channel::InApp, enabled: false };
        let night = QuietHours::parse("10:00", "18:00").unwrap();
        house.choose(asha.user, &[off], Some(Some(night))).await.unwrap();
        let first = house.tell(&asha, &event(Kind::ContactReceived, "e1")).await;
        assert_eq!((first.notification, channels(&first)), (None, vec![Channel::Push]));
        for n in 2..=3 {
            let again = house.tell(&asha, &event(Kind::ContactReceived, &format!("e{n}"))).await;
            assert!(again.is_new && again.deliveries.is_empty());
        }
        house.clock.advance(TimeDelta::hours(8));
        let waiting = house.log(asha.user).await;
        assert_eq!(waiting.len(), 1);
        let notify::Claim::Send(claimed) = house.claim(waiting[0].id).await else {
            panic!("it is time");
        };
        assert!(claimed.text.body.starts_with("3 buyers"), "{}", claimed.text.body);
        let later = house.tell(&asha, &event(Kind::ContactReceived, "e4")).await;
        assert_eq!(channels(&later), [Channel::Push], "the window is over");
        let on = Preference { enabled: true, ..off };
        house.choose(asha.user, &[on], None).await.unwrap();
        assert!(!house.tell(&asha, &event(Kind::ContactReceived, "e5")).await.merged, "nothing stands in the inbox");
        assert_eq!(house.inbox(asha.user).await[0].count, 1);
    }

    async fn who_wants_no_inbox_loses_nothing_when_the_first_has_left(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let category = Kind::ContactReceived.spec().category;
        let off = Preference { category, channel: Channel::InApp, enabled: false };
        let mail = Preference { category, channel: Channel::Email, enabled: true };
        house.choose(asha.user, &[off, mail], None).await.unwrap();
        let first = house.tell(&asha, &event(Kind::ContactReceived, "e1")).await;
        assert_eq!(channels(&first), [Channel::Email]);
        let waiting = house.tell(&asha, &event(Kind::ContactReceived, "e2")).await;
        assert!(waiting.deliveries.is_empty(), "the mail that waits tells of both");
        let notify::Claim::Send(claimed) = house.claim(first.deliveries[0].id).await else {
            panic!("it is due");
        };
        let sent = notify::Sending::Taken("<id@dgt.example>".to_owned());
        db.in_txn(async |txn| house.notify.settle_in_txn(txn, &claimed, &sent).await).await.unwrap();
        let third = house.tell(&asha, &event(Kind::ContactReceived, "e3")).await;
        assert_eq!(channels(&third), [Channel::Email], "nothing else would tell of it");
    }

    async fn whoever_leaves_is_forgotten(db: TestDb) {
        let house = House::open(db);
        let (asha, ravi) = (house.person(), house.person());
        for person in [&asha, &ravi] {
            house.device(person.user, &format!("token-{}", person.user)).await;
            house.tell(person, &event(Kind::AccountBlocked, "e")).await;
        }
        db.in_txn(async |txn| house.notify.forget_person_in_txn(txn, asha.user).await).await.unwrap();
        assert!(house.inbox(asha.user).await.is_empty() && house.log(asha.user).await.is_empty());
        assert!(house.notify.devices(asha.user).await.unwrap().is_empty());
        assert_eq!((house.inbox(ravi.user).await.len(), house.log(ravi.user).await.len()), (1, 3));
    }

    async fn what_is_old_is_forgotten(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.tell(&asha, &event(Kind::ListingRejected, "old")).await;
        house.clock.advance(TimeDelta::days(100));
        house.tell(&asha, &event(Kind::ListingRejected, "new")).await;
        let before = house.ambient.now() - TimeDelta::days(90);
        let gone = db.in_txn(async |txn| house.notify.forget_notifications_in_txn(txn, before).await).await.unwrap();
        assert_eq!(gone, 3, "a notification, its event and a counter; what waits to be sent stays");
        assert_eq!(house.inbox(asha.user).await.len(), 1);
    }
}
