//! The simulator repeats itself, and finds what is planted.

use super::*;

const PLAN: Plan = Plan { seed: 1, steps: 600, history: 200, sabotage: None, diary: None };

async fn summary(plan: Plan) -> Summary {
    run(plan, |_| {}).await.unwrap()
}

#[tokio::test]
async fn one_seed_is_one_run() {
    let (first, second) = (summary(PLAN).await, summary(PLAN).await);
    assert_eq!(first, second);
    assert_ne!(first.digest, summary(Plan { seed: 2, ..PLAN }).await.digest);
}

#[tokio::test]
async fn a_run_shows_something() {
    let Tally { successes, refusals, replays, resumed, crashes, restarts, journals, places } =
        summary(PLAN).await.tally;
    assert!(successes > 100 && refusals > 20 && journals > 50, "{successes} {refusals} {journals}");
    assert!(
        replays > 0 && resumed > 10 && crashes > 0 && restarts > crashes,
        "{replays} {resumed} {crashes} {restarts}"
    );
    assert!(places.len() > 5, "{places:?}");
}

/// The failure that the planted bug leads to, which its seed repeats.
async fn found(sabotage: Sabotage) -> Failure {
    let plan = Plan { steps: 5_000, sabotage: Some(sabotage), ..PLAN };
    let failure = run(plan, |_| {}).await.unwrap_err();
    let again = run(Plan { seed: failure.seed, ..plan }, |_| {}).await.unwrap_err();
    assert_eq!((again.step, again.cause.to_string()), (failure.step, failure.cause.to_string()));
    failure
}

#[tokio::test]
async fn money_that_nobody_posted_is_found() {
    let cause = format!("{:#}", found(Sabotage::TamperedWallet).await.cause);
    assert!(cause.contains("and should have"), "{cause}");
}

#[tokio::test]
async fn a_credit_without_a_captured_payment_is_found() {
    let cause = format!("{:#}", found(Sabotage::LyingProvider).await.cause);
    assert!(cause.contains("never captured"), "{cause}");
}
