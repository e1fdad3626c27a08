//! Changing settings: checked, recorded, told.

use kernel::{Caller, InvalidInput};
use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};
use store::{NewEvent, append_event_in_txn, audit};

use super::rows::{self, Row};
use super::{Definition, SettingView, Settings, settings};
use crate::PlatformError;

impl Settings {
    /// Changes a setting. With `expected` the change is made only while the setting is at that version; 0 is the
    /// version of one that was never changed. Setting the value it has changes nothing.
    ///
    /// # Errors
    /// [`PlatformError::Unknown`], [`PlatformError::Invalid`] naming the key, [`PlatformError::OutOfDate`].
    pub async fn set(
        &self,
        caller: &Caller,
        key: &str,
        value: &Json,
        expected: Option<i64>,
    ) -> Result<SettingView, PlatformError> {
        let (definition, value) = check(key, value)?;
        let result = self
            .db
            .in_txn(async |txn| {
                let row = self.lock(txn, caller, definition).await?;
                match expected {
                    Some(version) if version != row.version => {
                        Err(PlatformError::OutOfDate { current: row.version })
                    }
                    _ => self.write(txn, caller, definition, &row, &value).await,
                }
            })
            .await;
        // Also after an error: a commit whose answer was lost may have been made.
        self.cache.forget();
        Ok(SettingView::new(definition, Some(&result?)))
    }

    /// Gives each setting the value, unless it was ever changed; gives how many were set. Safe to repeat, also by
    /// several processes at once.
    ///
    /// # Errors
    /// As [`set`](Self::set); then nothing was set.
    pub async fn seed(&self, caller: &Caller, values: &[(&str, Json)]) -> Result<usize, PlatformError> {
        let mut checked =
            values.iter().map(|(key, value)| check(key, value)).collect::<Result<Vec<_>, _>>()?;
        // Rows are locked in one order, whoever seeds.
        checked.sort_by_key(|(definition, _)| definition.key);
        let result = self
            .db
            .in_txn(async |txn| {
                let mut set = 0;
                for (definition, value) in &checked {
                    let row = self.lock(txn, caller, definition).await?;
                    if row.version == 0 {
                        self.write(txn, caller, definition, &row, value).await?;
                        set += 1;
                    }
                }
                Ok::<_, PlatformError>(set)
            })
            .await;
        self.cache.forget();
        result
    }

    async fn lock(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        definition: &Definition,
    ) -> Result<Row, PlatformError> {
        Ok(rows::lock(txn, definition, self.ambient.now(), &caller.actor.name()).await?)
    }

    async fn write(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        definition: &Definition,
        before: &Row,
        value: &Json,
    ) -> Result<Row, PlatformError> {
        // A first change to the default is one all the same: the default may be another in the next version.
        if before.version > 0 && before.value == *value {
            return Ok(before.clone());
        }
        let after = Row {
            key: definition.key.to_owned(),
            value: value.clone(),
            version: before.version + 1,
            updated_at: self.ambient.now(),
            updated_by: caller.actor.name(),
        };
        rows::write(txn, &after).await?;
        let record = audit::Entry {
            caller,
            action: "setting.changed",
            subject_kind: "setting",
            subject_id: definition.key.to_owned(),
            before: json!({ "value": before.value, "version": before.version }),
            after: json!({ "value": after.value, "version": after.version }),
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        let event = NewEvent {
            subject: format!("setting:{}", definition.key),
            kind: "settings.updated",
            payload: json!({
                "key": definition.key,
                "value": after.value,
                "version": after.version,
                "public": definition.is_public,
            }),
        };
        append_event_in_txn(txn, &self.ambient, event).await?;
        Ok(after)
    }
}

fn check(key: &str, value: &Json) -> Result<(&'static Definition, Json), PlatformError> {
    let definition = settings::find(key).ok_or(PlatformError::Unknown)?;
    let value = definition.rule.check(value).map_err(|error| InvalidInput(vec![error.of(key)]))?;
    Ok((definition, value))
}
