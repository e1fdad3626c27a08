//! Journals as they are stored, read in pages by id, and the bytes that stand for one in a proof.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Engine, StoreError, lists};
use uuid::Uuid;

/// A journal with its postings, column by column.
#[derive(Debug, Clone)]
pub(super) struct StoredJournal {
    pub(super) id: Uuid,
    pub(super) key: String,
    pub(super) payload_hash: String,
    pub(super) kind: String,
    pub(super) currency: String,
    pub(super) ref_type: String,
    pub(super) ref_id: String,
    pub(super) reverses: Option<Uuid>,
    pub(super) actor_type: String,
    pub(super) actor_id: String,
    pub(super) reason: Option<String>,
    pub(super) event_at: DateTime<Utc>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) postings: Vec<StoredPosting>,
}

/// A posting, column by column.
#[derive(Debug, Clone)]
pub(super) struct StoredPosting {
    pub(super) journal: Uuid,
    pub(super) seq: i32,
    pub(super) from: Side,
    pub(super) to: Side,
    pub(super) amount: i64,
}

/// One end of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) kind: String,
    pub(super) user: Option<Uuid>,
}

/// Ids between which journals are read: after the first, and up to the second if there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) after: Uuid,
    pub(super) up_to: Option<Uuid>,
}

impl Range {
    /// The range as a condition on a column.
    pub(super) fn condition(self, column: &str) -> (String, Vec<Value>) {
        match self.up_to {
            None => (format!("{column} > ?"), vec![self.after.into()]),
            Some(last) => (format!("{column} > ? AND {column} <= ?"), vec![self.after.into(), last.into()]),
        }
    }
}

/// The next journals of the range by id, without their postings.
pub(super) async fn headers(
    conn: &impl ConnectionTrait,
    range: Range,
    limit: u64,
) -> Result<Vec<StoredJournal>, StoreError> {
    let (condition, values) = range.condition("id");
    let sql = format!(
        "SELECT id, idem_key, payload_hash, kind, currency, ref_type, ref_id, reverses_id, actor_type, actor_id, \
         reason, event_at, created_at FROM ledger_journals WHERE {condition} ORDER BY id LIMIT {limit}"
    );
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, values);
    conn.query_all_raw(statement).await?.iter().map(read_header).collect()
}

/// The postings of the range, in order.
pub(super) async fn postings(
    conn: &impl ConnectionTrait,
    range: Range,
) -> Result<Vec<StoredPosting>, StoreError> {
    let (condition, values) = range.condition("journal_id");
    let sql = format!("{POSTINGS} WHERE {condition} ORDER BY journal_id, seq");
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, values);
    conn.query_all_raw(statement).await?.iter().map(read_posting).collect()
}

/// The postings of the journals, by journal, in order.
pub(super) async fn postings_of(
    conn: &impl ConnectionTrait,
    journals: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<StoredPosting>>, StoreError> {
    let ids: Vec<Value> = journals.into_iter().map(Value::from).collect();
    let mut postings: HashMap<Uuid, Vec<StoredPosting>> = HashMap::new();
    if ids.is_empty() {
        return Ok(postings);
    }
    let list = Engine::placeholders(ids.len());
    let sql = format!("{POSTINGS} WHERE journal_id IN ({list}) ORDER BY journal_id, seq");
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, ids);
    for row in conn.query_all_raw(statement).await? {
        let posting = read_posting(&row)?;
        postings.entry(posting.journal).or_default().push(posting);
    }
    Ok(postings)
}

/// Those of the journals that reverse another.
pub(super) async fn reversals_among(
    conn: &impl ConnectionTrait,
    journals: &[Uuid],
) -> Result<HashSet<Uuid>, StoreError> {
    let mut reversals = HashSet::new();
    for (these, some) in lists(journals) {
        let sql = format!("SELECT id FROM ledger_journals WHERE reverses_id IS NOT NULL AND id IN ({these})");
        let ids = some.map(|id| Value::from(*id));
        let statement = Engine::of(conn.get_database_backend()).statement(&sql, ids);
        for row in conn.query_all_raw(statement).await? {
            reversals.insert(row.try_get("", "id")?);
        }
    }
    Ok(reversals)
}

const POSTINGS: &str =
    "SELECT journal_id, seq, from_kind, from_user, to_kind, to_user, amount FROM ledger_postings";

fn read_header(row: &QueryResult) -> Result<StoredJournal, StoreError> {
    Ok(StoredJournal {
        id: row.try_get("", "id")?,
        key: row.try_get("", "idem_key")?,
        payload_hash: row.try_get("", "payload_hash")?,
        kind: row.try_get("", "kind")?,
        currency: row.try_get("", "currency")?,
        ref_type: row.try_get("", "ref_type")?,
        ref_id: row.try_get("", "ref_id")?,
        reverses: row.try_get("", "reverses_id")?,
        actor_type: row.try_get("", "actor_type")?,
        actor_id: row.try_get("", "actor_id")?,
        reason: row.try_get("", "reason")?,
        event_at: row.try_get("", "event_at")?,
        created_at: row.try_get("", "created_at")?,
        postings: Vec::new(),
    })
}

fn read_posting(row: &QueryResult) -> Result<StoredPosting, StoreError> {
    Ok(StoredPosting {
        journal: row.try_get("", "journal_id")?,
        seq: row.try_get("", "seq")?,
        from: Side { kind: row.try_get("", "from_kind")?, user: row.try_get("", "from_user")? },
        to: Side { kind: row.try_get("", "to_kind")?, user: row.try_get("", "to_user")? },
        amount: row.try_get("", "amount")?,
    })
}

impl StoredJournal {
    /// The bytes that stand for the journal in a proof: every column of it and of its postings, in the order of the
    /// schema, each with its length before it. Moments are microseconds since 1970. What reads back alike on every
    /// engine has the same bytes on every engine.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut bytes = Canonical::new("dgt-ledger-journal-1");
        bytes.field(self.id.as_bytes());
        for text in [&self.key, &self.payload_hash, &self.kind, &self.currency, &self.ref_type, &self.ref_id]
        {
            bytes.field(text.as_bytes());
        }
        bytes.optional(self.reverses.as_ref().map(|id| id.as_bytes().as_slice()));
        bytes.field(self.actor_type.as_bytes());
        bytes.field(self.actor_id.as_bytes());
        bytes.optional(self.reason.as_ref().map(String::as_bytes));
        bytes.number(self.event_at.timestamp_micros());
        bytes.number(self.created_at.timestamp_micros());
        for posting in &self.postings {
            bytes.number(posting.seq.into());
            for side in [&posting.from, &posting.to] {
                bytes.field(side.kind.as_bytes());
                bytes.optional(side.user.as_ref().map(|id| id.as_bytes().as_slice()));
            }
            bytes.number(posting.amount);
        }
        bytes.finish()
    }
}

/// Fields that cannot run into each other.
#[derive(Debug)]
pub(super) struct Canonical(Vec<u8>);

impl Canonical {
    /// Bytes of the named form.
    pub(super) fn new(form: &str) -> Self {
        let mut new = Self(Vec::with_capacity(512));
        new.field(form.as_bytes());
        new
    }

    /// A field: its length in eight bytes, least first, then itself.
    pub(super) fn field(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// A field that may be missing: nothing is not the same as empty.
    pub(super) fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.0.push(0),
            Some(bytes) => {
                self.0.push(1);
                self.field(bytes);
            }
        }
    }

    /// A number: eight bytes, least first.
    pub(super) fn number(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

impl Side {
    /// The account by name, as reports tell it.
    pub(super) fn name(&self) -> String {
        match self.user {
            None => self.kind.clone(),
            Some(user) => format!("user:{user}:{}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> StoredJournal {
        let at: DateTime<Utc> = "2026-03-02T06:00:00.123456Z".parse().unwrap();
        let side = |kind: &str, user| Side { kind: kind.to_owned(), user };
        let posting = StoredPosting {
            journal: Uuid::from_u128(1),
            seq: 1,
            from: side("gateway:clearing", None),
            to: side("available", Some(Uuid::from_u128(2))),
            amount: 50_000,
        };
        StoredJournal {
            id: Uuid::from_u128(1),
            key: "topup:pay_1".to_owned(),
            payload_hash: "ab".repeat(32),
            kind: "top_up".to_owned(),
            currency: "INR".to_owned(),
            ref_type: "payment".to_owned(),
            ref_id: "pay_1".to_owned(),
            reverses: None,
            actor_type: "system".to_owned(),
            actor_id: "ledger".to_owned(),
            reason: None,
            event_at: at,
            created_at: at,
            postings: vec![posting],
        }
    }

    #[test]
    fn each_column_changes_the_bytes() {
        let changes: [fn(&mut StoredJournal); 18] = [
            |j| j.id = Uuid::from_u128(9),
            |j| j.key.push('x'),
            |j| j.payload_hash.push('x'),
            |j| j.kind.push('x'),
            |j| j.currency = "USD".to_owned(),
            |j| j.ref_type.push('x'),
            |j| j.ref_id.push('x'),
            |j| j.reverses = Some(Uuid::nil()),
            |j| j.actor_type.push('x'),
            |j| j.actor_id.push('x'),
            |j| j.reason = Some(String::new()),
            |j| j.event_at += chrono::TimeDelta::microseconds(1),
            |j| j.created_at += chrono::TimeDelta::microseconds(1),
            |j| j.postings[0].seq += 1,
            |j| j.postings[0].from.kind.push('x'),
            |j| j.postings[0].to.user = None,
            |j| j.postings[0].amount += 1,
            |j| j.postings.clear(),
        ];
        let written = journal().canonical();
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = journal();
            change(&mut changed);
            assert_ne!(changed.canonical(), written, "change {number}");
        }
    }

    #[test]
    fn an_account_is_told_by_its_name() {
        let posting = &journal().postings[0];
        assert_eq!(posting.from.name(), "gateway:clearing");
        assert_eq!(posting.to.name(), "user:00000000-0000-0000-0000-000000000002:available");
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let (mut one, mut other) = (journal(), journal());
        (one.ref_type, one.ref_id) = ("pay".to_owned(), "ment".to_owned());
        (other.ref_type, other.ref_id) = ("paym".to_owned(), "ent".to_owned());
        assert_ne!(one.canonical(), other.canonical());
    }
}
