//! Staff's work on endpoints. Each change is recorded, with the address and without the secret.

use chrono::{DateTime, Utc};
use kernel::{Caller, FieldErrors, HookId, InvalidInput, Permission, Sealed, TypedId, bounded_text};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use store::{Engine, audit};

use super::rows::{self, Row};
use super::{HookStatus, HookUrl, HookView, Topic, secret};
use crate::error::require;
use crate::{Notify, NotifyError};

/// The most topics of one endpoint, and the most endpoints: each event is measured by all of them.
const MAX_TOPICS: usize = 50;
const MAX_HOOKS: usize = 100;

/// An endpoint to be made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookInput {
    url: HookUrl,
    description: String,
    topics: Vec<Topic>,
}

impl HookInput {
    /// Reads an endpoint. `allow_loopback` is [`NotifyConfig::hooks_to_loopback`](crate::NotifyConfig).
    ///
    /// # Errors
    /// With every field that is wrong.
    pub fn parse(
        url: &str,
        description: &str,
        topics: &[String],
        allow_loopback: bool,
    ) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        let url = errors.check("url", HookUrl::parse(url, allow_loopback));
        let description = errors.check("description", bounded_text(description, 0, 200, false));
        let mut parsed = Vec::new();
        for (index, topic) in topics.iter().enumerate() {
            parsed.extend(errors.check(&format!("topics.{index}"), Topic::parse(topic)));
        }
        if topics.is_empty() || topics.len() > MAX_TOPICS {
            errors.add("topics", "invalid_length", format!("must be 1 to {MAX_TOPICS} topics"));
        }
        parsed.sort();
        parsed.dedup();
        match (url, description) {
            (Some(url), Some(description)) if errors.is_empty() => {
                Ok(Self { url, description, topics: parsed })
            }
            _ => Err(errors.into_error()),
        }
    }
}

/// An endpoint that was made or got a new secret, which is shown this once.
#[derive(Debug)]
pub struct NewHook {
    /// The endpoint.
    pub hook: HookView,
    /// What its webhooks are signed with: `whsec_…`.
    pub secret: SecretString,
}

/// Where a secret is sealed for.
pub(super) fn place(id: HookId) -> String {
    format!("hook_endpoints|secret|{id}")
}

impl Notify {
    /// All endpoints, in the order they were made.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], or when the database fails.
    pub async fn hooks(&self, caller: &Caller) -> Result<Vec<HookView>, NotifyError> {
        require(caller, Permission::WebhooksManage)?;
        let rows = rows::select(self.db.reader()?, "1 = 1 ORDER BY id", Vec::new()).await?;
        Ok(rows.into_iter().map(|row| row.view).collect())
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::HookNotFound`].
    pub async fn hook(&self, caller: &Caller, id: HookId) -> Result<HookView, NotifyError> {
        require(caller, Permission::WebhooksManage)?;
        let found = rows::select(self.db.reader()?, "id = ?", vec![id.uuid().into()]).await?;
        found.into_iter().next().map(|row| row.view).ok_or(NotifyError::HookNotFound)
    }

    /// Makes an endpoint.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`]; a conflict when there are as many as there may be.
    pub async fn create_hook(&self, caller: &Caller, input: &HookInput) -> Result<NewHook, NotifyError> {
        require(caller, Permission::WebhooksManage)?;
        self.db.in_txn(async |txn| self.create_hook_in_txn(txn, caller, input).await).await
    }

    async fn create_hook_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        input: &HookInput,
    ) -> Result<NewHook, NotifyError> {
        if rows::select(txn, "1 = 1", Vec::new()).await?.len() >= MAX_HOOKS {
            return Err(NotifyError::conflict(
                "too_many_hooks",
                "there are 100 endpoints already: remove one",
            ));
        }
        let now = self.ambient.now();
        let id = self.ambient.new_id();
        let (secret, sealed) = self.fresh_secret(id)?;
        let view = HookView {
            id,
            url: String::new(),
            description: String::new(),
            topics: Vec::new(),
            status: HookStatus::Enabled,
            old_secret_until: None,
            failing_since: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let row = Row { view, topics: Vec::new(), secret: sealed, old_secret: None }.with(input);
        rows::insert(txn, &row).await?;
        self.record_hook(txn, caller, "hook.created", None, Some(&row.view)).await?;
        Ok(NewHook { hook: row.view, secret })
    }

    /// Changes an endpoint. With `expected` only while it is at that version.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::HookNotFound`], [`NotifyError::VersionMismatch`].
    pub async fn update_hook(
        &self,
        caller: &Caller,
        id: HookId,
        input: &HookInput,
        expected: Option<i64>,
    ) -> Result<HookView, NotifyError> {
        self.change_hook(caller, id, expected, "hook.changed", |row, _| Ok(row.with(input))).await
    }

    /// Switches an endpoint on or off. Switched on, one that failed gets all its time anew.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::HookNotFound`].
    pub async fn switch_hook(&self, caller: &Caller, id: HookId, on: bool) -> Result<HookView, NotifyError> {
        let (status, action) =
            if on { (HookStatus::Enabled, "hook.enabled") } else { (HookStatus::Disabled, "hook.disabled") };
        self.change_hook(caller, id, None, action, |mut row, _| {
            row.view.status = status;
            row.view.failing_since = None;
            Ok(row)
        })
        .await
    }

    /// Gives an endpoint a new secret. The old one signs beside it for a while, so that the receiver can change over.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::HookNotFound`].
    pub async fn rotate_hook_secret(&self, caller: &Caller, id: HookId) -> Result<NewHook, NotifyError> {
        let (secret, sealed) = self.fresh_secret(id)?;
        let overlap = self.config.hook_overlap;
        let hook = self
            .change_hook(caller, id, None, "hook.secret_rotated", |mut row, now| {
                row.old_secret = Some(std::mem::replace(&mut row.secret, sealed.clone()));
                row.view.old_secret_until = Some(now + overlap);
                Ok(row)
            })
            .await?;
        Ok(NewHook { hook, secret })
    }

    /// Removes an endpoint with its log.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::HookNotFound`].
    pub async fn delete_hook(&self, caller: &Caller, id: HookId) -> Result<(), NotifyError> {
        require(caller, Permission::WebhooksManage)?;
        self.db
            .in_txn(async |txn| {
                let row = rows::lock(txn, id).await?.ok_or(NotifyError::HookNotFound)?;
                let delete = Engine::of(txn.get_database_backend())
                    .statement("DELETE FROM hook_endpoints WHERE id = ?", [id.uuid().into()]);
                txn.execute_raw(delete).await?;
                self.record_hook(txn, caller, "hook.deleted", Some(&row.view), None).await
            })
            .await
    }

    async fn change_hook(
        &self,
        caller: &Caller,
        id: HookId,
        expected: Option<i64>,
        action: &'static str,
        change: impl Fn(Row, DateTime<Utc>) -> Result<Row, NotifyError> + Clone,
    ) -> Result<HookView, NotifyError> {
        require(caller, Permission::WebhooksManage)?;
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                let before = rows::lock(txn, id).await?.ok_or(NotifyError::HookNotFound)?;
                if expected.is_some_and(|expected| expected != before.view.version) {
                    return Err(NotifyError::VersionMismatch);
                }
                let mut after = change(before.clone(), now)?;
                after.view.version += 1;
                after.view.updated_at = now;
                rows::update(txn, &after).await?;
                self.record_hook(txn, caller, action, Some(&before.view), Some(&after.view)).await?;
                Ok(after.view)
            })
            .await
    }

    fn fresh_secret(&self, id: HookId) -> Result<(SecretString, Sealed), NotifyError> {
        let secret = secret::fresh(&self.ambient);
        let sealed =
            self.config.sealing.seal(&self.ambient, &place(id), secret.expose_secret().as_bytes())?;
        Ok((secret, sealed))
    }

    async fn record_hook(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        action: &'static str,
        before: Option<&HookView>,
        after: Option<&HookView>,
    ) -> Result<(), NotifyError> {
        let shown = |view: Option<&HookView>| {
            view.map_or(Json::Null, |view| {
                json!({"url": view.url, "topics": view.topics, "status": view.status, "version": view.version})
            })
        };
        let id = after.or(before).map(|view| view.id.to_string()).unwrap_or_default();
        let record = audit::Entry {
            caller,
            action,
            subject_kind: "hook",
            subject_id: id,
            before: shown(before),
            after: shown(after),
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        Ok(())
    }
}

impl Row {
    fn with(mut self, input: &HookInput) -> Self {
        input.url.url().as_str().clone_into(&mut self.view.url);
        self.view.description.clone_from(&input.description);
        self.view.topics = input.topics.iter().map(|topic| topic.as_str().to_owned()).collect();
        self.topics.clone_from(&input.topics);
        self
    }
}
