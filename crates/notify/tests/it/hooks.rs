//! Webhooks out: signed, tried again, and to nobody inside.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::{DomainError, HookId, Paging};
use notify::{
    ClaimedHook, HookClaim, HookClient, HookDeliveryView, HookEvent, HookInput, HookSending, HookSettled,
    HookStatus, PlannedHook, Resolve, verify_hook_signature,
};
use secrecy::SecretString;
use serde_json::json;
use testkit::raw::{Answer, RawServer};
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::house::House;
use testkit::receiver::Receiver;

/// Says that every name is this address, and counts how often it was asked.
struct Says(Vec<SocketAddr>, AtomicUsize);

#[async_trait]
impl Resolve for Says {
    async fn resolve(&self, _: &str, _: u16) -> Vec<SocketAddr> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.clone()
    }
}

pub(crate) fn client() -> HookClient {
    HookClient::with(Arc::new(Says(Vec::new(), AtomicUsize::default())), Duration::from_secs(2))
}

fn input(url: &str, topics: &[&str]) -> HookInput {
    let topics: Vec<_> = topics.iter().map(|topic| (*topic).to_owned()).collect();
    HookInput::parse(url, "a partner", &topics, true).unwrap()
}

pub(crate) fn house(db: &TestDb) -> House {
    House::with(db, |config| config.hooks_to_loopback = true)
}

pub(crate) async fn endpoint(house: &House, url: &str) -> (HookId, SecretString) {
    let new = house.notify.create_hook(&house.moderator(), &input(url, &["listing.*"])).await.unwrap();
    (new.hook.id, new.secret)
}

pub(crate) fn event(house: &House) -> HookEvent {
    HookEvent {
        id: house.ambient.new_id(),
        sequence: 7,
        subject: "listing:1".to_owned(),
        kind: "listing.approved".to_owned(),
        at: house.ambient.now(),
        data: json!({"listingId": "1", "title": "लाल साइकिल"}),
    }
}

pub(crate) async fn plan(db: &TestDb, house: &House, event: &HookEvent) -> Vec<PlannedHook> {
    db.in_txn(async |txn| house.notify.plan_hooks_in_txn(txn, event).await).await.unwrap()
}

pub(crate) async fn claim(house: &House, planned: &PlannedHook) -> Box<ClaimedHook> {
    match house.claim_hook(planned.id).await {
        HookClaim::Send(claimed) => claimed,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn settle(
    db: &TestDb,
    house: &House,
    claimed: &ClaimedHook,
    sending: HookSending,
) -> Result<HookSettled, String> {
    db.in_txn(async |txn| house.notify.settle_hook_in_txn(txn, claimed, sending).await)
        .await
        .map_err(|error| error.code().to_owned())
}

pub(crate) async fn log(house: &House, endpoint: HookId) -> Vec<HookDeliveryView> {
    let paging = Paging::After { cursor: None, limit: 100 };
    house.notify.hook_deliveries(&house.moderator(), endpoint, &paging).await.unwrap().data
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn an_event_is_told_once_to_whom_it_concerns_and_signed(db: TestDb) {
        let house = house(db);
        let receiver = Receiver::answering(&[]).await;
        let (id, secret) = endpoint(&house, &format!("http://127.0.0.1:{}/hooks", receiver.port)).await;
        house.notify.create_hook(&house.moderator(), &input("https://example.com/", &["wallet.*"])).await.unwrap();
        let event = event(&house);
        let planned = plan(db, &house, &event).await;
        assert_eq!(planned.len(), 1, "the other endpoint asked for something else");
        assert!(plan(db, &house, &event).await.is_empty(), "once per event and endpoint");
        let claimed = claim(&house, &planned[0]).await;
        let sending = client().send(&claimed).await;
        assert_eq!(sending, HookSending::Taken(204));
        assert_eq!(settle(db, &house, &claimed, sending).await, Ok(HookSettled::Delivered));
        let request = receiver.requests().remove(0);
        assert_eq!(request.header("webhook-id"), event.id.to_string());
        let (at, header) = (request.header("webhook-timestamp").parse().unwrap(), request.header("webhook-signature"));
        assert!(verify_hook_signature(&secret, &event.id.to_string(), at, &request.body, &header, at));
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!((&body["type"], &body["data"]), (&json!("listing.approved"), &event.data));
        assert_eq!((&body["subject"], &body["sequence"]), (&json!("listing:1"), &json!(7)));
        let log = log(&house, id).await;
        assert_eq!((log.len(), log[0].status.as_str(), log[0].last_status), (1, "delivered", Some(204)));
    }

    async fn of_many_senders_one_sends(db: TestDb) {
        let house = Arc::new(house(db));
        endpoint(&house, "http://127.0.0.1:1/").await;
        let planned = plan(db, &house, &event(&house)).await[0];
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    matches!(house.claim_hook(planned.id).await, HookClaim::Send(_))
                })
            })
            .collect();
        let mut senders = 0;
        for task in tasks {
            senders += usize::from(task.await.unwrap());
        }
        assert_eq!(senders, 1);
    }

    async fn a_webhook_is_tried_by_the_declared_curve_and_then_dead(db: TestDb) {
        let house = House::with(db, |config| {
            config.hooks_to_loopback = true;
            config.hook_patience = TimeDelta::days(30);
        });
        let (id, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        let planned = plan(db, &house, &event(&house)).await[0];
        for declared in notify::HOOK_RETRIES {
            let claimed = claim(&house, &planned).await;
            let Ok(HookSettled::Again(at)) = settle(db, &house, &claimed, HookSending::Refused(500)).await else {
                panic!("it is tried again");
            };
            let pause = (at - house.ambient.now()).to_std().unwrap();
            assert!(pause >= declared.mul_f64(0.9) && pause <= declared.mul_f64(1.1), "{pause:?}");
            assert!(matches!(house.claim_hook(planned.id).await, HookClaim::NotYet(_)));
            house.clock.set(at);
        }
        let claimed = claim(&house, &planned).await;
        assert_eq!(settle(db, &house, &claimed, HookSending::TimedOut).await, Ok(HookSettled::Dead));
        let dead = log(&house, id).await.remove(0);
        assert_eq!((dead.status.as_str(), dead.attempts, dead.last_error.as_deref()), ("dead", 10, Some("timeout")));
        let caller = house.moderator();
        let again = db.in_txn(async |txn| house.notify.resend_hook_in_txn(txn, &caller, planned.id).await).await;
        let claimed = claim(&house, &again.unwrap()).await;
        let twice = db.in_txn(async |txn| house.notify.resend_hook_in_txn(txn, &caller, planned.id).await).await;
        assert_eq!(twice.unwrap_err().code(), "webhook_under_way");
        assert_eq!(settle(db, &house, &claimed, HookSending::Taken(200)).await, Ok(HookSettled::Delivered));
    }

    async fn a_paused_sender_cannot_settle_what_another_took(db: TestDb) {
        let house = house(db);
        endpoint(&house, "http://127.0.0.1:1/").await;
        let planned = plan(db, &house, &event(&house)).await[0];
        let first = claim(&house, &planned).await;
        house.clock.advance(TimeDelta::minutes(2));
        assert_eq!(house.notify.overdue_hooks(house.ambient.now(), 10).await.unwrap(), [planned.id]);
        let second = claim(&house, &planned).await;
        assert_eq!(settle(db, &house, &first, HookSending::Taken(200)).await, Err("lease_lost".to_owned()));
        assert_eq!(settle(db, &house, &second, HookSending::Taken(200)).await, Ok(HookSettled::Delivered));
    }

    async fn an_endpoint_that_fails_for_days_is_switched_off(db: TestDb) {
        let house = house(db);
        let (id, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        let first = plan(db, &house, &event(&house)).await[0];
        let claimed = claim(&house, &first).await;
        assert!(matches!(settle(db, &house, &claimed, HookSending::NoConnection).await, Ok(HookSettled::Again(_))));
        house.clock.advance(TimeDelta::days(5));
        let second = plan(db, &house, &event(&house)).await[0];
        let claimed = claim(&house, &first).await;
        assert_eq!(settle(db, &house, &claimed, HookSending::TimedOut).await, Ok(HookSettled::EndpointOff));
        assert_eq!(house.notify.hook(&house.moderator(), id).await.unwrap().status, HookStatus::Failing);
        assert!(plan(db, &house, &event(&house)).await.is_empty());
        assert!(matches!(house.claim_hook(second.id).await, HookClaim::Over));
        let ended: Vec<_> = log(&house, id).await.into_iter().map(|one| one.status).collect();
        assert_eq!(ended, ["cancelled", "dead"]);
        let on = house.notify.switch_hook(&house.moderator(), id, true).await.unwrap();
        assert_eq!((on.status, on.failing_since), (HookStatus::Enabled, None));
    }

    /// An endpoint that failed once, long ago, is not switched off by its next failure.
    async fn what_is_dead_makes_no_endpoint_fail_for_ever(db: TestDb) {
        let house = House::with(db, |config| {
            config.hooks_to_loopback = true;
            config.hook_patience = TimeDelta::days(30);
        });
        let (id, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        let failing = async || house.notify.hook(&house.moderator(), id).await.unwrap().failing_since;
        let first = plan(db, &house, &event(&house)).await[0];
        for _ in notify::HOOK_RETRIES {
            let claimed = claim(&house, &first).await;
            let Ok(HookSettled::Again(at)) = settle(db, &house, &claimed, HookSending::TimedOut).await else {
                panic!("it is tried again");
            };
            assert!(failing().await.is_some());
            house.clock.set(at);
        }
        let claimed = claim(&house, &first).await;
        assert_eq!(settle(db, &house, &claimed, HookSending::TimedOut).await, Ok(HookSettled::Dead));
        assert_eq!(failing().await, None, "nothing is on its way there");
        house.clock.advance(TimeDelta::days(40));
        let second = plan(db, &house, &event(&house)).await[0];
        let claimed = claim(&house, &second).await;
        assert!(matches!(settle(db, &house, &claimed, HookSending::TimedOut).await, Ok(HookSettled::Again(_))));
    }

    async fn one_success_ends_the_failing_and_gone_switches_off_at_once(db: TestDb) {
        let house = house(db);
        let (id, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        for (sending, failing) in [(HookSending::Refused(503), true), (HookSending::Taken(200), false)] {
            let planned = plan(db, &house, &event(&house)).await[0];
            let claimed = claim(&house, &planned).await;
            assert!(settle(db, &house, &claimed, sending).await.is_ok());
            assert_eq!(house.notify.hook(&house.moderator(), id).await.unwrap().failing_since.is_some(), failing);
        }
        let planned = plan(db, &house, &event(&house)).await[0];
        let claimed = claim(&house, &planned).await;
        assert_eq!(settle(db, &house, &claimed, HookSending::Gone).await, Ok(HookSettled::EndpointOff));
    }

    async fn while_secrets_change_over_both_sign(db: TestDb) {
        let house = house(db);
        let receiver = Receiver::answering(&[]).await;
        let (id, old) = endpoint(&house, &format!("http://127.0.0.1:{}/", receiver.port)).await;
        let new = house.notify.rotate_hook_secret(&house.moderator(), id).await.unwrap().secret;
        for (days, old_signs) in [(0, true), (2, false)] {
            house.clock.advance(TimeDelta::days(days));
            let planned = plan(db, &house, &event(&house)).await[0];
            let claimed = claim(&house, &planned).await;
            let sending = client().send(&claimed).await;
            assert!(settle(db, &house, &claimed, sending).await.is_ok());
            let request = receiver.requests().pop().unwrap();
            let at = request.header("webhook-timestamp").parse().unwrap();
            let (webhook, header) = (request.header("webhook-id"), request.header("webhook-signature"));
            assert!(verify_hook_signature(&new, &webhook, at, &request.body, &header, at));
            assert_eq!(verify_hook_signature(&old, &webhook, at, &request.body, &header, at), old_signs);
        }
    }

    /// After a change of keys both secrets of an endpoint move to the new one; nothing else about it changes.
    async fn secrets_move_to_the_new_key_and_sign_as_before(db: TestDb) {
        let house = house(db);
        let old = house.with_keys(&[("old", 1)]);
        let receiver = Receiver::answering(&[]).await;
        let (id, first) = endpoint(&old, &format!("http://127.0.0.1:{}/", receiver.port)).await;
        let second = old.notify.rotate_hook_secret(&old.moderator(), id).await.unwrap();
        let (lost, _) = endpoint(&house.with_keys(&[("lost", 3)]), "http://127.0.0.1:1/").await;
        let both = house.with_keys(&[("new", 2), ("old", 1)]);
        assert_eq!(both.notify.reseal_secrets().await.unwrap(), 1, "the lost key's stays");
        assert_eq!(both.notify.reseal_secrets().await.unwrap(), 0);
        let new = house.with_keys(&[("new", 2)]);
        assert_eq!(new.notify.hook(&new.moderator(), id).await.unwrap(), second.hook);
        new.notify.switch_hook(&new.moderator(), lost, false).await.unwrap();
        let planned = plan(db, &new, &event(&new)).await[0];
        assert_eq!(client().send(&*claim(&new, &planned).await).await, HookSending::Taken(204));
        let request = receiver.requests().pop().unwrap();
        let at = request.header("webhook-timestamp").parse().unwrap();
        let (webhook, header) = (request.header("webhook-id"), request.header("webhook-signature"));
        for secret in [&first, &second.secret] {
            assert!(verify_hook_signature(secret, &webhook, at, &request.body, &header, at));
        }
    }

    async fn what_staff_do_is_recorded_and_no_secret_is_kept_in_the_clear(db: TestDb) {
        use sea_orm::ConnectionTrait;
        use secrecy::ExposeSecret;
        let house = house(db);
        let caller = house.moderator();
        let (id, secret) = endpoint(&house, "https://example.com/hooks").await;
        let changed = input("https://example.com/other", &["*"]);
        let error = house.notify.update_hook(&caller, id, &changed, Some(7)).await.unwrap_err();
        assert_eq!(error.code(), "version_mismatch");
        let view = house.notify.update_hook(&caller, id, &changed, Some(1)).await.unwrap();
        assert_eq!((view.version, view.topics), (2, vec!["*".to_owned()]));
        house.notify.switch_hook(&caller, id, false).await.unwrap();
        assert!(plan(db, &house, &event(&house)).await.is_empty());
        let select = db.engine().statement("SELECT secret FROM hook_endpoints", []);
        let row = db.reader().unwrap().query_one_raw(select).await.unwrap().unwrap();
        let stored: Vec<u8> = row.try_get("", "secret").unwrap();
        assert!(!String::from_utf8_lossy(&stored).contains(secret.expose_secret()));
        house.notify.delete_hook(&caller, id).await.unwrap();
        assert_eq!(house.notify.hook(&house.moderator(), id).await.unwrap_err().code(), "webhook_endpoint_not_found");
        let records = store::audit::of_subject(db.reader().unwrap(), "hook", &id.to_string()).await.unwrap();
        let actions: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, ["hook.created", "hook.changed", "hook.disabled", "hook.deleted"]);
        let told = serde_json::to_string(&records).unwrap();
        assert!(!told.contains("whsec_") && told.contains("https://example.com/other"), "{told}");
    }

    /// Whatever a host's name means, nothing inside is connected to: a canary that listens there sees nobody.
    async fn no_name_leads_to_anything_inside(db: TestDb) {
        let canary = RawServer::start(Answer::Silence).await;
        let house = House::open(db);
        let new = HookInput::parse(&format!("https://evil.example:{}/", canary.addr.port()), "", &["*".to_owned()], false);
        house.notify.create_hook(&house.moderator(), &new.unwrap()).await.unwrap();
        let inside = |ip: &str| SocketAddr::new(ip.parse().unwrap(), canary.addr.port());
        for addresses in [
            vec![],
            vec![inside("127.0.0.1")],
            vec![inside("::1")],
            vec![inside("::ffff:127.0.0.1")],
            vec![inside("0.0.0.0")],
            vec![inside("169.254.169.254")],
            vec![inside("10.0.0.1")],
            vec![inside("fd00::1")],
            // One good address beside a bad one does not make it good.
            vec![inside("8.8.8.8"), inside("127.0.0.1")],
        ] {
            let planned = plan(db, &house, &event(&house)).await[0];
            let claimed = claim(&house, &planned).await;
            let says = Arc::new(Says(addresses.clone(), AtomicUsize::default()));
            let client = HookClient::with(Arc::<Says>::clone(&says), Duration::from_secs(2));
            let sending = client.send(&claimed).await;
            assert_eq!(sending, HookSending::Forbidden, "{addresses:?}");
            assert!(settle(db, &house, &claimed, sending).await.is_ok());
            assert_eq!(says.1.load(Ordering::SeqCst), 1);
        }
        assert_eq!(canary.connections(), 0);
    }

    /// A name is asked for once, and what was looked at is what is connected to.
    async fn a_name_that_changes_its_meaning_changes_nothing(db: TestDb) {
        let receiver = Receiver::answering(&[]).await;
        let house = house(db);
        endpoint(&house, &format!("http://localhost:{}/", receiver.port)).await;
        let planned = plan(db, &house, &event(&house)).await[0];
        let claimed = claim(&house, &planned).await;
        let address = SocketAddr::new("127.0.0.1".parse().unwrap(), receiver.port);
        let says = Arc::new(Says(vec![address], AtomicUsize::default()));
        let client = HookClient::with(Arc::<Says>::clone(&says), Duration::from_secs(2));
        assert_eq!(client.send(&claimed).await, HookSending::Taken(204));
        assert_eq!(says.1.load(Ordering::SeqCst), 1);
        assert_eq!(receiver.requests()[0].header("host"), format!("localhost:{}", receiver.port));
        // This machine's name leads to this machine alone, also in development.
        let says = Arc::new(Says(vec![SocketAddr::new("10.0.0.1".parse().unwrap(), 80)], AtomicUsize::default()));
        assert_eq!(HookClient::with(says, Duration::from_secs(2)).send(&claimed).await, HookSending::Forbidden);
    }

    async fn no_redirect_is_followed_and_no_answer_is_waited_for_long(db: TestDb) {
        let house = house(db);
        let trap = RawServer::start(Answer::HangUp).await;
        let location = format!("307 Temporary Redirect\r\nlocation: {}/", trap.url());
        let receiver = Receiver::answering(&[&location, "410 Gone", "500 Oh"]).await;
        let url = format!("http://127.0.0.1:{}/", receiver.port);
        let (mut before, _) = endpoint(&house, &url).await;
        for expected in [HookSending::Refused(307), HookSending::Gone, HookSending::Refused(500)] {
            house.notify.switch_hook(&house.moderator(), before, false).await.unwrap();
            before = endpoint(&house, &url).await.0;
            let planned = plan(db, &house, &event(&house)).await[0];
            assert_eq!(client().send(&*claim(&house, &planned).await).await, expected);
        }
        assert_eq!(trap.connections(), 0);
        for (answer, expected) in
            [(Answer::Silence, HookSending::TimedOut), (Answer::HangUp, HookSending::NoConnection), (Answer::Drip, HookSending::TimedOut)]
        {
            let server = RawServer::start(answer).await;
            house.notify.switch_hook(&house.moderator(), before, false).await.unwrap();
            before = endpoint(&house, &server.url()).await.0;
            let planned = plan(db, &house, &event(&house)).await[0];
            let claimed = claim(&house, &planned).await;
            let begin = std::time::Instant::now();
            assert_eq!(client().send(&claimed).await, expected);
            assert!(begin.elapsed() < Duration::from_secs(4));
        }
    }
}
