//! A provider is away for an hour and then back: nothing is lost, nothing that it took is sent again, and the tries keep
//! to the declared curve. For half of the hour nobody is there; for the other half it answers that it takes nothing.

mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{DeliveryId, Email, Phone};
use notify::{
    Channel, Claim, Contact, DeliveryStatus, Guarded, HOOK_RETRIES, HookClaim, HookSending, HookSettled,
    Kind, NewNotification, Recipient, SendError, Senders, Sending, Settled, Twilio,
};
use outbound::{BreakerConfig, Guard, GuardConfig, RetryConfig};
use sandbox::{Running, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use testkit::raw::nobody;
use testkit::receiver::Receiver;
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::fcm::fcm;
use crate::hooks;
use crate::house::{House, event};
use crate::smtp::smtp;
use crate::twilio::{config as twilio, fault, inbox};
use line::{Line, State, Switch};

/// How the breaker of these tests is set: it opens after so many calls that failed, and for so long.
const BREAKER: BreakerConfig = BreakerConfig {
    window: Duration::from_secs(60),
    min_calls: 4,
    failure_percent: 50,
    open_for: Duration::from_secs(10),
};

/// What is away, and how it says so in the second half of the hour.
struct Away {
    channel: Channel,
    /// What the sandbox's inbox calls it.
    name: &'static str,
    refusal: Value,
}

/// A house whose senders go over lines that can be cut.
struct Stage<'a> {
    db: &'a TestDb,
    house: House,
    sandbox: Running,
    senders: Senders,
    switch: Switch,
    /// Whom each delivery is for, by the number in their contact.
    people: BTreeMap<DeliveryId, usize>,
}

impl<'a> Stage<'a> {
    async fn set(db: &'a TestDb) -> Self {
        let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
        let house = House::open(db);
        let switch = Switch::new(&house.ambient);
        // Without tries of the guard's own, each call is a try that the curve declares.
        let retry = RetryConfig {
            retries: 0,
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(1),
        };
        let config = GuardConfig { breaker: BREAKER, retry, ..GuardConfig::default() };
        let guard = |name| Guard::new(name, config, house.ambient.clone());
        let (url, none) = (sandbox.http_url(), nobody().await);
        let away = format!("http://{none}");
        let sms = [&url, &away].map(|url| Twilio::new(twilio(url)).unwrap());
        let mail = [sandbox.smtp_url(), format!("smtp://{none}")].map(|url| smtp(&url));
        let push = [&url, &away].map(|url| fcm(url));
        let [provider, nobody] = sms;
        let sms = Line { provider, nobody, switch: switch.clone() };
        let [provider, nobody] = mail;
        let mail = Line { provider, nobody, switch: switch.clone() };
        let [provider, nobody] = push;
        let push = Line { provider, nobody, switch: switch.clone() };
        let senders = Senders {
            push: Some(Arc::new(Guarded::new(push, guard("fcm")))),
            sms: Arc::new(Guarded::new(sms, guard("twilio"))),
            mail: Arc::new(Guarded::new(mail, guard("smtp"))),
        };
        Self { db, house, sandbox, senders, switch, people: BTreeMap::new() }
    }

    /// Tells somebody by this way alone.
    async fn tell(&mut self, channel: Channel) -> DeliveryId {
        let number = self.people.len();
        let somebody: Recipient = self.house.person();
        self.house.device(somebody.user, &format!("phone-{number}")).await;
        let only = Some(vec![channel]);
        let new = NewNotification { only, ..event(Kind::AccountBlocked, "e") };
        let told = self.house.tell(&somebody, &new).await;
        assert_eq!(told.deliveries.len(), 1);
        self.people.insert(told.deliveries[0].id, number);
        told.deliveries[0].id
    }

    /// One try; gives which one it was, what came of it, and what becomes of the delivery.
    async fn send(&self, id: DeliveryId) -> (u32, Sending, Settled) {
        let Claim::Send(claimed) = self.house.claim(id).await else {
            panic!("it is due");
        };
        let number = self.people[&id];
        let contact = Contact {
            phone: Some(Phone::parse(&format!("98765432{number:02}")).unwrap()),
            email: Some(Email::parse(&format!("p{number}@example.in")).unwrap()),
        };
        let sending = self.senders.send(&claimed, &contact, self.house.notify.config()).await;
        let settled = self
            .db
            .in_txn(async |txn| self.house.notify.settle_in_txn(txn, &claimed, &sending).await)
            .await
            .unwrap();
        (claimed.attempt, sending, settled)
    }

    /// Whom the provider has a message for, in the order in which it took them.
    async fn taken(&self, away: &Away) -> Vec<String> {
        let inbox = inbox(&self.sandbox, away.name).await;
        inbox.iter().map(|one| one["to"].as_str().unwrap().to_owned()).collect()
    }

    /// Sends everything when it is due, through an hour without the provider and as long after it as it takes; gives
    /// how many tries the breaker prevented.
    async fn live_through(&mut self, away: &Away, messages: usize) -> usize {
        let begin = self.house.ambient.now();
        let (half, end) = (begin + TimeDelta::minutes(30), begin + TimeDelta::hours(1));
        self.switch.set(State::LeadsNowhere);
        let mut waiting = BTreeSet::new();
        for _ in 0..messages {
            waiting.insert((begin, self.tell(away.channel).await));
        }
        let mut prevented = 0;
        while let Some((at, id)) = waiting.pop_first() {
            let before = self.house.ambient.now();
            self.house.clock.set(at.max(before));
            if before < half && at >= half {
                self.switch.set(State::Works);
                fault(&self.sandbox, away.refusal.clone()).await;
            }
            if before < end && at >= end {
                assert!(self.taken(away).await.is_empty(), "nothing was taken for an hour");
                let control = format!("{}/control/faults", self.sandbox.http_url());
                let client = outbound::http::client(outbound::http::Timeouts::default()).unwrap();
                assert!(client.delete(control).send().await.unwrap().status().is_success());
            }
            let (attempt, sending, settled) = self.send(id).await;
            match settled {
                Settled::Again(next) => {
                    let is_busy = sending == Sending::Failed(SendError::Busy);
                    assert!(at < end || is_busy, "the provider is back: {sending:?}");
                    prevented += usize::from(is_busy);
                    if is_busy {
                        let pause = (next - at).to_std().unwrap();
                        assert!(pause >= BREAKER.open_for && pause <= Duration::from_secs(300), "{pause:?}");
                    } else {
                        self.is_declared(attempt, next - at);
                    }
                    waiting.insert((next, id));
                }
                Settled::Over(status) => {
                    assert_eq!(status, DeliveryStatus::Sent, "{sending:?}");
                    assert!(at >= end && at <= end + TimeDelta::hours(1), "the longest pause is an hour");
                }
            }
        }
        prevented
    }

    /// Whether a pause after the nth try is in the upper half of 30 seconds × 2ⁿ⁻¹, an hour at most.
    fn is_declared(&self, attempt: u32, pause: TimeDelta) {
        let bound = Duration::from_secs(30 * (1 << (attempt - 1))).min(Duration::from_secs(3_600));
        let pause = pause.to_std().unwrap();
        assert!(pause >= bound / 2 && pause <= bound, "{attempt}: {pause:?}");
    }

    /// Something is taken, and its answer is lost: nobody sends it again, whatever time passes.
    async fn lose_an_answer(&mut self, away: &Away) {
        let before = self.taken(away).await.len();
        self.switch.set(State::LosesAnswers);
        let id = self.tell(away.channel).await;
        let (_, _, settled) = self.send(id).await;
        assert_eq!(settled, Settled::Over(DeliveryStatus::Unknown));
        self.switch.set(State::Works);
        self.house.clock.advance(TimeDelta::days(1));
        let again = self.house.claim(id).await;
        assert!(matches!(again, Claim::Over(DeliveryStatus::Unknown)), "{again:?}");
        assert!(self.house.notify.overdue_deliveries(self.house.ambient.now(), 10).await.unwrap().is_empty());
        let staff = self.house.moderator();
        let retried =
            self.db.in_txn(async |txn| self.house.notify.retry_delivery_in_txn(txn, &staff, id).await).await;
        assert!(retried.is_err());
        assert_eq!(self.taken(away).await.len(), before + 1);
    }
}

/// One message alone never makes the breaker open: each of its tries is made, and they last longer than the hour.
async fn one_message_outlives_it(db: &TestDb, away: &Away) {
    let mut stage = Stage::set(db).await;
    let begin = stage.house.ambient.now();
    assert_eq!(stage.live_through(away, 1).await, 0);
    let calls: Vec<DateTime<Utc>> = stage.switch.calls();
    let in_vain = calls.iter().filter(|at| **at < begin + TimeDelta::hours(1)).count();
    assert!((7..=8).contains(&in_vain) && calls.len() == in_vain + 1, "{calls:?}");
    assert_eq!(stage.taken(away).await.len(), 1);
    stage.lose_an_answer(away).await;
    stage.sandbox.stop().await;
}

/// Several open the breaker, which lets one call through each time it closes for a try, and none of theirs counts.
async fn several_messages_outlive_it(db: &TestDb, away: &Away) {
    const MESSAGES: usize = 6;
    let mut stage = Stage::set(db).await;
    let begin = stage.house.ambient.now();
    assert!(stage.live_through(away, MESSAGES).await > 0, "the breaker opened");
    let calls = stage.switch.calls();
    let in_vain: Vec<_> = calls.iter().filter(|at| **at < begin + TimeDelta::hours(1)).collect();
    let opened = in_vain.iter().skip(usize::try_from(BREAKER.min_calls).unwrap() - 1);
    let open_for = TimeDelta::from_std(BREAKER.open_for).unwrap();
    for (one, next) in opened.clone().zip(opened.skip(1)) {
        assert!(**next - **one >= open_for, "{one} and {next} are calls of an open breaker");
    }
    assert_eq!(calls.len(), in_vain.len() + MESSAGES, "the first call after the hour closes it");
    let taken = stage.taken(away).await;
    assert_eq!((taken.len(), taken.iter().collect::<BTreeSet<_>>().len()), (MESSAGES, MESSAGES), "{taken:?}");
    stage.sandbox.stop().await;
}

async fn is_outlived(db: &TestDb, channel: Channel, name: &'static str, refusal: Value) {
    let away = Away { channel, name, refusal };
    one_message_outlives_it(db, &away).await;
    several_messages_outlive_it(db, &away).await;
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn sms_outlive_an_hour_without_twilio(db: TestDb) {
        is_outlived(db, Channel::Sms, "sms", json!({"target": "twilio", "error": 429})).await;
    }

    async fn mail_outlives_an_hour_without_its_server(db: TestDb) {
        is_outlived(db, Channel::Email, "email", json!({"target": "smtp", "error": 451})).await;
    }

    async fn push_messages_outlive_an_hour_without_firebase(db: TestDb) {
        is_outlived(db, Channel::Push, "push", json!({"target": "fcm", "error": 503})).await;
    }

    /// A receiver that is away is tried by the curve that it was told. One that took a webhook and did not say so gets
    /// it again, under the same id: by that it tells a repetition.
    async fn webhooks_outlive_an_hour_without_their_receiver(db: TestDb) {
        let house = hooks::house(db);
        let down = "503 Service Unavailable";
        let receiver = Receiver::answering(&[down, "", down, down]).await;
        let (endpoint, _) = hooks::endpoint(&house, &format!("http://127.0.0.1:{}/", receiver.port)).await;
        let planned = hooks::plan(db, &house, &hooks::event(&house)).await[0];
        let begin = house.ambient.now();
        let client = hooks::client();
        let mut tries = Vec::new();
        let end = loop {
            tries.push(house.ambient.now());
            let claimed = hooks::claim(&house, &planned).await;
            let sending = client.send(&claimed).await;
            match hooks::settle(db, &house, &claimed, sending).await.unwrap() {
                HookSettled::Again(at) => {
                    assert!(matches!(sending, HookSending::Refused(503) | HookSending::NoConnection), "{sending:?}");
                    let pause = (at - house.ambient.now()).to_std().unwrap();
                    let declared = HOOK_RETRIES[tries.len() - 1];
                    assert!(pause >= declared.mul_f64(0.9) && pause <= declared.mul_f64(1.1), "{pause:?}");
                    let early = house.claim_hook(planned.id).await;
                    assert!(matches!(early, HookClaim::NotYet(due) if due == at));
                    house.clock.set(at);
                }
                other => break other,
            }
        };
        assert_eq!(end, HookSettled::Delivered);
        // At once, after 5 seconds, 5 and 30 minutes; and then, two hours later, it is back.
        let in_vain = tries.iter().filter(|at| **at < begin + TimeDelta::hours(1)).count();
        assert_eq!((in_vain, tries.len()), (4, 5));
        let requests = receiver.requests();
        let ids: BTreeSet<String> = requests.iter().map(|request| request.header("webhook-id")).collect();
        assert_eq!((requests.len(), ids.len()), (5, 1), "a repetition can be told");
        assert!(matches!(house.claim_hook(planned.id).await, HookClaim::Over));
        let log = hooks::log(&house, endpoint).await;
        assert_eq!((log.len(), log[0].status.as_str(), log[0].attempts), (1, "delivered", 5));
        assert_eq!(house.notify.hook(&house.moderator(), endpoint).await.unwrap().failing_since, None);
    }
}
