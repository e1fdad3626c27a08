//! How much somebody gets on one day: a counter per way, changed by guarded statements alone, so that no number of
//! parallel events gets past it.

use chrono::NaiveDate;
use kernel::{TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use store::{Engine, StoreError, insert_if_absent};

use crate::Channel;

/// Counts one more message, unless the day is full; tells whether it may go.
pub(crate) async fn take_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    channel: Channel,
    day: NaiveDate,
    cap: u32,
) -> Result<bool, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let key = || -> [Value; 3] { [user.uuid().into(), channel.as_str().into(), day.to_string().into()] };
    let add = async || {
        let cap = i32::try_from(cap).unwrap_or(i32::MAX);
        let update = engine.statement(
            "UPDATE notification_counters SET n = n + 1 WHERE user_id = ? AND channel = ? AND day = ? AND n < ?",
            key().into_iter().chain([cap.into()]),
        );
        Ok::<_, StoreError>(txn.execute_raw(update).await?.rows_affected() == 1)
    };
    if cap == 0 {
        return Ok(false);
    }
    if add().await? {
        return Ok(true);
    }
    let insert = engine
        .statement("INSERT INTO notification_counters (user_id, channel, day, n) VALUES (?, ?, ?, 1)", key());
    if insert_if_absent(txn, insert).await? {
        return Ok(true);
    }
    // The row may have been made by another event since the first look.
    add().await
}
