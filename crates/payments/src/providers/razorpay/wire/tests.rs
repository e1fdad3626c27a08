//! Bodies as Razorpay's documentation shows them, and worse.

use kernel::Money;
use serde_json::json;

use super::*;
use crate::RefundSpeed;

fn payment(body: Json) -> Option<ProviderPayment> {
    serde_json::from_value::<Payment>(body).unwrap().into()
}

fn sample() -> Json {
    json!({
        "id": "pay_IH4NVgf4Dreq1l", "entity": "payment", "amount": 1_000, "currency": "INR", "status": "captured",
        "order_id": "order_IluGWxBm9U8zJ8", "invoice_id": null, "international": false, "method": "upi",
        "amount_refunded": 0, "refund_status": null, "captured": true, "description": "Top-up \"quoted\" / slashed",
        "card_id": null, "bank": null, "wallet": null, "vpa": "asha@okhdfcbank", "email": "asha@example.in",
        "contact": "+919876543210", "notes": [], "fee": 24, "tax": 4, "error_code": null,
        "acquirer_data": {"rrn": "033814379298"}, "created_at": 1_606_985_209,
    })
}

#[test]
fn a_payment_is_read_without_its_payer() {
    let payment = payment(sample()).unwrap();
    assert_eq!(payment.status, PaymentStatus::Captured);
    assert_eq!((payment.charge.clone(), payment.fee, payment.tax), (Charge::inr(1_000), Some(24), Some(4)));
    assert_eq!(payment.order_id.as_deref(), Some("order_IluGWxBm9U8zJ8"));
    let shown = format!("{payment:?}");
    assert!(!shown.contains("asha") && !shown.contains("98765") && !shown.contains("0338"));
}

#[test]
fn odd_forms_of_optional_fields_are_read() {
    let mut odd = sample();
    for (field, value) in [
        ("fee", json!(null)),
        ("tax", json!("null")),
        ("order_id", json!("")),
        ("method", json!("UPI 9876543210")),
        ("amount_refunded", json!("250")),
        ("status", json!("reversed")),
        ("notes", json!("text")),
    ] {
        odd[field] = value;
    }
    let payment = payment(odd).unwrap();
    assert_eq!((payment.fee, payment.tax, payment.order_id, payment.method), (None, None, None, None));
    assert_eq!((payment.amount_refunded, payment.status), (250, PaymentStatus::Created));
    for field in ["fee", "tax", "order_id", "method", "amount_refunded"] {
        let mut without = sample();
        without.as_object_mut().unwrap().remove(field);
        assert!(self::payment(without).is_some(), "{field}");
    }
}

#[test]
fn amounts_are_whole_and_above_zero() {
    for amount in
        [json!(10.5), json!("10.5"), json!(-1), json!(0), json!(null), json!("1e3"), json!(""), json!([])]
    {
        let mut odd = sample();
        odd["amount"] = amount.clone();
        assert!(payment(odd).is_none(), "{amount}");
    }
    for currency in ["inr", "RUPEE", ""] {
        let mut odd = sample();
        odd["currency"] = json!(currency);
        assert!(payment(odd).is_none(), "{currency}");
    }
}

#[test]
fn an_id_that_could_be_a_path_is_not_read() {
    for id in ["", "../x", "pay_1/refund"] {
        let mut odd = sample();
        odd["id"] = json!(id);
        assert!(payment(odd).is_none(), "{id}");
    }
}

#[test]
fn a_refund_whose_state_is_not_known_is_under_way() {
    let refund = |status: Json| -> Option<ProviderRefund> {
        let body =
            json!({"id": "rfnd_1", "payment_id": "pay_1", "amount": 100, "status": status, "receipt": null});
        serde_json::from_value::<Refund>(body).unwrap().into()
    };
    for (status, state) in [
        (json!("processed"), RefundState::Processed),
        (json!("failed"), RefundState::Failed),
        (json!("pending"), RefundState::Pending),
        (json!("created"), RefundState::Pending),
        (json!(null), RefundState::Pending),
    ] {
        assert_eq!(refund(status).unwrap().state, state);
    }
}

#[test]
fn an_order_is_asked_for_in_full_and_captured_by_itself() {
    let new = NewProviderOrder { amount: Money::inr(50_000), receipt: "r-1".to_owned() };
    let body: Json = serde_json::from_slice(&order_body(&new)).unwrap();
    assert_eq!(
        body,
        json!({
            "amount": 50_000, "currency": "INR", "receipt": "r-1", "partial_payment": false,
            "payment": {"capture": "automatic", "capture_options": {
                "automatic_expiry_period": 4_320, "manual_expiry_period": 7_200, "refund_speed": "normal",
            }},
        })
    );
}

#[test]
fn a_refunds_body_is_the_same_at_every_send() {
    let new = NewProviderRefund {
        amount: 60,
        idem_key: "0123456789".to_owned(),
        receipt: "r-1".to_owned(),
        speed: RefundSpeed::Optimum,
    };
    assert_eq!(refund_body(&new), br#"{"amount":60,"speed":"optimum","receipt":"r-1"}"#);
    assert_eq!(refund_body(&new), refund_body(&new.clone()));
}

#[test]
fn a_capture_names_amount_and_currency() {
    assert_eq!(capture_body(100, "INR"), br#"{"amount":100,"currency":"INR"}"#);
}
