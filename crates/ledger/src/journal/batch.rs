//! Posting many journals in one round trip: PostgreSQL's function `ledger_post_many`, which the ledger's migrations make.
//! It writes exactly what `plain.rs` writes, and nothing where that would say anything but "posted".

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use kernel::{Ambient, JournalId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Statement, Value};
use store::{Engine, StoreError, array};
use uuid::Uuid;

use super::alone::IN_TIME;
use super::at_once::explain;
use super::digest::payload_hash;
use super::{Change, Leg, NewJournal};
use crate::{Ledger, LedgerError};

const POST_MANY: &str = "SELECT id FROM unnest(ledger_post_many(?, \
    CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), \
    CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS timestamptz[]), \
    CAST(? AS uuid[]), CAST(? AS integer[]), CAST(? AS text[]), CAST(? AS uuid[]), CAST(? AS text[]), \
    CAST(? AS uuid[]), CAST(? AS bigint[]), \
    CAST(? AS uuid[]), CAST(? AS uuid[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), \
    CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), \
    CAST(? AS text[]), CAST(? AS uuid[]), CAST(? AS bigint[]))) AS id";

impl Ledger {
    /// Posts all of the journals in the caller's transaction, in one statement, and gives their ids in their order; where
    /// journals can be [posted at once](Self::posts_at_once). No wallet is in two of them.
    ///
    /// # Errors
    /// When one of them cannot be posted, or the database fails; the transaction must then be rolled back.
    pub async fn post_together_in_txn(
        &self,
        txn: &DatabaseTransaction,
        journals: &[&NewJournal],
    ) -> Result<Vec<JournalId>, LedgerError> {
        let (post, ids) = statement(journals, &self.ambient, None);
        let rows = txn.query_all_raw(post).await.map_err(|error| explain(error.into()))?;
        match read(&rows)?.len() == ids.len() {
            true => Ok(ids),
            false => Err(StoreError::Overtaken.into()),
        }
    }
}

/// The statement that posts those of the journals that need nothing but to be written, with the ids that it gives them
/// in their order, if it comes to the server before the deadline, where it has one: in a transaction the server's clock
/// stands. No user is in two of them.
pub(super) fn statement(
    journals: &[&NewJournal],
    ambient: &Ambient,
    deadline: Option<DateTime<Utc>>,
) -> (Statement, Vec<JournalId>) {
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
    let in_time = deadline.map(|_| [" WHERE ", IN_TIME].concat()).unwrap_or_default();
    values.extend(deadline.map(Value::from));
    (
        Engine::Postgres.statement(&[POST_MANY, &in_time].concat(), values),
        named.into_iter().map(|(id, _)| id).collect(),
    )
}

/// The journals that were written.
pub(super) fn read(rows: &[QueryResult]) -> Result<HashSet<JournalId>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
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
