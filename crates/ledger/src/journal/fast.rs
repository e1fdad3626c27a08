//! Posting in one round trip: PostgreSQL's functions `ledger_post` and `ledger_post_many`, which the ledger's migrations
//! make. They say exactly what `plain.rs` says.

use std::collections::HashSet;
use std::fmt::Display;

use chrono::{DateTime, Utc};
use kernel::{Ambient, JournalId, TypedId, UserId};
use sea_orm::{DbErr, QueryResult, RuntimeErr, Statement, Value, sqlx};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::digest::payload_hash;
use super::{Change, Leg, NewJournal, Settled, rows};
use crate::LedgerError;

const POST: &str = "SELECT outcome, journal FROM ledger_post(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
    CAST(? AS text[]), CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS uuid[]), CAST(? AS bigint[]), \
    CAST(? AS uuid[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), \
    CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[]))";

const POST_MANY: &str = "SELECT id FROM unnest(ledger_post_many(?, \
    CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), \
    CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS timestamptz[]), \
    CAST(? AS uuid[]), CAST(? AS integer[]), CAST(? AS text[]), CAST(? AS uuid[]), CAST(? AS text[]), \
    CAST(? AS uuid[]), CAST(? AS bigint[]), \
    CAST(? AS uuid[]), CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), \
    CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), \
    CAST(? AS text[]), CAST(? AS uuid[]), CAST(? AS bigint[]))) AS id";

/// The statement that posts the journal; it gives one row.
pub(super) fn statement(journal: &NewJournal, ambient: &Ambient) -> Statement {
    let (now, net) = (ambient.now(), &journal.net);
    let mut values: Vec<Value> = vec![
        ambient.new_uuid().into(),
        journal.key.as_str().into(),
        payload_hash(journal).into(),
        journal.kind.as_str().into(),
        journal.ref_type.as_ref().into(),
        journal.ref_id.as_str().into(),
        journal.reverses.map(TypedId::uuid).into(),
        journal.actor_type.into(),
        journal.actor_id.as_str().into(),
        journal.reason.as_deref().into(),
        journal.event_at.unwrap_or(now).into(),
        now.into(),
    ];
    values.extend(leg_columns(&journal.legs.iter().collect::<Vec<_>>()));
    values.push(array(net.wallets.iter().map(|(user, _)| Some(user))));
    values.extend(change_columns(&net.wallets.iter().map(|(_, change)| change).collect::<Vec<_>>()));
    values.push(array(net.houses.iter().map(|(house, _)| Some(house.as_str()))));
    values.push(array(net.houses.iter().map(|(_, amount)| Some(amount))));
    Engine::Postgres.statement(POST, values)
}

/// What the function says of the journal.
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

/// The statement that posts those of the journals that need nothing but to be written, with the ids that it gives them
/// in their order. No user is in two of them.
pub(super) fn statement_of_many(journals: &[&NewJournal], ambient: &Ambient) -> (Statement, Vec<JournalId>) {
    let now = ambient.now();
    let named: Vec<(JournalId, &NewJournal)> =
        journals.iter().map(|journal| (ambient.new_id(), *journal)).collect();
    let mut values = vec![Value::from(now)];
    values.extend(journal_columns(&named, now));

    let legs: Vec<_> =
        named.iter().flat_map(|(id, journal)| (1..).zip(&journal.legs).map(move |leg| (id, leg))).collect();
    values.push(array(legs.iter().map(|(id, _)| Some(id))));
    values.push(array(legs.iter().map(|(_, (seq, _))| Some::<i32>(*seq))));
    values.extend(leg_columns(&legs.iter().map(|(_, (_, leg))| *leg).collect::<Vec<_>>()));

    let wallets: Vec<(&JournalId, &NewJournal, &UserId, &Change)> = named
        .iter()
        .flat_map(|(id, journal)| {
            journal.net.wallets.iter().map(move |(user, change)| (id, *journal, user, change))
        })
        .collect();
    values.push(array(wallets.iter().map(|(_, _, user, _)| Some(user))));
    values.push(array(wallets.iter().map(|(id, ..)| Some(id))));
    values.push(array(wallets.iter().map(|(_, journal, ..)| Some(journal.kind.as_str()))));
    values.extend(change_columns(&wallets.iter().map(|(.., change)| *change).collect::<Vec<_>>()));

    let deltas: Vec<_> = named
        .iter()
        .flat_map(|(id, journal)| journal.net.houses.iter().map(move |delta| (id, delta)))
        .collect();
    values.push(array(deltas.iter().map(|(_, (house, _))| Some(house.as_str()))));
    values.push(array(deltas.iter().map(|(id, _)| Some(id))));
    values.push(array(deltas.iter().map(|(_, (_, amount))| Some(amount))));
    (Engine::Postgres.statement(POST_MANY, values), named.into_iter().map(|(id, _)| id).collect())
}

/// The journals that were written.
pub(super) fn read_many(rows: &[QueryResult]) -> Result<HashSet<JournalId>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
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

fn journal_columns(named: &[(JournalId, &NewJournal)], now: DateTime<Utc>) -> [Value; 11] {
    let journals = || named.iter().map(|(_, journal)| journal);
    [
        array(named.iter().map(|(id, _)| Some(id))),
        array(journals().map(|journal| Some(&journal.key))),
        array(journals().map(|journal| Some(payload_hash(journal)))),
        array(journals().map(|journal| Some(journal.kind.as_str()))),
        array(journals().map(|journal| Some(&journal.ref_type))),
        array(journals().map(|journal| Some(&journal.ref_id))),
        array(journals().map(|journal| journal.reverses)),
        array(journals().map(|journal| Some(journal.actor_type))),
        array(journals().map(|journal| Some(&journal.actor_id))),
        array(journals().map(|journal| journal.reason.as_deref())),
        array(journals().map(|journal| Some(journal.event_at.unwrap_or(now).to_rfc3339()))),
    ]
}

fn leg_columns(legs: &[&Leg]) -> [Value; 5] {
    [
        array(legs.iter().map(|leg| Some(leg.from.kind()))),
        array(legs.iter().map(|leg| leg.from.user())),
        array(legs.iter().map(|leg| Some(leg.to.kind()))),
        array(legs.iter().map(|leg| leg.to.user())),
        array(legs.iter().map(|leg| Some(leg.amount.amount()))),
    ]
}

fn change_columns(changes: &[&Change]) -> [Value; 5] {
    [
        array(changes.iter().map(|change| Some(change.available))),
        array(changes.iter().map(|change| Some(change.held))),
        array(changes.iter().map(|change| Some(change.promo))),
        array(changes.iter().map(|change| Some(change.earnings))),
        array(changes.iter().map(|change| Some(change.debt))),
    ]
}

/// An array as PostgreSQL reads it from text, every element in quotes.
fn array<T: Display>(elements: impl Iterator<Item = Option<T>>) -> Value {
    let mut text = String::from("{");
    for (n, element) in elements.enumerate() {
        if n > 0 {
            text.push(',');
        }
        let Some(element) = element else {
            text.push_str("NULL");
            continue;
        };
        text.push('"');
        for character in element.to_string().chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_keeps_its_elements_apart() {
        let elements = [Some("a"), None, Some(""), Some("b,c"), Some(r#"{"d\e"}"#), Some("NULL")];
        let text = r#"{"a",NULL,"","b,c","{\"d\\e\"}","NULL"}"#;
        assert_eq!(array(elements.into_iter()), text.into());
        assert_eq!(array(std::iter::empty::<Option<i64>>()), "{}".into());
    }
}
