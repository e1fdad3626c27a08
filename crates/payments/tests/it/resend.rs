//! Sending a refund: under one key with one body, and what is unknown stays reserved.

use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
use kernel::HoldId;
use payments::{NewRefund, PaymentError, PaymentFact, RefundAnswer, RefundSpeed, RefundState, RefundStatus};
use testkit::{Domain, Scope, on_every_engine};

use crate::desk::{AMOUNT, Desk, finance, seen};
use crate::unmatched::refusal;

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn every_send_of_a_refund_is_the_same(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, Some(20_000)).await;
        let first = desk.start(&refund).await.unwrap();
        desk.answer(&first, &RefundAnswer::Unknown).await;
        let second = desk.start(&refund).await.unwrap();
        let third = desk.start(&refund).await.unwrap();
        assert_eq!(first.request, second.request, "after a lost answer");
        assert_eq!(first.request, third.request, "after a crash within a send");
        let key = &first.request.idem_key;
        assert!(key.len() >= 10 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert!(first.request.receipt.len() <= 40);
        let other = desk.refund(payment, Some(20_000)).await;
        assert_ne!(desk.start(&other).await.unwrap().request.idem_key, *key);
    }

    async fn an_unknown_outcome_is_a_state_and_gives_nothing_back(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, mut fetched) = desk.credited().await;
        let refund = desk.refund(payment, None).await;
        let first = desk.start(&refund).await.unwrap();
        assert!(desk.answer(&first, &RefundAnswer::Unknown).await.is_empty());
        let status = async || desk.payments.refund(refund.id).await.unwrap().status;
        assert_eq!((status().await, desk.totals(payment).await), (RefundStatus::Unknown, (AMOUNT, 0)));
        let second = desk.start(&refund).await.unwrap();
        desk.answer(&second, &RefundAnswer::NotSent).await;
        assert_eq!(status().await, RefundStatus::Unknown, "the first may still come through");
        fetched.refunds.push(seen(&first, RefundState::Processed));
        assert_eq!(desk.apply(&fetched).await.len(), 1, "its receipt names it, though its id was never told");
        assert_eq!((status().await, desk.totals(payment).await), (RefundStatus::Processed, (AMOUNT, AMOUNT)));
        assert!(desk.start(&refund).await.is_none());
    }

    async fn what_was_not_sent_is_as_if_nobody_had_tried(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, None).await;
        let send = desk.start(&refund).await.unwrap();
        desk.answer(&send, &RefundAnswer::NotSent).await;
        assert_eq!(desk.payments.refund(refund.id).await.unwrap().status, RefundStatus::Requested);
    }

    async fn a_late_word_of_a_send_that_was_taken_over_changes_nothing(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, None).await;
        let first = desk.start(&refund).await.unwrap();
        let second = desk.start(&refund).await.unwrap();
        desk.answer(&second, &RefundAnswer::Has(seen(&second, RefundState::Pending))).await;
        for late in [RefundAnswer::NotSent, RefundAnswer::Unknown] {
            desk.answer(&first, &late).await;
            assert_eq!(desk.payments.refund(refund.id).await.unwrap().status, RefundStatus::Pending);
        }
        assert!(desk.start(&refund).await.is_none(), "what the provider has is not sent");
    }

    async fn a_refusal_of_a_send_that_was_taken_over_does_not_end_the_refund(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, None).await;
        let first = desk.start(&refund).await.unwrap();
        let second = desk.start(&refund).await.unwrap();
        assert!(desk.answer(&first, &RefundAnswer::Refused(refusal())).await.is_empty());
        assert_eq!(desk.payments.refund(refund.id).await.unwrap().status, RefundStatus::Submitting);
        let told = desk.answer(&second, &RefundAnswer::Has(seen(&second, RefundState::Processed))).await;
        assert!(matches!(told[..], [PaymentFact::RefundProcessed { refund: id, .. }] if id == refund.id), "{told:?}");
    }

    /// Who takes the send over has not committed when the refusal is written down, and is heard all the same.
    async fn a_refusal_waits_for_who_is_just_taking_the_send_over(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, None).await;
        let first = desk.start(&refund).await.unwrap();
        let (is_taken, taken) = tokio::sync::oneshot::channel();
        let is_taken = Mutex::new(Some(is_taken));
        let refuse = async {
            taken.await.unwrap();
            desk.answer(&first, &RefundAnswer::Refused(refusal())).await
        };
        let take_over = desk.db.in_txn(async |txn| {
            let second = desk.payments.start_refund_in_txn(txn, refund.id).await?;
            if let Some(is_taken) = is_taken.lock().unwrap().take() {
                is_taken.send(()).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok::<_, PaymentError>(second)
        });
        let (second, told) = tokio::join!(take_over, refuse);
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(desk.payments.refund(refund.id).await.unwrap().status, RefundStatus::Submitting);
        let second = second.unwrap().unwrap();
        assert_eq!(desk.answer(&second, &RefundAnswer::Has(seen(&second, RefundState::Processed))).await.len(), 1);
        assert_eq!(desk.totals(payment).await, (AMOUNT, AMOUNT));
    }

    async fn of_eight_who_start_one_send_each_version_goes_to_one(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, None).await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (desk, refund) = (desk.clone(), refund.clone());
                tokio::spawn(async move { desk.start(&refund).await })
            })
            .collect();
        let mut requests = Vec::new();
        for task in tasks {
            requests.extend(task.await.unwrap().map(|send| send.request));
        }
        assert!(!requests.is_empty() && requests.windows(2).all(|pair| pair[0] == pair[1]));
    }

    async fn a_refund_without_its_hold_is_never_sent(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let new = NewRefund { payment, amount: None, speed: RefundSpeed::Normal, reason: "r".to_owned() };
        let caller = finance(&desk.ambient);
        let request = async |txn: &_| desk.payments.request_refund_in_txn(txn, &caller, &new).await;
        let refund = desk.db.in_txn(request).await.unwrap();
        assert!(desk.start(&refund).await.is_none());
        let attach = async |hold: HoldId| {
            desk.db.in_txn(async |txn| desk.payments.attach_hold_in_txn(txn, refund.id, hold).await).await
        };
        let hold = desk.ambient.new_id();
        attach(hold).await.unwrap();
        attach(hold).await.unwrap();
        assert!(matches!(attach(desk.ambient.new_id()).await, Err(PaymentError::Store(_))), "with one hold only");
        assert!(desk.start(&refund).await.is_some());
    }

    async fn a_refund_is_looked_after_until_it_ends(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, None).await;
        let due = async || desk.payments.due_refunds(10).await.unwrap().len();
        assert_eq!(due().await, 0);
        desk.pass(TimeDelta::minutes(10));
        assert_eq!((due().await, due().await), (1, 0), "taken once");
        for _ in 0..24 {
            desk.pass(TimeDelta::hours(1));
            assert_eq!(due().await, 1);
        }
        desk.pass(TimeDelta::hours(23));
        assert_eq!(due().await, 0, "daily after the first day");
        desk.pass(TimeDelta::hours(1));
        assert_eq!(due().await, 1);
        let send = desk.start(&refund).await.unwrap();
        desk.answer(&send, &RefundAnswer::Has(seen(&send, RefundState::Processed))).await;
        desk.pass(TimeDelta::days(60));
        assert_eq!(due().await, 0);
    }
}
