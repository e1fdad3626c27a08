//! The circuit breaker: a provider that fails is left alone for a while, and then tried by one call.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::Ambient;

/// When a provider is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    /// How far back calls count.
    pub window: Duration,
    /// How many calls it takes to judge.
    pub min_calls: u32,
    /// Which part of them must have failed, in percent.
    pub failure_percent: u32,
    /// For how long it is left alone.
    pub open_for: Duration,
}

impl Default for BreakerConfig {
    /// Half of at least 20 calls within 30 seconds; left alone for 10.
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            min_calls: 20,
            failure_percent: 50,
            open_for: Duration::from_secs(10),
        }
    }
}

/// The calls of one second.
#[derive(Debug, Clone, Copy)]
struct Second {
    at: i64,
    calls: u32,
    failures: u32,
}

#[derive(Debug)]
enum State {
    /// Calls go through and are counted.
    Closed(VecDeque<Second>),
    /// No call goes through before this moment, in milliseconds since 1970.
    Open { until: i64 },
    /// One call is trying it out.
    Probing,
}

#[derive(Debug)]
pub(crate) struct Breaker {
    name: &'static str,
    config: BreakerConfig,
    ambient: Ambient,
    state: Mutex<State>,
}

/// The right to make one call. Dropped without a verdict, because the caller gave up, it counts as a failure.
#[derive(Debug)]
#[must_use]
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    settled: bool,
}

impl Permit<'_> {
    /// Tells how the call went.
    pub(crate) fn settle(mut self, well: bool) {
        self.settled = true;
        self.breaker.settle(self.is_probe, well);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.breaker.settle(self.is_probe, false);
        }
    }
}

impl Breaker {
    pub(crate) fn new(name: &'static str, config: BreakerConfig, ambient: Ambient) -> Self {
        Self { name, config, ambient, state: Mutex::new(State::Closed(VecDeque::new())) }
    }

    /// Lets a call through, or not.
    pub(crate) fn admit(&self) -> Option<Permit<'_>> {
        let now = self.now();
        let mut state = self.state();
        let is_probe = match &*state {
            State::Closed(_) => false,
            State::Open { until } if now >= *until => {
                *state = State::Probing;
                true
            }
            State::Open { .. } | State::Probing => return None,
        };
        Some(Permit { breaker: self, is_probe, settled: false })
    }

    fn settle(&self, is_probe: bool, well: bool) {
        let now = self.now();
        let mut state = self.state();
        let opens = match &mut *state {
            State::Closed(seconds) => {
                count(seconds, now, self.config.window, well);
                self.is_too_much(seconds)
            }
            State::Probing if is_probe && well => {
                tracing::info!(provider = self.name, "the provider answers again");
                *state = State::Closed(VecDeque::new());
                false
            }
            State::Probing if is_probe => true,
            // A call from before it opened ends: it was judged already.
            State::Open { .. } | State::Probing => false,
        };
        if opens {
            let until = now.saturating_add(millis(self.config.open_for));
            *state = State::Open { until };
            tracing::warn!(provider = self.name, "the provider fails and is left alone for a while");
            metrics::counter!("provider_circuit_opened_total", "provider" => self.name).increment(1);
        }
    }

    fn is_too_much(&self, seconds: &VecDeque<Second>) -> bool {
        let calls: u32 = seconds.iter().map(|second| second.calls).sum();
        let failures: u32 = seconds.iter().map(|second| second.failures).sum();
        calls >= self.config.min_calls
            && u64::from(failures) * 100 >= u64::from(calls) * u64::from(self.config.failure_percent)
    }

    fn now(&self) -> i64 {
        self.ambient.now().timestamp_millis()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds one call and forgets those from before the window.
fn count(seconds: &mut VecDeque<Second>, now: i64, window: Duration, well: bool) {
    let at = now.div_euclid(1_000);
    let begin = now.saturating_sub(millis(window)).div_euclid(1_000);
    while seconds.front().is_some_and(|second| second.at <= begin) {
        seconds.pop_front();
    }
    let failures = u32::from(!well);
    match seconds.back_mut() {
        // A clock that was set back adds to the newest second rather than to the past.
        Some(second) if second.at >= at => {
            second.calls = second.calls.saturating_add(1);
            second.failures = second.failures.saturating_add(failures);
        }
        _ => seconds.push_back(Second { at, calls: 1, failures }),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use testkit::FakeClock;

    use super::*;

    fn breaker() -> (Arc<FakeClock>, Breaker) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let breaker = Breaker::new("test", BreakerConfig::default(), testkit::ambient(&clock));
        (clock, breaker)
    }

    fn calls(breaker: &Breaker, n: usize, well: bool) {
        for _ in 0..n {
            breaker.admit().unwrap().settle(well);
        }
    }

    fn pass(clock: &FakeClock, seconds: i64) {
        clock.advance(chrono::TimeDelta::seconds(seconds));
    }

    #[test]
    fn it_opens_when_half_of_twenty_calls_fail() {
        let (_, breaker) = breaker();
        calls(&breaker, 10, true);
        calls(&breaker, 9, false);
        assert!(breaker.admit().is_some_and(|permit| {
            permit.settle(false);
            true
        }));
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn nineteen_failures_are_too_few_to_judge() {
        let (_, breaker) = breaker();
        calls(&breaker, 19, false);
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn failures_from_before_the_window_are_forgotten() {
        let (clock, breaker) = breaker();
        calls(&breaker, 19, false);
        pass(&clock, 31);
        calls(&breaker, 19, false);
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn one_call_tries_it_out_and_closes_it() {
        let (clock, breaker) = breaker();
        calls(&breaker, 20, false);
        pass(&clock, 9);
        assert!(breaker.admit().is_none(), "it is left alone for ten seconds");
        pass(&clock, 1);
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_none(), "one at a time");
        probe.settle(true);
        calls(&breaker, 19, false);
        assert!(breaker.admit().is_some(), "what was counted before is forgotten");
    }

    #[test]
    fn a_try_that_fails_leaves_it_alone_again() {
        let (clock, breaker) = breaker();
        calls(&breaker, 20, false);
        pass(&clock, 10);
        breaker.admit().unwrap().settle(false);
        assert!(breaker.admit().is_none());
        pass(&clock, 10);
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn a_caller_that_gives_up_does_not_block_the_next_try() {
        let (clock, breaker) = breaker();
        calls(&breaker, 20, false);
        pass(&clock, 10);
        drop(breaker.admit().unwrap());
        pass(&clock, 10);
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn a_late_answer_from_before_does_not_close_it() {
        let (clock, breaker) = breaker();
        let late = breaker.admit().unwrap();
        calls(&breaker, 20, false);
        pass(&clock, 10);
        let probe = breaker.admit().unwrap();
        late.settle(true);
        assert!(breaker.admit().is_none());
        probe.settle(true);
        assert!(breaker.admit().is_some());
    }
}
