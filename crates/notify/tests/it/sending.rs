//! From the plan to the phone: what was claimed is sent through the real clients to the sandbox, and settled.

use std::sync::Arc;

use kernel::{Ambient, Email, Phone};
use notify::{
    Channel, Claim, Contact, DeliveryStatus, Fcm, FcmConfig, Kind, Senders, Settled, SmsStatus, Twilio,
    verify_twilio_signature,
};
use outbound::http::Timeouts;
use sandbox::{FCM_SERVICE_ACCOUNT, FcmTokenState, Running, Sandbox, SandboxConfig};
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::house::{House, event};
use crate::smtp::smtp;
use crate::twilio::inbox;
use testkit::receiver::Receiver;

fn senders(sandbox: &Running) -> Senders {
    let url = sandbox.http_url();
    let fcm = FcmConfig {
        service_account: FCM_SERVICE_ACCOUNT.into(),
        base_url: url.parse().unwrap(),
        iid_url: url.parse().unwrap(),
        token_url: Some(format!("{url}/token").parse().unwrap()),
        timeouts: Timeouts::default(),
    };
    Senders {
        push: Some(Arc::new(Fcm::new(fcm, Ambient::system()).unwrap())),
        sms: Arc::new(Twilio::new(crate::twilio::config(&url)).unwrap()),
        mail: Arc::new(smtp(&sandbox.smtp_url())),
    }
}

fn contact() -> Contact {
    Contact {
        phone: Some(Phone::parse("9876543210").unwrap()),
        email: Some(Email::parse("asha@example.in").unwrap()),
    }
}

/// Claims, sends and settles everything that is planned.
async fn send_all(
    db: &TestDb,
    house: &House,
    senders: &Senders,
    told: &notify::Told,
) -> Vec<(Channel, Settled)> {
    let mut settled = Vec::new();
    for planned in &told.deliveries {
        let Claim::Send(claimed) = house.claim(planned.id).await else {
            panic!("it is due");
        };
        let sending = senders.send(&claimed, &contact(), house.notify.config()).await;
        let end =
            db.in_txn(async |txn| house.notify.settle_in_txn(txn, &claimed, &sending).await).await.unwrap();
        settled.push((planned.channel, end));
    }
    settled
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn what_is_planned_arrives_by_every_way(db: TestDb) {
        let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "phone-of-asha").await;
        let told = house.tell(&asha, &event(Kind::AccountBlocked, "e")).await;
        let settled = send_all(db, &house, &senders(&sandbox), &told).await;
        let sent = Settled::Over(DeliveryStatus::Sent);
        assert_eq!(settled, [(Channel::Push, sent), (Channel::Sms, sent), (Channel::Email, sent)]);
        let (push, sms, mail) =
            (inbox(&sandbox, "push").await, inbox(&sandbox, "sms").await, inbox(&sandbox, "email").await);
        assert_eq!((&push[0]["to"], &push[0]["subject"]), (&"phone-of-asha".into(), &"Your account is blocked".into()));
        assert!(sms[0]["body"].as_str().unwrap().starts_with("DGT Marketplace: Your account was blocked"));
        assert_eq!((&mail[0]["to"], &mail[0]["subject"]), (&"asha@example.in".into(), &"Your account is blocked".into()));
        let log = house.log(asha.user).await;
        assert!(log.iter().all(|one| one.provider_id.is_some()));
        let message_id = format!("<{}@dgt.example>", told.deliveries[2].id);
        assert!(log.iter().any(|one| one.provider_id.as_deref() == Some(message_id.as_str())));
        sandbox.stop().await;
    }

    async fn a_device_that_is_gone_is_forgotten_after_its_first_push(db: TestDb) {
        let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "phone-of-asha").await;
        sandbox.set_fcm_token("phone-of-asha", FcmTokenState::Unregistered);
        let told = house.tell(&asha, &event(Kind::ListingApproved, "e")).await;
        let settled = send_all(db, &house, &senders(&sandbox), &told).await;
        assert_eq!(settled, [(Channel::Push, Settled::Over(DeliveryStatus::Failed))]);
        assert!(house.notify.devices(asha.user).await.unwrap().is_empty());
        sandbox.stop().await;
    }

    /// Twilio's reports name the delivery, are verified by the account's token, and end as what they say.
    async fn twilios_reports_tell_what_became_of_an_sms(db: TestDb) {
        let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
        let receiver = Receiver::answering(&[]).await;
        let callback: url::Url = format!("http://127.0.0.1:{}/status", receiver.port).parse().unwrap();
        let house = House::with(db, |config| config.sms_status_url = Some(callback.clone()));
        let asha = house.person();
        let mut told = house.tell(&asha, &event(Kind::AccountBlocked, "e")).await;
        told.deliveries.retain(|planned| planned.channel == Channel::Sms);
        let id = told.deliveries[0].id;
        send_all(db, &house, &senders(&sandbox), &told).await;
        let mut url = callback;
        url.query_pairs_mut().append_pair("delivery", &id.to_string());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while receiver.requests().len() < 2 && std::time::Instant::now() < deadline {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        for (request, status) in receiver.requests().into_iter().zip(["sent", "delivered"]) {
            let signature = request.header("x-twilio-signature");
            let fields: Vec<(String, String)> =
                url::form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
            let token = "sandbox-auth-token".into();
            assert!(verify_twilio_signature(&token, &url, &fields, &signature));
            assert!(!verify_twilio_signature(&"another".into(), &url, &fields, &signature));
            let get = |name: &str| fields.iter().find(|(field, _)| field == name).unwrap().1.as_str();
            assert_eq!(get("MessageStatus"), status);
            let reported: SmsStatus = get("MessageStatus").parse().unwrap();
            assert!(house.notify.apply_sms_status(id, get("MessageSid"), reported, None).await.unwrap());
        }
        assert_eq!(house.notify.delivery(&house.moderator(), id).await.unwrap().status, DeliveryStatus::Delivered);
        sandbox.stop().await;
    }
}
