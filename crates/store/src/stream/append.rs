//! Telling streams, and forgetting what was told long ago.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::TypedId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};

use super::{NewEntry, StreamEntry};
use crate::{Engine, StoreError, pieces};

/// Numbers the entries along their streams, in their order, and keeps them.
///
/// The heads are locked in the order of their streams' names, so that two transactions that tell the same streams do
/// not wait for each other.
///
/// # Errors
/// When the database fails.
pub async fn append_to_streams_in_txn(
    txn: &DatabaseTransaction,
    entries: Vec<NewEntry>,
) -> Result<Vec<StreamEntry>, StoreError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut counts = BTreeMap::<&str, i64>::new();
    for entry in &entries {
        *counts.entry(&entry.stream).or_default() += 1;
    }
    let counts: Vec<(&str, i64)> = counts.into_iter().collect();
    let mut last = BTreeMap::new();
    for some in pieces(&counts) {
        let heads = advance(txn, some).await?;
        for (stream, count) in some {
            let head = heads.get(*stream);
            let head = head.ok_or_else(|| StoreError::Corrupt("a stream has no head".to_owned()))?;
            last.insert((*stream).to_owned(), head - count);
        }
    }
    let numbered: Vec<StreamEntry> = entries
        .into_iter()
        .map(|told| {
            let seq = last.entry(told.stream.clone()).and_modify(|seq| *seq += 1).or_insert(1);
            StreamEntry { seq: *seq, told }
        })
        .collect();
    for some in pieces(&numbered) {
        keep(txn, some).await?;
    }
    Ok(numbered)
}

/// Moves the heads of streams on, each by its count, and gives where they stand then. They stay locked until the
/// transaction ends.
async fn advance(
    txn: &DatabaseTransaction,
    streams: &[(&str, i64)],
) -> Result<BTreeMap<String, i64>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let list = |item: &str| vec![item; streams.len()].join(", ");
    let insert = format!("INSERT INTO stream_heads (stream, seq) VALUES {}", list("(?, ?)"));
    let values = streams.iter().flat_map(|(stream, by)| [Value::from(*stream), (*by).into()]);
    let heads = if engine == Engine::MariaDb {
        let sql = format!("{insert} ON DUPLICATE KEY UPDATE seq = seq + VALUES(seq)");
        txn.execute_raw(engine.statement(&sql, values)).await?;
        let sql = format!("SELECT stream, seq FROM stream_heads WHERE stream IN ({})", list("?"));
        let names = streams.iter().map(|(stream, _)| Value::from(*stream));
        txn.query_all_raw(engine.statement(&sql, names)).await?
    } else {
        let sql = format!(
            "{insert} ON CONFLICT (stream) DO UPDATE SET seq = stream_heads.seq + excluded.seq RETURNING stream, seq"
        );
        txn.query_all_raw(engine.statement(&sql, values)).await?
    };
    heads.iter().map(|row| Ok((row.try_get("", "stream")?, row.try_get("", "seq")?))).collect()
}

async fn keep(txn: &DatabaseTransaction, entries: &[StreamEntry]) -> Result<(), StoreError> {
    let rows = vec!["(?, ?, ?, ?, ?, ?)"; entries.len()].join(", ");
    let sql = format!("INSERT INTO stream_entries (stream, seq, event_id, name, payload, at) VALUES {rows}");
    let values = entries.iter().flat_map(|entry| -> [Value; 6] {
        let told = &entry.told;
        [
            told.stream.as_str().into(),
            entry.seq.into(),
            told.event.uuid().into(),
            told.name.as_str().into(),
            told.payload.clone().into(),
            told.at.into(),
        ]
    });
    txn.execute_raw(Engine::of(txn.get_database_backend()).statement(&sql, values)).await?;
    Ok(())
}

/// Removes entries told before the moment; gives how many. The heads stay, so numbers are never given twice.
///
/// # Errors
/// When the database fails.
pub async fn forget_stream_entries(
    txn: &DatabaseTransaction,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM stream_entries WHERE at < ?", [before.into()]);
    Ok(txn.execute_raw(delete).await?.rows_affected())
}
