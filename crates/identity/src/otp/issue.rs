//! Making a code, and what becomes of one that could not be sent or perhaps was not.

use uuid::Uuid;

use super::rules::{Asker, code_digest, slot};
use super::{IssuedOtp, OtpCode, Purpose, rows};
use crate::counters::{Taken, take_in_txn, until};
use crate::{Contact, Identity, IdentityError};

impl Identity {
    /// Makes a code for the contact. Nothing about people is read, so the answer is the same whether the contact
    /// has an account or not. The caller sends the code; if it cannot, it calls
    /// [`forget_unsent_otp`](Self::forget_unsent_otp), and if it cannot tell,
    /// [`allow_otp_resend`](Self::allow_otp_resend).
    ///
    /// `client` is the address of the one who asks.
    ///
    /// # Errors
    /// [`OtpTooSoon`](IdentityError::OtpTooSoon) within half a minute of the last one,
    /// [`OtpLimit`](IdentityError::OtpLimit) when contact, client or all together asked too often.
    pub async fn issue_otp(
        &self,
        contact: &Contact,
        purpose: Purpose,
        client: &str,
    ) -> Result<IssuedOtp, IdentityError> {
        let (pepper, config) = (&self.config().keys.pepper, &self.config().otp);
        let now = self.ambient.now();
        let (id, code) = (self.ambient.new_uuid(), OtpCode::random(&self.ambient));
        let slot = slot(pepper, contact, purpose);
        let new = rows::NewCode {
            code_hash: hex::encode(code_digest(pepper, id, &slot, &code)),
            slot,
            id,
            created_at: now,
            expires_at: now + config.life,
            resend_at: now + config.resend_after,
        };
        let asker = Asker::new(pepper, contact, client);
        self.db
            .in_txn(async |txn| {
                if let Err(resend_at) = rows::put_in_txn(txn, &new).await? {
                    let retry_after = until(resend_at, now);
                    return Err(IdentityError::OtpTooSoon { retry_after });
                }
                for limit in asker.limits(config) {
                    if let Taken::Full { retry_after } = take_in_txn(txn, limit, now).await? {
                        metrics::counter!("otp_refused_total", "limit" => limit.scope).increment(1);
                        return Err(IdentityError::OtpLimit { retry_after });
                    }
                }
                Ok(())
            })
            .await?;
        metrics::counter!("otp_issued_total", "channel" => contact.kind()).increment(1);
        Ok(IssuedOtp {
            id,
            code: code.into_secret(),
            expires_in: config.life,
            resend_after: config.resend_after,
        })
    }

    /// Forgets a code that could not be sent, so that another may be asked for at once. It stays counted: whoever
    /// makes sending fail does not get more tries by it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_unsent_otp(&self, id: Uuid) -> Result<(), IdentityError> {
        self.db.in_txn(async |txn| Ok(rows::remove_unused_in_txn(txn, id).await?)).await
    }

    /// Lets another code be asked for at once, because this one may not have been sent. It stays good until another
    /// takes its place, because it may have been.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn allow_otp_resend(&self, id: Uuid) -> Result<(), IdentityError> {
        let now = self.ambient.now();
        self.db.in_txn(async |txn| Ok(rows::allow_resend_in_txn(txn, id, now).await?)).await
    }
}
