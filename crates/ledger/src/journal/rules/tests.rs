//! What a journal may be, and what it does to wallets: rules over random legs.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{JournalKind, NewJournal, Reference};

fn user(n: u128) -> UserId {
    UserId::from(Uuid::from_u128(n))
}

fn leg(from: impl Into<Account>, to: impl Into<Account>, paise: i64) -> Leg {
    Leg::new(from, to, Money::inr(paise))
}

fn malformed(legs: Vec<Leg>) -> &'static str {
    match check_legs(&legs) {
        Err(LedgerError::Malformed(why)) => why,
        other => panic!("{other:?}"),
    }
}

const TILL: House = House::GatewayClearing;

#[test]
fn a_journal_has_one_to_sixteen_legs() {
    let top_up = leg(TILL, (user(1), Purse::Available), 1);
    assert_eq!(malformed(vec![]), "it has no legs");
    assert!(check_legs(&[top_up; 16]).is_ok());
    assert_eq!(malformed(vec![top_up; 17]), "it has more than 16 legs");
}

#[test]
fn a_leg_moves_something_somewhere_else() {
    let spend = (user(1), Purse::Available);
    assert_eq!(malformed(vec![leg(TILL, spend, 0)]), "an amount is not above zero");
    assert_eq!(malformed(vec![leg(TILL, spend, -5)]), "an amount is not above zero");
    assert_eq!(malformed(vec![leg(TILL, TILL, 5)]), "a leg ends where it begins");
    assert_eq!(malformed(vec![leg(spend, spend, 5)]), "a leg ends where it begins");
    assert!(check_legs(&[leg(spend, (user(1), Purse::Held), 5)]).is_ok(), "two purses of one user");
    assert!(check_legs(&[leg(spend, (user(2), Purse::Available), 5)]).is_ok(), "one purse of two users");
}

#[test]
fn amounts_must_add_up_within_64_bits() {
    let spend = (user(1), Purse::Available);
    assert!(check_legs(&[leg(TILL, spend, i64::MAX)]).is_ok());
    let why = malformed(vec![leg(TILL, spend, i64::MAX), leg(TILL, spend, 1)]);
    assert_eq!(why, "its amounts do not add up within 64 bits");
}

#[test]
fn names_have_bounds() {
    let legs = || vec![leg(TILL, (user(1), Purse::Available), 1)];
    let journal = |key: usize, kind: &'static str, id: usize| {
        let reference = Reference { kind, id: "i".repeat(id) };
        NewJournal::new("k".repeat(key), JournalKind::TopUp, reference, legs()).is_ok()
    };
    assert!(journal(1, "payment", 0) && journal(160, "payment", 64));
    assert!(!journal(0, "payment", 1) && !journal(161, "payment", 1) && !journal(1, "payment", 65));
    assert!(
        journal(1, "a kind of just thirty letters!", 1) && !journal(1, "a kind of thirty letters and 1!", 1)
    );
    let long = NewJournal::new("k", JournalKind::TopUp, Reference::new("payment", 1), legs()).unwrap();
    assert_eq!(long.because(&"र".repeat(300)).reason, Some("र".repeat(200)));
}

#[test]
fn legs_are_netted_for_each_purse_and_wallets_are_in_order() {
    let net = net(&[
        leg((user(2), Purse::Available), House::RevenueBoost, 70),
        leg(House::PromotionsExpense, (user(1), Purse::Promo), 5),
        leg((user(2), Purse::Earnings), (user(2), Purse::Available), 20),
        leg(House::RevenueBoost, (user(2), Purse::Held), 30),
        leg((user(2), Purse::Debt), TILL, 9),
        leg(TILL, House::GstInput, 9),
    ]);
    let first = Change { promo: 5, ..Change::default() };
    let second = Change { available: -50, held: 30, earnings: -20, debt: -9, promo: 0 };
    assert_eq!(net.wallets, [(user(1), first), (user(2), second)]);
    let houses = [(House::PromotionsExpense, -5), (House::RevenueBoost, 40), (House::GstInput, 9)];
    assert_eq!(net.houses, houses, "gateway:clearing came to nothing");
}

fn wallet(available: i64, held: i64, promo: i64, earnings: i64, debt: i64) -> Balances {
    let [available, held, promo, earnings, debt] = [available, held, promo, earnings, debt].map(Money::inr);
    Balances { available, held, promo, earnings, debt, version: 7, frozen: false }
}

fn change(available: i64, held: i64, promo: i64, earnings: i64, debt: i64) -> Change {
    Change { available, held, promo, earnings, debt }
}

#[test]
fn a_change_that_reaches_the_floor_stands() {
    let stands = rule(&wallet(10, 20, 30, 40, -50), &change(-10, -20, -30, -40, 50)).unwrap();
    assert_eq!(stands, Ruling::Stands(Balances { version: 8, ..wallet(0, 0, 0, 0, 0) }));
    let stands = rule(&wallet(0, 0, 0, 0, 0), &change(1, 2, 3, 4, -5)).unwrap();
    assert_eq!(stands, Ruling::Stands(Balances { version: 8, ..wallet(1, 2, 3, 4, -5) }));
}

#[test]
fn a_change_that_passes_any_floor_is_refused() {
    let full = wallet(10, 10, 10, 10, -10);
    for change in [
        change(-11, 0, 0, 0, 0),
        change(0, -11, 0, 0, 0),
        change(0, 0, -11, 0, 0),
        change(0, 0, 0, -11, 0),
        change(0, 0, 0, 0, 11),
        change(100, 100, 100, -11, 0),
    ] {
        let refused = Ruling::Refused(Refusal::InsufficientFunds);
        assert_eq!(rule(&full, &change).unwrap(), refused, "{change:?}");
    }
}

#[test]
fn a_frozen_wallet_gives_up_only_what_is_held() {
    let frozen = Balances { frozen: true, ..wallet(10, 10, 10, 10, -10) };
    for change in [change(-1, 1, 0, 0, 0), change(1, 0, -1, 0, 0), change(0, 0, 0, -1, 0)] {
        assert_eq!(rule(&frozen, &change).unwrap(), Ruling::Refused(Refusal::Frozen), "{change:?}");
    }
    for change in
        [change(1, -1, 0, 0, 0), change(0, -10, 0, 0, 0), change(5, 0, 5, 5, 0), change(0, 0, 0, 0, -3)]
    {
        assert!(
            matches!(rule(&frozen, &change).unwrap(), Ruling::Stands(after) if after.frozen),
            "{change:?}"
        );
    }
    assert_eq!(
        rule(&frozen, &change(0, -11, 0, 0, 0)).unwrap(),
        Ruling::Refused(Refusal::InsufficientFunds),
        "more than is held"
    );
}

#[test]
fn what_does_not_fit_is_an_error() {
    let rich = wallet(i64::MAX, 0, 0, 0, 0);
    assert!(matches!(rule(&rich, &change(1, 0, 0, 0, 0)), Err(LedgerError::Overflow)));
    let old = Balances { version: i64::MAX, ..wallet(0, 0, 0, 0, 0) };
    assert!(matches!(rule(&old, &change(1, 0, 0, 0, 0)), Err(LedgerError::Overflow)));
}

fn any_account() -> impl Strategy<Value = Account> {
    prop_oneof![
        (0..3u128, prop::sample::select(&Purse::ALL[..]))
            .prop_map(|(n, purse)| Account::User(user(n), purse)),
        prop::sample::select(&House::ALL[..]).prop_map(Account::House),
    ]
}

proptest! {
    /// Money is neither made nor lost: what a journal comes to, over all accounts, is nothing.
    #[test]
    fn a_journal_comes_to_nothing_in_all(
        legs in prop::collection::vec((any_account(), any_account(), 1..1_000_000i64), 1..=16),
    ) {
        let legs: Vec<_> = legs.into_iter().filter(|(a, b, _)| a != b).map(|(a, b, n)| leg(a, b, n)).collect();
        let net = net(&legs);
        let wallets: i64 = net.wallets.iter().map(|(_, c)| c.available + c.held + c.promo + c.earnings + c.debt).sum();
        let houses: i64 = net.houses.iter().map(|(_, amount)| amount).sum();
        prop_assert_eq!(wallets + houses, 0);
        prop_assert!(net.wallets.is_sorted_by(|(a, _), (b, _)| a < b));
        prop_assert!(net.houses.iter().all(|(_, amount)| *amount != 0));
    }

    #[test]
    fn a_ruling_keeps_the_floors_and_moves_exactly_the_change(
        before in (0..100i64, 0..100i64, 0..100i64, 0..100i64, -100..=0i64),
        by in (-100..100i64, -100..100i64, -100..100i64, -100..100i64, -100..100i64),
        frozen: bool,
    ) {
        let before = Balances { frozen, ..wallet(before.0, before.1, before.2, before.3, before.4) };
        let by = change(by.0, by.1, by.2, by.3, by.4);
        let mut moved = by;
        let sums = Purse::ALL.map(|purse| before.of(purse).amount() + *moved.purse(purse));
        let covered = sums[..4].iter().all(|n| *n >= 0) && sums[4] <= 0;
        match rule(&before, &by).unwrap() {
            Ruling::Stands(after) => {
                prop_assert!(covered);
                prop_assert_eq!(Purse::ALL.map(|purse| after.of(purse).amount()), [sums[0], sums[1], sums[2], sums[3], sums[4]]);
                prop_assert_eq!(after.version, before.version + 1);
            }
            Ruling::Refused(Refusal::Frozen) => prop_assert!(frozen && (by.available < 0 || by.promo < 0 || by.earnings < 0)),
            Ruling::Refused(Refusal::InsufficientFunds) => prop_assert!(!covered),
        }
    }
}
