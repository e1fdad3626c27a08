//! Sending what was claimed, outside of any transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Email, Phone, TypedId};

use super::Claimed;
use crate::{
    Channel, MailMessage, MailSender, NotifyConfig, PushError, PushMessage, PushSender, PushTo, SendError,
    SmsMessage, SmsSender,
};

/// How long a push message or SMS is kept for a device that is off: as long as it is news.
const TTL: Duration = Duration::from_secs(10 * 3_600);

/// How somebody can be reached, looked up when a message is sent. Its `Debug` shows neither number nor address.
#[derive(Clone, Default)]
pub struct Contact {
    /// Their verified number.
    pub phone: Option<Phone>,
    /// Their verified address.
    pub email: Option<Email>,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact")
            .field("phone", &self.phone.is_some())
            .field("email", &self.email.is_some())
            .finish()
    }
}

/// A message with its address.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// A push message.
    Push(PushMessage),
    /// An SMS.
    Sms(SmsMessage),
    /// A mail.
    Mail(MailMessage),
}

/// What came of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// The provider took it, and knows it by this id.
    Taken(String),
    /// It did not leave, or nobody knows.
    Failed(SendError),
    /// The device's token is dead, or the device was logged out.
    DeviceGone,
    /// Whom it is for has no such contact any more.
    NoContact,
}

/// The senders, one for each way.
#[derive(Clone)]
pub struct Senders {
    /// For push messages; without one, none are sent.
    pub push: Option<Arc<dyn PushSender>>,
    /// For SMS.
    pub sms: Arc<dyn SmsSender>,
    /// For mails.
    pub mail: Arc<dyn MailSender>,
}

impl std::fmt::Debug for Senders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Senders").field("push", &self.push.is_some()).finish_non_exhaustive()
    }
}

impl Claimed {
    /// The message as it is to be sent; `None` when the person has no such contact.
    pub fn outgoing(&self, contact: &Contact, config: &NotifyConfig) -> Option<Outgoing> {
        match self.channel {
            Channel::InApp => None,
            Channel::Push => self.push().map(Outgoing::Push),
            Channel::Sms => contact.phone.clone().map(|to| Outgoing::Sms(self.sms(to, config))),
            Channel::Email => contact.email.clone().map(|to| Outgoing::Mail(self.mail(to))),
        }
    }

    fn push(&self) -> Option<PushMessage> {
        let target = &self.device.as_ref()?.target;
        let mut data = BTreeMap::from([
            ("kind".to_owned(), self.kind.as_str().to_owned()),
            ("deliveryId".to_owned(), self.id.to_string()),
        ]);
        if let Some(action) = &self.action {
            data.insert("action".to_owned(), action.clone());
        }
        Some(PushMessage {
            to: PushTo::Device(target.clone()),
            title: self.text.title.clone().unwrap_or_default(),
            body: self.text.body.clone(),
            data,
            collapse_key: self.collapse_key.clone(),
            ttl: TTL,
            urgent: self.kind.is_critical(),
        })
    }

    fn sms(&self, to: Phone, config: &NotifyConfig) -> SmsMessage {
        let status_callback = config.sms_status_url.clone().map(|mut url| {
            // Whose report it is: the provider may call before its id for the message is stored here.
            url.query_pairs_mut().append_pair("delivery", &self.id.to_string());
            url
        });
        SmsMessage {
            to,
            body: self.text.body.clone().into(),
            dlt_template_id: self.text.dlt_template_id.clone(),
            validity: TTL,
            status_callback,
        }
    }

    fn mail(&self, to: Email) -> MailMessage {
        MailMessage {
            id: self.id.uuid(),
            to,
            subject: self.text.title.clone().unwrap_or_default(),
            text: self.text.body.clone().into(),
            html: self.text.html.clone().map(Into::into),
            unsubscribe: self.unsubscribe.clone(),
        }
    }
}

impl Senders {
    /// Sends it. Call it outside of any transaction; it ends within the sender's deadline.
    pub async fn send(&self, claimed: &Claimed, contact: &Contact, config: &NotifyConfig) -> Sending {
        let Some(outgoing) = claimed.outgoing(contact, config) else {
            return Sending::NoContact;
        };
        let sent = match &outgoing {
            Outgoing::Sms(message) => self.sms.send(message).await.map(|receipt| receipt.provider_id),
            Outgoing::Mail(message) => self.mail.send(message).await.map(|receipt| receipt.message_id),
            Outgoing::Push(message) => match &self.push {
                // Without Firebase nothing is pushed; the marketplace runs all the same.
                None => Err(SendError::Misconfigured { code: 0 }),
                Some(push) => match push.send(message).await {
                    Ok(receipt) => Ok(receipt.name),
                    Err(PushError::DeviceGone) => return Sending::DeviceGone,
                    Err(PushError::Send(error)) => Err(error),
                },
            },
        };
        sent.map_or_else(Sending::Failed, Sending::Taken)
    }
}
