//! Staff's work on templates: look, change, try out, reset.

use kernel::{Caller, Permission};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value as Json, json};
use store::{Engine as DbEngine, audit};

use super::rows::{self, Row};
use super::{Rendered, TemplateKey, TemplateParts, TemplateView, defaults, rendered, rules};
use crate::error::require;
use crate::{Channel, Kind, Language, Notify, NotifyError};

impl Notify {
    /// Every template, in the catalogue's order: what holds, and whether staff changed it.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], or when the database fails.
    pub async fn templates(&self, caller: &Caller) -> Result<Vec<TemplateView>, NotifyError> {
        require(caller, Permission::TemplatesManage)?;
        let stored = rows::all(self.db.reader()?).await?;
        let mut views = Vec::new();
        for kind in Kind::all() {
            for channel in Channel::ALL {
                for language in Language::ALL {
                    let key = TemplateKey { kind, channel, language };
                    views.push(view(key, stored.iter().find(|row| row.key == key)));
                }
            }
        }
        Ok(views)
    }

    /// One template.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], or when the database fails.
    pub async fn template(&self, caller: &Caller, key: TemplateKey) -> Result<TemplateView, NotifyError> {
        require(caller, Permission::TemplatesManage)?;
        Ok(view(key, rows::find(self.db.reader()?, key, "").await?.as_ref()))
    }

    /// Puts a template in the default's place. With `expected` only while it is at that version; 0 is the version of
    /// one that was never changed.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::Invalid`] naming each text that is wrong,
    /// [`NotifyError::VersionMismatch`].
    pub async fn set_template(
        &self,
        caller: &Caller,
        key: TemplateKey,
        parts: TemplateParts,
        expected: Option<i64>,
    ) -> Result<TemplateView, NotifyError> {
        require(caller, Permission::TemplatesManage)?;
        let parts = rules::check(&self.engine, key, parts)?;
        self.db
            .in_txn(async |txn| self.write_template(txn, caller, key, Some(parts.clone()), expected).await)
            .await
    }

    /// Puts the default back.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::VersionMismatch`], or when the database fails.
    pub async fn reset_template(
        &self,
        caller: &Caller,
        key: TemplateKey,
        expected: Option<i64>,
    ) -> Result<TemplateView, NotifyError> {
        require(caller, Permission::TemplatesManage)?;
        self.db.in_txn(async |txn| self.write_template(txn, caller, key, None, expected).await).await
    }

    /// A template filled in with samples; the one that holds, unless another is given to be tried out.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::Invalid`] naming each text that is wrong.
    pub async fn preview_template(
        &self,
        caller: &Caller,
        key: TemplateKey,
        parts: Option<TemplateParts>,
    ) -> Result<Rendered, NotifyError> {
        require(caller, Permission::TemplatesManage)?;
        let parts = match parts {
            Some(parts) => rules::check(&self.engine, key, parts)?,
            None => self.template(caller, key).await?.parts,
        };
        rendered::preview(&self.engine, key, &parts, &self.config.brand)
    }

    async fn write_template(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        key: TemplateKey,
        parts: Option<TemplateParts>,
        expected: Option<i64>,
    ) -> Result<TemplateView, NotifyError> {
        let lock = DbEngine::of(txn.get_database_backend()).for_update();
        let before = rows::find(txn, key, lock).await?;
        let version = before.as_ref().map_or(0, |row| row.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(NotifyError::VersionMismatch);
        }
        let holds = before.as_ref().filter(|row| row.active).map(|row| &row.parts);
        if holds == parts.as_ref() {
            return Ok(view(key, before.as_ref()));
        }
        let row = Row {
            key,
            active: parts.is_some(),
            parts: parts.unwrap_or_else(|| defaults::of(key)),
            version: version + 1,
            updated_at: self.ambient.now(),
            updated_by: caller.actor.name(),
        };
        if before.is_some() {
            rows::update(txn, &row).await?;
        } else if !rows::insert(txn, &row).await? {
            // Two first changes at once: the other one was quicker, and this one was made without having seen it.
            return Err(NotifyError::VersionMismatch);
        }
        let record = audit::Entry {
            caller,
            action: if row.active { "template.changed" } else { "template.reset" },
            subject_kind: "template",
            subject_id: subject(key),
            before: holds.map_or(Json::Null, |parts| json!(parts)),
            after: if row.active { json!(row.parts) } else { Json::Null },
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        Ok(view(key, Some(&row)))
    }
}

/// A key as the audit log names it: `listing.approved/sms/hi`.
fn subject(key: TemplateKey) -> String {
    format!("{}/{}/{}", key.kind.as_str(), key.channel.as_str(), key.language.tag())
}

fn view(key: TemplateKey, row: Option<&Row>) -> TemplateView {
    let own = row.filter(|row| row.active);
    TemplateView {
        kind: key.kind.as_str(),
        channel: key.channel,
        language: key.language.tag(),
        parts: own.map_or_else(|| defaults::of(key), |row| row.parts.clone()),
        overridden: own.is_some(),
        version: row.map_or(0, |row| row.version),
        updated_at: row.map(|row| row.updated_at),
        updated_by: row.map(|row| row.updated_by.clone()),
    }
}
