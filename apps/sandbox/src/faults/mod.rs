//! Faults: how a stand-in is told to be slow, to fail, to lose a connection or to do a thing twice.
//!
//! One fault per target is in force, until it has applied `times` times or is cleared. It applies to one *call*:
//! for `twilio` that is any request below `/2010-04-01`, for `razorpay` any below `/v1` (with `call`, only those of
//! that sort), for `fcm` a message that is sent, for `smtp` a mail transaction, taken when `MAIL FROM` would have been accepted. The delay comes first.
//! Then at most one of these happens:
//!
//! - `error`: the call is answered by this HTTP status and the provider's body for it, or by this SMTP reply code;
//! - `drop`: the connection is closed without an answer;
//! - `duplicate`: the call succeeds, and its message lands in the inbox twice; a call of Razorpay's is carried out
//!   twice and answered once.
//!
//! After `error` and `drop` nothing was recorded, neither in the inbox nor by a provider; but with `after`, which only
//! Razorpay has, the call was carried out and its answer is what is lost.

mod parse;
mod routes;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use routes::resource;

/// Which stand-in misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Twilio,
    Smtp,
    Razorpay,
    Fcm,
}

/// The sorts of calls of Razorpay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Call {
    /// Creates an order.
    Order,
    /// Captures a payment.
    Capture,
    /// Refunds a payment.
    Refund,
    /// Looks something up.
    Read,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It succeeds, leaving so many copies of its message.
    Serve { copies: usize },
    /// It fails with this HTTP status or SMTP reply code.
    Fail { code: u16 },
    /// Its connection is closed without an answer.
    Drop,
}

/// How one call is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) delay: Duration,
    pub(crate) outcome: Outcome,
    /// Whether the call is carried out before it fails.
    pub(crate) after: bool,
}

impl Effect {
    /// Nothing unusual.
    const NONE: Self = Self { delay: Duration::ZERO, outcome: Outcome::Serve { copies: 1 }, after: false };

    /// Sits the delay out and tells what follows it.
    pub(crate) async fn begin(self) -> Outcome {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.outcome
    }
}

/// An effect and how often it is still to be had; `None` is until cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fault {
    effect: Effect,
    times: Option<u32>,
    /// The only sort of call that it applies to.
    call: Option<Call>,
}

/// The faults in force.
#[derive(Default)]
pub(crate) struct Faults(Mutex<InForce>);

#[derive(Debug, Clone, Copy, Default)]
struct InForce {
    twilio: Option<Fault>,
    smtp: Option<Fault>,
    razorpay: Option<Fault>,
    fcm: Option<Fault>,
}

impl InForce {
    fn of(&mut self, target: Target) -> &mut Option<Fault> {
        match target {
            Target::Twilio => &mut self.twilio,
            Target::Smtp => &mut self.smtp,
            Target::Razorpay => &mut self.razorpay,
            Target::Fcm => &mut self.fcm,
        }
    }
}

impl Faults {
    /// What one more call of the target must suffer.
    pub(crate) fn take(&self, target: Target) -> Effect {
        self.take_for(target, None)
    }

    /// What one more call of this sort must suffer.
    pub(crate) fn take_for(&self, target: Target, call: Option<Call>) -> Effect {
        let mut in_force = self.in_force();
        let slot = in_force.of(target);
        let Some(fault) = slot.as_mut().filter(|fault| fault.call.is_none() || fault.call == call) else {
            return Effect::NONE;
        };
        let effect = fault.effect;
        match &mut fault.times {
            None => {}
            Some(times) if *times > 1 => *times -= 1,
            Some(_) => *slot = None,
        }
        effect
    }

    fn set(&self, target: Target, fault: Fault) {
        *self.in_force().of(target) = Some(fault);
    }

    fn clear(&self) {
        *self.in_force() = InForce::default();
    }

    fn show(&self) -> InForce {
        *self.in_force()
    }

    fn in_force(&self) -> MutexGuard<'_, InForce> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_applies_as_often_as_it_was_told_to() {
        let faults = Faults::default();
        let effect = Effect { outcome: Outcome::Drop, ..Effect::NONE };
        let times = Some(2);
        faults.set(Target::Smtp, Fault { effect, times, call: None });
        assert_eq!(faults.take(Target::Twilio), Effect::NONE);
        assert_eq!(faults.take(Target::Smtp), effect);
        assert_eq!(faults.take(Target::Smtp), effect);
        assert_eq!(faults.take(Target::Smtp), Effect::NONE);
    }

    #[test]
    fn a_fault_without_a_number_applies_until_cleared() {
        let faults = Faults::default();
        let effect = Effect { delay: Duration::from_millis(1), ..Effect::NONE };
        faults.set(Target::Twilio, Fault { effect, times: None, call: None });
        assert!((0..5).all(|_| faults.take(Target::Twilio) == effect));
        faults.clear();
        assert_eq!(faults.take(Target::Twilio), Effect::NONE);
    }

    #[test]
    fn a_fault_for_one_sort_of_call_spares_the_others() {
        let faults = Faults::default();
        let effect = Effect { outcome: Outcome::Drop, after: true, ..Effect::NONE };
        faults.set(Target::Razorpay, Fault { effect, times: Some(1), call: Some(Call::Refund) });
        assert_eq!(faults.take_for(Target::Razorpay, Some(Call::Read)), Effect::NONE);
        assert_eq!(faults.take_for(Target::Razorpay, Some(Call::Refund)), effect);
        assert_eq!(faults.take_for(Target::Razorpay, Some(Call::Refund)), Effect::NONE);
    }
}
