//! A template that staff try out on themselves: filled in with samples and sent directly, so that they hear at once
//! what the provider says.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Caller, UserId};
use notify::{
    Channel, MailMessage, NotifyError, PushError, PushMessage, PushTo, Rendered, SendError, SmsMessage,
    TemplateKey,
};
use serde_json::json;
use store::audit;

use crate::{FlowError, Marketplace};

/// How long somebody who tries a template out is kept waiting.
const DEADLINE: Duration = Duration::from_secs(8);

/// For how long a test is worth showing.
const TTL: Duration = Duration::from_secs(600);

impl Marketplace {
    /// Sends the template that holds, filled in with samples, to somebody's own number, address or devices; tells to
    /// how many. It is on record.
    ///
    /// # Errors
    /// A conflict when they have no such contact or nothing goes by this way; [`FlowError::Send`] or
    /// [`FlowError::NotSent`] when it did not leave or may not have.
    pub async fn send_template_test(
        &self,
        caller: &Caller,
        user: UserId,
        key: TemplateKey,
    ) -> Result<u32, FlowError> {
        let text = self.notify.preview_template(caller, key, None).await?;
        self.record_test(caller, key).await?;
        let sending = async {
            match key.channel {
                Channel::InApp => {
                    Err(conflict("nothing_to_send", "nothing is sent for the inbox: look at the preview"))
                }
                Channel::Push => self.push_test(user, key, &text).await,
                Channel::Sms => self.sms_test(user, text).await,
                Channel::Email => self.mail_test(user, text).await,
            }
        };
        tokio::time::timeout(DEADLINE, sending).await.unwrap_or(Err(FlowError::NotSent))
    }

    async fn record_test(&self, caller: &Caller, key: TemplateKey) -> Result<(), FlowError> {
        let subject = format!("{}/{}/{}", key.kind.as_str(), key.channel.as_str(), key.language.tag());
        self.db
            .in_txn(async |txn| {
                let entry = audit::Entry {
                    caller,
                    action: "template.tested",
                    subject_kind: "template",
                    subject_id: subject.clone(),
                    before: json!(null),
                    after: json!(null),
                    reason: None,
                };
                Ok(audit::append_in_txn(txn, &self.ambient, entry).await.map(drop)?)
            })
            .await
    }

    async fn push_test(&self, user: UserId, key: TemplateKey, text: &Rendered) -> Result<u32, FlowError> {
        let no_device = || conflict("no_contact", "none of your devices takes push messages: register one");
        let push = self.senders.push.as_ref().ok_or(SendError::Misconfigured { code: 0 })?;
        let mut sent = 0;
        for target in self.notify.push_targets(user).await? {
            let message = PushMessage {
                to: PushTo::Device(target),
                title: text.title.clone().unwrap_or_default(),
                body: text.body.clone(),
                data: BTreeMap::from([("kind".to_owned(), key.kind.as_str().to_owned())]),
                collapse_key: None,
                ttl: TTL,
                urgent: false,
            };
            match push.send(&message).await {
                Ok(_) => sent += 1,
                // The next message that follows from an event finds it out, too, and forgets the device.
                Err(PushError::DeviceGone) => {}
                Err(PushError::Send(error)) => return Err(error.into()),
            }
        }
        if sent == 0 { Err(no_device()) } else { Ok(sent) }
    }

    async fn sms_test(&self, user: UserId, text: Rendered) -> Result<u32, FlowError> {
        let (phone, _) = self.identity.contact_of(self.db.reader()?, user).await?;
        let message = SmsMessage {
            to: phone.ok_or_else(|| conflict("no_contact", "you have no verified number"))?,
            body: text.body.into(),
            dlt_template_id: text.dlt_template_id,
            validity: TTL,
            status_callback: None,
        };
        self.senders.sms.send(&message).await?;
        Ok(1)
    }

    async fn mail_test(&self, user: UserId, text: Rendered) -> Result<u32, FlowError> {
        let (_, email) = self.identity.contact_of(self.db.reader()?, user).await?;
        let message = MailMessage {
            id: self.ambient.new_uuid(),
            to: email.ok_or_else(|| conflict("no_contact", "you have no verified address"))?,
            subject: text.title.unwrap_or_default(),
            text: text.body.into(),
            html: text.html.map(Into::into),
            unsubscribe: None,
        };
        self.senders.mail.send(&message).await?;
        Ok(1)
    }
}

fn conflict(code: &'static str, message: &'static str) -> FlowError {
    NotifyError::Conflict { code, message }.into()
}
