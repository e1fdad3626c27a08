//! Vectors: for each template, what moves from where to where.

use kernel::{BoostId, RefundId};
use uuid::Uuid;

use super::*;
use crate::{Balances, GstRate, Split};

const PAY: &str = "pay_29QQoUBi66xm2f";

fn user() -> UserId {
    UserId::from(Uuid::from_u128(1))
}

fn paise(amount: i64) -> Money {
    Money::inr(amount)
}

/// `from → to: amount`, a line for each leg.
fn told(journal: &NewJournal) -> Vec<String> {
    let line = |leg: &Leg| format!("{} → {}: {}", leg.from.kind(), leg.to.kind(), leg.amount.amount());
    assert!(
        journal.legs.iter().flat_map(|leg| [leg.from.user(), leg.to.user()]).flatten().all(|u| u == user())
    );
    journal.legs().iter().map(line).collect()
}

fn named(journal: &NewJournal) -> (&str, &'static str, &str, &str) {
    (&journal.key, journal.kind.as_str(), &journal.ref_type, &journal.ref_id)
}

#[test]
fn top_up_credits_what_is_available() {
    let journal = top_up(PAY, user(), paise(50_000)).unwrap();
    assert_eq!(told(&journal), ["gateway:clearing → available: 50000"]);
    assert_eq!(named(&journal), ("topup:pay_29QQoUBi66xm2f", "top_up", "payment", PAY));
    assert!(top_up(PAY, user(), paise(0)).is_err());
}

#[test]
fn gateway_fee_keeps_its_tax_apart() {
    let journal = gateway_fee(PAY, paise(1_180), paise(180)).unwrap();
    let legs = ["expense:gateway_fee → gateway:clearing: 1000", "tax:gst_input → gateway:clearing: 180"];
    assert_eq!(told(&journal), legs);
    assert_eq!(named(&journal), ("pgfee:pay_29QQoUBi66xm2f", "gateway_fee", "payment", PAY));
    assert_eq!(told(&gateway_fee(PAY, paise(5), paise(0)).unwrap()).len(), 1);
    assert!(gateway_fee(PAY, paise(5), paise(6)).is_err() && gateway_fee(PAY, paise(0), paise(0)).is_err());
}

#[test]
fn unmatched_money_waits_and_goes_back() {
    let journal = unmatched(PAY, paise(700)).unwrap();
    assert_eq!(told(&journal), ["gateway:clearing → suspense:unmatched: 700"]);
    assert_eq!(named(&journal), ("unmatched:pay_29QQoUBi66xm2f", "unmatched", "payment", PAY));
    let journal = unmatched_return("rfnd_1", paise(700)).unwrap();
    assert_eq!(told(&journal), ["suspense:unmatched → gateway:clearing: 700"]);
    assert_eq!(named(&journal), ("unmatched:return:rfnd_1", "unmatched_return", "refund", "rfnd_1"));
}

#[test]
fn refund_is_held_and_then_leaves() {
    let refund = RefundId::from(Uuid::from_u128(3));
    let hold = refund_hold(refund, user(), paise(900));
    assert_eq!((hold.key.as_str(), hold.user), (format!("refund:hold:{refund}").as_str(), user()));
    assert_eq!((hold.from_available, hold.from_earnings), (paise(900), paise(0)), "top-ups alone go back");
    assert_eq!(hold.reference, Reference::new("refund", refund));
    let done = refund_done(refund, user(), paise(900)).unwrap();
    assert_eq!(told(&done), ["held → gateway:clearing: 900"]);
    let id = refund.to_string();
    assert_eq!(named(&done), (format!("refund:done:{id}").as_str(), "refund_done", "refund", id.as_str()));
    assert_eq!(refund_release_key(refund), format!("refund:fail:{id}"));
}

#[test]
fn refund_elsewhere_takes_what_is_there_and_makes_the_rest_a_debt() {
    let wallet = |available, frozen| Balances { available: paise(available), frozen, ..Balances::EMPTY };
    let legs = |wallet: &Balances| told(&refund_elsewhere("rfnd_1", user(), wallet, paise(500)).unwrap());
    assert_eq!(legs(&wallet(500, false)), ["available → gateway:clearing: 500"]);
    assert_eq!(
        legs(&wallet(200, false)),
        ["available → gateway:clearing: 200", "debt → gateway:clearing: 300"]
    );
    assert_eq!(legs(&wallet(0, false)), ["debt → gateway:clearing: 500"]);
    assert_eq!(legs(&wallet(900, true)), ["debt → gateway:clearing: 500"], "a frozen wallet is not debited");
    let journal = refund_elsewhere("rfnd_1", user(), &wallet(1, false), paise(500)).unwrap();
    assert_eq!(named(&journal), ("refund:ext:rfnd_1", "refund_elsewhere", "refund", "rfnd_1"));
}

#[test]
fn boost_charge_taxes_the_cash_and_not_the_bonus() {
    let (boost, rate) = (BoostId::from(Uuid::from_u128(4)), GstRate::percent(18).unwrap());
    let charge = |promo, available, earnings| {
        let price = Split { promo: paise(promo), available: paise(available), earnings: paise(earnings) };
        told(&boost_charge(boost, user(), &price, rate, JournalKind::BoostCharge).unwrap())
    };
    let taxed = [
        "available → revenue:boost: 4152",
        "available → tax:gst_output:cgst: 374",
        "available → tax:gst_output:sgst: 374",
    ];
    assert_eq!(charge(0, 4_900, 0), taxed);
    assert_eq!(charge(4_900, 0, 0), ["promo → revenue:boost: 4900"]);
    assert_eq!(
        charge(5_000, 4_000, 900),
        [
            "promo → revenue:boost: 5000",
            "available → revenue:boost: 4000",
            "earnings → revenue:boost: 152",
            "earnings → tax:gst_output:cgst: 374",
            "earnings → tax:gst_output:sgst: 374",
        ]
    );
    assert_eq!(
        charge(0, 4_500, 400),
        [
            "available → revenue:boost: 4152",
            "available → tax:gst_output:cgst: 348",
            "earnings → tax:gst_output:cgst: 26",
            "earnings → tax:gst_output:sgst: 374",
        ]
    );
}

#[test]
fn boost_refund_gives_a_part_back_with_its_tax() {
    let (boost, rate) = (BoostId::from(Uuid::from_u128(4)), GstRate::percent(18).unwrap());
    let paid = Split { promo: paise(1_000), available: paise(9_900), earnings: paise(0) };
    let back = |part| boost_refund(boost, user(), &paid, paise(part), rate).unwrap();
    assert_eq!(
        told(&back(10_900)),
        [
            "revenue:boost → promo: 1000",
            "revenue:boost → available: 8390",
            "tax:gst_output:cgst → available: 755",
            "tax:gst_output:sgst → available: 755",
        ]
    );
    // 5450 is half: 500 of the bonus, and 4950 with 377.54 in each half.
    assert_eq!(
        told(&back(5_450)),
        [
            "revenue:boost → promo: 500",
            "revenue:boost → available: 4194",
            "tax:gst_output:cgst → available: 378",
            "tax:gst_output:sgst → available: 378",
        ]
    );
    let id = boost.to_string();
    assert_eq!(named(&back(1)), (format!("boostrefund:{id}").as_str(), "boost_refund", "boost", id.as_str()));
    assert!(boost_refund(boost, user(), &paid, paise(10_901), rate).is_err());
}

#[test]
fn bonus_goes_to_promo() {
    let journal = bonus("welcome:7", user(), paise(100)).unwrap();
    assert_eq!(told(&journal), ["promotions:expense → promo: 100"]);
    assert_eq!(named(&journal), ("bonus:welcome:7", "bonus", "grant", "welcome:7"));
}
