//! The story: somebody tops up, and staff refund a part of it.

use std::time::Duration;

use anyhow::bail;
use serde_json::json;

use super::super::desk::{Answer, Desk};
use super::super::{PAUSE, Staff, deadlines};
use super::Telling;
use crate::people::Person;

/// Paise.
const TOP_UP: i64 = 50_000;
const REFUND: i64 = 20_000;

/// The payment is authorized, so that capturing it is a step of its own.
pub(super) async fn tell(desk: &Desk, staff: &Staff, user: &Person, telling: Telling) -> anyhow::Result<()> {
    let order = desk.order(user, &desk.place.new_key(), TOP_UP).await?;
    let pay = json!({ "outcome": "authorized", "webhooks": telling == Telling::Webhook });
    let checkout = desk.pay(&order, &pay).await?;
    match telling {
        Telling::Checkout => drop(desk.verify(user, &checkout).await?),
        Telling::Webhook => wallet_holds(desk, user, TOP_UP).await?,
        Telling::Poller => tokio::select! {
            credited = wallet_holds(desk, user, TOP_UP) => credited?,
            failed = keep_polling(desk) => failed?,
        },
    }
    let payment = desk.payment(user, &checkout.razorpay_payment_id).await?;
    let key = desk.place.new_key();
    if let Answer::Refused(problem) = desk.refund(&staff.person, &key, &payment, REFUND).await? {
        bail!("the refund was refused: {problem}");
    }
    wallet_holds(desk, user, TOP_UP - REFUND).await
}

/// Waits until the wallet has settled to so much.
async fn wallet_holds(desk: &Desk, user: &Person, paise: i64) -> anyhow::Result<()> {
    loop {
        let wallet = desk.wallet(user).await?;
        if (wallet.available.amount(), wallet.held.amount()) == (paise, 0) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn keep_polling(desk: &Desk) -> anyhow::Result<()> {
    loop {
        deadlines::pollers_look(&desk.place).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
