//! Flows under way: driven one at a time, left open at a call to the provider, or dropped where they stand.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use super::ask::{Ask, Reply};
use super::bank::Call;
use super::forecast::{Forecast, Known};
use super::world::World;

/// A flow under way.
pub(super) struct Flight {
    pub(super) ask: Ask,
    pub(super) known: Known,
    pub(super) forecast: Forecast,
    future: Pin<Box<dyn Future<Output = Reply>>>,
    calls: Vec<Call>,
}

/// How far a flow has come.
#[derive(Debug)]
pub(super) enum Landing {
    /// It has replied.
    Replied(Reply),
    /// The provider has not answered yet; others go on meanwhile.
    Open,
    /// It has died at a failpoint.
    Crashed,
}

impl Flight {
    /// A flow that was asked for and has not begun.
    pub(super) fn new(world: &World, ask: Ask, known: Known, forecast: Forecast) -> Self {
        let future = ask.clone().put(world.market.clone(), world.scene.staff.clone());
        Self { ask, known, forecast, future, calls: Vec::new() }
    }

    /// Drives the flow as far as it goes. Its calls to the provider stay in the vault until the next flow is driven.
    pub(super) async fn drive(&mut self, world: &World) -> Landing {
        world.bank.vault().calls = std::mem::take(&mut self.calls);
        let landing = poll_fn(|context| match self.future.as_mut().poll(context) {
            Poll::Ready(reply) => Poll::Ready(Landing::Replied(reply)),
            Poll::Pending if world.bank.take_parked() => Poll::Ready(Landing::Open),
            Poll::Pending if world.fuse.take_burnt() => Poll::Ready(Landing::Crashed),
            Poll::Pending => Poll::Pending,
        })
        .await;
        if matches!(landing, Landing::Open) {
            self.calls = std::mem::take(&mut world.bank.vault().calls);
        }
        landing
    }
}
