//! Whatever is logged at the finest level while messages go out, succeed and fail, tells neither whom to nor what.

use notify::{MailSender, PushSender, SmsSender, Twilio};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::json;

use crate::fcm::push;
use crate::log::Log;
use crate::smtp::{mail, smtp};
use crate::twilio::{config, fault, sms};

/// One thread, so that the subscriber hears the clients' own tasks too.
#[tokio::test(flavor = "current_thread")]
async fn no_log_tells_whom_a_message_went_to_or_what_it_said() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    let log = Log::default();
    let heard = log.listen();

    let twilio = Twilio::new(config(&sandbox.http_url())).unwrap();
    tracing::info!(sms = ?sms(), mail = ?mail(), "about to send");
    assert!(twilio.send(&sms()).await.is_ok());
    assert!(smtp(&sandbox.smtp_url()).send(&mail()).await.is_ok());
    // The sandbox asks for no credentials, so this fails where they would be sent.
    let with_password = sandbox.smtp_url().replace("//", "//user:canary-password@");
    assert!(smtp(&with_password).send(&mail()).await.is_err());
    let fcm = crate::fcm::fcm(&sandbox.http_url());
    tracing::info!(push = ?push("phone-of-asha"), "about to push");
    assert!(fcm.send(&push("phone-of-asha")).await.is_ok());
    for target in ["twilio", "smtp"] {
        fault(&sandbox, json!({"target": target, "error": 550, "times": 1})).await;
    }
    let failures = (twilio.send(&sms()).await, smtp(&sandbox.smtp_url()).send(&mail()).await);
    tracing::info!(?failures, "both failed");
    drop(heard);
    sandbox.stop().await;

    let log = log.text();
    assert!(log.contains("about to send") && log.contains("both failed"), "the log was heard");
    for canary in [
        "9876543210",
        "98765",
        "asha@",
        "asha",
        "123456",
        "canary-password",
        "sandbox-auth-token",
        "phone-of",
        "bicycle",
        "ya29.",
        "PRIVATE KEY",
        "eyJ",
    ] {
        assert!(!log.contains(canary), "{canary} was logged:\n{log}");
    }
}
