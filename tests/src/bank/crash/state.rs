//! The state of one user's money, here and at Razorpay, without the ids and times in which two stories differ.

use std::fmt::Write;

use anyhow::Context;
use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

use super::super::Place;
use super::super::razorpay::Entry;
use crate::people::Person;

/// A line per fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State(Vec<String>);

/// What is read of whom: a word for it, and a statement with one value. Each column is a text or a whole number.
const FACTS: &[(&str, &str)] = &[
    (
        "wallet",
        "SELECT available, held, promo, earnings, debt, version FROM ledger_wallets WHERE user_id = ?",
    ),
    (
        "posting",
        "SELECT j.kind, p.from_kind, p.to_kind, p.amount FROM ledger_entries e \
         JOIN ledger_journals j ON j.id = e.journal_id JOIN ledger_postings p ON p.journal_id = j.id \
         WHERE e.user_id = ? ORDER BY e.version, p.seq",
    ),
    (
        "fee",
        "SELECT j.kind, p.from_kind, p.to_kind, p.amount FROM payments y \
         JOIN ledger_journals j ON j.ref_id = y.provider_payment_id AND j.kind = 'gateway_fee' \
         JOIN ledger_postings p ON p.journal_id = j.id WHERE y.user_id = ? ORDER BY p.seq",
    ),
    ("hold", "SELECT purpose, amount, status FROM ledger_holds WHERE user_id = ? ORDER BY id"),
    ("order", "SELECT amount, status FROM payment_orders WHERE user_id = ? ORDER BY id"),
    (
        "payment",
        "SELECT amount, status, outcome, refund_reserved, refunded FROM payments WHERE user_id = ? ORDER BY id",
    ),
    (
        "refund",
        "SELECT r.amount, r.origin, r.status FROM refunds r JOIN payments p ON p.id = r.payment_id \
         WHERE p.user_id = ? ORDER BY r.id",
    ),
];

/// Requests that nobody can finish any more, because no client waits for them.
const UNFINISHED: (&str, &str) = (
    "unfinished requests",
    "SELECT COUNT(*) AS rows_there FROM idempotency_keys WHERE status IS NULL AND 1 = ?",
);

impl State {
    /// Reads it.
    ///
    /// # Errors
    /// When the database or the sandbox does not answer.
    pub(super) async fn read(place: &Place, user: &Person) -> anyhow::Result<Self> {
        let id = Uuid::parse_str(&user.id)?;
        let mut lines = Vec::new();
        for (word, sql) in FACTS {
            lines.extend(facts(place, word, sql, id.into()).await?);
        }
        let (word, sql) = UNFINISHED;
        lines.extend(facts(place, word, sql, 1.into()).await?);
        lines.extend(at_razorpay(place, id).await?);
        Ok(Self(lines))
    }

    /// The facts, each in a line.
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    /// In what it differs from another, in words.
    pub fn differences(&self, from: &Self) -> Vec<String> {
        let missing =
            from.0.iter().filter(|line| !self.0.contains(line)).map(|line| format!("lacks: {line}"));
        let added = self.0.iter().filter(|line| !from.0.contains(line)).map(|line| format!("has: {line}"));
        missing.chain(added).collect()
    }
}

async fn facts(place: &Place, word: &str, sql: &str, value: Value) -> anyhow::Result<Vec<String>> {
    let rows = place.db.reader()?.query_all_raw(place.db.engine().statement(sql, [value])).await?;
    rows.iter().map(|row| line(word, row)).collect()
}

fn line(word: &str, row: &QueryResult) -> anyhow::Result<String> {
    let mut line = word.to_owned();
    for column in row.column_names() {
        let value = match row.try_get::<Option<i64>>("", &column) {
            Ok(number) => number.map(|number| number.to_string()),
            Err(_) => row.try_get::<Option<String>>("", &column)?,
        };
        write!(line, " {column}={}", value.as_deref().unwrap_or("none"))?;
    }
    Ok(line)
}

/// Everything that Razorpay has under the receipts of the user's orders: one that was made twice shows.
async fn at_razorpay(place: &Place, user: Uuid) -> anyhow::Result<Vec<String>> {
    let engine = place.db.engine();
    let select = engine.statement("SELECT receipt FROM payment_orders WHERE user_id = ?", [user.into()]);
    let mut lines = Vec::new();
    for row in place.db.reader()?.query_all_raw(select).await? {
        let receipt: String = row.try_get("", "receipt")?;
        for order in place.razorpay.orders(&receipt).await? {
            lines.push(entry("order", &order));
            for payment in place.razorpay.payments(&order.id).await.context("payments")? {
                lines.push(entry("payment", &payment));
                let refunds = place.razorpay.refunds(&payment.id).await?;
                lines.extend(refunds.iter().map(|refund| entry("refund", refund)));
            }
        }
    }
    Ok(lines)
}

fn entry(word: &str, entry: &Entry) -> String {
    format!("at Razorpay: {word} of {} {}", entry.amount, entry.status)
}
