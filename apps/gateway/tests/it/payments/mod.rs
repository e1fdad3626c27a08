//! Money that comes in and goes back, over HTTP: the provider is played by the sandbox.

mod banned;
mod books;
mod checkout;
mod deaths;
mod keys;
mod one_credit;
mod polls;
mod refunds;
mod unmatched;
mod webhooks;

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use kernel::{Caller, Money, Role, UserId};
use ledger::{House, JournalKind, Leg, NewJournal, Outcome, Purse, Reference, WalletView};
use platform::Definition;
use reqwest::StatusCode;
use sandbox::{Checkout, Pay, RefundEnd};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Answer, Call, Session, TestApp};

/// A name that nothing has had.
fn fresh_key() -> String {
    kernel::Ambient::system().new_uuid().to_string()
}

/// The secret of the sandbox's webhooks.
const WEBHOOK_SECRET: &str = "sandbox-webhook-secret";

impl TestApp {
    /// Asks for an order under a key.
    fn order(&self, who: &Session, paise: i64, key: &str) -> Call {
        let body = json!({ "amount": paise });
        self.post("/api/payments/order").bearer(who).header("idempotency-key", key).json(&body)
    }

    /// An order of somebody's, by its id at the provider.
    pub(crate) async fn ordered(&self, who: &Session, paise: i64) -> String {
        let order = self.order(who, paise, &fresh_key()).send().await.expect(StatusCode::CREATED);
        order.text("/razorpayOrderId")
    }

    /// A new order, paid; no webhook tells of it.
    pub(crate) async fn paid(&self, who: &Session, paise: i64) -> Checkout {
        let order = self.ordered(who, paise).await;
        self.razorpay().pay(&order, &Pay::success().without_webhooks()).unwrap()
    }

    /// Gives back what the checkout returned.
    fn verify(&self, who: &Session, checkout: &Checkout) -> Call {
        self.post("/api/payments/verify").bearer(who).json(&proof(checkout))
    }

    /// A wallet topped up by a payment, whose id here is given.
    pub(crate) async fn topped_up(&self, who: &Session, paise: i64) -> String {
        let checkout = self.paid(who, paise).await;
        self.verify(who, &checkout).send().await.expect(StatusCode::OK);
        let mine = self.get("/api/payments?limit=100").bearer(who).send().await.expect(StatusCode::OK);
        let mine = mine.body["data"].as_array().unwrap().clone();
        let payment = mine.iter().find(|payment| payment["providerPaymentId"] == checkout.payment_id);
        payment.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Asks for a refund under a key; of the whole rest unless paise are given.
    pub(crate) fn refund(&self, finance: &Session, payment: &str, paise: Option<i64>, key: &str) -> Call {
        let mut body = json!({ "paymentId": payment, "reason": "for the test" });
        if let Some(paise) = paise {
            body["amount"] = paise.into();
        }
        self.post("/api/payments/refund").bearer(finance).header("idempotency-key", key).json(&body)
    }

    /// Ends a refund at the provider.
    pub(crate) fn refund_ends(&self, provider_refund_id: &str, end: RefundEnd) {
        self.razorpay().finish_refund(provider_refund_id, end).unwrap();
    }

    /// Lets the poller look at refunds twice, for a look that the provider is too slow for counts for nothing.
    async fn look_at_refunds(&self) {
        for _ in 0..2 {
            self.clock.advance(TimeDelta::hours(2));
            self.state.market.poll_refunds().await.unwrap();
        }
    }

    /// Changes a setting.
    async fn set(&self, setting: &Definition, value: Value) {
        let settings = &self.state.market.settings;
        settings.set(&Caller::system("test"), setting.key, &value, None).await.unwrap();
    }

    async fn finance(&self) -> Session {
        self.staff(Role::Finance).await
    }

    /// Takes money out of a wallet, as a purchase would.
    async fn charge(&self, who: &Session, paise: i64) {
        let user: UserId = who.user_id.parse().unwrap();
        let key = fresh_key();
        let legs = vec![Leg::new((user, Purse::Available), House::RevenueBoost, Money::inr(paise))];
        let charge =
            NewJournal::new(key.clone(), JournalKind::BoostCharge, Reference::new("test", key), legs)
                .unwrap();
        let posted = self.state.market.ledger.post(&charge).await.unwrap();
        assert!(matches!(posted, Outcome::Posted(_)), "{posted:?}");
    }

    async fn wallet(&self, who: &Session) -> WalletView {
        let user: UserId = who.user_id.parse().unwrap();
        self.state.market.ledger.wallet(user).await.unwrap()
    }

    /// What somebody has: available, held, debt, in paise.
    async fn purses(&self, who: &Session) -> (i64, i64, i64) {
        let wallet = self.wallet(who).await;
        (wallet.available.amount(), wallet.held.amount(), wallet.debt.amount())
    }

    /// What a house account holds, in paise; what the house owns runs below zero.
    async fn house(&self, house: House) -> i64 {
        let all = self.state.market.ledger.house_balances().await.unwrap();
        all.iter().find(|held| held.account == house).map_or(0, |held| held.balance.amount())
    }

    /// Sends a webhook as the provider would, signed with a secret.
    fn webhook(&self, body: &str, event: &str, secret: &str) -> Call {
        self.post("/api/payments/webhook")
            .header("x-razorpay-signature", &signature(secret, body.as_bytes()))
            .header("x-razorpay-event-id", event)
            .raw("application/json", body.to_owned())
    }

    /// Sends a webhook and works it off.
    pub(crate) async fn told(&self, body: &str) -> Answer {
        let answer = self.webhook(body, &fresh_key(), WEBHOOK_SECRET).send().await.expect(StatusCode::OK);
        self.run_jobs().await;
        answer
    }
}

fn proof(checkout: &Checkout) -> Value {
    json!({
        "razorpay_order_id": checkout.order_id,
        "razorpay_payment_id": checkout.payment_id,
        "razorpay_signature": checkout.signature,
    })
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// The body of a webhook about a payment, as the provider would write it.
pub(crate) fn event(kind: &str, checkout: &Checkout) -> String {
    let payment = json!({
        "entity": { "id": checkout.payment_id, "entity": "payment", "order_id": checkout.order_id, "notes": [] }
    });
    let order = json!({ "entity": { "id": checkout.order_id, "entity": "order" } });
    let (contains, payload) = match kind {
        "order.paid" => (json!(["payment", "order"]), json!({ "payment": payment, "order": order })),
        _ => (json!(["payment"]), json!({ "payment": payment })),
    };
    json!({
        "entity": "event",
        "account_id": "acc_Sandbox0000001",
        "event": kind,
        "contains": contains,
        "payload": payload,
        "created_at": 1_772_431_200,
    })
    .to_string()
}
