//! Calls to the outside world: what stands between us and a provider in trouble, whatever is asked of it.
//!
//! Invariants:
//! - Every call ends: connecting, answering and the whole of it have a deadline, and an answer has a size limit.
//! - A call is repeated only where its error says that this cannot act twice.
//! - A provider that fails is left alone for a while, and then tried by one call.
//! - Credentials never cross a network in the clear, and no redirect is followed.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use kernel::Ambient;
//! use outbound::{CallError, Guard, GuardConfig, Retry};
//!
//! #[derive(Debug)]
//! struct Busy;
//!
//! impl CallError for Busy {
//!     fn busy() -> Self {
//!         Self
//!     }
//!     fn is_outage(&self) -> bool {
//!         false
//!     }
//!     fn retry(&self) -> Retry {
//!         Retry::Never
//!     }
//!     fn name(&self) -> &'static str {
//!         "busy"
//!     }
//! }
//!
//! let guard = Guard::new("example", GuardConfig::default(), Ambient::system());
//! let answer = guard.call(|| async { Ok::<_, Busy>(42) }).await;
//! assert_eq!(answer.unwrap(), 42);
//! # });
//! ```

mod breaker;
mod guard;
pub mod http;

pub use breaker::BreakerConfig;
pub use guard::{CallError, Guard, GuardConfig, Retry, RetryConfig};
