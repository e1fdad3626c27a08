//! The rules against every order in which looks may come.

use kernel::Money;
use proptest::prelude::*;

use super::*;

fn order(amount: i64, is_paid: bool) -> OrderTerms {
    OrderTerms { amount: Money::inr(amount), is_paid }
}

/// A payment as the provider tells it at some moment: its status, and how much of it has gone back for good.
#[derive(Debug, Clone, Copy)]
struct Look {
    status: PaymentStatus,
    gone_back: i64,
}

/// What is known after some looks, and what the user has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct After {
    status: PaymentStatus,
    outcome: Option<PaymentOutcome>,
    gone_back: i64,
    user_has: i64,
    credits: u32,
}

const AMOUNT: i64 = 50_000;

fn after(looks: &[Look]) -> After {
    let begin =
        After { status: PaymentStatus::Created, outcome: None, gone_back: 0, user_has: 0, credits: 0 };
    looks.iter().fold(begin, |known, look| {
        let gone_back = known.gone_back.max(look.gone_back);
        let outcome = settle(look.status, known.outcome, gone_back >= AMOUNT, Ok(()));
        let credits = known.credits + u32::from(outcome == Some(PaymentOutcome::Credited));
        let outcome = outcome.or(known.outcome);
        After {
            status: known.status.rise(look.status),
            outcome,
            gone_back,
            user_has: if outcome == Some(PaymentOutcome::Credited) { AMOUNT - gone_back } else { 0 },
            credits,
        }
    })
}

/// A life of a payment, look by look, as the provider would tell it.
fn life() -> impl Strategy<Value = Vec<Look>> {
    use PaymentStatus::{Authorized, Captured, Created, Failed, Refunded};
    let begin = prop_oneof![
        Just(vec![Created, Captured]),
        Just(vec![Created, Failed]),
        Just(vec![Created, Failed, Authorized, Captured]),
        Just(vec![Created, Authorized, Captured]),
        Just(vec![Created, Authorized]),
    ];
    (begin, proptest::collection::vec(1..=AMOUNT, 0..4)).prop_map(|(statuses, refunds)| {
        let mut looks: Vec<_> = statuses.iter().map(|&status| Look { status, gone_back: 0 }).collect();
        let mut gone_back = 0;
        for refund in refunds {
            if statuses.last() == Some(&Captured) && gone_back + refund <= AMOUNT {
                gone_back += refund;
                let status = if gone_back == AMOUNT { Refunded } else { Captured };
                looks.push(Look { status, gone_back });
            }
        }
        looks
    })
}

proptest! {
    #[test]
    fn looks_in_any_order_and_number_come_to_the_same(
        (life, shuffled) in life().prop_flat_map(|life| {
            let twice: Vec<_> = life.iter().chain(&life).copied().collect();
            (Just(life), Just(twice).prop_shuffle())
        })
    ) {
        let (straight, other) = (after(&life), after(&shuffled));
        prop_assert_eq!(straight.status, other.status);
        prop_assert_eq!(straight.gone_back, other.gone_back);
        prop_assert_eq!(straight.user_has, other.user_has);
        prop_assert!(other.credits <= 1);
        let ends_captured = straight.status == PaymentStatus::Captured;
        prop_assert_eq!(ends_captured, straight.user_has > 0, "credited exactly if the provider ends in captured");
        prop_assert!(other.user_has <= AMOUNT - other.gone_back);
    }

    #[test]
    fn an_outcome_is_never_changed(
        seen in proptest::sample::select(PaymentStatus::ALL),
        known in proptest::sample::select(PaymentOutcome::ALL),
        is_wholly_refunded: bool,
        fits: bool,
    ) {
        let verdict = if fits { Ok(()) } else { Err(Mismatch::Amount) };
        prop_assert_eq!(settle(seen, Some(known), is_wholly_refunded, verdict), None);
    }

    #[test]
    fn a_charge_fits_an_order_only_to_the_paisa(paid in 1_i64..1_000, asked in 1_i64..1_000) {
        let verdict = judge(&Charge::inr(paid), true, Some(&order(asked, false)));
        prop_assert_eq!(verdict.is_ok(), paid == asked);
    }
}

#[test]
fn ranks_rise_from_created_to_refunded() {
    use PaymentStatus::{Authorized, Captured, Created, Failed, Refunded};
    let ranks = [Created, Failed, Authorized, Captured, Refunded].map(PaymentStatus::rank);
    assert_eq!(ranks, [0, 1, 2, 3, 4]);
    assert_eq!(Failed.rise(Captured), Captured, "a late authorisation passes");
    assert_eq!(Captured.rise(Failed), Captured, "an old failure is dropped");
    assert_eq!(Captured.rise(Captured), Captured);
}

#[test]
fn whatever_is_not_exactly_ours_is_named() {
    let ours = order(AMOUNT, false);
    let dollars = Charge { amount: AMOUNT, currency: "USD".to_owned() };
    for (charge, names_order, order, why) in [
        (Charge::inr(AMOUNT), false, None, Mismatch::NoOrder),
        (Charge::inr(AMOUNT), true, None, Mismatch::ForeignOrder),
        (dollars, true, Some(ours), Mismatch::Currency),
        (Charge::inr(AMOUNT - 1), true, Some(ours), Mismatch::Amount),
        (Charge::inr(AMOUNT), true, Some(order(AMOUNT, true)), Mismatch::SecondCapture),
    ] {
        assert_eq!(judge(&charge, names_order, order.as_ref()), Err(why));
    }
    assert_eq!(judge(&Charge::inr(AMOUNT), true, Some(&ours)), Ok(()));
}

#[test]
fn only_what_is_captured_now_is_credited() {
    for &seen in PaymentStatus::ALL {
        let is_captured = seen == PaymentStatus::Captured;
        let credited = is_captured.then_some(PaymentOutcome::Credited);
        assert_eq!(settle(seen, None, false, Ok(())), credited, "{seen:?}");
        let unmatched = is_captured.then_some(PaymentOutcome::Unmatched);
        assert_eq!(settle(seen, None, false, Err(Mismatch::NoOrder)), unmatched, "{seen:?}");
    }
    for seen in [PaymentStatus::Captured, PaymentStatus::Refunded] {
        for verdict in [Ok(()), Err(Mismatch::Amount)] {
            assert_eq!(settle(seen, None, true, verdict), Some(PaymentOutcome::Returned));
        }
    }
    assert_eq!(settle(PaymentStatus::Failed, None, true, Ok(())), None);
}

#[test]
fn a_fee_holds_its_tax() {
    let inr = Charge::inr(AMOUNT);
    assert_eq!(fee(&inr, Some(1_180), Some(180)), Some((1_180, 180)));
    assert_eq!(fee(&inr, Some(1_180), None), Some((1_180, 0)));
    assert_eq!(fee(&inr, Some(0), Some(0)), Some((0, 0)));
    assert_eq!(fee(&inr, Some(180), Some(180)), Some((180, 180)));
    for (total, tax) in
        [(None, None), (None, Some(1)), (Some(10), Some(11)), (Some(10), Some(-1)), (Some(-1), None)]
    {
        assert_eq!(fee(&inr, total, tax), None, "{total:?} {tax:?}");
    }
    assert_eq!(fee(&Charge { amount: 5, currency: "USD".to_owned() }, Some(1), Some(0)), None);
}
