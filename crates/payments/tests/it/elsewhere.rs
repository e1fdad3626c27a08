//! Refunds that we did not make: told once for each, when they are done.

use kernel::Money;
use payments::{PaymentFact, RefundAnswer, RefundOrigin, RefundState, RefundStatus};
use testkit::{Domain, Scope, on_every_engine};

use crate::desk::{AMOUNT, Desk, seen, with_refund};
use crate::unmatched::refusal;

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn a_refund_in_the_dashboard_is_told_once_for_each(db: TestDb) {
        let desk = Desk::new(db);
        let (order, payment, fetched) = desk.credited().await;
        let one = with_refund(&fetched, "rfnd_1", 10_000, RefundState::Processed);
        let two = with_refund(&one, "rfnd_2", 5_000, RefundState::Processed);
        for (look, amounts) in [(&one, vec![10_000]), (&one, vec![]), (&two, vec![5_000]), (&one, vec![]), (&two, vec![])] {
            let told: Vec<_> = desk.apply(look).await;
            let told: Vec<_> = told
                .iter()
                .map(|fact| match fact {
                    PaymentFact::RefundedElsewhere { user, amount, .. } if *user == order.user => amount.amount(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(told, amounts);
        }
        assert_eq!(desk.totals(payment).await, (15_000, 15_000));
        let refunds = desk.payments.refunds_of_payment(payment).await.unwrap();
        assert!(refunds.iter().all(|refund| refund.origin == RefundOrigin::Dashboard));
    }

    async fn of_many_looks_at_once_one_tells_of_the_refund(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, fetched) = desk.credited().await;
        let gone = with_refund(&fetched, "rfnd_1", 10_000, RefundState::Processed);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (desk, gone) = (desk.clone(), gone.clone());
                tokio::spawn(async move { desk.apply(&gone).await.len() })
            })
            .collect();
        let mut told = 0;
        for task in tasks {
            told += task.await.unwrap();
        }
        assert_eq!((told, desk.totals(payment).await), (1, (10_000, 10_000)));
    }

    async fn one_under_way_is_reserved_and_told_when_it_is_done(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, fetched) = desk.credited().await;
        assert!(desk.apply(&with_refund(&fetched, "rfnd_1", 30_000, RefundState::Pending)).await.is_empty());
        assert_eq!(desk.totals(payment).await, (30_000, 0));
        assert!(desk.try_refund(payment, Some(20_001)).await.is_err());
        let done = desk.apply(&with_refund(&fetched, "rfnd_1", 30_000, RefundState::Processed)).await;
        assert!(matches!(done[..], [PaymentFact::RefundedElsewhere { .. }]), "{done:?}");
        let failed = with_refund(&fetched, "rfnd_2", 20_000, RefundState::Pending);
        desk.apply(&failed).await;
        assert!(desk.apply(&with_refund(&fetched, "rfnd_2", 20_000, RefundState::Failed)).await.is_empty());
        assert_eq!(desk.totals(payment).await, (30_000, 30_000));
    }

    async fn a_refund_of_ours_and_one_elsewhere_that_want_the_same_money_get_it_once(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, fetched) = desk.credited().await;
        let ours = desk.refund(payment, Some(30_000)).await;
        desk.apply(&with_refund(&fetched, "rfnd_1", 30_000, RefundState::Processed)).await;
        assert_eq!(desk.totals(payment).await, (AMOUNT, 30_000));
        let send = desk.start(&ours).await.unwrap();
        let told = desk.answer(&send, &RefundAnswer::Refused(refusal())).await;
        assert!(matches!(told[..], [PaymentFact::RefundFailed { amount, .. }] if amount == Money::inr(30_000)));
        assert_eq!(desk.totals(payment).await, (30_000, 30_000));
        assert_eq!(desk.payments.refund(ours.id).await.unwrap().status, RefundStatus::Failed);
    }

    /// Its hold is released by then: that it went through must not be lost.
    async fn a_refund_of_ours_that_was_given_up_and_happened_all_the_same_is_told_as_one_elsewhere(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, fetched) = desk.credited().await;
        let ours = desk.refund(payment, Some(30_000)).await;
        let send = desk.start(&ours).await.unwrap();
        desk.answer(&send, &RefundAnswer::Refused(refusal())).await;
        let mut look = fetched.clone();
        look.refunds.push(seen(&send, RefundState::Processed));
        let told = desk.apply(&look).await;
        let [PaymentFact::RefundedElsewhere { refund, amount, .. }] = told[..] else { panic!("{told:?}") };
        assert_eq!((amount, desk.totals(payment).await), (Money::inr(30_000), (30_000, 30_000)));
        assert_ne!(refund, ours.id);
        assert_eq!(desk.payments.refund(ours.id).await.unwrap().status, RefundStatus::Failed);
        assert!(desk.apply(&look).await.is_empty(), "once");
    }

    async fn a_refund_of_another_payment_is_not_taken_in(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, fetched) = desk.credited().await;
        let mut look = with_refund(&fetched, "rfnd_1", 10_000, RefundState::Processed);
        look.refunds[0].payment_id = "pay_other".to_owned();
        assert!(desk.apply(&look).await.is_empty());
        assert_eq!(desk.totals(payment).await, (0, 0));
    }
}
