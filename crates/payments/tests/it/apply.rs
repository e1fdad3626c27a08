//! What a look at a payment means: credited once, whatever comes first, however often and at once.

use kernel::{Ambient, JournalId, Money, Paging, PaymentId};
use payments::{
    FetchedPayment, OrderStatus, PaymentError, PaymentFact, PaymentFilter, PaymentOutcome, PaymentStatus,
    ProviderOrder, RefundState,
};
use store::StoreError;
use testkit::{Domain, Scope, on_every_engine};

use crate::desk::{AMOUNT, Desk, captured, paid, placed, with_refund};

/// How many of the facts say that somebody is to be credited.
fn credits(facts: &[PaymentFact]) -> usize {
    facts.iter().filter(|fact| matches!(fact, PaymentFact::Captured { .. })).count()
}

/// What the facts leave the user with.
fn net(facts: &[PaymentFact]) -> i64 {
    facts
        .iter()
        .map(|fact| match fact {
            PaymentFact::Captured { amount, .. } => amount.amount(),
            PaymentFact::RefundedElsewhere { amount, .. } => -amount.amount(),
            _ => 0,
        })
        .sum()
}

fn is_fee(fact: &PaymentFact) -> bool {
    matches!(fact, PaymentFact::FeeKnown { .. })
}

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn a_captured_payment_of_an_order_of_ours_is_credited_once(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let fetched = captured(&order, "pay_1");
        let facts = desk.apply(&fetched).await;
        let PaymentFact::Captured { payment, ref provider_payment_id, order: of, user, amount } = facts[0] else {
            panic!("{facts:?}")
        };
        assert_eq!((of, user, amount), (order.id, order.user, Money::inr(AMOUNT)));
        assert_eq!(provider_payment_id, &fetched.payment.id);
        let fee = PaymentFact::FeeKnown {
            payment,
            provider_payment_id: fetched.payment.id.clone(),
            fee: Money::inr(1_180),
            tax: Money::inr(180),
        };
        assert_eq!(facts[1..], [fee]);
        assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Paid);
        assert!(desk.apply(&fetched).await.is_empty(), "the second look has nothing to tell");
        let view = desk.payments.payment(payment).await.unwrap();
        assert_eq!((view.outcome, view.user_id), (Some(PaymentOutcome::Credited), Some(order.user)));
    }

    async fn of_fifty_looks_at_once_one_credits(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let tasks: Vec<_> = (0..50)
            .map(|n| {
                let desk = desk.clone();
                let status = if n % 5 == 0 { PaymentStatus::Authorized } else { PaymentStatus::Captured };
                let fetched = paid(&order, "pay_1", status);
                tokio::spawn(async move { desk.apply(&fetched).await })
            })
            .collect();
        let mut facts = Vec::new();
        for task in tasks {
            facts.extend(task.await.unwrap());
        }
        assert_eq!((credits(&facts), facts.iter().filter(|fact| is_fee(fact)).count()), (1, 1));
    }

    async fn of_two_payments_of_an_order_at_once_one_credits(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (desk, fetched) = (desk.clone(), captured(&order, &format!("pay_{n}")));
                tokio::spawn(async move { desk.apply(&fetched).await })
            })
            .collect();
        let mut facts = Vec::new();
        for task in tasks {
            facts.extend(task.await.unwrap());
        }
        let unmatched = facts.iter().filter(|fact| matches!(fact, PaymentFact::Unmatched { .. })).count();
        assert_eq!((credits(&facts), unmatched), (1, 7));
    }

    async fn failed_then_captured_credits(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let failed = paid(&order, "pay_1", PaymentStatus::Failed);
        let facts = desk.apply(&failed).await;
        assert!(matches!(facts[..], [PaymentFact::Failed { user, .. }] if user == order.user), "{facts:?}");
        assert!(desk.apply(&failed).await.is_empty(), "a failure is told once");
        assert_eq!(credits(&desk.apply(&captured(&order, "pay_1")).await), 1);
        assert!(desk.apply(&failed).await.is_empty(), "an old failure is dropped");
        let all = desk.payments.payments_of(order.user, &Paging::After { cursor: None, limit: 9 }).await.unwrap();
        assert_eq!(all.data[0].status, PaymentStatus::Captured);
    }

    async fn verify_after_partial_refund_nets(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let fetched = with_refund(&captured(&order, "pay_1"), "rfnd_1", 20_000, RefundState::Processed);
        assert_eq!(fetched.payment.status, PaymentStatus::Captured, "a part-refunded payment is still captured");
        let facts = desk.apply(&fetched).await;
        assert_eq!((credits(&facts), net(&facts)), (1, AMOUNT - 20_000));
        assert_eq!(net(&desk.apply(&fetched).await), 0);
    }

    async fn a_wholly_refunded_payment_is_never_credited(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let gone = with_refund(&captured(&order, "pay_1"), "rfnd_1", AMOUNT, RefundState::Processed);
        let facts = desk.apply(&gone).await;
        assert!(facts.iter().all(is_fee), "{facts:?}");
        assert!(desk.apply(&captured(&order, "pay_1")).await.is_empty(), "nor by an older look");
        let filter = PaymentFilter { outcome: Some(PaymentOutcome::Returned), ..PaymentFilter::default() };
        let returned = desk.payments.all_payments(&filter, &Paging::Numbered { page: 1, limit: 9 }).await.unwrap();
        assert_eq!(returned.pagination.total, Some(1));
        assert_eq!(credits(&desk.apply(&captured(&order, "pay_2")).await), 1, "the order is still open");
    }

    async fn what_was_refunded_before_the_credit_is_told_with_it(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let captured = captured(&order, "pay_1");
        let part = with_refund(&captured, "rfnd_1", 20_000, RefundState::Processed);
        let all = with_refund(&part, "rfnd_2", AMOUNT - 20_000, RefundState::Pending);
        assert_eq!(net(&desk.apply(&all).await), 0, "refunded, though not all of it has gone");
        let facts = desk.apply(&captured).await;
        assert_eq!((credits(&facts), net(&facts)), (1, AMOUNT - 20_000), "an older look is a look");
        let done = with_refund(&part, "rfnd_2", AMOUNT - 20_000, RefundState::Processed);
        assert_eq!(net(&desk.apply(&done).await), 20_000 - AMOUNT);
        assert!(desk.apply(&captured).await.is_empty());
    }

    async fn looks_in_every_order_leave_the_user_with_the_same(db: TestDb) {
        let desk = Desk::new(db);
        for shuffle in permutations(4) {
            let order = desk.placed().await;
            let captured = captured(&order, "pay_1");
            let looks = [
                paid(&order, "pay_1", PaymentStatus::Failed),
                paid(&order, "pay_1", PaymentStatus::Authorized),
                captured.clone(),
                with_refund(&captured, "rfnd_1", 15_000, RefundState::Processed),
            ];
            let mut facts = Vec::new();
            for look in shuffle.iter().chain(&shuffle) {
                facts.extend(desk.apply(&looks[*look]).await);
            }
            assert_eq!((credits(&facts), net(&facts)), (1, AMOUNT - 15_000), "{shuffle:?}");
            let paging = Paging::After { cursor: None, limit: 9 };
            let view = desk.payments.payments_of(order.user, &paging).await.unwrap().data.remove(0);
            assert_eq!((view.status, view.refunded.amount), (PaymentStatus::Captured, 15_000), "{shuffle:?}");
        }
    }

    async fn an_authorised_payment_asks_to_be_captured_at_every_look(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let authorized = paid(&order, "pay_1", PaymentStatus::Authorized);
        for _ in 0..2 {
            let facts = desk.apply(&authorized).await;
            let asks = |fact: &PaymentFact| matches!(fact, PaymentFact::Authorized { amount, .. } if *amount == order.amount);
            assert!(facts.len() == 1 && asks(&facts[0]), "{facts:?}");
        }
        desk.apply(&captured(&order, "pay_1")).await;
        assert!(desk.apply(&authorized).await.is_empty(), "not any more once it is captured");
        let other = paid(&order, "pay_2", PaymentStatus::Authorized);
        assert!(desk.apply(&other).await.is_empty(), "an order is not paid twice on purpose");
    }

    async fn a_fee_that_comes_late_is_told_once(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let mut early = captured(&order, "pay_1");
        (early.payment.fee, early.payment.tax) = (None, None);
        assert!(!desk.apply(&early).await.iter().any(is_fee));
        let later = captured(&order, "pay_1");
        assert!(desk.apply(&later).await.iter().all(is_fee));
        assert!(desk.apply(&later).await.is_empty());
        let mut free = captured(&desk.placed().await, "pay_2");
        (free.payment.fee, free.payment.tax) = (Some(0), Some(0));
        assert!(!desk.apply(&free).await.iter().any(is_fee), "nothing is not posted");
    }

    async fn webhook_before_the_create_answer_finds_its_order_by_the_receipt(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.open().await;
        let fetched = FetchedPayment { order: Some(placed(&order)), ..captured(&order, "pay_1") };
        assert_eq!(credits(&desk.apply(&fetched).await), 1);
        let paid = desk.payments.order(order.id).await.unwrap();
        assert_eq!((paid.status, paid.provider_order_id), (OrderStatus::Paid, Some(placed(&order).id)));
        assert_eq!(desk.place(&order).await.status, OrderStatus::Paid, "the answer changes nothing any more");
    }

    async fn a_receipt_of_ours_on_another_order_is_not_believed(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.open().await;
        let cheaper = ProviderOrder { charge: Money::inr(100).into(), ..placed(&order) };
        let mut fetched = FetchedPayment { order: Some(cheaper), ..captured(&order, "pay_1") };
        fetched.payment.charge = Money::inr(100).into();
        assert_eq!(credits(&desk.apply(&fetched).await), 0);
        assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Creating);
    }

    async fn one_journal_credits_a_payment(db: TestDb) {
        let desk = Desk::new(db);
        let (_, payment, _) = desk.credited().await;
        let (one, other): (JournalId, JournalId) = (desk.ambient.new_id(), desk.ambient.new_id());
        let note = async |payment: PaymentId, journal: JournalId| {
            desk.db.in_txn(async |txn| desk.payments.note_credited_in_txn(txn, payment, journal).await).await
        };
        note(payment, one).await.unwrap();
        note(payment, one).await.unwrap();
        let refused = note(payment, other).await.unwrap_err();
        assert!(matches!(refused, PaymentError::Store(StoreError::Corrupt(_))));
        let (_, second, _) = desk.credited().await;
        assert!(note(second, one).await.is_err(), "and one payment only");
        assert!(note(Ambient::system().new_id(), other).await.is_err());
    }

    async fn somebody_elses_payment_is_not_found(db: TestDb) {
        let desk = Desk::new(db);
        let (order, payment, _) = desk.credited().await;
        assert_eq!(desk.payments.payment_of(order.user, payment).await.unwrap().id, payment);
        let stranger = desk.payments.payment_of(desk.ambient.new_id(), payment).await;
        assert!(matches!(stranger, Err(PaymentError::PaymentNotFound)));
    }
}

/// All orders of `0..n`.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |shorter: Vec<usize>| {
        (0..=last).map(move |at| {
            let mut longer = shorter.clone();
            longer.insert(at, last);
            longer
        })
    };
    permutations(last).into_iter().flat_map(insert).collect()
}
