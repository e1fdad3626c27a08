//! The SQL of categories.

use chrono::{DateTime, Utc};
use kernel::{CategoryId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{
    AttributeSchema, Category, CategoryIcon, CategoryInput, CategoryName, ExpiryDays, Slug, rules::Parents,
};

/// All categories with their counts.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Category>, StoreError> {
    select(db, "", []).await
}

/// One category.
pub(crate) async fn find(db: &impl ConnectionTrait, id: CategoryId) -> Result<Option<Category>, StoreError> {
    Ok(select(db, " WHERE c.id = ?", [id.uuid().into()]).await?.pop())
}

async fn select<const N: usize>(
    db: &impl ConnectionTrait,
    condition: &str,
    values: [Value; N],
) -> Result<Vec<Category>, StoreError> {
    let sql = format!(
        "SELECT c.id, c.slug, c.name, c.icon, c.parent_id, c.attributes, c.auto_approve, c.expiry_days, \
         c.sort_order, c.active, c.version, n.active_listings \
         FROM categories c JOIN category_counts n ON n.category_id = c.id{condition}"
    );
    let statement = Engine::of(db.get_database_backend()).statement(&sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Category, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a category's {what}"));
    let attributes: String = row.try_get("", "attributes")?;
    let attributes = serde_json::from_str(&attributes)
        .ok()
        .and_then(|specs| AttributeSchema::parse(specs).ok())
        .ok_or_else(|| corrupt("attributes"))?;
    let slug = Slug::parse(&row.try_get::<String>("", "slug")?);
    let name = CategoryName::parse(&row.try_get::<String>("", "name")?);
    let icon = row.try_get::<Option<String>>("", "icon")?;
    let expiry_days = row.try_get::<Option<i32>>("", "expiry_days")?;
    Ok(Category {
        id: row.try_get::<Uuid>("", "id")?.into(),
        input: CategoryInput {
            slug: slug.ok().ok_or_else(|| corrupt("slug"))?,
            name: name.ok().ok_or_else(|| corrupt("name"))?,
            icon: icon.and_then(|icon| CategoryIcon::parse(&icon).ok()),
            parent: row.try_get::<Option<Uuid>>("", "parent_id")?.map(Into::into),
            attributes,
            auto_approve: row.try_get("", "auto_approve")?,
            expiry_days: expiry_days.and_then(|days| ExpiryDays::parse(days.into()).ok()),
            order: row.try_get("", "sort_order")?,
            active: row.try_get("", "active")?,
        },
        version: row.try_get("", "version")?,
        active_listings: row.try_get("", "active_listings")?,
    })
}

/// Takes the one lock that changes of the tree take turns by. Take it before anything else.
pub(super) async fn lock_tree(txn: &DatabaseTransaction) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = "UPDATE category_tree SET version = version + 1 WHERE id = 1";
    match txn.execute_raw(engine.statement(sql, [])).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Corrupt("the row that guards the tree is gone".to_owned())),
    }
}

/// Who is whose parent.
pub(super) async fn parents(txn: &DatabaseTransaction) -> Result<Parents, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let rows = txn.query_all_raw(engine.statement("SELECT id, parent_id FROM categories", [])).await?;
    rows.iter()
        .map(|row| {
            let id = row.try_get::<Uuid>("", "id")?;
            let parent = row.try_get::<Option<Uuid>>("", "parent_id")?;
            Ok((id.into(), parent.map(Into::into)))
        })
        .collect()
}

/// The columns that staff write, in the order in which `insert` and `update` name them.
fn written(input: &CategoryInput) -> Result<Vec<Value>, StoreError> {
    let attributes = serde_json::to_string(&input.attributes)
        .map_err(|error| StoreError::Corrupt(format!("attributes cannot be written: {error}")))?;
    Ok(vec![
        input.slug.as_str().into(),
        input.name.as_str().into(),
        input.icon.as_ref().map(|icon| icon.as_str().to_owned()).into(),
        input.parent.map(TypedId::uuid).into(),
        attributes.into(),
        input.auto_approve.into(),
        input.expiry_days.map(|days| i32::from(days.days())).into(),
        input.order.into(),
        input.active.into(),
    ])
}

pub(super) async fn insert(
    txn: &DatabaseTransaction,
    id: CategoryId,
    input: &CategoryInput,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let mut values = written(input)?;
    values.extend([id.uuid().into(), now.into(), now.into()]);
    let sql = "INSERT INTO categories (slug, name, icon, parent_id, attributes, auto_approve, expiry_days, sort_order, \
               active, id, created_at, updated_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)";
    txn.execute_raw(engine.statement(sql, values)).await?;
    let count = "INSERT INTO category_counts (category_id, active_listings) VALUES (?, 0)";
    txn.execute_raw(engine.statement(count, [id.uuid().into()])).await?;
    Ok(())
}

pub(super) async fn update(
    txn: &DatabaseTransaction,
    id: CategoryId,
    input: &CategoryInput,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut values = written(input)?;
    values.extend([now.into(), id.uuid().into()]);
    let sql = "UPDATE categories SET slug = ?, name = ?, icon = ?, parent_id = ?, attributes = ?, auto_approve = ?, \
               expiry_days = ?, sort_order = ?, active = ?, updated_at = ?, version = version + 1 WHERE id = ?";
    let statement = Engine::of(txn.get_database_backend()).statement(sql, values);
    Ok(txn.execute_raw(statement).await.map(drop)?)
}

/// Whether a category has subcategories, or listings in any state.
pub(super) async fn is_used(txn: &DatabaseTransaction, id: CategoryId) -> Result<bool, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    for sql in [
        "SELECT 1 AS used FROM categories WHERE parent_id = ? LIMIT 1",
        "SELECT 1 AS used FROM listings WHERE category_id = ? LIMIT 1",
    ] {
        let statement = engine.statement(sql, [id.uuid().into()]);
        if txn.query_one_raw(statement).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) async fn delete(txn: &DatabaseTransaction, id: CategoryId) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    for sql in ["DELETE FROM category_counts WHERE category_id = ?", "DELETE FROM categories WHERE id = ?"] {
        txn.execute_raw(engine.statement(sql, [id.uuid().into()])).await?;
    }
    Ok(())
}

/// Whether a slug is taken.
pub(super) async fn has_slug(
    txn: &DatabaseTransaction,
    slug: &Slug,
) -> Result<Option<CategoryId>, StoreError> {
    let statement = Engine::of(txn.get_database_backend())
        .statement("SELECT id FROM categories WHERE slug = ?", [slug.as_str().into()]);
    let row = txn.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get::<Uuid>("", "id")).transpose()?.map(Into::into))
}

/// For how long the category's listings run, where the category says so.
pub(crate) async fn expiry_days(
    txn: &DatabaseTransaction,
    id: CategoryId,
) -> Result<Option<u32>, StoreError> {
    let statement = Engine::of(txn.get_database_backend())
        .statement("SELECT expiry_days FROM categories WHERE id = ?", [id.uuid().into()]);
    let row = txn.query_one_raw(statement).await?;
    let days = row.map(|row| row.try_get::<Option<i32>>("", "expiry_days")).transpose()?.flatten();
    Ok(days.and_then(|days| u32::try_from(days).ok()))
}

/// Adds to the count of ACTIVE listings. Where several change, change them in the order of their ids, after the
/// listings' own rows.
pub(crate) async fn add_to_count(
    txn: &DatabaseTransaction,
    id: CategoryId,
    change: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE category_counts SET active_listings = active_listings + ? WHERE category_id = ?";
    let statement = Engine::of(txn.get_database_backend()).statement(sql, [change.into(), id.uuid().into()]);
    Ok(txn.execute_raw(statement).await.map(drop)?)
}
