//! A payments desk on a test's database, with a clock that is set by hand and what the provider would say.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::{Actor, Ambient, Caller, CursorCodec, HoldId, Money, Origin, PaymentId, Role, UserId};
use payments::{
    Charge, FetchedPayment, NewProviderOrder, NewProviderRefund, NewRefund, Order, OrderLimits, PaymentError,
    PaymentFact, PaymentProvider, PaymentStatus, Payments, PaymentsConfig, ProviderError, ProviderOrder,
    ProviderPayment, ProviderRefund, Refund, RefundAnswer, RefundSend, RefundSpeed, RefundState,
};
use store::Database;
use testkit::{FakeClock, TestDb};

pub(crate) const KEY_SECRET: &str = "sandbox-key-secret";
pub(crate) const WEBHOOK_SECRET: &str = "sandbox-webhook-secret";
pub(crate) const FORMER_WEBHOOK_SECRET: &str = "former-webhook-secret";

/// How much orders are for.
pub(crate) const AMOUNT: i64 = 50_000;

/// A provider that cannot be reached: what is applied in these tests was not fetched.
struct Nobody;

type Answer<T> = Result<T, ProviderError>;

#[async_trait]
impl PaymentProvider for Nobody {
    async fn create_order(&self, _: &NewProviderOrder) -> Answer<ProviderOrder> {
        Err(ProviderError::Busy)
    }
    async fn find_order_by_receipt(&self, _: &str) -> Answer<Option<ProviderOrder>> {
        Err(ProviderError::Busy)
    }
    async fn order(&self, _: &str) -> Answer<ProviderOrder> {
        Err(ProviderError::Busy)
    }
    async fn payments_of_order(&self, _: &str) -> Answer<Vec<ProviderPayment>> {
        Err(ProviderError::Busy)
    }
    async fn payment(&self, _: &str) -> Answer<ProviderPayment> {
        Err(ProviderError::Busy)
    }
    async fn capture(&self, _: &str, _: Money) -> Answer<ProviderPayment> {
        Err(ProviderError::Busy)
    }
    async fn refund(&self, _: &str, _: &NewProviderRefund) -> Answer<ProviderRefund> {
        Err(ProviderError::Busy)
    }
    async fn refund_by_id(&self, _: &str) -> Answer<ProviderRefund> {
        Err(ProviderError::Busy)
    }
    async fn refunds_of_payment(&self, _: &str) -> Answer<Vec<ProviderRefund>> {
        Err(ProviderError::Busy)
    }
}

/// The desk. Cheap to clone, so that tasks can work at it at once.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) db: Database,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) ambient: Ambient,
    pub(crate) payments: Payments,
}

impl Desk {
    pub(crate) fn new(db: &TestDb) -> Self {
        Self::with(db, Arc::new(Nobody))
    }

    pub(crate) fn with(db: &TestDb, provider: Arc<dyn PaymentProvider>) -> Self {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let config = PaymentsConfig {
            key_id: "rzp_test_SandboxKey0001".to_owned(),
            key_secret: KEY_SECRET.into(),
            webhook_secret: WEBHOOK_SECRET.into(),
            webhook_secret_previous: Some(FORMER_WEBHOOK_SECRET.into()),
            cursors: CursorCodec::new(b"0123456789abcdef0123456789abcdef"),
            limits: OrderLimits::default(),
        };
        let db = db.database().clone();
        let payments = Payments::new(db.clone(), ambient.clone(), config, provider);
        Self { db, clock, ambient, payments }
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    /// An order that is only intended.
    pub(crate) async fn open(&self) -> Order {
        let user: UserId = self.ambient.new_id();
        self.open_for(user).await
    }

    pub(crate) async fn open_for(&self, user: UserId) -> Order {
        let amount = Money::inr(AMOUNT);
        self.db.in_txn(async |txn| self.payments.open_order_in_txn(txn, user, amount).await).await.unwrap()
    }

    /// An order that can be paid.
    pub(crate) async fn placed(&self) -> Order {
        let order = self.open().await;
        self.place(&order).await
    }

    pub(crate) async fn place(&self, order: &Order) -> Order {
        let placed = placed(order);
        self.db
            .in_txn(async |txn| self.payments.note_created_in_txn(txn, order.id, &placed).await)
            .await
            .unwrap()
    }

    pub(crate) async fn apply(&self, fetched: &FetchedPayment) -> Vec<PaymentFact> {
        self.db.in_txn(async |txn| self.payments.apply_in_txn(txn, fetched).await).await.unwrap()
    }

    /// A payment that was credited.
    pub(crate) async fn credited(&self) -> (Order, PaymentId, FetchedPayment) {
        let order = self.placed().await;
        let fetched = captured(&order, "pay_1");
        let facts = self.apply(&fetched).await;
        let PaymentFact::Captured { payment, .. } = facts[0] else { panic!("{facts:?}") };
        (order, payment, fetched)
    }

    pub(crate) async fn try_refund(
        &self,
        payment: PaymentId,
        amount: Option<i64>,
    ) -> Result<Refund, PaymentError> {
        let new = NewRefund {
            payment,
            amount: amount.map(Money::inr),
            speed: RefundSpeed::Normal,
            reason: "Paid twice by mistake.".to_owned(),
        };
        let (caller, hold) = (finance(&self.ambient), self.ambient.new_id::<HoldId>());
        self.db
            .in_txn(async |txn| {
                let refund = self.payments.request_refund_in_txn(txn, &caller, &new).await?;
                self.payments.attach_hold_in_txn(txn, refund.id, hold).await?;
                Ok(refund)
            })
            .await
    }

    pub(crate) async fn refund(&self, payment: PaymentId, amount: Option<i64>) -> Refund {
        let refund = self.try_refund(payment, amount).await.unwrap();
        self.payments.refund(refund.id).await.unwrap()
    }

    pub(crate) async fn start(&self, refund: &Refund) -> Option<RefundSend> {
        self.db.in_txn(async |txn| self.payments.start_refund_in_txn(txn, refund.id).await).await.unwrap()
    }

    pub(crate) async fn answer(&self, send: &RefundSend, answer: &RefundAnswer) -> Vec<PaymentFact> {
        self.db
            .in_txn(async |txn| self.payments.note_refund_answer_in_txn(txn, send, answer).await)
            .await
            .unwrap()
    }

    /// How much of a payment is reserved and given back.
    pub(crate) async fn totals(&self, payment: PaymentId) -> (i64, i64) {
        let view = self.payments.payment(payment).await.unwrap();
        (view.refund_reserved.amount, view.payment.refunded.amount)
    }
}

pub(crate) fn finance(ambient: &Ambient) -> Caller {
    let (user, session) = (ambient.new_id(), ambient.new_id());
    Caller {
        actor: Actor::Person { user, role: Role::Finance, session, staff: None },
        origin: Origin::default(),
    }
}

/// The order as the provider has it.
pub(crate) fn placed(order: &Order) -> ProviderOrder {
    ProviderOrder {
        id: format!("order_{}", order.id.to_string().replace('-', "")),
        charge: order.amount.into(),
        receipt: Some(order.receipt.clone()),
    }
}

/// A payment of an order in this state.
pub(crate) fn paid(order: &Order, id: &str, status: PaymentStatus) -> FetchedPayment {
    let is_ours = status.rank() >= PaymentStatus::Captured.rank();
    FetchedPayment {
        payment: ProviderPayment {
            id: format!("{id}_{}", order.id.to_string().replace('-', "")),
            order_id: Some(placed(order).id),
            charge: Charge::from(order.amount),
            status,
            method: Some("upi".to_owned()),
            amount_refunded: 0,
            fee: is_ours.then_some(1_180),
            tax: is_ours.then_some(180),
        },
        order: None,
        refunds: Vec::new(),
    }
}

pub(crate) fn captured(order: &Order, id: &str) -> FetchedPayment {
    paid(order, id, PaymentStatus::Captured)
}

/// The same payment with one more refund.
pub(crate) fn with_refund(
    fetched: &FetchedPayment,
    id: &str,
    amount: i64,
    state: RefundState,
) -> FetchedPayment {
    let mut fetched = fetched.clone();
    let refund = ProviderRefund {
        id: format!("{id}_{}", fetched.payment.id),
        payment_id: fetched.payment.id.clone(),
        amount,
        state,
        receipt: None,
    };
    fetched.refunds.push(refund);
    fetched.payment.amount_refunded += amount;
    if fetched.payment.amount_refunded >= fetched.payment.charge.amount {
        fetched.payment.status = PaymentStatus::Refunded;
    }
    fetched
}

/// What the provider says of a refund of ours.
pub(crate) fn seen(send: &RefundSend, state: RefundState) -> ProviderRefund {
    ProviderRefund {
        id: format!("rfnd_{}", send.refund.to_string().replace('-', "")),
        payment_id: send.provider_payment_id.clone(),
        amount: send.request.amount,
        state,
        receipt: Some(send.request.receipt.clone()),
    }
}
