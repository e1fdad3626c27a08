//! What a reply must be: computed from the books, the key and the provider's truth, never from the marketplace.

use anyhow::{bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use kernel::TypedId;
use marketplace::CheckoutProof;
use payments::{PaymentStatus, RefundState, RefundStatus};

use super::ask::{Ask, Reply, kept_code};
use super::bank::{Answer, Call, Vault, Verb, checkout_signature};
use super::books::Books;
use super::seen::{SeenKey, SeenOrder, SeenPayment};

/// The least and the most of a top-up in paise, as the settings have them when nobody has changed them.
const TOP_UPS: std::ops::RangeInclusive<i64> = 100..=5_000_000;
/// What the provider gives back at least.
const LEAST_REFUND: i64 = 100;

/// What was known when something was asked.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) at: DateTime<Utc>,
    pub(super) key: Option<SeenKey>,
    pub(super) orders: Vec<SeenOrder>,
    pub(super) payments: Vec<SeenPayment>,
}

/// What can be said of a reply before the flow runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Forecast {
    /// Exactly this.
    Is(Reply),
    /// It depends on how the provider answers.
    Depends,
}

/// What the reply must be, as far as it is known before.
pub(super) fn forecast(ask: &Ask, known: &Known, books: &Books, scene: &super::stage::Scene) -> Forecast {
    if let Some(reply) = by_key(ask, known) {
        return Forecast::Is(reply);
    }
    let goes_on = known.key.as_ref().is_some_and(|key| key.has_intent && key.expires_at > known.at);
    match ask {
        Ask::TopUp { amount, .. } if !TOP_UPS.contains(amount) => {
            Forecast::Is(Reply::Refused("invalid_input"))
        }
        Ask::Verify { user, proof, .. } => before_verify(*user, proof, known),
        Ask::Boost { .. } => Forecast::Is(boost(ask, known, books, scene)),
        Ask::Refund { .. } if !goes_on => before_refund(ask, known, books),
        Ask::Bonus { user, amount, .. } => {
            let [_, _, promo, _, _] = books.purses(*user);
            Forecast::Is(Reply::Granted { promo: promo + amount })
        }
        Ask::Webhook { is_genuine: false, .. } => Forecast::Is(Reply::Refused("bad_signature")),
        Ask::TopUp { .. } | Ask::Refund { .. } | Ask::Work(_) => Forecast::Depends,
        Ask::TakeDown { .. } | Ask::Reinstate { .. } | Ask::Webhook { .. } | Ask::Tamper => {
            Forecast::Is(Reply::Done)
        }
    }
}

/// The reply that a key alone decides.
fn by_key(ask: &Ask, known: &Known) -> Option<Reply> {
    let (key, asked) = (known.key.as_ref()?, ask.key()?);
    if key.expires_at <= known.at {
        return None;
    }
    // Two uses of a lease's last moment: it is over when its time has come.
    let is_leased = key.answer.is_none() && key.lease_until.is_some_and(|until| until > known.at);
    if key.fingerprint != asked.fingerprint {
        return Some(Reply::Refused("idempotency_key_reused"));
    }
    if let Some(answer) = &key.answer {
        return Some(Reply::Kept(answer.clone()));
    }
    is_leased.then_some(Reply::Refused("idempotency_key_in_progress"))
}

fn before_verify(user: kernel::UserId, proof: &CheckoutProof, known: &Known) -> Forecast {
    let is_theirs =
        |order: &SeenOrder| order.user == user && order.provider_id.as_ref() == Some(&proof.order);
    if !known.orders.iter().any(is_theirs) {
        return Forecast::Is(Reply::Refused("payment_order_not_found"));
    }
    if checkout_signature(&proof.order, &proof.payment) != proof.signature {
        return Forecast::Is(Reply::Refused("bad_signature"));
    }
    Forecast::Depends
}

fn boost(ask: &Ask, known: &Known, books: &Books, scene: &super::stage::Scene) -> Reply {
    let Ask::Boost { user, listing, plan, .. } = ask else { return Reply::Done };
    if !scene.listings.contains(&(*listing, *user)) {
        return Reply::Refused("listing_not_found");
    }
    if books.paused.contains(listing) {
        return Reply::Refused("listing_not_active");
    }
    let Some(paid) = books.split(*user, plan.paise) else { return Reply::Refused("insufficient_funds") };
    let since = books.boost_begins(*listing, plan.kind, known.at);
    let ([available, held, promo, earnings, debt], [by_promo, by_available, by_earnings]) =
        (books.purses(*user), paid);
    let purses = [available - by_available, held, promo - by_promo, earnings - by_earnings, debt];
    Reply::Boosted { since, until: since + TimeDelta::days(plan.days), paid, purses }
}

fn before_refund(ask: &Ask, known: &Known, books: &Books) -> Forecast {
    let Ask::Refund { payment, amount, .. } = ask else { return Forecast::Depends };
    let refused = |code| Forecast::Is(Reply::Refused(code));
    if amount.is_some_and(|amount| amount < LEAST_REFUND) {
        return refused("invalid_input");
    }
    let Some(row) = known.payments.iter().find(|row| row.id == *payment) else {
        return refused("payment_not_found");
    };
    let Some(credit) = books.credits.get(&row.provider_id) else { return refused("payment_not_refundable") };
    let left = credit.amount - row.reserved;
    let asked = amount.unwrap_or(left);
    if asked <= 0 || asked > left {
        return refused("refund_exceeds_payment");
    }
    let [available, ..] = books.purses(credit.user);
    if asked > available {
        return refused("insufficient_funds");
    }
    Forecast::Depends
}

/// Holds a reply against what was forecast and what has happened since.
///
/// # Errors
/// When it is not what it must be.
pub(super) fn judge(
    ask: &Ask,
    reply: &Reply,
    forecast: &Forecast,
    known: &Known,
    books: &Books,
    vault: &Vault,
) -> anyhow::Result<()> {
    if let Forecast::Is(expected) = forecast {
        ensure!(reply == expected, "{ask:?} was answered {reply:?} and should be {expected:?}");
        return Ok(());
    }
    let calls = vault.calls.as_slice();
    match ask {
        Ask::TopUp { amount, .. } => judge_top_up(*amount, reply, known, vault),
        Ask::Verify { user, proof, .. } => judge_verify(*user, proof, reply, books, vault),
        Ask::Refund { amount, .. } => judge_refund(*amount, reply, vault, calls),
        _ => {
            ensure!(*reply == Reply::Done, "{ask:?} was answered {reply:?}");
            Ok(())
        }
    }
}

fn is_clean(calls: &[Call]) -> bool {
    !calls.iter().any(|call| call.answer == Answer::Faulty)
}

fn judge_top_up(amount: i64, reply: &Reply, known: &Known, vault: &Vault) -> anyhow::Result<()> {
    let calls = vault.calls.as_slice();
    match reply {
        Reply::Ordered { receipt, provider_id: Some(id), amount: ordered } => {
            let made = vault.orders.get(id);
            let is_right =
                made.is_some_and(|made| made.amount == amount && made.receipt.as_ref() == Some(receipt));
            ensure!(
                is_right && *ordered == amount,
                "an order was answered that the provider has as {made:?}"
            );
            let all = vault.orders_of(receipt).len();
            ensure!(
                all == 1 || !is_clean(calls) || known.key.is_some(),
                "{all} orders were made for one top-up"
            );
        }
        Reply::Refused("payment_provider_unavailable" | "payment_provider_refused") => {
            // Only the poller gives an order up that somebody still waits for.
            let was_given_up =
                known.key.is_some() || known.orders.iter().any(|order| order.status == "failed");
            ensure!(!is_clean(calls) || was_given_up, "the provider did its work and was called unavailable");
        }
        other => bail!("a top-up of {amount} was answered {other:?}"),
    }
    Ok(())
}

fn judge_verify(
    user: kernel::UserId,
    proof: &CheckoutProof,
    reply: &Reply,
    books: &Books,
    vault: &Vault,
) -> anyhow::Result<()> {
    let calls = vault.calls.as_slice();
    let spoilt = |verb| calls.iter().any(|call| call.verb == verb && call.answer == Answer::Faulty);
    if matches!(reply, Reply::Refused("payment_provider_unavailable" | "payment_provider_refused")) {
        ensure!(!is_clean(calls), "the provider told everything and was called unavailable");
        return Ok(());
    }
    let looks = [Verb::Look, Verb::LookAtOrder, Verb::Capture].into_iter().filter(|verb| spoilt(*verb));
    let captures_refused = spoilt(Verb::Capture);
    ensure!(looks.count() == 0 || captures_refused, "{reply:?} was answered without a look at the payment");
    let last = calls.iter().rev().find_map(|call| match &call.answer {
        Answer::Payment(status, is_gone) => Some((*status, *is_gone)),
        _ => None,
    });
    let [available, _, promo, _, _] = books.purses(user);
    let expected = if books.credits.contains_key(&proof.payment) {
        Reply::Wallet { available, promo }
    } else if books.unmatched.contains_key(&proof.payment) {
        Reply::Refused("payment_returned")
    } else {
        let is_back = goes_back_unposted(&proof.payment, vault);
        match last {
            Some((PaymentStatus::Captured | PaymentStatus::Refunded, true)) => {
                Reply::Refused("payment_returned")
            }
            Some((PaymentStatus::Captured, false)) if !is_back => {
                bail!("{} was captured and is neither credited nor on its way back", proof.payment)
            }
            Some((PaymentStatus::Captured, false)) => Reply::Refused("payment_returned"),
            // What was seen is old by now, and another look may have shown more.
            _ if is_back && *reply == Reply::Refused("payment_returned") => return Ok(()),
            _ => Reply::Refused("payment_not_captured"),
        }
    };
    ensure!(*reply == expected, "{} was answered {reply:?} and should be {expected:?}", proof.payment);
    Ok(())
}

/// Whether a payment goes back and nothing of it is posted: it was captured in another currency, or is back already.
fn goes_back_unposted(payment: &str, vault: &Vault) -> bool {
    vault.payments.get(payment).is_some_and(|payment| {
        payment.was_captured && payment.currency != "INR" || vault.given_back(&payment.id) >= payment.amount
    })
}

fn judge_refund(amount: Option<i64>, reply: &Reply, vault: &Vault, calls: &[Call]) -> anyhow::Result<()> {
    let Reply::Refunded { id, amount: refunded, status } = reply else {
        bail!("a refund of {amount:?} was answered {reply:?}");
    };
    ensure!(
        amount.is_none_or(|asked| asked == *refunded),
        "{refunded} were refunded and {amount:?} asked for"
    );
    let truth = vault.refund_of(id);
    let is_right = match status {
        RefundStatus::Processed => truth.is_some_and(|truth| truth.state == RefundState::Processed),
        RefundStatus::Failed => truth.is_none_or(|truth| truth.state == RefundState::Failed),
        RefundStatus::Pending => truth.is_some(),
        RefundStatus::Requested | RefundStatus::Submitting | RefundStatus::Unknown => !is_clean(calls),
    };
    ensure!(is_right, "a refund was answered as {status:?} and is {truth:?} at the provider");
    Ok(())
}

/// The kept answer of a reply, if it is one that must be kept: what was done, or refused for a reason of ours.
pub(super) fn must_keep(reply: &Reply, key: Option<&SeenKey>) -> anyhow::Result<()> {
    let keeps = match reply {
        Reply::Ordered { .. } | Reply::Boosted { .. } | Reply::Refunded { .. } | Reply::Granted { .. } => {
            true
        }
        // What is kept belongs to another request.
        Reply::Refused("idempotency_key_reused") => return Ok(()),
        Reply::Refused(code) => {
            matches!(
                *code,
                "insufficient_funds"
                    | "listing_not_active"
                    | "payment_not_refundable"
                    | "refund_exceeds_payment"
            )
        }
        _ => return Ok(()),
    };
    let answer = key.and_then(|key| key.answer.as_ref());
    ensure!(answer.is_some() == keeps, "{reply:?} left {answer:?} under its key");
    if let (Reply::Refused(code), Some(answer)) = (reply, answer) {
        ensure!(kept_code(answer)? == *code, "{code} was answered and {} kept", answer.body);
    }
    Ok(())
}

/// The receipt of an order.
pub(super) fn receipt_of(order: &SeenOrder) -> String {
    kernel::PaymentOrderId::from(order.id).uuid().to_string()
}
