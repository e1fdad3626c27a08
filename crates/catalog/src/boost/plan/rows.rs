//! The SQL of plans.

use chrono::{DateTime, Utc};
use kernel::{BoostPlanId, Money, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Statement, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{BoostPlan, BoostPlanInput, PlanDays, PlanFeatures, PlanName, PlanPrice};
use crate::boost::BoostKind;
use crate::category::Slug;

const COLUMNS: &str = "p.id, p.kind, p.slug, p.name, p.price, p.days, p.features, p.top_placement, p.highlight, \
                       p.popular, p.sort_order, p.active, p.version";

/// All plans in their order; those that can be bought, or every one.
pub(super) async fn all(db: &impl ConnectionTrait, only_active: bool) -> Result<Vec<BoostPlan>, StoreError> {
    let filter = if only_active { " WHERE p.active" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM boost_plans p{filter} ORDER BY p.sort_order, p.price, p.id");
    let statement = Engine::of(db.get_database_backend()).statement(&sql, []);
    db.query_all_raw(statement).await?.iter().map(read_plan).collect()
}

/// One plan.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: BoostPlanId,
) -> Result<Option<BoostPlan>, StoreError> {
    one(db, id, "").await
}

/// One plan, which nobody else changes until the transaction ends.
pub(super) async fn lock(
    txn: &DatabaseTransaction,
    id: BoostPlanId,
) -> Result<Option<BoostPlan>, StoreError> {
    one(txn, id, Engine::of(txn.get_database_backend()).for_update()).await
}

async fn one(
    db: &impl ConnectionTrait,
    id: BoostPlanId,
    lock: &str,
) -> Result<Option<BoostPlan>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM boost_plans p WHERE p.id = ?{lock}");
    let statement = Engine::of(db.get_database_backend()).statement(&sql, [id.uuid().into()]);
    db.query_one_raw(statement).await?.as_ref().map(read_plan).transpose()
}

/// Reads a plan's columns, by their names.
pub(in crate::boost) fn read_plan(row: &QueryResult) -> Result<BoostPlan, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a boost plan's {what}"));
    let features: String = row.try_get("", "features")?;
    let features: Vec<String> = serde_json::from_str(&features).ok().ok_or_else(|| corrupt("features"))?;
    let kind: String = row.try_get("", "kind")?;
    let days = PlanDays::parse(row.try_get::<i32>("", "days")?.into());
    let price = PlanPrice::parse(Money::inr(row.try_get("", "price")?));
    Ok(BoostPlan {
        id: row.try_get::<Uuid>("", "id")?.into(),
        input: BoostPlanInput {
            kind: kind.parse::<BoostKind>().ok().ok_or_else(|| corrupt("kind"))?,
            slug: Slug::parse(&row.try_get::<String>("", "slug")?).ok().ok_or_else(|| corrupt("slug"))?,
            name: PlanName::parse(&row.try_get::<String>("", "name")?).ok().ok_or_else(|| corrupt("name"))?,
            price: price.ok().ok_or_else(|| corrupt("price"))?,
            days: days.ok().ok_or_else(|| corrupt("days"))?,
            features: PlanFeatures::parse(&features).ok().ok_or_else(|| corrupt("features"))?,
            top_placement: row.try_get("", "top_placement")?,
            highlight: row.try_get("", "highlight")?,
            popular: row.try_get("", "popular")?,
            order: row.try_get("", "sort_order")?,
            active: row.try_get("", "active")?,
        },
        version: row.try_get("", "version")?,
    })
}

/// The columns that staff write, in the order in which `insert` and `update` name them.
fn written(input: &BoostPlanInput) -> Vec<Value> {
    // Texts always serialise.
    let features = serde_json::to_string(input.features.lines()).unwrap_or_default();
    vec![
        input.kind.as_str().into(),
        input.slug.as_str().into(),
        input.name.as_str().into(),
        input.price.money().amount().into(),
        i32::from(input.days.days()).into(),
        features.into(),
        input.top_placement.into(),
        input.highlight.into(),
        input.popular.into(),
        input.order.into(),
        input.active.into(),
    ]
}

pub(super) fn insert(
    engine: Engine,
    id: BoostPlanId,
    input: &BoostPlanInput,
    now: DateTime<Utc>,
) -> Statement {
    let mut values = written(input);
    values.extend([id.uuid().into(), now.into(), now.into()]);
    let sql = "INSERT INTO boost_plans (kind, slug, name, price, days, features, top_placement, highlight, popular, \
               sort_order, active, id, created_at, updated_at, version) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)";
    engine.statement(sql, values)
}

pub(super) async fn update(
    txn: &DatabaseTransaction,
    id: BoostPlanId,
    input: &BoostPlanInput,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut values = written(input);
    values.extend([now.into(), id.uuid().into()]);
    let sql = "UPDATE boost_plans SET kind = ?, slug = ?, name = ?, price = ?, days = ?, features = ?, \
               top_placement = ?, highlight = ?, popular = ?, sort_order = ?, active = ?, updated_at = ?, \
               version = version + 1 WHERE id = ?";
    let statement = Engine::of(txn.get_database_backend()).statement(sql, values);
    Ok(txn.execute_raw(statement).await.map(drop)?)
}
