//! What is asked of the marketplace, and what it replies.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;
use catalog::{BoostView, ListingStatus};
use chrono::{DateTime, TimeDelta, Utc};
use identity::{Reason, StatusChange};
use kernel::{Actor, Caller, DomainError, ErrorKind, Money, PaymentId, Role, TypedId, UserId};
use ledger::{Balances, WalletView};
use marketplace::{BonusView, Boosted, CheckoutProof, FlowError, Marketplace, NewBonus, Once};
use payments::{NewRefund, Order, Refund, RefundSpeed, RefundStatus};
use serde_json::json;
use store::{IdempotencyKey, StoredAnswer};

use super::seen::Purses;
use super::stage::Plan;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// A user wants to top up.
    TopUp { user: UserId, amount: i64, key: IdempotencyKey },
    /// A check-out came back.
    Verify { user: UserId, proof: CheckoutProof, key: Option<IdempotencyKey> },
    /// A user boosts a listing.
    Boost { user: UserId, listing: kernel::ListingId, plan: Plan, key: IdempotencyKey },
    /// Staff refund a payment. `credited` is its id at the provider, if it is known.
    Refund { payment: PaymentId, credited: Option<String>, amount: Option<i64>, key: IdempotencyKey },
    /// Staff give a bonus.
    Bonus { user: UserId, amount: i64, key: IdempotencyKey },
    /// Staff suspend a user and take down what the user offers.
    TakeDown { user: UserId },
    /// Staff lift it, and the user resumes.
    Reinstate { user: UserId },
    /// A webhook arrives.
    Webhook { body: Vec<u8>, signature: String, event: String, is_genuine: bool },
    /// A worker works.
    Work(Work),
    /// Nothing is asked: somebody wrote past the ledger.
    Tamper,
}

/// What workers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Webhooks are worked off.
    Webhooks,
    /// Orders that nobody told of are looked at.
    Orders,
    /// Refunds whose end is not known are looked at.
    Refunds,
    /// Deltas are folded into the house accounts.
    Fold,
    /// Journals are sealed.
    Seal,
    /// Boosts whose time is over are marked.
    Lapse,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// An order that can be paid.
    Ordered { receipt: String, provider_id: Option<String>, amount: i64 },
    /// The wallet, after its payment was credited: available and promo.
    Wallet { available: i64, promo: i64 },
    /// A boost: since when, until when, paid by promo, available and earnings; what the purses hold after it.
    Boosted { since: DateTime<Utc>, until: DateTime<Utc>, paid: [i64; 3], purses: Purses },
    /// A refund.
    Refunded { id: String, amount: i64, status: RefundStatus },
    /// A bonus; all that there is of it now.
    Granted { promo: i64 },
    /// The answer that was kept under the key.
    Kept(StoredAnswer),
    /// A refusal or a failure, by its code.
    Refused(&'static str),
    /// A fault of the marketplace's own, which must never be.
    Broken(String),
    /// Nothing to tell.
    Done,
}

impl Ask {
    /// The key under which it is asked.
    pub(super) fn key(&self) -> Option<&IdempotencyKey> {
        match self {
            Self::TopUp { key, .. }
            | Self::Boost { key, .. }
            | Self::Refund { key, .. }
            | Self::Bonus { key, .. } => Some(key),
            Self::Verify { key, .. } => key.as_ref(),
            _ => None,
        }
    }

    /// Asks it.
    pub(super) fn put(self, market: Marketplace, staff: Caller) -> Pin<Box<dyn Future<Output = Reply>>> {
        Box::pin(async move {
            match self.answer(&market, &staff).await {
                Ok(reply) => reply,
                Err(error) => match error.downcast_ref::<FlowError>() {
                    Some(flow) if flow.kind() != ErrorKind::Internal => Reply::Refused(flow.code()),
                    _ => Reply::Broken(error.to_string()),
                },
            }
        })
    }

    async fn answer(self, market: &Marketplace, staff: &Caller) -> anyhow::Result<Reply> {
        match self {
            Self::TopUp { user, amount, key } => {
                Ok(once(market.top_up(user, Money::inr(amount), &key, keep_order).await?, ordered))
            }
            Self::Verify { user, proof, key } => {
                Ok(once(market.verify_payment(user, &proof, key.as_ref(), keep_wallet).await?, wallet))
            }
            Self::Boost { user, listing, plan, key } => {
                let actor = person(user);
                Ok(once(
                    market.boost_listing(&actor, listing, plan.id, None, &key, keep_boost).await?,
                    boosted,
                ))
            }
            Self::Refund { payment, amount, key, .. } => {
                let reason = "asked for by the simulator".to_owned();
                let new =
                    NewRefund { payment, amount: amount.map(Money::inr), speed: RefundSpeed::Normal, reason };
                Ok(once(market.refund_payment(staff, &new, &key, keep_refund).await?, refunded))
            }
            Self::Bonus { user, amount, key } => {
                let bonus = NewBonus::parse(amount, "a gift of the simulator")?;
                let given = market.grant_bonus(staff, user, &bonus, &key, keep_bonus).await?;
                Ok(once(given, |given| Reply::Granted { promo: given.promo.amount() }))
            }
            Self::TakeDown { user } => {
                let change = StatusChange::Suspend { until: market.ambient.now() + TimeDelta::days(1) };
                market.set_user_status(staff, user, change, &Reason::parse("it was spam")?).await?;
                Ok(Reply::Done)
            }
            Self::Reinstate { user } => reinstate(market, staff, user).await,
            Self::Webhook { body, signature, event, .. } => {
                let received = market.payments.receive_webhook(&body, Some(&signature), Some(&event)).await;
                received.map_err(FlowError::from)?;
                Ok(Reply::Done)
            }
            Self::Work(work) => work.run(market).await,
            Self::Tamper => Ok(Reply::Done),
        }
    }
}

impl Work {
    async fn run(self, market: &Marketplace) -> anyhow::Result<Reply> {
        match self {
            Self::Webhooks => {
                market.work_off_webhooks().await?;
            }
            Self::Orders => {
                market.poll_orders().await?;
            }
            Self::Refunds => {
                market.poll_refunds().await?;
            }
            Self::Fold => {
                market.ledger.fold().await.map_err(FlowError::from)?;
            }
            Self::Seal => {
                market.ledger.seal(Duration::from_secs(120)).await.map_err(FlowError::from)?;
            }
            Self::Lapse => {
                market.catalog.lapse_boosts(market.ambient.now(), 50).await.map_err(FlowError::from)?;
            }
        }
        Ok(Reply::Done)
    }
}

async fn reinstate(market: &Marketplace, staff: &Caller, user: UserId) -> anyhow::Result<Reply> {
    let reason = Reason::parse("it was no spam")?;
    market.set_user_status(staff, user, StatusChange::Activate, &reason).await?;
    let paging = kernel::Paging::Numbered { page: 1, limit: 10 };
    let mine = market
        .catalog
        .my_listings(user, Some(ListingStatus::Paused), &paging)
        .await
        .map_err(FlowError::from)?;
    for listing in mine.data {
        market.catalog.resume_listing(&person(user), listing.card.id).await.map_err(FlowError::from)?;
    }
    Ok(Reply::Done)
}

/// The user, in whichever session.
fn person(user: UserId) -> Actor {
    Actor::Person { user, role: Role::User, session: user.uuid().into(), staff: None }
}

fn once<T>(once: Once<T>, now: impl Fn(&T) -> Reply) -> Reply {
    match once {
        Once::Now(value) => now(&value),
        Once::Before(answer) => Reply::Kept(answer),
    }
}

fn ordered(order: &Order) -> Reply {
    Reply::Ordered {
        receipt: order.receipt.clone(),
        provider_id: order.provider_order_id.clone(),
        amount: order.amount.amount(),
    }
}

fn wallet(wallet: &WalletView) -> Reply {
    Reply::Wallet { available: wallet.available.amount(), promo: wallet.promo.amount() }
}

fn boosted(bought: &Boosted) -> Reply {
    let BoostView { starts_at, ends_at, promo_part, available_part, earnings_part, .. } = &bought.boost;
    let paid = [promo_part, available_part, earnings_part].map(|part| part.amount());
    let Balances { available, held, promo, earnings, debt, .. } = &bought.wallet;
    let purses = [available, held, promo, earnings, debt].map(|purse| purse.amount());
    Reply::Boosted { since: *starts_at, until: *ends_at, paid, purses }
}

fn refunded(refund: &Refund) -> Reply {
    Reply::Refunded { id: refund.id.to_string(), amount: refund.amount.amount, status: refund.status }
}

fn kept(body: serde_json::Value) -> StoredAnswer {
    StoredAnswer { status: 200, body: body.to_string() }
}

fn keep_order(order: &Order) -> StoredAnswer {
    kept(json!({ "order": order.receipt, "providerOrder": order.provider_order_id, "amount": order.amount }))
}

fn keep_wallet(wallet: &WalletView) -> StoredAnswer {
    kept(json!({ "available": wallet.available, "promo": wallet.promo }))
}

fn keep_boost(bought: &Boosted) -> StoredAnswer {
    kept(
        json!({ "boost": bought.boost.id, "startsAt": bought.boost.starts_at, "endsAt": bought.boost.ends_at }),
    )
}

fn keep_refund(refund: &Refund) -> StoredAnswer {
    kept(json!({ "refund": refund.id, "amount": refund.amount }))
}

fn keep_bonus(bonus: &BonusView) -> StoredAnswer {
    kept(json!({ "amount": bonus.amount, "promo": bonus.promo }))
}

/// The code of the refusal in an answer that was kept.
pub(super) fn kept_code(answer: &StoredAnswer) -> anyhow::Result<String> {
    let body: serde_json::Value = serde_json::from_str(&answer.body)?;
    Ok(body.get("code").and_then(|code| code.as_str()).context("a kept refusal has no code")?.to_owned())
}
