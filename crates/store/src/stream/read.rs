//! Reading streams: where they stand, and what somebody missed who was away.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

use super::{NewEntry, StreamEntry};
use crate::{Engine, StoreError, lists};

/// What somebody missed.
#[derive(Debug, Clone, PartialEq)]
pub enum Missed {
    /// All of it, oldest first.
    Entries(Vec<StreamEntry>),
    /// It is not to be had: too much, forgotten, or never told by this database. Whoever asked must read anew what
    /// it shows, and goes on from the head.
    Resync {
        /// Where the stream stands.
        head: i64,
    },
}

/// Where the streams stand; one that was never told anything stands at 0.
///
/// # Errors
/// When the database fails.
pub async fn stream_heads(
    db: &impl ConnectionTrait,
    streams: &[String],
) -> Result<HashMap<String, i64>, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let mut heads: HashMap<_, _> = streams.iter().map(|stream| (stream.clone(), 0)).collect();
    for (these, some) in lists(streams) {
        let sql = format!("SELECT stream, seq FROM stream_heads WHERE stream IN ({these})");
        let values = some.map(|stream| Value::from(stream.as_str()));
        for row in db.query_all_raw(engine.statement(&sql, values)).await? {
            heads.insert(row.try_get("", "stream")?, row.try_get("", "seq")?);
        }
    }
    Ok(heads)
}

/// What the stream was told after this number: all of it, if that is no more than `most` entries.
///
/// # Errors
/// When the database fails.
pub async fn entries_after(
    db: &impl ConnectionTrait,
    stream: &str,
    after: i64,
    most: usize,
) -> Result<Missed, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let name = [stream.to_owned()];
    let head = stream_heads(db, &name).await?.remove(stream).unwrap_or(0);
    let missing = usize::try_from(head.saturating_sub(after)).ok().filter(|_| after >= 0);
    let Some(missing) = missing.filter(|missing| *missing <= most) else {
        return Ok(Missed::Resync { head });
    };
    if missing == 0 {
        return Ok(Missed::Entries(Vec::new()));
    }
    let select = engine.statement(
        "SELECT stream, seq, event_id, name, payload, at FROM stream_entries \
         WHERE stream = ? AND seq > ? AND seq <= ? ORDER BY seq",
        [stream.into(), after.into(), head.into()],
    );
    let entries =
        db.query_all_raw(select).await?.iter().map(entry).collect::<Result<Vec<_>, StoreError>>()?;
    // Numbers have no gaps, so fewer rows than numbers means that the oldest were forgotten.
    if entries.len() == missing { Ok(Missed::Entries(entries)) } else { Ok(Missed::Resync { head }) }
}

fn entry(row: &QueryResult) -> Result<StreamEntry, StoreError> {
    Ok(StreamEntry {
        seq: row.try_get("", "seq")?,
        told: NewEntry {
            stream: row.try_get("", "stream")?,
            name: row.try_get("", "name")?,
            payload: row.try_get("", "payload")?,
            event: row.try_get::<Uuid>("", "event_id")?.into(),
            at: row.try_get("", "at")?,
        },
    })
}
