//! People: they are reached at a contact, log in with the code that arrives there, and hold a session.

use std::time::Duration;

use kernel::Ambient;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Client, ClientError};
use crate::inbox::{Contact, Inbox};

/// How long somebody is ready to wait before asking for another code.
const PATIENCE: Duration = Duration::from_secs(40);

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their id.
    pub id: String,
    /// Their role.
    pub role: String,
    /// Where they are reached.
    pub contact: Contact,
    /// What proves for ten minutes who they are.
    pub access: SecretString,
    /// What the next access token is got with.
    pub refresh: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    access_token: SecretString,
    refresh_token: SecretString,
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    role: String,
}

/// What came of asking for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is on its way.
    Sent,
    /// One was sent moments ago; the next may be asked for after this pause.
    TooSoon(Duration),
}

/// Asks for a code.
///
/// # Errors
/// When it is refused for longer than anybody wants to wait, or the call fails.
pub async fn ask_for_code(gateway: &Client, contact: &Contact) -> Result<Asked, ClientError> {
    match gateway.post("/api/auth/send-otp").json(&named(contact)).done().await {
        Ok(()) => Ok(Asked::Sent),
        Err(ClientError::Refused { call, problem }) => match problem.retry_after {
            Some(pause) if problem.status == 429 && pause <= PATIENCE => Ok(Asked::TooSoon(pause)),
            _ => Err(ClientError::Refused { call, problem }),
        },
        Err(other) => Err(other),
    }
}

/// Logs somebody in with the code that arrives after the first `already` messages. A stranger becomes a member called
/// `name`.
///
/// # Errors
/// When no code arrives, or it is refused.
pub async fn log_in(
    gateway: &Client,
    inbox: &Inbox,
    contact: Contact,
    already: usize,
    name: Option<&str>,
) -> anyhow::Result<Person> {
    let code = inbox.code_after(&contact, already).await?;
    let mut body = named(&contact);
    body.insert("otp".to_owned(), json!(code.expose_secret()));
    if let Some(name) = name {
        body.insert("name".to_owned(), json!(name));
    }
    let login: LoggedIn = gateway.post("/api/auth/verify-otp").json(&body).send().await?;
    Ok(Person {
        id: login.user.id,
        role: login.user.role,
        contact,
        access: login.access_token,
        refresh: login.refresh_token,
    })
}

fn named(contact: &Contact) -> Map<String, Value> {
    let field = match contact {
        Contact::Phone(_) => "phone",
        Contact::Email(_) => "email",
    };
    Map::from_iter([(field.to_owned(), json!(contact.address()))])
}

/// A mobile number that nobody has: one in 400 million is taken.
pub fn random_phone(ambient: &Ambient) -> Contact {
    Contact::Phone(format!("+91{}", 9_100_000_000 + ambient.random_below(400_000_000)))
}

/// An e-mail address that nobody has.
pub fn random_email(ambient: &Ambient) -> Contact {
    Contact::Email(format!("buyer-{}@example.in", ambient.new_uuid().simple()))
}

/// An address for people to read, its middle hidden.
pub fn masked(contact: &Contact) -> String {
    match contact {
        Contact::Phone(phone) => {
            kernel::Phone::parse(phone).map_or_else(|_| "a number".to_owned(), |phone| phone.masked())
        }
        Contact::Email(email) => {
            kernel::Email::parse(email).map_or_else(|_| "an address".to_owned(), |email| email.masked())
        }
    }
}
