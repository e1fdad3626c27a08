//! What carries emits to other processes.

mod envelope;
#[cfg(feature = "redis")]
mod redis;

pub(crate) use envelope::{Envelope, What};

#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisConfig, RedisState};

/// Takes a message of another process.
pub type Receive = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Carries messages to all other processes.
///
/// What is sent has been delivered in the own process already. So a backplane that is down costs the other processes
/// their part and nobody anything else: [`Backplane::publish`] neither waits nor fails.
pub trait Backplane: Send + Sync + 'static {
    /// Begins to give the messages of other processes, and none of the own, to a receiver. Called once.
    fn start(&self, receive: Receive);

    /// Carries a message, if it can.
    fn publish(&self, message: Vec<u8>);

    /// Whether there may be other processes; without, nothing is published.
    fn is_shared(&self) -> bool {
        true
    }
}

/// There is one process only.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Backplane for InProcess {
    fn start(&self, receive: Receive) {
        drop(receive);
    }

    fn publish(&self, message: Vec<u8>) {
        drop(message);
    }

    fn is_shared(&self) -> bool {
        false
    }
}
