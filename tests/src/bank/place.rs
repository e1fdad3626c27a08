//! Where everybody meets: the addresses of the gateway and the sandbox, the database, time and chance.

use kernel::Ambient;
use store::Database;

use super::razorpay::RazorpayBooks;
use crate::client::Client;
use crate::inbox::{Contact, Inbox};
use crate::people::{self, Asked, Person};

/// The running system, as those who use it and those who watch it see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Place {
    /// The marketplace, which may be dead at the moment.
    pub gateway: Client,
    /// The sandbox's controls.
    pub sandbox: Client,
    /// Where messages arrive.
    pub inbox: Inbox,
    /// What Razorpay has on record.
    pub(super) razorpay: RazorpayBooks,
    /// A way to the database past the gateway.
    pub db: Database,
    /// Time and chance.
    pub ambient: Ambient,
}

impl Place {
    /// Logs somebody in. The gateway must be alive.
    ///
    /// # Errors
    /// When the code does not arrive, or is refused.
    pub async fn enter(&self, contact: Contact, name: Option<&str>) -> anyhow::Result<Person> {
        let already = self.inbox.messages(&contact).await?.len();
        if let Asked::TooSoon(pause) = people::ask_for_code(&self.gateway, &contact).await? {
            tokio::time::sleep(pause).await;
            people::ask_for_code(&self.gateway, &contact).await?;
        }
        people::log_in(&self.gateway, &self.inbox, contact, already, name).await
    }

    /// A name for a request, so that repeating it is safe.
    pub fn new_key(&self) -> String {
        self.ambient.new_uuid().to_string()
    }
}
