//! Reading settings: typed and cached for the code, as a list for people.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::ConnectionTrait;
use serde_json::Value as Json;
use store::StoreError;

use super::cache::Overrides;
use super::rows::{self, Row};
use super::{Definition, Setting, SettingChangeView, SettingValue, SettingView, Settings, settings};
use crate::PlatformError;

impl Settings {
    /// The setting's value. It is at most [`Self::SEEN_WITHIN`] old; while the database does not answer it is the one
    /// read last, or the default.
    ///
    /// Ask before a transaction, or in one with [`get_in_txn`](Self::get_in_txn): inside it there is no second
    /// connection to read with.
    pub async fn get<T: SettingValue>(&self, setting: &Setting<T>) -> T {
        let overrides = self.overrides().await;
        setting.value(overrides.get(setting.definition.key))
    }

    /// The setting's value as the transaction sees it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_in_txn<T: SettingValue>(
        &self,
        txn: &impl ConnectionTrait,
        setting: &Setting<T>,
    ) -> Result<T, PlatformError> {
        let row = rows::find(txn, setting.definition.key, "").await?;
        Ok(setting.value(row.as_ref().and_then(|row| valid(&setting.definition, row)).as_ref()))
    }

    /// Every setting, in the order of the settings page.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<SettingView>, PlatformError> {
        let stored = rows::all(self.db.reader()?).await?;
        let stored: HashMap<_, _> = stored.iter().map(|row| (row.key.as_str(), row)).collect();
        Ok(settings::ALL
            .iter()
            .map(|definition| SettingView::new(definition, stored.get(definition.key).copied()))
            .collect())
    }

    /// One setting.
    ///
    /// # Errors
    /// [`PlatformError::Unknown`] when there is none of that key.
    pub async fn find(&self, key: &str) -> Result<SettingView, PlatformError> {
        let definition = settings::find(key).ok_or(PlatformError::Unknown)?;
        let row = rows::find(self.db.reader()?, key, "").await?;
        Ok(SettingView::new(definition, row.as_ref()))
    }

    /// The values that everybody may read, by key.
    pub async fn public(&self) -> HashMap<&'static str, Json> {
        let overrides = self.overrides().await;
        settings::ALL
            .iter()
            .filter(|definition| definition.is_public)
            .map(|definition| {
                let value = overrides.get(definition.key).cloned();
                (definition.key, value.unwrap_or_else(|| definition.default_value()))
            })
            .collect()
    }

    /// What the setting was changed to, latest first, at most `limit` changes.
    ///
    /// # Errors
    /// [`PlatformError::Unknown`] when there is none of that key.
    pub async fn history(&self, key: &str, limit: u32) -> Result<Vec<SettingChangeView>, PlatformError> {
        settings::find(key).ok_or(PlatformError::Unknown)?;
        let rows = rows::history(self.db.reader()?, key, limit).await?;
        Ok(rows.into_iter().map(SettingChangeView::from).collect())
    }

    async fn overrides(&self) -> Overrides {
        let now = self.ambient.now();
        if let Some(overrides) = self.cache.fresh(now) {
            return overrides;
        }
        let changes = self.cache.changes();
        let overrides = match self.load().await {
            Ok(overrides) => overrides,
            Err(error) => {
                tracing::error!(%error, "settings could not be read; what was read last goes on to hold");
                match self.cache.last() {
                    Some(last) => last,
                    None => return Overrides::default(),
                }
            }
        };
        self.cache.keep(changes, now, &overrides);
        overrides
    }

    async fn load(&self) -> Result<Overrides, StoreError> {
        let rows = rows::all(self.db.reader()?).await?;
        // A key that this version does not know belongs to another version: it stays as it is.
        let known = rows.iter().filter_map(|row| {
            let definition = settings::find(&row.key)?;
            Some((definition.key, valid(definition, row)?))
        });
        Ok(Arc::new(known.collect()))
    }
}

/// The stored value, if it still fits.
pub(super) fn valid(definition: &Definition, row: &Row) -> Option<Json> {
    match definition.rule.check(&row.value) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::error!(setting = definition.key, %error, "a stored setting is not valid; its default holds");
            None
        }
    }
}
