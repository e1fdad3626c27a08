//! Sending: by one sender, once, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use kernel::{DeliveryId, DomainError};
use notify::{
    Category, Channel, Claim, Claimed, DeliveryFilter, DeliveryStatus, Kind, Preference, QuietHours,
    SendError, Sending, Settled, SmsStatus,
};
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::house::{House, event};

async fn settle(db: &TestDb, house: &House, claimed: &Claimed, sending: Sending) -> Result<Settled, String> {
    db.in_txn(async |txn| house.notify.settle_in_txn(txn, claimed, &sending).await)
        .await
        .map_err(|error| error.code().to_owned())
}

/// A mail that waits to be sent.
async fn mail(house: &House) -> DeliveryId {
    let told = house.tell(&house.person(), &event(Kind::RefundProcessed, "e")).await;
    told.deliveries[0].id
}

/// An SMS that waits to be sent.
async fn sms(house: &House) -> DeliveryId {
    let told = house.tell(&house.person(), &event(Kind::AccountBlocked, "e")).await;
    told.deliveries.iter().find(|planned| planned.channel == Channel::Sms).unwrap().id
}

async fn claimed(house: &House, id: DeliveryId) -> Box<Claimed> {
    match house.claim(id).await {
        Claim::Send(claimed) => claimed,
        other => panic!("{other:?}"),
    }
}

async fn status(house: &House, id: DeliveryId) -> DeliveryStatus {
    house.notify.delivery(&house.moderator(), id).await.unwrap().status
}

const NOT_SENT: Sending = Sending::Failed(SendError::NotSent { code: Some(20429), retry_after: None });

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn what_nobody_is_there_to_send_is_withheld_and_takes_nothing_of_the_day(db: TestDb) {
        let with = House::with(db, |config| config.caps.push = 1);
        let without = House::with(db, |config| {
            config.caps.push = 1;
            config.can_push = false;
        });
        let asha = with.person();
        with.device(asha.user, "phone").await;
        // The day's only push waits when Firebase is taken away.
        let waits = with.tell(&asha, &event(Kind::WalletBonus, "before")).await.deliveries[0];
        for (kind, key) in [(Kind::WalletBonus, "e"), (Kind::AccountRestored, "critical")] {
            let told = without.tell(&asha, &event(kind, key)).await;
            assert!(told.notification.is_some());
            assert!(told.deliveries.iter().all(|one| one.channel != Channel::Push), "{kind:?}");
            let log = without.log(asha.user).await;
            let mut pushes = log.iter().filter(|one| one.channel == Channel::Push && one.id != waits.id);
            let push = pushes.find(|one| one.kind == kind.as_str()).unwrap();
            assert_eq!((push.status, push.reason.as_deref()), (DeliveryStatus::Withheld, Some("no_provider")));
        }
        assert!(matches!(without.claim(waits.id).await, Claim::Over(DeliveryStatus::Withheld)));
        let held = with.log(asha.user).await.into_iter().find(|one| one.id == waits.id).unwrap();
        assert_eq!(held.reason.as_deref(), Some("no_provider"));

        let ravi = with.person();
        with.device(ravi.user, "another-phone").await;
        without.tell(&ravi, &event(Kind::WalletBonus, "e")).await;
        assert_eq!(with.tell(&ravi, &event(Kind::WalletBonus, "f")).await.deliveries.len(), 1, "it is still to be had");
    }

    /// Sixteen workers of two instances ask for one delivery.
    async fn of_many_senders_one_sends(db: TestDb) {
        let house = Arc::new(House::open(db));
        let id = mail(&house).await;
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { matches!(house.claim(id).await, Claim::Send(_)) })
            })
            .collect();
        let mut senders = 0;
        for task in tasks {
            senders += usize::from(task.await.unwrap());
        }
        assert_eq!(senders, 1);
        assert_eq!(house.notify.delivery(&house.moderator(), id).await.unwrap().attempts, 1);
    }

    async fn what_was_taken_is_sent_and_over(db: TestDb) {
        let house = House::open(db);
        let id = mail(&house).await;
        let mail = claimed(&house, id).await;
        assert!(mail.text.body.contains("₹500.00") && mail.text.body.contains("unsubscribe?token="));
        let taken = Sending::Taken("<id@dgt.example>".to_owned());
        assert_eq!(settle(db, &house, &mail, taken).await, Ok(Settled::Over(DeliveryStatus::Sent)));
        let view = house.notify.delivery(&house.moderator(), id).await.unwrap();
        assert_eq!((view.provider_id.as_deref(), view.due_at), (Some("<id@dgt.example>"), None));
        assert!(matches!(house.claim(id).await, Claim::Over(DeliveryStatus::Sent)));
    }

    async fn what_did_not_leave_is_tried_until_it_is_dead(db: TestDb) {
        let house = House::with(db, |config| config.max_attempts = 3);
        let id = mail(&house).await;
        for attempt in 1..=3 {
            let mail = claimed(&house, id).await;
            assert_eq!(mail.attempt, attempt);
            match settle(db, &house, &mail, NOT_SENT).await.unwrap() {
                Settled::Again(at) => {
                    assert!(at <= house.ambient.now() + house.notify.config().backoff.bound(attempt));
                    house.clock.advance(TimeDelta::hours(1));
                }
                Settled::Over(status) => assert_eq!((attempt, status), (3, DeliveryStatus::Dead)),
            }
        }
        let view = house.notify.delivery(&house.moderator(), id).await.unwrap();
        assert_eq!((view.status, view.last_error.as_deref()), (DeliveryStatus::Dead, Some("not_sent:20429")));
    }

    async fn the_provider_may_ask_for_a_longer_wait(db: TestDb) {
        let house = House::open(db);
        let id = mail(&house).await;
        let retry_after = Some(Duration::from_secs(7_200));
        let wait = Sending::Failed(SendError::NotSent { code: None, retry_after });
        let mail = claimed(&house, id).await;
        let until = house.ambient.now() + TimeDelta::hours(2);
        assert_eq!(settle(db, &house, &mail, wait).await, Ok(Settled::Again(until)));
        assert!(matches!(house.claim(id).await, Claim::NotYet(at) if at == until));
    }

    async fn a_breaker_that_is_open_costs_no_try(db: TestDb) {
        let house = House::with(db, |config| config.max_attempts = 1);
        let id = mail(&house).await;
        for _ in 0..3 {
            house.clock.advance(TimeDelta::minutes(10));
            let mail = claimed(&house, id).await;
            let busy = Sending::Failed(SendError::Busy);
            assert!(matches!(settle(db, &house, &mail, busy).await, Ok(Settled::Again(_))));
        }
        assert_eq!(house.notify.delivery(&house.moderator(), id).await.unwrap().attempts, 0);
        house.clock.advance(TimeDelta::days(4));
        let mail = claimed(&house, id).await;
        let end = settle(db, &house, &mail, Sending::Failed(SendError::Busy)).await;
        assert_eq!(end, Ok(Settled::Over(DeliveryStatus::Dead)), "but every delivery ends");
    }

    async fn what_may_have_left_is_never_sent_again(db: TestDb) {
        let house = House::open(db);
        for error in [SendError::Unknown, SendError::Failed { code: 503 }] {
            let id = mail(&house).await;
            let mail = claimed(&house, id).await;
            let settled = settle(db, &house, &mail, Sending::Failed(error)).await;
            assert_eq!(settled, Ok(Settled::Over(DeliveryStatus::Unknown)));
            house.clock.advance(TimeDelta::days(1));
            assert!(matches!(house.claim(id).await, Claim::Over(DeliveryStatus::Unknown)));
            let caller = house.moderator();
            let retried = db.in_txn(async |txn| house.notify.retry_delivery_in_txn(txn, &caller, id).await).await;
            assert_eq!(retried.unwrap_err().code(), "delivery_not_dead");
        }
    }

    /// A sender that died over a message leaves it unknown; one that was merely slow still says that it left.
    async fn a_sender_that_does_not_come_back_leaves_it_unknown(db: TestDb) {
        let house = House::open(db);
        let id = mail(&house).await;
        let mail = claimed(&house, id).await;
        assert!(matches!(house.claim(id).await, Claim::NotYet(_)));
        house.clock.advance(TimeDelta::minutes(3));
        let overdue = house.notify.overdue_deliveries(house.ambient.now(), 10).await.unwrap();
        assert_eq!(overdue, [(id, notify::Lane::Mail)]);
        assert!(matches!(house.claim(id).await, Claim::Over(DeliveryStatus::Unknown)));
        assert_eq!(settle(db, &house, &mail, NOT_SENT).await, Err("lease_lost".to_owned()));
        assert_eq!(status(&house, id).await, DeliveryStatus::Unknown);
        let taken = Sending::Taken("<id@dgt.example>".to_owned());
        assert!(settle(db, &house, &mail, taken).await.is_ok());
        assert_eq!(status(&house, id).await, DeliveryStatus::Sent);
    }

    async fn a_paused_sender_cannot_settle_what_another_took(db: TestDb) {
        let house = House::open(db);
        let id = mail(&house).await;
        let first = claimed(&house, id).await;
        assert!(matches!(settle(db, &house, &first, NOT_SENT).await, Ok(Settled::Again(_))));
        house.clock.advance(TimeDelta::hours(1));
        let second = claimed(&house, id).await;
        assert_eq!(settle(db, &house, &first, Sending::NoContact).await, Err("lease_lost".to_owned()));
        let late = Sending::Taken("<first>".to_owned());
        assert_eq!(settle(db, &house, &first, late).await, Err("lease_lost".to_owned()));
        assert!(settle(db, &house, &second, Sending::Taken("<second>".to_owned())).await.is_ok());
        assert_eq!(house.notify.delivery(&house.moderator(), id).await.unwrap().provider_id.as_deref(), Some("<second>"));
    }

    async fn a_choice_made_meanwhile_counts(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let first = house.tell(&asha, &event(Kind::RefundProcessed, "e1")).await.deliveries[0].id;
        let second = house.tell(&asha, &event(Kind::ListingRejected, "e2")).await.deliveries[0].id;
        let off = Preference { category: Category::Wallet, channel: Channel::Email, enabled: false };
        let now = QuietHours::parse("12:00", "13:00").unwrap();
        house.choose(asha.user, &[off], Some(Some(now))).await.unwrap();
        assert!(matches!(house.claim(first).await, Claim::Over(DeliveryStatus::Withheld)));
        assert!(matches!(house.claim(second).await, Claim::NotYet(_)));
        house.clock.advance(TimeDelta::hours(1));
        claimed(&house, second).await;
    }

    async fn a_refused_recipient_and_a_missing_contact_end_it(db: TestDb) {
        let house = House::open(db);
        for (sending, reason) in [
            (Sending::Failed(SendError::Refused { code: 21610 }), "refused"),
            (Sending::NoContact, "no_contact"),
        ] {
            let id = sms(&house).await;
            let sms = claimed(&house, id).await;
            assert_eq!(settle(db, &house, &sms, sending).await, Ok(Settled::Over(DeliveryStatus::Failed)));
            assert_eq!(house.notify.delivery(&house.moderator(), id).await.unwrap().reason.as_deref(), Some(reason));
        }
    }

    async fn a_dead_token_is_forgotten(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "dead").await;
        house.device(asha.user, "alive").await;
        let told = house.tell(&asha, &event(Kind::ListingApproved, "e")).await;
        assert_eq!(told.deliveries.len(), 2);
        let push = claimed(&house, told.deliveries[0].id).await;
        assert!(settle(db, &house, &push, Sending::DeviceGone).await.is_ok());
        assert_eq!(house.notify.devices(asha.user).await.unwrap().len(), 1);
        let told = house.tell(&asha, &event(Kind::ListingApproved, "e2")).await;
        assert_eq!(told.deliveries.len(), 1);
    }

    async fn staff_revive_what_is_dead_and_it_is_recorded(db: TestDb) {
        let house = House::with(db, |config| config.max_attempts = 1);
        let id = mail(&house).await;
        let mail = claimed(&house, id).await;
        assert!(settle(db, &house, &mail, NOT_SENT).await.is_ok());
        let caller = house.moderator();
        let planned =
            db.in_txn(async |txn| house.notify.retry_delivery_in_txn(txn, &caller, id).await).await.unwrap();
        assert_eq!((planned.id, planned.due_at), (id, house.ambient.now()));
        claimed(&house, id).await;
        let records = store::audit::of_subject(db.reader().unwrap(), "delivery", &id.to_string()).await.unwrap();
        assert_eq!((records.len(), records[0].action.as_str()), (1, "delivery.retried"));
    }

    async fn the_log_is_searched_and_names_no_contact(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.tell(&asha, &event(Kind::AccountBlocked, "e1")).await;
        house.tell(&house.person(), &event(Kind::RefundProcessed, "e2")).await;
        let count = async |filter: DeliveryFilter| {
            let paging = kernel::Paging::Numbered { page: 1, limit: 50 };
            house.notify.deliveries(&house.moderator(), &filter, &paging).await.unwrap().pagination.total.unwrap()
        };
        let any = DeliveryFilter::default();
        assert_eq!(count(any).await, 3);
        assert_eq!(count(DeliveryFilter { user: Some(asha.user), ..any }).await, 2);
        assert_eq!(count(DeliveryFilter { channel: Some(Channel::Email), ..any }).await, 2);
        assert_eq!(count(DeliveryFilter { kind: Some(Kind::RefundProcessed), ..any }).await, 1);
        assert_eq!(count(DeliveryFilter { status: Some(DeliveryStatus::Dead), ..any }).await, 0);
        assert_eq!(count(DeliveryFilter { since: Some(house.ambient.now() + TimeDelta::hours(1)), ..any }).await, 0);
        let shown = serde_json::to_string(&house.log(asha.user).await).unwrap();
        assert!(!shown.contains("photos do not show"), "{shown}");
    }

    async fn reports_count_by_how_far_along_they_are(db: TestDb) {
        let house = House::open(db);
        let id = sms(&house).await;
        let message = claimed(&house, id).await;
        // The provider is quicker with its report than the sender with its answer.
        let report = async |status: SmsStatus| house.notify.apply_sms_status(id, "SM1", status, None).await;
        assert!(report(SmsStatus::Sent).await.unwrap());
        assert!(settle(db, &house, &message, Sending::Taken("SM1".to_owned())).await.is_ok());
        assert!(report(SmsStatus::Delivered).await.unwrap());
        for late in [SmsStatus::Queued, SmsStatus::Sending, SmsStatus::Sent, SmsStatus::Failed, SmsStatus::Delivered] {
            assert!(!report(late).await.unwrap(), "{late:?}");
        }
        assert_eq!(status(&house, id).await, DeliveryStatus::Delivered);
        let other = house.notify.apply_sms_status(id, "SM2", SmsStatus::Read, None).await;
        assert_eq!(other.unwrap_err().code(), "delivery_not_found");
    }

    /// All reports of one message at once, and each twice: the furthest one holds.
    async fn reports_at_once_end_at_the_furthest(db: TestDb) {
        let house = Arc::new(House::open(db));
        let id = sms(&house).await;
        let message = claimed(&house, id).await;
        let all = [SmsStatus::Delivered, SmsStatus::Queued, SmsStatus::Sent, SmsStatus::Sending, SmsStatus::Undelivered];
        let tasks: Vec<_> = all
            .into_iter()
            .chain(all)
            .map(|status| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { house.notify.apply_sms_status(id, "SM1", status, None).await.unwrap() })
            })
            .collect();
        let settled = settle(db, &house, &message, Sending::Taken("SM1".to_owned())).await;
        assert!(settled.is_ok(), "{settled:?}");
        let mut changed = 0;
        for task in tasks {
            changed += usize::from(task.await.unwrap());
        }
        assert!((1..=all.len()).contains(&changed), "{changed}");
        assert_eq!(status(&house, id).await, DeliveryStatus::Delivered);
    }

    async fn a_report_resolves_what_was_unknown(db: TestDb) {
        let house = House::open(db);
        let id = sms(&house).await;
        let message = claimed(&house, id).await;
        assert!(settle(db, &house, &message, Sending::Failed(SendError::Unknown)).await.is_ok());
        assert!(house.notify.apply_sms_status(id, "SM1", SmsStatus::Undelivered, Some(30003)).await.unwrap());
        let view = house.notify.delivery(&house.moderator(), id).await.unwrap();
        assert_eq!((view.status, view.last_error.as_deref()), (DeliveryStatus::Failed, Some("twilio:30003")));
    }

    async fn a_report_about_what_was_not_sent_changes_nothing(db: TestDb) {
        let house = House::open(db);
        let id = sms(&house).await;
        assert!(!house.notify.apply_sms_status(id, "SM1", SmsStatus::Delivered, None).await.unwrap());
        assert_eq!(status(&house, id).await, DeliveryStatus::Queued);
        let mail = mail(&house).await;
        let error = house.notify.apply_sms_status(mail, "SM1", SmsStatus::Delivered, None).await.unwrap_err();
        assert_eq!(error.code(), "delivery_not_found");
    }

    /// The sealing key is changed while the warning waits: it still reaches the number that was left.
    async fn a_warning_to_a_contact_that_was_left_outlives_its_sealing_key(db: TestDb) {
        let house = House::open(db).with_keys(&[("k1", 1)]);
        let asha = house.person();
        let phone = kernel::Phone::parse("+919876543210").unwrap();
        let former = notify::FormerContact::Phone(phone.clone());
        assert!(!format!("{former:?}").contains("98765"));
        let kind = Kind::SecurityContactChanged;
        let params = event(kind, "e").params;
        let planned = db.in_txn(async |txn| {
            let who = (asha.user, asha.language);
            house.notify.tell_former_contact_in_txn(txn, who, &former, kind, params.clone()).await
        });
        let id = planned.await.unwrap().id;
        let both = house.with_keys(&[("k2", 2), ("k1", 1)]);
        assert_eq!(both.notify.reseal_secrets().await.unwrap(), 1);
        assert_eq!(both.notify.reseal_secrets().await.unwrap(), 0);
        let Claim::Send(claimed) = house.with_keys(&[("k2", 2)]).claim(id).await else {
            panic!("it is to be sent");
        };
        assert_eq!(claimed.former_contact().unwrap().phone.as_ref(), Some(&phone));
    }
}
