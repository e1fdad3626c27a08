//! Lists in pages, latest first. Ids are UUIDv7, so an id is the position.

use kernel::{Page, Paging};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use serde::{Deserialize, Serialize};
use store::StoreError;
use uuid::Uuid;

use crate::{PaymentError, Payments};

/// What a list shows.
pub(crate) struct Slice {
    pub(crate) columns: &'static str,
    pub(crate) from: &'static str,
    /// The column that orders it.
    pub(crate) id: &'static str,
    pub(crate) condition: String,
    pub(crate) values: Vec<Value>,
    /// Names the list and its filters, for its cursors.
    pub(crate) scope: String,
}

/// Where a list was left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    id: Uuid,
}

impl Payments {
    /// One page.
    pub(crate) async fn page<T>(
        &self,
        slice: Slice,
        paging: &Paging,
        read: fn(&QueryResult) -> Result<T, StoreError>,
        id_of: fn(&T) -> Uuid,
    ) -> Result<Page<T>, PaymentError> {
        let Slice { columns, from, id, mut condition, mut values, scope } = slice;
        let (reader, engine) = (self.db.reader()?, self.db.engine());
        let select = |condition: &str, values: Vec<Value>, rows: u32, offset: u64| {
            let sql = format!(
                "SELECT {columns} FROM {from} WHERE {condition} ORDER BY {id} DESC LIMIT {rows} OFFSET {offset}"
            );
            engine.statement(&sql, values)
        };
        match paging {
            Paging::Numbered { page, limit } => {
                let count = format!("SELECT COUNT(*) AS total FROM {from} WHERE {condition}");
                let row = reader.query_one_raw(engine.statement(&count, values.clone())).await?;
                let total: i64 = row.map(|row| row.try_get("", "total")).transpose()?.unwrap_or_default();
                let rows = reader.query_all_raw(select(&condition, values, *limit, paging.offset())).await?;
                let items = rows.iter().map(read).collect::<Result<_, _>>()?;
                Ok(Page::numbered(items, *page, *limit, u64::try_from(total).unwrap_or_default()))
            }
            Paging::After { cursor, limit } => {
                if let Some(cursor) = cursor {
                    let at: Position = self.config.cursors.open(&scope, cursor)?;
                    condition += &format!(" AND {id} < ?");
                    values.push(at.id.into());
                }
                let rows =
                    reader.query_all_raw(select(&condition, values, limit.saturating_add(1), 0)).await?;
                let items = rows.iter().map(read).collect::<Result<_, _>>()?;
                Ok(Page::feed(items, *limit, |last| {
                    self.config.cursors.seal(&scope, &Position { id: id_of(last) })
                }))
            }
        }
    }
}
