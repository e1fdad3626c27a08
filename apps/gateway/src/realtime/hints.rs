//! What one process tells the others of what streams were told. A hint that is lost or cannot be read costs time alone:
//! the numbers show that something is missing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::{NewEntry, StreamEntry};
use uuid::Uuid;

/// An entry as processes write it to each other. Old and new ones run side by side while an update rolls out, so fields
/// are only ever added.
#[derive(Debug, Serialize, Deserialize)]
struct Hint {
    stream: String,
    seq: i64,
    name: String,
    payload: Json,
    event: Uuid,
    at: DateTime<Utc>,
}

/// Writes the entries for other processes.
pub(super) fn write(entries: &[StreamEntry]) -> Vec<u8> {
    let hints: Vec<Hint> = entries
        .iter()
        .map(|StreamEntry { seq, told }| Hint {
            stream: told.stream.clone(),
            seq: *seq,
            name: told.name.clone(),
            payload: told.payload.clone(),
            event: told.event.into(),
            at: told.at,
        })
        .collect();
    serde_json::to_vec(&hints).unwrap_or_default()
}

/// Reads what another process wrote; nothing, if it is not to be read.
pub(super) fn read(message: &[u8]) -> Vec<StreamEntry> {
    let hints: Vec<Hint> = match serde_json::from_slice(message) {
        Ok(hints) => hints,
        Err(error) => {
            tracing::warn!(%error, "another process wrote what this one cannot read");
            return Vec::new();
        }
    };
    let entry = |Hint { stream, seq, name, payload, event, at }| StreamEntry {
        seq,
        told: NewEntry { stream, name, payload, event: event.into(), at },
    };
    hints.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_not_is_passed_over() {
        let ambient = Ambient::system();
        let told = NewEntry {
            stream: "user:1".to_owned(),
            name: "wallet:updated".to_owned(),
            payload: json!({"available": 1}),
            event: ambient.new_id(),
            at: ambient.now(),
        };
        let entries = vec![StreamEntry { seq: 7, told }];
        assert_eq!(read(&write(&entries)), entries);
        assert_eq!(read(b"something else"), []);
    }
}
