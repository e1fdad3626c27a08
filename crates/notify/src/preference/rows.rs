//! The SQL of preferences.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError, insert_if_absent, lists};
use uuid::Uuid;

use super::{Choices, KindPreference, Preference, QuietHours};
use crate::{Category, Channel, Kind};

/// What somebody has chosen, by which every message of theirs is measured.
pub(crate) async fn load(db: &impl ConnectionTrait, user: UserId) -> Result<Choices, StoreError> {
    Ok(load_all(db, &[user]).await?.remove(&user).unwrap_or_default())
}

/// What these people have chosen; who is missing has chosen nothing.
pub(crate) async fn load_all(
    db: &impl ConnectionTrait,
    users: &[UserId],
) -> Result<HashMap<UserId, Choices>, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let mut all: HashMap<UserId, Choices> = HashMap::new();
    for (these, some) in lists(users) {
        let ids = some.map(|user| Value::from(user.uuid()));
        let sql = format!(
            "SELECT user_id, 'category' AS level, category AS name, channel, enabled FROM notification_preferences \
             WHERE user_id IN ({these}) \
             UNION ALL \
             SELECT user_id, 'kind' AS level, kind AS name, channel, enabled FROM notification_kind_preferences \
             WHERE user_id IN ({these})"
        );
        for row in db.query_all_raw(engine.statement(&sql, ids.clone().chain(ids.clone()))).await? {
            read(&row, all.entry(user_of(&row)?).or_default())?;
        }
        let sql = format!(
            "SELECT user_id, start_minute, end_minute FROM notification_quiet_hours WHERE user_id IN ({these})"
        );
        for row in db.query_all_raw(engine.statement(&sql, ids)).await? {
            let (start, end): (i32, i32) = (row.try_get("", "start_minute")?, row.try_get("", "end_minute")?);
            let hours = QuietHours::of_minutes(start.unsigned_abs(), end.unsigned_abs());
            all.entry(user_of(&row)?).or_default().quiet_hours = hours;
        }
    }
    Ok(all)
}

fn user_of(row: &QueryResult) -> Result<UserId, StoreError> {
    Ok(row.try_get::<Uuid>("", "user_id")?.into())
}

/// Adds a row to the choices. A category, kind or way that is gone means nothing any more.
fn read(row: &QueryResult, choices: &mut Choices) -> Result<(), StoreError> {
    let text = |column| row.try_get::<String>("", column);
    let (level, name, enabled) = (text("level")?, text("name")?, row.try_get("", "enabled")?);
    let Ok(channel) = text("channel")?.parse::<Channel>() else { return Ok(()) };
    match level.as_str() {
        "kind" => {
            let kind = name.parse::<Kind>().ok();
            choices.kinds.extend(kind.map(|kind| KindPreference { kind, channel, enabled: Some(enabled) }));
        }
        _ => {
            let category = name.parse::<Category>().ok();
            choices.preferences.extend(category.map(|category| Preference { category, channel, enabled }));
        }
    }
    Ok(())
}

/// Keeps a choice about a category.
pub(super) async fn set(
    txn: &DatabaseTransaction,
    user: UserId,
    choice: Preference,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let insert = engine.statement(
        "INSERT INTO notification_preferences (user_id, category, channel, enabled, updated_at) \
         VALUES (?, ?, ?, ?, ?)",
        [
            user.uuid().into(),
            choice.category.as_str().into(),
            choice.channel.as_str().into(),
            choice.enabled.into(),
            now.into(),
        ],
    );
    if insert_if_absent(txn, insert).await? {
        return Ok(());
    }
    let update = engine.statement(
        "UPDATE notification_preferences SET enabled = ?, updated_at = ? \
         WHERE user_id = ? AND category = ? AND channel = ?",
        [
            choice.enabled.into(),
            now.into(),
            user.uuid().into(),
            choice.category.as_str().into(),
            choice.channel.as_str().into(),
        ],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Keeps a choice about a kind, or takes it away.
pub(super) async fn set_kind(
    txn: &DatabaseTransaction,
    user: UserId,
    choice: KindPreference,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let key = || -> [Value; 3] {
        [user.uuid().into(), choice.kind.as_str().into(), choice.channel.as_str().into()]
    };
    let Some(enabled) = choice.enabled else {
        let delete = engine.statement(
            "DELETE FROM notification_kind_preferences WHERE user_id = ? AND kind = ? AND channel = ?",
            key(),
        );
        txn.execute_raw(delete).await?;
        return Ok(());
    };
    let insert = engine.statement(
        "INSERT INTO notification_kind_preferences (user_id, kind, channel, enabled, updated_at) \
         VALUES (?, ?, ?, ?, ?)",
        key().into_iter().chain([enabled.into(), now.into()]),
    );
    if insert_if_absent(txn, insert).await? {
        return Ok(());
    }
    let update = engine.statement(
        "UPDATE notification_kind_preferences SET enabled = ?, updated_at = ? \
         WHERE user_id = ? AND kind = ? AND channel = ?",
        [enabled.into(), now.into()].into_iter().chain(key()),
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Keeps the quiet hours, or that there are none.
pub(super) async fn set_quiet_hours(
    txn: &DatabaseTransaction,
    user: UserId,
    hours: Option<QuietHours>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let Some((start, end)) = hours.map(QuietHours::minutes) else {
        let delete =
            engine.statement("DELETE FROM notification_quiet_hours WHERE user_id = ?", [user.uuid().into()]);
        txn.execute_raw(delete).await?;
        return Ok(());
    };
    let minute = |minutes: u32| Value::from(i32::try_from(minutes).unwrap_or_default());
    let insert = engine.statement(
        "INSERT INTO notification_quiet_hours (user_id, start_minute, end_minute, updated_at) VALUES (?, ?, ?, ?)",
        [user.uuid().into(), minute(start), minute(end), now.into()],
    );
    if insert_if_absent(txn, insert).await? {
        return Ok(());
    }
    let update = engine.statement(
        "UPDATE notification_quiet_hours SET start_minute = ?, end_minute = ?, updated_at = ? WHERE user_id = ?",
        [minute(start), minute(end), now.into(), user.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}
