//! Logging in with a code that was sent; the first login makes the account.

use chrono::{DateTime, Utc};
use kernel::{Origin, Role, SessionId, UserId};
use sea_orm::DatabaseTransaction;
use store::append_event_in_txn;

use super::device::device as name_of;
use super::rules::FIRST_GENERATION;
use super::{LoggedIn, VerifyOtp, refresh_token, rows};
use crate::otp::{Guess, Purpose, check_in_txn};
use crate::user::{NewUser, Standing, rows as users};
use crate::{Contact, DisplayName, Identity, IdentityError, events};

/// The longest `User-Agent` that is kept, in characters.
const MAX_AGENT: usize = 256;
/// The longest client address that is kept, in characters.
const MAX_ADDRESS: usize = 64;

impl Identity {
    /// Evaluates the code and logs in. The first login with a contact makes an account; a suspension whose time is
    /// over is lifted.
    ///
    /// # Errors
    /// [`WrongOtp`](IdentityError::WrongOtp) for every code that is not valid, whatever the reason;
    /// [`OtpLocked`](IdentityError::OtpLocked) after too many wrong ones in a day; one of the account errors when
    /// the person is blocked.
    pub async fn verify_otp(&self, login: &VerifyOtp) -> Result<LoggedIn, IdentityError> {
        let now = self.ambient.now();
        // The inner result is the answer; it commits even when it is a refusal, or the guess would not count.
        let answer = self.db.in_txn(async |txn| self.verify_in_txn(txn, login, now).await).await?;
        if let Ok(logged_in) = &answer {
            tracing::info!(user = %logged_in.user.id, "logged in");
        }
        answer
    }

    async fn verify_in_txn(
        &self,
        txn: &DatabaseTransaction,
        login: &VerifyOtp,
        now: DateTime<Utc>,
    ) -> Result<Result<LoggedIn, IdentityError>, IdentityError> {
        let subject = (&login.contact, Purpose::Login);
        match check_in_txn(txn, self.config(), subject, &login.otp, now).await? {
            Guess::Right => {}
            Guess::Wrong => return Ok(Err(IdentityError::WrongOtp)),
            Guess::Locked { retry_after } => return Ok(Err(IdentityError::OtpLocked { retry_after })),
        }
        let (user, standing, is_registered) =
            self.find_or_register_in_txn(txn, &login.contact, login.name.as_ref(), now).await?;
        if let Err(blocked) = standing.check(now) {
            return Ok(Err(blocked));
        }
        if standing.has_lapsed(now) {
            users::lift_in_txn(txn, user, now).await?;
            append_event_in_txn(txn, &self.ambient, events::unblocked(user)).await?;
        }
        users::note_login_in_txn(txn, user, &login.contact, now).await?;
        let known = rows::agents_in_txn(txn, user).await?;
        let session = self.begin_session_in_txn(txn, user, login, now).await?;
        if !is_registered {
            self.tell_new_device_in_txn(txn, (user, session), &known, login.origin.agent.as_deref()).await?;
        }
        let user = users::find(txn, user, self.config()).await?.ok_or(IdentityError::UserNotFound)?;
        let tokens = self.tokens(user.id, session, FIRST_GENERATION)?;
        Ok(Ok(LoggedIn {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_in: tokens.expires_in,
            user,
            session,
        }))
    }

    /// The person's row, locked: a block or role change waits for this login, or this login sees it. The last part
    /// tells whether the account was made just now.
    async fn find_or_register_in_txn(
        &self,
        txn: &DatabaseTransaction,
        contact: &Contact,
        name: Option<&DisplayName>,
        now: DateTime<Utc>,
    ) -> Result<(UserId, Standing, bool), IdentityError> {
        if let Some((user, standing)) = users::lock_by_contact(txn, contact).await? {
            return Ok((user, standing, false));
        }
        let new = NewUser {
            id: self.ambient.new_id(),
            contact,
            name: name.map_or("", DisplayName::as_str),
            role: Role::User,
            now,
        };
        let is_registered = users::insert_in_txn(txn, &new).await?;
        if is_registered {
            append_event_in_txn(txn, &self.ambient, events::registered(new.id)).await?;
            metrics::counter!("users_registered_total").increment(1);
        }
        let found = users::lock_by_contact(txn, contact).await?;
        let (user, standing) = found.ok_or(IdentityError::UserNotFound)?;
        Ok((user, standing, is_registered))
    }

    /// Tells of a login with something that none of the person's other logins was made with. They hear of it at all
    /// hours: it may be somebody else.
    async fn tell_new_device_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (user, session): (UserId, SessionId),
        known: &[Option<String>],
        agent: Option<&str>,
    ) -> Result<(), IdentityError> {
        let device = agent.and_then(name_of);
        if known.iter().any(|known| known.as_deref().and_then(name_of) == device) {
            return Ok(());
        }
        append_event_in_txn(txn, &self.ambient, events::new_device(user, session, device)).await?;
        Ok(())
    }

    async fn begin_session_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        login: &VerifyOtp,
        now: DateTime<Utc>,
    ) -> Result<SessionId, IdentityError> {
        let id = self.ambient.new_id();
        let Origin { agent, address, .. } = &login.origin;
        let session = rows::NewSession {
            id,
            user,
            generation: FIRST_GENERATION,
            now,
            expires_at: now + self.config().session_life,
            user_agent: agent.as_deref().map(|text| printable(text, MAX_AGENT)),
            client_address: address.as_deref().map(|text| printable(text, MAX_ADDRESS)),
        };
        rows::insert_in_txn(txn, session).await?;
        Ok(id)
    }

    /// The tokens of a session at this generation.
    pub(super) fn tokens(
        &self,
        user: UserId,
        session: SessionId,
        generation: i64,
    ) -> Result<super::RefreshedTokens, IdentityError> {
        let config = self.config();
        Ok(super::RefreshedTokens {
            access_token: self.shared.access.issue(config, &self.ambient, (user, session))?,
            refresh_token: refresh_token::write(&config.keys.refresh, session, generation),
            expires_in: config.access_token_life.num_seconds(),
        })
    }
}

/// What a client says of itself, without control characters and shortened.
fn printable(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}
