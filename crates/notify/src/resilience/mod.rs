//! What stands between the marketplace and a provider in trouble: a circuit breaker, a limit on calls at a time, and
//! the few retries that cannot send a message twice.

mod breaker;
mod guard;

pub use breaker::BreakerConfig;
pub use guard::{Guard, GuardConfig, Guarded, RetryConfig};
