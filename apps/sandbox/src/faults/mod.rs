//! Faults: how a stand-in is told to be slow, to fail, to lose a connection or to do a thing twice.
//!
//! One fault per target is in force, until it has applied `times` times or is cleared. It applies to one *call*:
//! for `twilio` that is any request below `/2010-04-01`, for `smtp` a mail transaction, taken when `MAIL FROM` would
//! have been accepted. The delay comes first. Then at most one of these happens:
//!
//! - `error`: the call is answered by this HTTP status and Twilio's body for it, or by this SMTP reply code;
//! - `drop`: the connection is closed without an answer;
//! - `duplicate`: the call succeeds, and its message lands in the inbox twice.
//!
//! After `error` and `drop` nothing was recorded: neither in the inbox nor among Twilio's messages.

mod parse;
mod routes;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use routes::resource;

/// Which stand-in misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Twilio,
    Smtp,
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
}

impl Effect {
    /// Nothing unusual.
    const NONE: Self = Self { delay: Duration::ZERO, outcome: Outcome::Serve { copies: 1 } };

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
}

/// The faults in force.
#[derive(Default)]
pub(crate) struct Faults(Mutex<InForce>);

#[derive(Debug, Clone, Copy, Default)]
struct InForce {
    twilio: Option<Fault>,
    smtp: Option<Fault>,
}

impl InForce {
    fn of(&mut self, target: Target) -> &mut Option<Fault> {
        match target {
            Target::Twilio => &mut self.twilio,
            Target::Smtp => &mut self.smtp,
        }
    }
}

impl Faults {
    /// What one more call of the target must suffer.
    pub(crate) fn take(&self, target: Target) -> Effect {
        let mut in_force = self.in_force();
        let slot = in_force.of(target);
        let Some(fault) = slot else {
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
        faults.set(Target::Smtp, Fault { effect, times });
        assert_eq!(faults.take(Target::Twilio), Effect::NONE);
        assert_eq!(faults.take(Target::Smtp), effect);
        assert_eq!(faults.take(Target::Smtp), effect);
        assert_eq!(faults.take(Target::Smtp), Effect::NONE);
    }

    #[test]
    fn a_fault_without_a_number_applies_until_cleared() {
        let faults = Faults::default();
        let effect = Effect { delay: Duration::from_millis(1), ..Effect::NONE };
        faults.set(Target::Twilio, Fault { effect, times: None });
        assert!((0..5).all(|_| faults.take(Target::Twilio) == effect));
        faults.clear();
        assert_eq!(faults.take(Target::Twilio), Effect::NONE);
    }
}
