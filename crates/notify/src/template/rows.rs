//! The SQL of templates.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError};

use super::{TemplateKey, TemplateParts};
use crate::{Channel, Kind, Language};

/// What is stored of a template.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(super) key: TemplateKey,
    pub(super) active: bool,
    pub(super) parts: TemplateParts,
    pub(super) version: i64,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) updated_by: String,
}

const COLUMNS: &str =
    "kind, channel, language, active, title, body, html, dlt_template_id, version, updated_at, updated_by";

/// Everything that staff ever wrote.
pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Row>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM notification_templates");
    let select = Engine::of(db.get_database_backend()).statement(&sql, []);
    // A kind that is gone from the catalogue has rows that mean nothing any more.
    Ok(db
        .query_all_raw(select)
        .await?
        .iter()
        .map(read)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// What staff put in the defaults' place for one kind in one language.
pub(crate) async fn overrides(
    db: &impl ConnectionTrait,
    kind: Kind,
    language: Language,
) -> Result<Vec<(Channel, TemplateParts)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notification_templates WHERE kind = ? AND language = ? AND active = ?"
    );
    let select = Engine::of(db.get_database_backend())
        .statement(&sql, [kind.as_str().into(), language.tag().into(), true.into()]);
    let rows = db.query_all_raw(select).await?;
    let rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().map(|row| (row.key.channel, row.parts)).collect())
}

/// What is stored under a key; `lock` ends the statement.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    key: TemplateKey,
    lock: &str,
) -> Result<Option<Row>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notification_templates WHERE kind = ? AND channel = ? AND language = ?{lock}"
    );
    let values = [key.kind.as_str().into(), key.channel.as_str().into(), key.language.tag().into()];
    let row = db.query_one_raw(Engine::of(db.get_database_backend()).statement(&sql, values)).await?;
    Ok(row.as_ref().map(read).transpose()?.flatten())
}

/// Writes the row where there was none; false when another transaction was quicker.
pub(super) async fn insert(txn: &DatabaseTransaction, row: &Row) -> Result<bool, StoreError> {
    let sql =
        format!("INSERT INTO notification_templates ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let insert = Engine::of(txn.get_database_backend()).statement(
        &sql,
        [
            row.key.kind.as_str().into(),
            row.key.channel.as_str().into(),
            row.key.language.tag().into(),
            row.active.into(),
            row.parts.title.as_deref().into(),
            row.parts.body.as_str().into(),
            row.parts.html.as_deref().into(),
            row.parts.dlt_template_id.as_deref().into(),
            row.version.into(),
            row.updated_at.into(),
            row.updated_by.as_str().into(),
        ],
    );
    store::insert_if_absent(txn, insert).await
}

/// Writes over the row, which must be locked.
pub(super) async fn update(txn: &DatabaseTransaction, row: &Row) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_templates SET active = ?, title = ?, body = ?, html = ?, dlt_template_id = ?, \
         version = ?, updated_at = ?, updated_by = ? WHERE kind = ? AND channel = ? AND language = ?",
        [
            row.active.into(),
            row.parts.title.as_deref().into(),
            row.parts.body.as_str().into(),
            row.parts.html.as_deref().into(),
            row.parts.dlt_template_id.as_deref().into(),
            row.version.into(),
            row.updated_at.into(),
            row.updated_by.as_str().into(),
            row.key.kind.as_str().into(),
            row.key.channel.as_str().into(),
            row.key.language.tag().into(),
        ],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

fn read(row: &QueryResult) -> Result<Option<Row>, StoreError> {
    let (kind, channel, language): (String, String, String) =
        (row.try_get("", "kind")?, row.try_get("", "channel")?, row.try_get("", "language")?);
    let (Ok(kind), Ok(channel)) = (kind.parse(), channel.parse()) else {
        return Ok(None);
    };
    Ok(Some(Row {
        key: TemplateKey { kind, channel, language: Language::of_tag(&language) },
        active: row.try_get("", "active")?,
        parts: TemplateParts {
            title: row.try_get("", "title")?,
            body: row.try_get("", "body")?,
            html: row.try_get("", "html")?,
            dlt_template_id: row.try_get("", "dlt_template_id")?,
        },
        version: row.try_get("", "version")?,
        updated_at: row.try_get("", "updated_at")?,
        updated_by: row.try_get("", "updated_by")?,
    }))
}
