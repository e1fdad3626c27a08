//! What must be true when everything has come to rest: the books hold what was acknowledged, once, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use sea_orm::{ConnectionTrait, QueryResult};
use store::Database;
use uuid::Uuid;

use super::deadlines::count;
use super::desk::Desk;
use super::{Audit, Customer, Gateway, Place};
use crate::check::Check;

/// What is left when everything has come to rest.
#[derive(Debug)]
pub struct Closing<'a> {
    /// The gateway, alive.
    pub gateway: &'a Gateway,
    /// Where to ask.
    pub desk: &'a Desk,
    /// The clients with their accounts.
    pub customers: &'a [Customer],
    /// What was read meanwhile.
    pub audit: &'a Audit,
}

/// Compares the clients' accounts with the books.
///
/// # Errors
/// When something cannot be read.
pub async fn judge(closing: &Closing<'_>) -> anyhow::Result<Vec<Check>> {
    let Closing { gateway, desk, customers, audit } = closing;
    let place = &desk.place;
    let verified = gateway.run(&["verify-ledger"]).await?;
    Ok(vec![
        Check { claim: "all accounts came to 0 in every read", exceptions: audit.unbalanced },
        Check { claim: "no balance was below its floor in any read", exceptions: audit.overdrawn },
        Check { claim: "what is held was what is set aside in every read", exceptions: audit.unheld },
        Check {
            claim: "every wallet holds what its owner reckons, and nothing is held",
            exceptions: wrong_wallets(desk, customers).await?,
        },
        Check {
            claim: "every acknowledged operation has its journals, once, and there are no others",
            exceptions: differences(&journals(customers), &kept_journals(&place.db).await?),
        },
        Check {
            claim: "every payment is credited to its own order",
            exceptions: differences(&payments(customers), &kept_payments(&place.db).await?),
        },
        Check {
            claim: "every boost is there, and no other",
            exceptions: differences(&boosts(customers), &kept_boosts(&place.db).await?),
        },
        Check {
            claim: "every refund ended as the bank has it, and there is no other",
            exceptions: differences(&refunds(customers), &kept_refunds(&place.db).await?),
        },
        Check {
            claim: "Razorpay made as many refunds as were asked for",
            exceptions: wrong_refunds(place, customers).await?,
        },
        Check {
            claim: "no webhook was given up",
            exceptions: usize::try_from(count(&place.db, "webhook_events WHERE state = 'dead'").await?)?,
        },
        Check {
            claim: "`gateway verify-ledger` finds nothing",
            exceptions: usize::from(!verified.success()),
        },
    ])
}

async fn wrong_wallets(desk: &Desk, customers: &[Customer]) -> anyhow::Result<usize> {
    let mut wrong = 0;
    for customer in customers {
        let wallet = desk.wallet(&customer.person).await?;
        let is_right = customer.account.explains(&wallet).is_ok()
            && (wallet.available.amount(), wallet.held.amount()) == (customer.account.in_the_end(), 0);
        wrong += usize::from(!is_right);
    }
    Ok(wrong)
}

/// The keys of the journals that the operations must have left. Fees are Razorpay's operation, not a client's.
fn journals(customers: &[Customer]) -> BTreeSet<String> {
    let of = |customer: &Customer| {
        let account = &customer.account;
        let paid = account.paid.iter().map(|paid| format!("topup:{}", paid.provider_payment));
        let bought = account.bought.iter().map(|boost| format!("boost:{}", boost.id));
        let returned = account.returned.iter().flat_map(|refund| {
            let end = if refund.fails { "fail" } else { "done" };
            [format!("refund:hold:{}", refund.id), format!("refund:{end}:{}", refund.id)]
        });
        paid.chain(bought).chain(returned).collect::<Vec<_>>()
    };
    customers.iter().flat_map(of).collect()
}

async fn kept_journals(db: &Database) -> anyhow::Result<BTreeSet<String>> {
    let sql = "SELECT idem_key FROM ledger_journals WHERE kind <> 'gateway_fee'";
    read(db, sql, |row| Ok(row.try_get("", "idem_key")?)).await
}

/// Payment at Razorpay, and the order that it is for.
fn payments(customers: &[Customer]) -> BTreeSet<(String, String)> {
    let paid = customers.iter().flat_map(|customer| &customer.account.paid);
    paid.map(|paid| (paid.provider_payment.clone(), paid.order.clone())).collect()
}

async fn kept_payments(db: &Database) -> anyhow::Result<BTreeSet<(String, String)>> {
    let sql = "SELECT p.provider_payment_id, p.order_id FROM payments p JOIN payment_orders o ON o.id = p.order_id \
               WHERE p.outcome = 'credited' AND o.status = 'paid' AND o.amount = p.amount";
    read(db, sql, |row| Ok((row.try_get("", "provider_payment_id")?, id(row, "order_id")?))).await
}

fn boosts(customers: &[Customer]) -> BTreeSet<String> {
    let bought = customers.iter().flat_map(|customer| &customer.account.bought);
    bought.map(|boost| boost.id.clone()).collect()
}

async fn kept_boosts(db: &Database) -> anyhow::Result<BTreeSet<String>> {
    read(db, "SELECT id FROM boosts", |row| id(row, "id")).await
}

/// Refund and the state that it must have come to.
fn refunds(customers: &[Customer]) -> BTreeSet<(String, String)> {
    let returned = customers.iter().flat_map(|customer| &customer.account.returned);
    let end = |fails| if fails { "failed" } else { "processed" };
    returned.map(|refund| (refund.id.clone(), end(refund.fails).to_owned())).collect()
}

async fn kept_refunds(db: &Database) -> anyhow::Result<BTreeSet<(String, String)>> {
    read(db, "SELECT id, status FROM refunds", |row| Ok((id(row, "id")?, row.try_get("", "status")?))).await
}

/// Payments of which Razorpay has another number of refunds, or another sum, than was asked for.
async fn wrong_refunds(place: &Place, customers: &[Customer]) -> anyhow::Result<usize> {
    let mut asked: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for refund in customers.iter().flat_map(|customer| &customer.account.returned) {
        let (number, sum) = asked.entry(&refund.provider_payment).or_default();
        *number += 1;
        *sum += refund.paise;
    }
    let mut wrong = 0;
    for (payment, wanted) in asked {
        let made = place.razorpay.refunds(payment).await?;
        let made = (made.len(), made.iter().map(|refund| refund.amount).sum::<i64>());
        wrong += usize::from(made != wanted);
    }
    Ok(wrong)
}

async fn read<T: Ord>(
    db: &Database,
    sql: &str,
    one: impl Fn(&QueryResult) -> anyhow::Result<T>,
) -> anyhow::Result<BTreeSet<T>> {
    let rows = db.reader()?.query_all_raw(db.engine().statement(sql, [])).await?;
    rows.iter().map(|row| one(row).context("a row cannot be read")).collect()
}

fn id(row: &QueryResult, column: &str) -> anyhow::Result<String> {
    Ok(row.try_get::<Uuid>("", column)?.to_string())
}

fn differences<T: Ord>(acknowledged: &BTreeSet<T>, kept: &BTreeSet<T>) -> usize {
    acknowledged.symmetric_difference(kept).count()
}
