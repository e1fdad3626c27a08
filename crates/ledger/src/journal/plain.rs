//! Posting a statement at a time: the form that every engine runs, and the meaning of the others.

use chrono::{DateTime, Utc};
use kernel::{Ambient, JournalId};
use sea_orm::DatabaseTransaction;
use store::StoreError;

use super::digest::payload_hash;
use super::rules::{Ruling, rule};
use super::{NewJournal, Refusal, Settled, alone, rows};
use crate::LedgerError;
use crate::account::rows as wallets;

/// Posts the journal in the transaction.
///
/// The wallets are locked first, in the order of the users' ids, so that two requests under one key that touch a wallet
/// find each other's answer. Two that do not are kept apart by the key itself, which is inserted before anything else.
pub(super) async fn settle(
    txn: &DatabaseTransaction,
    ambient: &Ambient,
    journal: &NewJournal,
) -> Result<Settled, LedgerError> {
    let (now, hash) = (ambient.now(), payload_hash(journal));
    let mut before = Vec::with_capacity(journal.net.wallets.len());
    for (user, _) in &journal.net.wallets {
        before.push(wallets::lock(txn, *user, now).await?);
    }
    if let Some(used) = rows::find_key(txn, &journal.key).await? {
        return Ok(used.told_to(&hash));
    }
    let mut after = Vec::with_capacity(before.len());
    for ((user, change), wallet) in journal.net.wallets.iter().zip(&before) {
        match rule(wallet, change)? {
            Ruling::Stands(wallet) => after.push((*user, wallet)),
            Ruling::Refused(refusal) => return refuse(txn, journal, &hash, refusal, now).await,
        }
    }
    let id: JournalId = ambient.new_id();
    if !rows::insert_journal(txn, id, journal, &hash, now).await? {
        return told(txn, journal, &hash).await;
    }
    rows::insert_postings(txn, id, &journal.legs).await?;
    for ((user, change), wallet) in journal.net.wallets.iter().zip(&before) {
        wallets::update(txn, *user, change, wallet.version).await?;
    }
    rows::insert_entries(txn, id, journal, &after, now).await?;
    rows::insert_deltas(txn, id, journal).await?;
    Ok(Settled::Posted(id))
}

async fn refuse(
    txn: &DatabaseTransaction,
    journal: &NewJournal,
    hash: &str,
    refusal: Refusal,
    now: DateTime<Utc>,
) -> Result<Settled, LedgerError> {
    if rows::insert_refusal(txn, &journal.key, hash, refusal, now).await? {
        alone::show_refusal(txn, journal).await?;
        return Ok(Settled::Refused(refusal));
    }
    told(txn, journal, hash).await
}

/// The answer of whoever took the key in the meantime; they have committed, or the insert would wait for them still.
async fn told(txn: &DatabaseTransaction, journal: &NewJournal, hash: &str) -> Result<Settled, LedgerError> {
    let used = rows::find_key(txn, &journal.key).await?;
    let used =
        used.ok_or_else(|| StoreError::Corrupt(format!("the key {} is taken by nothing", journal.key)))?;
    Ok(used.told_to(hash))
}
