//! The stories that people tell with a running marketplace, chapter by chapter. One file per chapter: it takes the
//! stage and whoever acts, tells its steps, and gives back what the next chapters need.

mod buying;
mod leaving;
mod money;
mod review;
mod selling;
mod staff;

use std::path::Path;

use anyhow::{Context, ensure};
use kernel::Ambient;

use crate::authenticator::Drawer;
use crate::client::Client;
use crate::ears::Ears;
use crate::inbox::{Contact, Inbox};
use crate::people::{self, Asked, Person};
use crate::tale::Tale;

/// Where a story plays: the running system, and what its people carry with them.
#[derive(Debug)]
pub struct Stage {
    /// The marketplace.
    pub gateway: Client,
    /// Whoever the marketplace talks to: here banks and payers are told what to do.
    pub sandbox: Client,
    /// Where messages arrive.
    pub inbox: Inbox,
    /// Time and chance.
    pub ambient: Ambient,
    /// The authenticators of those who come back in the next story.
    pub drawer: Drawer,
    /// The story so far.
    pub tale: Tale,
}

impl Stage {
    /// A stage on the system at these addresses; authenticators are kept in the file.
    ///
    /// # Errors
    /// When the file cannot be read, or no HTTP client can be built.
    pub fn new(gateway: &str, sandbox: &str, drawer: &Path) -> anyhow::Result<Self> {
        let sandbox = Client::new(sandbox)?;
        Ok(Self {
            gateway: Client::new(gateway)?,
            inbox: Inbox::new(sandbox.clone()),
            sandbox,
            ambient: Ambient::system(),
            drawer: Drawer::open(drawer)?,
            tale: Tale::begin(),
        })
    }

    /// Somebody logs in, as a step of the story.
    async fn enter(&mut self, who: &str, contact: Contact, name: Option<&str>) -> anyhow::Result<Person> {
        let way = match contact {
            Contact::Phone(_) => "SMS",
            Contact::Email(_) => "e-mail",
        };
        self.tale.step(format!(
            "{who} asks for a code by {way} to {}, and logs in with it.",
            people::masked(&contact)
        ));
        let already =
            self.inbox.messages(&contact).await.context("the sandbox's inbox cannot be read")?.len();
        if let Asked::TooSoon(pause) = people::ask_for_code(&self.gateway, &contact).await? {
            self.tale
                .saw(format!("A code was sent moments ago: waiting {} s for the next one.", pause.as_secs()));
            tokio::time::sleep(pause).await;
            let again = people::ask_for_code(&self.gateway, &contact).await?;
            ensure!(again == Asked::Sent, "a code is still refused after the pause that the refusal told");
        }
        let person = people::log_in(&self.gateway, &self.inbox, contact, already, name).await?;
        self.tale.saw(format!("The code was in the sandbox's inbox. The role is {}.", person.role));
        Ok(person)
    }
}

/// The main job: staff get ready, a seller lists a phone, a moderator approves it, the seller tops up, boosts it and gets
/// a part of the payment back, a buyer finds it and sees the seller's number.
///
/// # Errors
/// With the sentence that says what went wrong; the tale knows at which step.
pub async fn main_job(stage: &mut Stage, super_admin: &str) -> anyhow::Result<()> {
    stage.tale.chapter("The staff get ready");
    let member = staff::member_arrives(stage).await?;
    let admin = staff::super_admin_arrives(stage, super_admin).await?;
    let moderator = staff::moderator_is_appointed(stage, &admin, member).await?;
    stage.tale.chapter("Somebody sells a phone");
    let seller = selling::seller_arrives(stage).await?;
    let offer = selling::phone_is_listed(stage, &seller).await?;
    selling::nobody_else_sees(stage, &offer).await?;
    stage.tale.chapter("A moderator looks at it");
    stage.tale.step("Asha's phone opens a socket, with her access token, and stays connected.");
    let mut ears = Ears::open(stage.gateway.base(), "Asha", &seller, &stage.tale).await?;
    review::listing_is_approved(stage, &moderator, &offer).await?;
    for name in ["listing:approved", "notification:new"] {
        ears.next_named(name).await?;
    }
    stage.tale.chapter("The seller makes it stand out");
    let payment = money::seller_tops_up(stage, &seller).await?;
    for name in ["payment:captured", "wallet:updated"] {
        ears.next_named(name).await?;
    }
    money::seller_boosts(stage, &seller, &offer).await?;
    for name in ["listing:updated", "wallet:updated"] {
        ears.next_named(name).await?;
    }
    money::staff_refund_a_part(stage, &admin, &seller, &payment).await?;
    ears.next_named("wallet:refunded").await?;
    stage.tale.chapter("Somebody buys it");
    let buyer = buying::buyer_finds(stage, &offer).await?;
    buying::buyer_sees_number(stage, &buyer, &seller, &offer).await?;
    stage.tale.chapter("And they part");
    leaving::seller_marks_sold(stage, &moderator, &seller, &offer).await?;
    leaving::everybody_logs_out(stage, [admin, moderator, seller, buyer]).await
}
