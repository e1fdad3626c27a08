//! The SQL of preferences.

use chrono::{DateTime, Utc};
use kernel::{TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, insert_if_absent};

use super::{Preference, QuietHours};
use crate::{Category, Channel, Kind};

/// What somebody has chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choices {
    pub(super) preferences: Vec<Preference>,
    pub(super) quiet_hours: Option<QuietHours>,
}

impl Choices {
    /// Whether the category goes by the way, if that was chosen.
    pub(super) fn chosen(&self, category: Category, channel: Channel) -> Option<bool> {
        self.preferences
            .iter()
            .find(|choice| choice.category == category && choice.channel == channel)
            .map(|choice| choice.enabled)
    }

    /// Whether a kind goes by the way: by its own ways when it is critical or nothing was chosen.
    pub(crate) fn lets(&self, kind: Kind, channel: Channel) -> bool {
        let by_itself = kind.spec().channels.contains(&channel);
        if kind.is_critical() {
            return by_itself;
        }
        let category = kind.category();
        match self.chosen(category, channel) {
            // What is on by default is that of some kinds or of all, and a choice equal to the default changes nothing;
            // only a way that none of them goes by is opened to each.
            Some(true) if !category.is_on_by_default(channel) => true,
            Some(false) => false,
            _ => by_itself,
        }
    }

    /// When a message of the kind may go that is ready now.
    pub(crate) fn not_before(&self, kind: Kind, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.quiet_hours {
            Some(hours) if !kind.is_critical() => hours.end_after(now).unwrap_or(now),
            _ => now,
        }
    }
}

/// What somebody has chosen, by which every message of theirs is measured.
pub(crate) async fn load(db: &impl ConnectionTrait, user: UserId) -> Result<Choices, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let select = engine.statement(
        "SELECT category, channel, enabled FROM notification_preferences WHERE user_id = ?",
        [user.uuid().into()],
    );
    let mut preferences = Vec::new();
    for row in db.query_all_raw(select).await? {
        // A category that is gone means nothing any more.
        preferences.extend(read(&row)?);
    }
    let select = engine.statement(
        "SELECT start_minute, end_minute FROM notification_quiet_hours WHERE user_id = ?",
        [user.uuid().into()],
    );
    let quiet_hours = match db.query_one_raw(select).await? {
        Some(row) => {
            let (start, end): (i32, i32) = (row.try_get("", "start_minute")?, row.try_get("", "end_minute")?);
            QuietHours::of_minutes(start.unsigned_abs(), end.unsigned_abs())
        }
        None => None,
    };
    Ok(Choices { preferences, quiet_hours })
}

fn read(row: &QueryResult) -> Result<Option<Preference>, StoreError> {
    let (category, channel): (String, String) = (row.try_get("", "category")?, row.try_get("", "channel")?);
    let (Ok(category), Ok(channel)) = (category.parse(), channel.parse()) else {
        return Ok(None);
    };
    Ok(Some(Preference { category, channel, enabled: row.try_get("", "enabled")? }))
}

/// Keeps a choice.
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
    let minute = |minutes: u32| sea_orm::Value::from(i32::try_from(minutes).unwrap_or_default());
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
