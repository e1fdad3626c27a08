//! The super admin, who refunds: refunds want an authenticator, and a fresh code every five minutes.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::Place;
use crate::authenticator::Authenticator;
use crate::client::ClientError;
use crate::inbox::Contact;
use crate::people::Person;

/// Whom `gateway seed` makes super admin.
const PHONE: &str = "+919000000001";

/// How long after a code the next one is given.
const RENEWAL: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
struct Enrolment {
    secret: SecretString,
}

/// Somebody of the staff with a fresh code.
#[derive(Debug, Clone)]
pub struct Staff {
    place: Place,
    /// Who.
    pub person: Person,
    authenticator: Arc<Mutex<Authenticator>>,
}

impl Staff {
    /// The super admin logs in and enrols an authenticator, which also counts as a fresh code.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn arrive(place: &Place) -> anyhow::Result<Self> {
        let person = place.enter(Contact::Phone(PHONE.to_owned()), None).await?;
        let enrol = place.gateway.post("/api/auth/totp/enrol").bearer(&person.access);
        let enrolment: Enrolment = enrol.send().await?;
        let mut authenticator = Authenticator::scan(enrolment.secret.expose_secret())?;
        let code = authenticator.code(&place.ambient).await?;
        let body = json!({ "code": code.expose_secret() });
        place.gateway.post("/api/auth/totp/confirm").bearer(&person.access).json(&body).done().await?;
        Ok(Self { place: place.clone(), person, authenticator: Arc::new(Mutex::new(authenticator)) })
    }

    /// Gives fresh codes for as long as it is polled. A code whose answer was lost may have counted: the next one does.
    ///
    /// # Errors
    /// When the gateway refuses one.
    pub async fn stay_fresh(&self) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(RENEWAL).await;
            while !self.step_up().await? {}
        }
    }

    async fn step_up(&self) -> anyhow::Result<bool> {
        let code = self.authenticator.lock().await.code(&self.place.ambient).await?;
        let body = json!({ "code": code.expose_secret() });
        let call = self.place.gateway.post("/api/auth/step-up").bearer(&self.person.access).json(&body);
        match call.done().await {
            Ok(()) => Ok(true),
            Err(ClientError::Unreachable { .. }) => Ok(false),
            Err(ClientError::Refused { problem, .. }) if problem.status == 503 => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
