//! Time that passes. What a dead process held is held until its lease runs out, and what nobody told of is looked for
//! after minutes; a run does not wait for either. Nobody who is alive loses anything by it: there is one gateway, and
//! it is dead when its leases are ended here.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sea_orm::{ConnectionTrait, Value};
use store::{Database, NewJob, StoreError, enqueue_in_txn};

use super::{PATIENCE, PAUSE, Place};

/// How often the pollers are sent.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Ends the leases of a gateway that died, on keys and on webhooks.
pub(super) async fn leases_run_out(place: &Place) -> Result<(), StoreError> {
    let now = place.ambient.now();
    let ends = [
        "UPDATE idempotency_keys SET lease_until = ? WHERE status IS NULL AND lease_until > ?",
        "UPDATE webhook_events SET next_at = ? WHERE next_at > ?",
    ];
    for end in ends {
        change(place, end, [now.into(), now.into()]).await?;
    }
    ask_for(place, &[payments::WEBHOOK_JOB]).await
}

/// Has the pollers look now at every order that is not paid, and at every refund under way. They take each for minutes, and
/// would take it again: this is not to be asked for all the time.
pub(super) async fn pollers_look(place: &Place) -> Result<(), StoreError> {
    let now = place.ambient.now();
    let due = [
        "UPDATE payment_orders SET next_poll_at = ? WHERE next_poll_at > ? AND status <> 'paid'",
        "UPDATE refunds SET next_poll_at = ? WHERE next_poll_at > ?",
    ];
    for due in due {
        change(place, due, [now.into(), now.into()]).await?;
    }
    ask_for(place, &[marketplace::POLL_ORDERS_JOB, marketplace::POLL_REFUNDS_JOB]).await
}

/// Lets time pass until so many payments are credited, every refund has ended, and every webhook has come and was worked
/// off.
///
/// # Errors
/// When that does not happen.
pub async fn settle(place: &Place, payments: usize) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut next_look = began;
    let wanted = i64::try_from(payments)?;
    loop {
        let credited = count(&place.db, "payments WHERE outcome = 'credited'").await?;
        let refunds = count(&place.db, "refunds WHERE status NOT IN ('processed', 'failed')").await?;
        let webhooks = count(&place.db, "webhook_events WHERE state = 'new'").await?;
        if (credited, refunds, webhooks) == (wanted, 0, 0) && place.razorpay.is_silent().await? {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!(
                "{credited} of {wanted} payments are credited, {refunds} refunds and {webhooks} webhooks are left"
            );
        }
        if next_look <= Instant::now() {
            pollers_look(place).await?;
            next_look = Instant::now() + LOOK_EVERY;
        }
        tokio::time::sleep(PAUSE * 10).await;
    }
}

/// How many rows there are; `of` is a table, and which of its rows.
pub(super) async fn count(db: &Database, of: &str) -> anyhow::Result<i64> {
    let select = db.engine().statement(&format!("SELECT COUNT(*) AS rows_there FROM {of}"), []);
    let row = db.reader()?.query_one_raw(select).await?.context("a count has one row")?;
    Ok(row.try_get("", "rows_there")?)
}

async fn change(place: &Place, sql: &str, values: [Value; 2]) -> Result<(), StoreError> {
    let change = place.db.engine().statement(sql, values);
    place.db.in_txn(async |txn| Ok(txn.execute_raw(change.clone()).await.map(drop)?)).await
}

async fn ask_for(place: &Place, kinds: &[&'static str]) -> Result<(), StoreError> {
    place
        .db
        .in_txn(async |txn| {
            for kind in kinds {
                enqueue_in_txn(txn, &place.ambient, NewJob::new(kind, serde_json::json!({}))).await?;
            }
            Ok(())
        })
        .await
}
