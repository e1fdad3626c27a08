//! People: they log in with the code that the sandbox received, and staff enrol an authenticator.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use kernel::{Clock, Phone, Role};
use notify::{Kind, Language, NewNotification, Recipient, Told};
use reqwest::StatusCode;
use serde_json::json;

use super::{Answer, TestApp};

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) user_id: String,
    pub(crate) phone: String,
    /// The authenticator's secret in base32, if the person is staff.
    pub(crate) secret: Option<String>,
}

/// A mobile number that nobody has used yet.
pub(crate) fn fresh_phone() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("+9198{:08}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// The six digits in a message.
pub(crate) fn code_in(message: &str) -> String {
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    message.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code).unwrap_or_default().to_owned()
}

impl TestApp {
    /// A new member.
    pub(crate) async fn member(&self) -> Session {
        self.login(&fresh_phone()).await
    }

    /// Logs in with the code that was sent.
    pub(crate) async fn login(&self, phone: &str) -> Session {
        // The pause between two codes for one number is over.
        self.clock.advance(TimeDelta::seconds(31));
        self.post("/api/auth/send-otp").json(&json!({ "phone": phone })).send().await.expect(StatusCode::OK);
        let otp = code_in(&self.message("sms", phone).await);
        let body = json!({ "phone": phone, "otp": otp });
        let answer = self.post("/api/auth/verify-otp").json(&body).send().await.expect(StatusCode::OK);
        Session::of(&answer, phone)
    }

    /// A staff member with an enrolled authenticator, stepped up.
    pub(crate) async fn staff(&self, role: Role) -> Session {
        if role == Role::SuperAdmin {
            let phone = fresh_phone();
            self.state.market.create_super_admin(&Phone::parse(&phone).unwrap()).await.unwrap();
            return self.enrolled(&phone).await;
        }
        let root = Box::pin(self.staff(Role::SuperAdmin)).await;
        self.staff_appointed_by(&root, role).await
    }

    /// The same, appointed by a super admin who is there already.
    pub(crate) async fn staff_appointed_by(&self, root: &Session, role: Role) -> Session {
        let member = self.member().await;
        self.step_up(root).await;
        let path = format!("/api/users/{}/role", member.user_id);
        let body = json!({ "role": role.as_str() });
        self.put(&path).bearer(root).json(&body).send().await.expect(StatusCode::OK);
        self.enrolled(&member.phone).await
    }

    async fn enrolled(&self, phone: &str) -> Session {
        let session = self.login(phone).await;
        let enrolment =
            self.post("/api/auth/totp/enrol").bearer(&session).send().await.expect(StatusCode::OK);
        let secret = enrolment.text("/secret");
        let body = json!({ "code": self.totp(&secret) });
        self.post("/api/auth/totp/confirm").bearer(&session).json(&body).send().await.expect(StatusCode::OK);
        let session = Session { secret: Some(secret), ..session };
        self.step_up(&session).await;
        session
    }

    /// Blocks somebody's account, or lifts that.
    pub(crate) async fn set_status(&self, admin: &Session, member: &Session, status: &str) {
        let path = format!("/api/users/{}/status", member.user_id);
        let body = json!({ "status": status, "reason": "because of the test" });
        self.put(&path).bearer(admin).json(&body).send().await.expect(StatusCode::OK);
    }

    /// Tells somebody of a top-up as a flow does: in their inbox, and by a mail that waits to be sent.
    pub(crate) async fn tell(&self, member: &Session) -> Told {
        let user = member.user_id.parse().unwrap();
        let recipient = Recipient { user, language: Language::English, has_phone: true, has_email: true };
        let new = NewNotification {
            kind: Kind::WalletToppedUp,
            event_key: self.state.ambient.new_uuid().to_string(),
            params: json!({ "amount": { "amount": 50_000, "currency": "INR" } }),
            action: None,
            only: None,
        };
        let notify = &self.state.market.notify;
        self.state.db.in_txn(async |txn| notify.notify_in_txn(txn, &recipient, &new).await).await.unwrap()
    }

    /// Gives a fresh code of the second factor.
    pub(crate) async fn step_up(&self, session: &Session) {
        // A code works once: the next one is needed.
        self.clock.advance(TimeDelta::seconds(30));
        let body = json!({ "code": self.totp(session.secret.as_deref().unwrap()) });
        self.post("/api/auth/step-up").bearer(session).json(&body).send().await.expect(StatusCode::OK);
    }

    /// Rotates the session's tokens.
    pub(crate) async fn refresh(&self, session: &mut Session) {
        let body = json!({ "refreshToken": session.refresh });
        let answer = self.post("/api/auth/refresh").json(&body).send().await.expect(StatusCode::OK);
        session.access = answer.text("/accessToken");
        session.refresh = answer.text("/refreshToken");
    }

    /// A code of the authenticator that was not used yet.
    pub(crate) fn fresh_totp(&self, secret: &str) -> String {
        self.clock.advance(TimeDelta::seconds(30));
        self.totp(secret)
    }

    /// What the authenticator shows now (RFC 6238: SHA-1, 30 seconds, six digits).
    pub(crate) fn totp(&self, secret: &str) -> String {
        let now = u64::try_from(self.clock.now().timestamp()).unwrap();
        totp_rs::Builder::new()
            .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
            .build()
            .unwrap()
            .generate(now)
            .to_string()
    }
}

impl Session {
    pub(crate) fn of(answer: &Answer, phone: &str) -> Self {
        Self {
            access: answer.text("/accessToken"),
            refresh: answer.text("/refreshToken"),
            user_id: answer.text("/user/id"),
            phone: phone.to_owned(),
            secret: None,
        }
    }
}
