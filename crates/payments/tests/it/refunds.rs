//! Refunds of ours: reserved once, ended once, and never more than the payment.

use kernel::{Ambient, DomainError, Money, Paging};
use payments::{
    PaymentError, PaymentFact, PaymentStatus, RefundAnswer, RefundFilter, RefundState, RefundStatus,
};
use store::audit;
use testkit::{Domain, Scope, on_every_engine};

use crate::desk::{AMOUNT, Desk, paid, seen};
use crate::unmatched::refusal;

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn refund_race_60_60(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let desk = desk.clone();
                tokio::spawn(async move { desk.try_refund(payment, Some(AMOUNT * 60 / 100)).await })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(matches!(error, PaymentError::RefundTooLarge), "{error}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(desk.totals(payment).await, (AMOUNT * 60 / 100, 0));
        assert_eq!(desk.payments.refunds_of_payment(payment).await.unwrap().len(), 1);
    }

    async fn all_that_is_left_is_refunded_when_no_amount_is_said(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        assert_eq!(desk.refund(payment, Some(20_000)).await.amount.amount, 20_000);
        assert_eq!(desk.refund(payment, None).await.amount.amount, 30_000);
        assert!(matches!(desk.try_refund(payment, None).await, Err(PaymentError::RefundTooLarge)));
        assert_eq!(desk.totals(payment).await, (AMOUNT, 0));
    }

    async fn only_a_credited_payment_is_refunded_and_not_in_crumbs(db: TestDb) {
        let desk = Desk::new(db);
        let (order, payment, _) = desk.credited().await;
        let failed = desk.apply(&paid(&desk.placed().await, "pay_2", PaymentStatus::Failed)).await;
        let PaymentFact::Failed { payment: failed, .. } = failed[0] else { panic!("{failed:?}") };
        assert!(matches!(desk.try_refund(failed, None).await, Err(PaymentError::NotRefundable)));
        let nothing = desk.try_refund(Ambient::system().new_id(), None).await;
        assert!(matches!(nothing, Err(PaymentError::PaymentNotFound)));
        for paise in [99, 0, -1] {
            let error = desk.try_refund(payment, Some(paise)).await.unwrap_err();
            assert_eq!(error.fields()[0].field, "amount", "{paise}");
        }
        let returned = desk.db.in_txn(async |txn| desk.payments.request_return_in_txn(txn, payment).await).await;
        assert!(matches!(returned, Err(PaymentError::NotRefundable)), "{:?} was credited", order.id);
    }

    async fn a_processed_refund_is_told_once_whoever_says_so_first(db: TestDb) {
        let desk = Desk::new(db);
        let (order, payment, mut fetched) = desk.credited().await;
        let refund = desk.refund(payment, Some(20_000)).await;
        let send = desk.start(&refund).await.unwrap();
        assert!(desk.answer(&send, &RefundAnswer::Has(seen(&send, RefundState::Pending))).await.is_empty());
        assert_eq!(desk.payments.refund(refund.id).await.unwrap().status, RefundStatus::Pending);
        fetched.refunds.push(seen(&send, RefundState::Processed));
        let told = desk.apply(&fetched).await;
        let processed = PaymentFact::RefundProcessed {
            refund: refund.id,
            payment,
            hold: refund.hold.unwrap(),
            user: order.user,
            amount: Money::inr(20_000),
        };
        assert_eq!(told, [processed]);
        assert!(desk.apply(&fetched).await.is_empty());
        assert!(desk.answer(&send, &RefundAnswer::Has(seen(&send, RefundState::Processed))).await.is_empty());
        assert_eq!(desk.totals(payment).await, (20_000, 20_000));
        fetched.refunds[0].state = RefundState::Failed;
        assert!(desk.apply(&fetched).await.is_empty(), "an end is an end");
        assert_eq!(desk.totals(payment).await, (20_000, 20_000));
    }

    async fn a_failed_refund_gives_its_reservation_back_once(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, mut fetched) = desk.credited().await;
        let (kept, refund) = (desk.refund(payment, Some(10_000)).await, desk.refund(payment, Some(40_000)).await);
        let send = desk.start(&refund).await.unwrap();
        desk.answer(&send, &RefundAnswer::Has(seen(&send, RefundState::Pending))).await;
        assert_eq!(desk.totals(payment).await, (AMOUNT, 0));
        fetched.refunds.push(seen(&send, RefundState::Failed));
        let mut told = desk.apply(&fetched).await;
        told.extend(desk.apply(&fetched).await);
        told.extend(desk.answer(&send, &RefundAnswer::Refused(refusal())).await);
        assert!(matches!(told[..], [PaymentFact::RefundFailed { refund: id, .. }] if id == refund.id), "{told:?}");
        assert_eq!(desk.totals(payment).await, (10_000, 0));
        assert_eq!(desk.payments.refund(kept.id).await.unwrap().status, RefundStatus::Requested);
        assert!(desk.try_refund(payment, Some(40_000)).await.is_ok());
    }

    async fn who_asked_for_a_refund_is_on_record(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let refund = desk.refund(payment, Some(20_000)).await;
        let records =
            audit::of_subject(desk.db.reader().unwrap(), "refund", &refund.id.to_string()).await.unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].actor_id, refund.requested_by.unwrap().to_string());
        assert_eq!(records[0].after["amount"]["amount"], 20_000);
        assert_eq!(records[0].reason.as_deref(), Some("Paid twice by mistake."));
    }

    async fn staff_and_payers_see_refunds_in_pages(db: TestDb) {
        let desk = Desk::new(db);
        let (order, payment, _) = desk.credited().await;
        desk.refund(payment, Some(10_000)).await;
        let other = desk.credited().await;
        desk.refund(other.1, None).await;
        let paging = Paging::Numbered { page: 1, limit: 20 };
        let mine = desk.payments.refunds_of(order.user, &paging).await.unwrap();
        assert_eq!(mine.data.iter().map(|refund| refund.amount.amount).collect::<Vec<_>>(), [10_000]);
        let all = desk.payments.all_refunds(&RefundFilter::default(), &paging).await.unwrap();
        assert_eq!(all.pagination.total, Some(2));
        let filter = RefundFilter { status: Some(RefundStatus::Processed), ..RefundFilter::default() };
        assert_eq!(desk.payments.all_refunds(&filter, &paging).await.unwrap().pagination.total, Some(0));
    }
}
