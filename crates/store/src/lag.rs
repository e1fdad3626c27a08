//! How far the background is behind: what alarms look at.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use crate::{Engine, StoreError};

/// How far it is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// Since when the oldest waits; none waits if absent.
    pub oldest: Option<DateTime<Utc>>,
    /// How many were given up and not decided on.
    pub dead: i64,
}

impl Lag {
    /// Both in one statement; each sub-select is to find its answer in a small index.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(db: &impl ConnectionTrait, oldest: &str, dead: &str) -> Result<Self, StoreError> {
        let sql = format!("SELECT ({oldest}) AS oldest, ({dead}) AS dead");
        let select = Engine::of(db.get_database_backend()).statement(&sql, []);
        let Some(row) = db.query_one_raw(select).await? else { return Ok(Self::default()) };
        Ok(Self { oldest: row.try_get("", "oldest")?, dead: row.try_get("", "dead")? })
    }
}
