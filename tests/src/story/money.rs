//! Money comes in, is spent, and goes back: a seller tops the wallet up and boosts the listing, and staff refund a part
//! of the payment.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kernel::Money;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Stage;
use super::selling::Offer;
use crate::people::Person;

const TOP_UP: Money = Money::inr(50_000);
const REFUND: Money = Money::inr(10_000);

/// How often, and with what pause, a refund is looked at until Razorpay has processed it.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Wallet {
    available: Money,
    held: Money,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    razorpay_order_id: String,
}

/// What the checkout gives to the page, and the page to the marketplace.
#[derive(Deserialize, Serialize)]
struct Checkout {
    razorpay_order_id: String,
    razorpay_payment_id: String,
    razorpay_signature: String,
}

#[derive(Deserialize)]
struct Plans {
    data: Vec<Plan>,
}

#[derive(Deserialize)]
struct Plan {
    id: String,
    slug: String,
    name: String,
    price: Money,
    days: u32,
}

#[derive(Deserialize)]
struct Boosted {
    boost: Boost,
    wallet: Wallet,
}

#[derive(Deserialize)]
struct Boost {
    id: String,
    status: String,
    cgst: Money,
    sgst: Money,
}

#[derive(Deserialize)]
struct Payments {
    data: Vec<Payment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    id: String,
    provider_payment_id: String,
}

#[derive(Deserialize)]
struct Refunds {
    data: Vec<Refund>,
}

#[derive(Deserialize)]
struct Refund {
    status: String,
}

/// The seller pays into the wallet through Razorpay's checkout, which the sandbox plays. Gives Razorpay's name of the
/// payment.
pub(super) async fn seller_tops_up(stage: &mut Stage, seller: &Person) -> anyhow::Result<String> {
    stage.tale.step(format!("Asha wants to top her wallet up by {TOP_UP}."));
    let call = stage.gateway.post("/api/payments/order").bearer(&seller.access).keyed(&new_key(stage));
    let order: Order = call.json(&json!({ "amount": TOP_UP.amount() })).send().await?;
    stage.tale.saw(format!("Razorpay has the order {}.", order.razorpay_order_id));
    stage.tale.step("Asha pays it by UPI in Razorpay's checkout.");
    let path = format!("/control/orders/{}/pay", order.razorpay_order_id);
    let pay = stage.sandbox.post(path).json(&json!({ "outcome": "success" }));
    let checkout: Checkout = pay.send().await?;
    stage
        .tale
        .saw(format!("The checkout gave the payment {} with a signature.", checkout.razorpay_payment_id));
    stage.tale.step("Her browser hands that to the marketplace, twice; the webhook comes, too.");
    let verify = || stage.gateway.post("/api/payments/verify").bearer(&seller.access).json(&checkout).send();
    let once: Wallet = verify().await?;
    let twice: Wallet = verify().await?;
    ensure!(once.available == TOP_UP, "the wallet holds {} after the top-up", once.available);
    ensure!(twice == once, "the wallet holds {} after the second time", twice.available);
    stage.tale.saw(format!("The wallet holds {}, once.", once.available));
    Ok(checkout.razorpay_payment_id)
}

/// The seller buys a boost for the listing, and presses the button twice.
pub(super) async fn seller_boosts(stage: &mut Stage, seller: &Person, offer: &Offer) -> anyhow::Result<()> {
    stage.tale.step("Asha looks at the boost plans.");
    let plans: Plans = stage.gateway.get("/api/boost-plans").send().await?;
    let plan = plans.data.into_iter().find(|plan| plan.slug == "standard");
    let plan = plan.context("there is no plan with the slug standard: run `gateway seed`")?;
    stage.tale.saw(format!("{} costs {} for {} days, tax included.", plan.name, plan.price, plan.days));
    stage.tale.step(format!("Asha boosts \"{}\", and presses the button twice.", offer.title));
    let path = format!("/api/listings/{}/boost", offer.id);
    let (key, body) = (new_key(stage), json!({ "planId": plan.id }));
    let press = || stage.gateway.post(&path).bearer(&seller.access).keyed(&key).json(&body).send();
    let first: Boosted = press().await?;
    let second: Boosted = press().await?;
    ensure!(first.boost.status == "RUNNING", "the boost is {}, not RUNNING", first.boost.status);
    ensure!(second.boost.id == first.boost.id, "a second boost was sold under one Idempotency-Key");
    let left = wallet(stage, seller).await?;
    let expected = TOP_UP.checked_sub(plan.price)?;
    ensure!(left.available == expected, "{} are left, not {expected}", left.available);
    ensure!(first.wallet == left, "the answer told of another wallet than there is");
    let (cgst, sgst) = (first.boost.cgst, first.boost.sgst);
    stage.tale.saw(format!(
        "It runs, and was paid once: {cgst} CGST and {sgst} SGST in it; {} are left.",
        left.available
    ));
    Ok(())
}

/// Staff send a part of the payment back to where it came from.
pub(super) async fn staff_refund_a_part(
    stage: &mut Stage,
    admin: &Person,
    seller: &Person,
    provider_payment_id: &str,
) -> anyhow::Result<()> {
    let before = wallet(stage, seller).await?;
    stage.tale.step(format!("Asha paid too much and asks for {REFUND} back; the super admin refunds it."));
    let payments: Payments = stage.gateway.get("/api/payments").bearer(&seller.access).send().await?;
    let payment =
        payments.data.into_iter().find(|payment| payment.provider_payment_id == provider_payment_id);
    let payment = payment.context("the payment is not in the seller's list")?.id;
    let body =
        json!({ "paymentId": payment, "amount": REFUND.amount(), "reason": "paid more than was meant" });
    let call = stage.gateway.post("/api/payments/refund").bearer(&admin.access).keyed(&new_key(stage));
    let refund: Refund = call.json(&body).send().await?;
    stage
        .tale
        .saw(format!("The refund is {}. Until Razorpay has processed it, the money is held.", refund.status));
    stage.tale.step("Razorpay processes it, and its webhook tells.");
    refund_is_processed(stage, seller, &payment).await?;
    let after = wallet(stage, seller).await?;
    let expected = before.available.checked_sub(REFUND)?;
    ensure!(after.available == expected, "{} are left, not {expected}", after.available);
    ensure!(after.held == Money::inr(0), "{} are still held", after.held);
    stage.tale.saw(format!("It went back to the source; {} are left, nothing is held.", after.available));
    Ok(())
}

async fn refund_is_processed(stage: &Stage, seller: &Person, payment: &str) -> anyhow::Result<()> {
    let path = format!("/api/payments/{payment}/refunds");
    for _ in 0..LOOKS {
        let refunds: Refunds = stage.gateway.get(&path).bearer(&seller.access).send().await?;
        match refunds.data.as_slice() {
            [refund] if refund.status == "PROCESSED" => return Ok(()),
            [refund] if refund.status == "FAILED" => bail!("the refund failed"),
            [_] => tokio::time::sleep(PAUSE).await,
            others => bail!("the payment has {} refunds, not one", others.len()),
        }
    }
    bail!(
        "the refund was not processed within {} s: does the webhook reach the gateway?",
        (LOOKS * PAUSE).as_secs()
    )
}

async fn wallet(stage: &Stage, person: &Person) -> anyhow::Result<Wallet> {
    Ok(stage.gateway.get("/api/wallet").bearer(&person.access).send().await?)
}

/// A name for a request, so that repeating it is safe.
fn new_key(stage: &Stage) -> String {
    stage.ambient.new_uuid().to_string()
}
