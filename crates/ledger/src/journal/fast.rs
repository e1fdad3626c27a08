//! Posting in one round trip: PostgreSQL's function `ledger_post`, which the ledger's migrations make. It says exactly
//! what `plain.rs` says, for one journal or for many.

use chrono::{DateTime, Utc};
use kernel::{Ambient, JournalId, UserId};
use sea_orm::{DbErr, QueryResult, RuntimeErr, Statement, sqlx};
use serde::Serialize;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::digest::payload_hash;
use super::{Change, NewJournal, Settled, rows};
use crate::LedgerError;

/// A journal as the function reads it; the lists of one thing's columns run side by side.
#[derive(Serialize)]
struct Wire<'a> {
    id: JournalId,
    key: &'a str,
    hash: String,
    kind: &'static str,
    ref_type: &'a str,
    ref_id: &'a str,
    reverses: Option<JournalId>,
    actor_type: &'static str,
    actor_id: &'a str,
    reason: Option<&'a str>,
    event_at: DateTime<Utc>,
    at: DateTime<Utc>,
    from_kinds: Vec<&'static str>,
    from_users: Vec<Option<UserId>>,
    to_kinds: Vec<&'static str>,
    to_users: Vec<Option<UserId>>,
    amounts: Vec<i64>,
    users: Vec<UserId>,
    available: Vec<i64>,
    held: Vec<i64>,
    promo: Vec<i64>,
    earnings: Vec<i64>,
    debt: Vec<i64>,
    houses: Vec<&'static str>,
    deltas: Vec<i64>,
}

impl<'a> Wire<'a> {
    fn of(journal: &'a NewJournal, ambient: &Ambient) -> Self {
        let (now, legs, net) = (ambient.now(), &journal.legs, &journal.net);
        let column =
            |purse: fn(&Change) -> i64| net.wallets.iter().map(|(_, change)| purse(change)).collect();
        Self {
            id: ambient.new_id(),
            key: &journal.key,
            hash: payload_hash(journal),
            kind: journal.kind.as_str(),
            ref_type: &journal.ref_type,
            ref_id: &journal.ref_id,
            reverses: journal.reverses,
            actor_type: journal.actor_type,
            actor_id: &journal.actor_id,
            reason: journal.reason.as_deref(),
            event_at: journal.event_at.unwrap_or(now),
            at: now,
            from_kinds: legs.iter().map(|leg| leg.from.kind()).collect(),
            from_users: legs.iter().map(|leg| leg.from.user()).collect(),
            to_kinds: legs.iter().map(|leg| leg.to.kind()).collect(),
            to_users: legs.iter().map(|leg| leg.to.user()).collect(),
            amounts: legs.iter().map(|leg| leg.amount.amount()).collect(),
            users: net.wallets.iter().map(|(user, _)| *user).collect(),
            available: column(|change| change.available),
            held: column(|change| change.held),
            promo: column(|change| change.promo),
            earnings: column(|change| change.earnings),
            debt: column(|change| change.debt),
            houses: net.houses.iter().map(|(house, _)| house.as_str()).collect(),
            deltas: net.houses.iter().map(|(_, amount)| *amount).collect(),
        }
    }
}

/// The statement that posts the journals one after the other; it gives one row for each, in their order.
pub(super) fn statement<'a>(
    journals: impl IntoIterator<Item = &'a NewJournal>,
    ambient: &Ambient,
) -> Result<Statement, LedgerError> {
    let batch: Vec<_> = journals.into_iter().map(|journal| Wire::of(journal, ambient)).collect();
    let batch = serde_json::to_string(&batch)
        .map_err(|error| StoreError::Corrupt(format!("a journal cannot be written: {error}")))?;
    Ok(Engine::Postgres
        .statement("SELECT outcome, journal FROM ledger_post(CAST(? AS jsonb))", [batch.into()]))
}

/// What the function says of one journal.
pub(super) fn read(row: &QueryResult) -> Result<Settled, StoreError> {
    let outcome: String = row.try_get("", "outcome")?;
    let journal = || row.try_get::<Uuid>("", "journal").map(JournalId::from);
    Ok(match outcome.as_str() {
        "posted" => Settled::Posted(journal()?),
        "known" => Settled::Known(journal()?),
        "reused" => Settled::Reused,
        code => Settled::Refused(rows::read_refusal(code)?),
    })
}

/// Tells a balance that would not fit (SQLSTATE 22003, `numeric_value_out_of_range`) from other failures.
pub(super) fn explain(error: StoreError) -> LedgerError {
    let StoreError::Database(DbErr::Query(RuntimeErr::SqlxError(cause))) = &error else {
        return error.into();
    };
    match cause.as_ref() {
        sqlx::Error::Database(inner) if inner.code().as_deref() == Some("22003") => LedgerError::Overflow,
        _ => error.into(),
    }
}
