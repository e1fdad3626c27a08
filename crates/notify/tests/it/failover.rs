//! A second provider for when the first one cannot.

use std::sync::Arc;

use kernel::Ambient;
use notify::{Failover, Guarded, MailSender, SendError, SmsSender, Twilio};
use outbound::{Guard, GuardConfig};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use testkit::raw::nobody;

use crate::smtp::{mail, smtp};
use crate::twilio::{config, fault, inbox, sms};

#[tokio::test]
async fn a_mail_goes_by_the_second_server_when_the_first_certainly_did_not_take_it() {
    let (first, second) = (
        Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap(),
        Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap(),
    );
    let by_both = Failover::new(smtp(&first.smtp_url()), [smtp(&second.smtp_url())]);
    let (one, other) = (mail(), mail());
    let receipt = by_both.send(&one).await.unwrap();
    assert_eq!((inbox(&first, "email").await.len(), inbox(&second, "email").await.len()), (1, 0));
    fault(&first, json!({"target": "smtp", "error": 451, "times": 1})).await;
    let again = by_both.send(&other).await.unwrap();
    assert_ne!(receipt, again);
    assert_eq!((inbox(&first, "email").await.len(), inbox(&second, "email").await.len()), (1, 1));
    // Nobody else would take it either.
    for (request, error) in [
        (json!({"error": 552}), SendError::Refused { code: 552 }),
        (json!({"error": 550}), SendError::Refused { code: 550 }),
    ] {
        let mut request = request;
        request["target"] = json!("smtp");
        request["times"] = json!(1);
        fault(&first, request).await;
        assert_eq!(by_both.send(&mail()).await, Err(error));
    }
    assert_eq!(inbox(&second, "email").await.len(), 1);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn senders_of_different_sorts_stand_in_for_each_other() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    let away = Twilio::new(config(&format!("http://{}", nobody().await))).unwrap();
    let guard = Guard::new("away", GuardConfig::default(), Ambient::system());
    let first: Arc<dyn SmsSender> = Arc::new(Guarded::new(away.clone(), guard));
    let second: Arc<dyn SmsSender> = Arc::new(Twilio::new(config(&sandbox.http_url())).unwrap());
    Failover::new(first, [second]).send(&sms()).await.unwrap();
    assert_eq!(inbox(&sandbox, "sms").await.len(), 1);
    let nobody = Failover::new(away.clone(), [away]);
    assert_eq!(nobody.send(&sms()).await, Err(SendError::NotSent { code: None, retry_after: None }));
    sandbox.stop().await;
}
