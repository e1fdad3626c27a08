//! A guarded call: bounded in number, repeated where its error allows it, and not made at all while the provider fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::Ambient;
use outbound::{BreakerConfig, CallError, Guard, GuardConfig, Retry, RetryConfig};
use testkit::FakeClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Busy,
    Refused,
    Lost,
    Throttled(Option<Duration>),
}

impl CallError for Failure {
    fn busy() -> Self {
        Self::Busy
    }

    fn is_outage(&self) -> bool {
        !matches!(self, Self::Refused | Self::Busy)
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Throttled(wait) => Retry::After(*wait),
            _ => Retry::Never,
        }
    }

    fn name(&self) -> &'static str {
        "test"
    }
}

fn config() -> GuardConfig {
    GuardConfig {
        concurrency: 4,
        wait: Duration::from_millis(100),
        breaker: BreakerConfig { min_calls: 4, ..BreakerConfig::default() },
        retry: RetryConfig {
            retries: 2,
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(50),
        },
    }
}

fn guard() -> Guard {
    Guard::new("test", config(), Ambient::system())
}

/// Makes a call that always ends like this; gives how it ended for the caller, and how often it was made.
async fn made(guard: &Guard, answer: Result<(), Failure>) -> (Result<(), Failure>, usize) {
    let calls = AtomicUsize::new(0);
    let ended = guard
        .call(|| async {
            calls.fetch_add(1, Ordering::SeqCst);
            answer
        })
        .await;
    (ended, calls.into_inner())
}

#[tokio::test]
async fn a_call_is_repeated_only_where_its_error_allows_it() {
    let throttled = Err(Failure::Throttled(None));
    assert_eq!(made(&guard(), throttled).await, (throttled, 3));
    let short = Err(Failure::Throttled(Some(Duration::from_millis(10))));
    assert_eq!(made(&guard(), short).await, (short, 3));
    for never in [Err(Failure::Lost), Err(Failure::Refused), Ok(())] {
        assert_eq!(made(&guard(), never).await, (never, 1));
    }
}

#[tokio::test]
async fn a_wait_longer_than_ours_is_left_to_the_caller() {
    let long = Err(Failure::Throttled(Some(Duration::from_secs(60))));
    assert_eq!(made(&guard(), long).await, (long, 1));
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_there_are_slots() {
    let (guard, calls) = (Arc::new(guard()), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (guard, calls) = (Arc::clone(&guard), Arc::clone(&calls));
            tokio::spawn(async move {
                let slow = || async {
                    calls.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    Ok::<_, Failure>(())
                };
                guard.call(slow).await
            })
        })
        .collect();
    let mut busy = 0;
    for task in tasks {
        busy += usize::from(task.await.unwrap() == Err(Failure::Busy));
    }
    assert_eq!((calls.load(Ordering::SeqCst), busy), (4, 6));
}

#[tokio::test]
async fn a_failing_provider_is_left_alone_and_then_tried_by_one_call() {
    let clock = FakeClock::at("2026-01-01T00:00:00Z");
    let guard = Guard::new("test", config(), testkit::ambient(&clock));
    for _ in 0..4 {
        assert_eq!(made(&guard, Err(Failure::Lost)).await, (Err(Failure::Lost), 1));
    }
    assert_eq!(made(&guard, Ok(())).await, (Err(Failure::Busy), 0));
    clock.advance(chrono::TimeDelta::seconds(10));
    assert_eq!(made(&guard, Err(Failure::Lost)).await, (Err(Failure::Lost), 1), "one call tries it out");
    assert_eq!(made(&guard, Ok(())).await, (Err(Failure::Busy), 0));
    clock.advance(chrono::TimeDelta::seconds(10));
    assert_eq!(made(&guard, Ok(())).await, (Ok(()), 1));
    assert_eq!(made(&guard, Ok(())).await, (Ok(()), 1));
}

#[tokio::test]
async fn refusals_do_not_speak_against_the_provider() {
    let guard = guard();
    for _ in 0..12 {
        assert_eq!(made(&guard, Err(Failure::Refused)).await, (Err(Failure::Refused), 1));
    }
}
