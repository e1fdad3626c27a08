//! One story of money, told again for each place at which the gateway can die in it. However it was interrupted, it
//! must end in the same state.

mod state;
mod story;

use std::fmt;

use anyhow::Context;
use marketplace::Failpoint;

use self::state::State;
use super::desk::Desk;
use super::{Gateway, PATIENCE, Place, Staff, deadlines, settle};
use crate::people::{self, Person};

/// Who tells the marketplace that a payment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// The payer's browser, which comes back from the checkout.
    Checkout,
    /// A webhook alone.
    Webhook,
    /// Nobody: the poller finds it.
    Poller,
}

/// The story, and where it is interrupted.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Who tells of the payment.
    pub telling: Telling,
    /// Where the gateway dies; nowhere in the story that the others are compared with.
    pub failpoint: Option<Failpoint>,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let teller = match self.telling {
            Telling::Checkout => "the checkout",
            Telling::Webhook => "a webhook alone",
            Telling::Poller => "the poller alone",
        };
        match self.failpoint {
            Some(failpoint) => write!(f, "told by {teller}, dying at {}", failpoint.name()),
            None => write!(f, "told by {teller}, without dying"),
        }
    }
}

/// Every way in which a payment is told of, with every failpoint on that way.
pub fn scenarios() -> Vec<Scenario> {
    let every = |telling, is_on_the_way: fn(&str) -> bool| {
        let deaths = Failpoint::ALL.iter().copied().filter(move |place| is_on_the_way(place.name()));
        std::iter::once(None).chain(deaths.map(Some)).map(move |failpoint| Scenario { telling, failpoint })
    };
    every(Telling::Checkout, |_| true)
        .chain(every(Telling::Webhook, |name| name.starts_with("payment.") || name.starts_with("webhook.")))
        .chain(every(Telling::Poller, |name| name.starts_with("payment.")))
        .collect()
}

/// Plays a scenario with somebody new, until nothing is left to be done, and gives the state that it has come to.
///
/// # Errors
/// When the failpoint is not reached, or the story does not come to its end.
pub async fn play(
    gateway: &mut Gateway,
    desk: &Desk,
    staff: &Staff,
    scenario: Scenario,
) -> anyhow::Result<State> {
    let place = &desk.place;
    let user = place.enter(people::random_phone(&place.ambient), Some("Ravi Kumar")).await?;
    if scenario.failpoint.is_some() {
        gateway.kill().await?;
        gateway.start(scenario.failpoint).await?;
    }
    let told = async {
        let told = story::tell(desk, staff, &user, scenario.telling);
        tokio::time::timeout(PATIENCE, told).await.context("the story does not come to its end")?
    };
    if scenario.failpoint.is_some() {
        tokio::try_join!(told, revive(gateway, place))?;
    } else {
        told.await?;
    }
    rest(place, &user).await
}

/// Waits for the gateway's death, and starts it again.
async fn revive(gateway: &mut Gateway, place: &Place) -> anyhow::Result<()> {
    tokio::time::timeout(PATIENCE, gateway.dies()).await.context("the failpoint is not reached")??;
    deadlines::leases_run_out(place).await?;
    gateway.start(None).await
}

/// Lets everything come to rest, so that nothing of it dies in the next scenario.
async fn rest(place: &Place, user: &Person) -> anyhow::Result<State> {
    let credited = deadlines::count(&place.db, "payments WHERE outcome = 'credited'").await?;
    settle(place, usize::try_from(credited)?).await?;
    State::read(place, user).await
}
