//! A one-time code, from its making to its leaving. It is sent directly, by SMS or by mail: a job, an event or a
//! log entry would keep it.

use std::time::Duration;

use identity::{Contact, IssuedOtp, OtpSentView, Purpose};
use notify::{Language, SendError};

use crate::{FlowError, Marketplace};

/// How long somebody who waits for a code is kept waiting before they are told to try again. The SMS provider's own
/// deadline ([`Timeouts::default`](outbound::http::Timeouts)) is shorter, so that its outcome is usually known.
const DEADLINE: Duration = Duration::from_secs(8);

impl Marketplace {
    /// Makes a code for the contact and sends it. What is answered does not depend on whether the contact has an
    /// account. `client` is the address of the one who asks.
    ///
    /// # Errors
    /// Identity's limits; [`FlowError::Send`] or [`FlowError::NotSent`] when the code did not leave or may not have,
    /// after which another may be asked for at once. One that may have left stays good until then.
    pub async fn send_otp(
        &self,
        contact: &Contact,
        purpose: Purpose,
        client: &str,
        language: Language,
    ) -> Result<OtpSentView, FlowError> {
        let issued = self.identity.issue_otp(contact, purpose, client).await?;
        let sent = tokio::time::timeout(DEADLINE, self.deliver_otp(contact, &issued, language)).await;
        let failure = match sent {
            Ok(Ok(())) => return Ok(issued.view()),
            Ok(Err(error)) => FlowError::Send(error),
            Err(_) => FlowError::NotSent,
        };
        if surely_stayed(&failure) {
            self.identity.forget_unsent_otp(issued.id).await?;
        } else {
            self.identity.allow_otp_resend(issued.id).await?;
        }
        Err(failure)
    }

    async fn deliver_otp(
        &self,
        contact: &Contact,
        issued: &IssuedOtp,
        language: Language,
    ) -> Result<(), SendError> {
        let valid_for = issued.expires_in.to_std().unwrap_or_default();
        match contact {
            Contact::Phone(phone) => {
                let message = self.otp_messages.sms(phone.clone(), &issued.code, valid_for, language);
                self.otp_senders.sms.send(&message).await.map(drop)
            }
            Contact::Email(email) => {
                let (id, code) = (issued.id, &issued.code);
                let message = self.otp_messages.mail(id, email.clone(), code, valid_for, language);
                self.otp_senders.mail.send(&message).await.map(drop)
            }
        }
    }
}

/// Whether the code certainly did not leave. Of any other failure somebody may read the code a moment later.
fn surely_stayed(failure: &FlowError) -> bool {
    let FlowError::Send(error) = failure else { return false };
    match error {
        SendError::NotSent { .. }
        | SendError::Refused { .. }
        | SendError::Misconfigured { .. }
        | SendError::Faulty { .. }
        | SendError::Busy => true,
        SendError::Failed { .. } | SendError::Unknown => false,
    }
}
