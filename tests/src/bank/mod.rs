//! Money under SIGKILL: the gateway is a process that dies at any moment and comes back, its clients repeat under the
//! same `Idempotency-Key` what nobody acknowledged, and in the end the books must be exactly what the clients reckon.
//!
//! Two programs use this: `bank_test` kills at random under load, `money_crash` at each failpoint in turn.

mod account;
mod auditor;
mod crash;
mod customer;
mod deadlines;
mod desk;
mod disturbance;
mod gateway;
mod opening;
mod place;
mod razorpay;
mod staff;
mod verdict;

pub use account::Account;
pub use auditor::{Audit, audit};
pub use crash::{Scenario, Telling, play, scenarios};
pub use customer::Customer;
pub use deadlines::settle;
pub use desk::{Desk, Plan};
pub use disturbance::disturb;
pub use gateway::Gateway;
pub use opening::{Opened, SystemArgs, open};
pub use place::Place;
pub use staff::Staff;
pub use verdict::{Closing, judge};

use std::time::Duration;

/// How long a client repeats what is not acknowledged. A lease of 60 s may lie in between.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pause between two looks, or two tries.
const PAUSE: Duration = Duration::from_millis(50);
