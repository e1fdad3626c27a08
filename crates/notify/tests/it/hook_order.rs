//! Webhooks to one endpoint: one at a time, in the order of their events, and none is lost.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::HookId;
use notify::{HookClaim, HookEvent, HookSending, HookSettled, PlannedHook};
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::hooks::{claim, endpoint, event, house, plan, settle};
use crate::house::House;

const TAKEN: HookSending = HookSending::Taken(200);

/// Webhooks of events in this order of theirs, planned in the order in which they stand here.
async fn planned(db: &TestDb, house: &House, sequences: &[i64]) -> Vec<PlannedHook> {
    let mut all = Vec::new();
    for sequence in sequences {
        all.extend(plan(db, house, &HookEvent { sequence: *sequence, ..event(house) }).await);
    }
    all
}

async fn next(db: &TestDb, house: &House, endpoint: HookId) -> Option<PlannedHook> {
    db.in_txn(async |txn| house.notify.next_hook_in_txn(txn, endpoint).await).await.unwrap()
}

/// The one that comes first.
async fn comes_after(house: &House, one: &PlannedHook) -> PlannedHook {
    match house.claim_hook(one.id).await {
        HookClaim::After(older) => older,
        other => panic!("{other:?}"),
    }
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn an_endpoint_gets_one_at_a_time_in_the_order_of_events(db: TestDb) {
        let house = house(db);
        let (to, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        let all = planned(db, &house, &[3, 1, 2]).await;
        let (first, second, third) = (all[1], all[2], all[0]);
        assert_eq!(comes_after(&house, &third).await.id, first.id);
        assert_eq!(comes_after(&house, &second).await.id, first.id);
        let sent = claim(&house, &first).await;
        for waits in [&second, &third] {
            assert!(matches!(house.claim_hook(waits.id).await, HookClaim::Busy));
        }
        assert_eq!(settle(db, &house, &sent, TAKEN).await, Ok(HookSettled::Delivered));
        assert_eq!(next(db, &house, to).await.unwrap().id, second.id);
        assert_eq!(comes_after(&house, &third).await.id, second.id);

        // One that was refused waits for its next try, and holds up nobody until then.
        let sent = claim(&house, &second).await;
        let Ok(HookSettled::Again(at)) = settle(db, &house, &sent, HookSending::Refused(500)).await else {
            panic!("it is tried again");
        };
        assert_eq!(next(db, &house, to).await.unwrap().id, third.id);
        let sent = claim(&house, &third).await;
        house.clock.set(at);
        assert!(matches!(house.claim_hook(second.id).await, HookClaim::Busy), "its time has come, its turn has not");
        assert!(settle(db, &house, &sent, TAKEN).await.is_ok());
        assert_eq!(next(db, &house, to).await.unwrap().id, second.id);
        let sent = claim(&house, &second).await;
        assert!(settle(db, &house, &sent, TAKEN).await.is_ok());
        assert_eq!(next(db, &house, to).await, None);
    }

    async fn a_sender_that_dies_holds_up_its_endpoint_no_longer_than_its_lease(db: TestDb) {
        let house = house(db);
        endpoint(&house, "http://127.0.0.1:1/").await;
        let all = planned(db, &house, &[1, 2]).await;
        let lost = claim(&house, &all[0]).await;
        house.clock.advance(TimeDelta::seconds(59));
        assert!(matches!(house.claim_hook(all[1].id).await, HookClaim::Busy));
        assert!(matches!(house.claim_hook(all[0].id).await, HookClaim::NotYet(_)), "its own job asks again then");
        house.clock.advance(TimeDelta::seconds(1));
        assert_eq!(comes_after(&house, &all[1]).await.id, all[0].id, "the order is as it was");
        let again = claim(&house, &all[0]).await;
        assert_eq!(settle(db, &house, &lost, TAKEN).await, Err("lease_lost".to_owned()));
        assert!(matches!(house.claim_hook(all[1].id).await, HookClaim::Busy));
        assert_eq!(settle(db, &house, &again, TAKEN).await, Ok(HookSettled::Delivered));
        claim(&house, &all[1]).await;
    }

    async fn an_endpoint_that_is_slow_holds_up_no_other(db: TestDb) {
        let house = house(db);
        let (slow, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        let (quick, _) = endpoint(&house, "http://127.0.0.1:2/").await;
        let all = planned(db, &house, &[1, 2]).await;
        assert_eq!(all.len(), 4);
        let mut senders = Vec::new();
        for one in &all {
            if let HookClaim::Send(claimed) = house.claim_hook(one.id).await {
                senders.push(claimed);
            }
        }
        let mut endpoints: Vec<_> = senders.iter().map(|claimed| claimed.endpoint).collect();
        endpoints.sort();
        let mut both = vec![slow, quick];
        both.sort();
        assert_eq!(endpoints, both, "one to each at a time");
        let to_quick = senders.iter().find(|claimed| claimed.endpoint == quick).unwrap();
        assert!(settle(db, &house, to_quick, TAKEN).await.is_ok());
        let following = next(db, &house, quick).await.unwrap();
        claim(&house, &following).await;
    }

    async fn of_many_jobs_of_one_endpoint_at_once_one_sends(db: TestDb) {
        let house = Arc::new(house(db));
        let (to, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        let all = planned(db, &house, &[1, 2, 3, 4, 5, 6, 7, 8]).await;
        for left in (1..=all.len()).rev() {
            let tasks: Vec<_> = all
                .iter()
                .map(|one| {
                    let (house, id) = (Arc::clone(&house), one.id);
                    tokio::spawn(async move { house.claim_hook(id).await })
                })
                .collect();
            let mut sent = Vec::new();
            for task in tasks {
                if let HookClaim::Send(claimed) = task.await.unwrap() {
                    sent.push(claimed);
                }
            }
            assert_eq!(sent.iter().map(|claimed| claimed.id).collect::<Vec<_>>(), [all[all.len() - left].id]);
            assert!(settle(db, &house, &sent[0], TAKEN).await.is_ok());
            assert_eq!(next(db, &house, to).await.is_some(), left > 1);
        }
    }

    async fn what_is_due_to_an_endpoint_that_is_off_is_cancelled_together(db: TestDb) {
        let house = house(db);
        let (to, _) = endpoint(&house, "http://127.0.0.1:1/").await;
        let all = planned(db, &house, &[1, 2, 3]).await;
        house.notify.switch_hook(&house.moderator(), to, false).await.unwrap();
        assert!(matches!(house.claim_hook(all[1].id).await, HookClaim::Over));
        let log = crate::hooks::log(&house, to).await;
        assert!(log.len() == 3 && log.iter().all(|one| one.status == "cancelled"), "{log:?}");
        assert_eq!(next(db, &house, to).await, None);
    }
}
