//! The sandbox's inbox: where the people of these stories read their messages.

use std::time::Duration;

use anyhow::{Context, bail};
use secrecy::SecretString;
use serde::Deserialize;

use crate::client::{Client, ClientError};

/// How often, and with what pause, the inbox is looked at for a message that must come.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Somebody's address of one kind.
#[derive(Debug, Clone)]
pub enum Contact {
    /// A mobile number in E.164.
    Phone(String),
    /// An e-mail address.
    Email(String),
}

impl Contact {
    /// The address.
    pub fn address(&self) -> &str {
        match self {
            Self::Phone(address) | Self::Email(address) => address,
        }
    }

    /// The inbox's name of the way there.
    pub fn channel(&self) -> &'static str {
        match self {
            Self::Phone(_) => "sms",
            Self::Email(_) => "email",
        }
    }
}

/// A message that arrived.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Its text.
    pub body: String,
}

/// The inbox.
#[derive(Debug, Clone)]
pub struct Inbox(Client);

impl Inbox {
    /// The inbox of the sandbox behind this client.
    pub fn new(sandbox: Client) -> Self {
        Self(sandbox)
    }

    /// What has arrived for somebody, newest first.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn messages(&self, to: &Contact) -> Result<Vec<Message>, ClientError> {
        self.0.get("/inbox").query(&[("channel", to.channel()), ("to", to.address())]).send().await
    }

    /// The code in the message that arrives after the first `already` ones.
    ///
    /// # Errors
    /// When none arrives within five seconds, or it holds no code.
    pub async fn code_after(&self, to: &Contact, already: usize) -> anyhow::Result<SecretString> {
        for _ in 0..LOOKS {
            let messages = self.messages(to).await?;
            if messages.len() > already {
                let newest = messages.first().context("the inbox is empty")?;
                return code_in(&newest.body).context("the message holds no code of six digits");
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("no message has arrived in the sandbox's inbox")
    }
}

/// The first run of exactly six digits.
fn code_in(text: &str) -> Option<SecretString> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_code_is_the_run_of_six_digits() {
        let code = |text| code_in(text).map(|code| code.expose_secret().to_owned());
        assert_eq!(code("012345 is your code. It is valid for 5 minutes.").as_deref(), Some("012345"));
        assert_eq!(code("call +919876543210 within 15 minutes"), None);
    }
}
