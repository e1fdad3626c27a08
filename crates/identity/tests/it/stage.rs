//! What the tests share: an identity with a clock set by hand, people, and a look into the tables.

use std::sync::Arc;

use chrono::TimeDelta;
use identity::{
    Contact, Identity, IdentityConfig, IdentityError, Keys, LoggedIn, OtpCode, Purpose, StepUpCode, VerifyOtp,
};
use kernel::{Actor, Caller, Origin, Phone, Role, SessionId, UserId};
use sea_orm::{ConnectionTrait, Value};
use secrecy::ExposeSecret;
use store::Database;
use testkit::{FakeClock, TestDb};

pub(crate) const ASHA: &str = "+919876543210";
pub(crate) const RAVI: &str = "+919876543211";

pub(crate) struct Stage {
    pub(crate) identity: Identity,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) db: Database,
}

impl Stage {
    pub(crate) fn on(db: &TestDb) -> Self {
        Self::with(db, IdentityConfig::new(Keys::development().unwrap()))
    }

    pub(crate) fn with(db: &TestDb, config: IdentityConfig) -> Self {
        let clock = FakeClock::at("2026-01-01T10:00:00Z");
        let identity = Identity::new(db.database().clone(), testkit::ambient(&clock), config);
        Self { identity, clock, db: db.database().clone() }
    }

    pub(crate) fn wait(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// A code sent to the phone.
    pub(crate) async fn code(&self, phone: &str) -> String {
        self.code_for(&phone_of(phone), Purpose::Login).await
    }

    pub(crate) async fn code_for(&self, contact: &Contact, purpose: Purpose) -> String {
        let issued = self.identity.issue_otp(contact, purpose, "203.0.113.9").await.unwrap();
        issued.code.expose_secret().to_owned()
    }

    pub(crate) async fn verify(&self, phone: &str, code: &str) -> Result<LoggedIn, IdentityError> {
        self.identity.verify_otp(&entered(phone, code)).await
    }

    /// Logs in by phone, half a minute after the last code to it.
    pub(crate) async fn log_in(&self, phone: &str) -> LoggedIn {
        self.wait(TimeDelta::seconds(31));
        let code = self.code(phone).await;
        self.verify(phone, &code).await.unwrap()
    }

    /// Who a login's access token speaks for.
    pub(crate) async fn actor(&self, login: &LoggedIn) -> Actor {
        self.identity.authenticate(login.access_token.expose()).await.unwrap()
    }

    pub(crate) async fn caller(&self, login: &LoggedIn) -> Caller {
        Caller { actor: self.actor(login).await, origin: Origin::default() }
    }

    pub(crate) async fn session(&self, login: &LoggedIn) -> SessionId {
        session_of(&self.actor(login).await)
    }

    /// Somebody with this role, logged in.
    pub(crate) async fn staff(&self, phone: &str, role: Role) -> LoggedIn {
        let user = self.log_in(phone).await.user.id;
        self.identity.set_role(&Caller::system("test"), user, role, None).await.unwrap();
        self.log_in(phone).await
    }

    /// The code that the authenticator of this secret shows now.
    pub(crate) fn totp(&self, base32: &str) -> String {
        let secret = totp_rs::Secret::try_from_base32(base32).unwrap();
        let seconds = kernel::Clock::now(&*self.clock).timestamp();
        totp_rs::Builder::new()
            .with_secret(secret)
            .build()
            .unwrap()
            .generate(u64::try_from(seconds).unwrap())
            .to_string()
    }

    pub(crate) async fn number(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> i64 {
        let statement = self.db.engine().statement(sql, values);
        let row = self.db.reader().unwrap().query_one_raw(statement).await.unwrap();
        row.unwrap().try_get("", "n").unwrap()
    }

    /// How many events of the kind were written.
    pub(crate) async fn events(&self, kind: &str) -> i64 {
        self.number("SELECT COUNT(*) AS n FROM outbox_events WHERE kind = ?", [kind.into()]).await
    }

    /// The actions recorded of somebody, oldest first.
    pub(crate) async fn audited(&self, user: UserId) -> Vec<String> {
        let reader = self.db.reader().unwrap();
        let records = store::audit::of_subject(reader, "user", &user.to_string()).await.unwrap();
        records.into_iter().map(|record| record.action).collect()
    }
}

pub(crate) fn phone_of(text: &str) -> Contact {
    Contact::Phone(Phone::parse(text).unwrap())
}

pub(crate) fn entered(phone: &str, code: &str) -> VerifyOtp {
    VerifyOtp::parse((Some(phone), None), code, None, Origin::default()).unwrap()
}

pub(crate) fn session_of(actor: &Actor) -> SessionId {
    match actor {
        Actor::Person { session, .. } => *session,
        Actor::System(_) => panic!("a person was expected"),
    }
}

/// A code that is not this one.
pub(crate) fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

pub(crate) fn digits(code: &str) -> OtpCode {
    OtpCode::parse(code).unwrap()
}

pub(crate) fn step_up_code(code: &str) -> StepUpCode {
    StepUpCode::parse(code).unwrap()
}

/// Whether the code tells of the refusal.
#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(answer: Result<T, IdentityError>, code: &str) {
    let error = answer.unwrap_err();
    assert_eq!(kernel::DomainError::code(&error), code, "{error}");
}
