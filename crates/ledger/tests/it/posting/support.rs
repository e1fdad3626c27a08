//! What several of these tests need: a ledger, people with money, and looking at rows.

use std::future::Future;

use kernel::{Ambient, CursorCodec, Money, TypedId, UserId};
use ledger::{
    Balances, House, JournalKind, Ledger, LedgerConfig, LedgerError, Leg, NewJournal, Outcome, Purse,
    Reference, templates,
};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Database, Engine};

/// A ledger with the machine's time.
pub(crate) fn ledger(db: &Database) -> Ledger {
    ledger_of(db, Ambient::system())
}

/// A ledger with this time.
pub(crate) fn ledger_of(db: &Database, ambient: Ambient) -> Ledger {
    let config = LedgerConfig { cursors: CursorCodec::new(b"a key of at least thirty-two bytes") };
    Ledger::new(db.clone(), ambient, config)
}

/// Somebody nobody has heard of.
pub(crate) fn anybody() -> UserId {
    Ambient::system().new_id()
}

/// Somebody with money in `available`.
pub(crate) async fn somebody_with(ledger: &Ledger, paise: i64) -> UserId {
    let user = anybody();
    top_up(ledger, user, paise).await;
    user
}

/// Credits what is available by a payment of its own.
pub(crate) async fn top_up(ledger: &Ledger, user: UserId, paise: i64) {
    let payment = format!("pay_{}", anybody());
    let journal = templates::top_up(&payment, user, Money::inr(paise)).unwrap();
    assert!(matches!(ledger.post(&journal).await.unwrap(), Outcome::Posted(_)));
}

/// Takes the amount out of `available`.
pub(crate) fn spend(key: &str, user: UserId, paise: i64) -> NewJournal {
    let legs = vec![Leg::new((user, Purse::Available), House::RevenueBoost, Money::inr(paise))];
    NewJournal::new(key, JournalKind::BoostCharge, Reference::new("boost", key), legs).unwrap()
}

/// Between two house accounts: touches no wallet.
pub(crate) fn settle(key: &str, paise: i64) -> NewJournal {
    let legs = vec![Leg::new(House::BankCurrent, House::GatewayClearing, Money::inr(paise))];
    NewJournal::new(key, JournalKind::GatewayFee, Reference::new("settlement", key), legs).unwrap()
}

/// Posts in a transaction of the caller's, as flows do.
pub(crate) async fn post_in_txn(
    db: &Database,
    ledger: &Ledger,
    journal: &NewJournal,
) -> Result<Outcome, LedgerError> {
    db.in_txn(async |txn| ledger.post_in_txn(txn, journal).await).await
}

/// What the wallet holds.
pub(crate) async fn balances(db: &Database, ledger: &Ledger, user: UserId) -> Balances {
    db.in_txn(async |txn| ledger.lock_wallet_in_txn(txn, user).await).await.unwrap()
}

/// What is available to the user, in paise.
pub(crate) async fn available(db: &Database, ledger: &Ledger, user: UserId) -> i64 {
    balances(db, ledger, user).await.available.amount()
}

/// The rows that the query finds.
pub(crate) async fn rows(db: &Database, sql: &str, values: Vec<Value>) -> Vec<QueryResult> {
    db.reader().unwrap().query_all_raw(db.engine().statement(sql, values)).await.unwrap()
}

/// How many rows there are of which this is true.
pub(crate) async fn count(db: &Database, table_and_condition: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS n FROM {table_and_condition}");
    rows(db, &sql, vec![]).await[0].try_get("", "n").unwrap()
}

/// The versions in the user's history, in order.
pub(crate) async fn history(db: &Database, user: UserId) -> Vec<i64> {
    let sql = "SELECT version FROM ledger_entries WHERE user_id = ? ORDER BY version";
    rows(db, sql, vec![user.uuid().into()])
        .await
        .iter()
        .map(|row| row.try_get("", "version").unwrap())
        .collect()
}

/// The sum over all accounts, of users and of the house, in one statement.
pub(crate) async fn total(db: &Database) -> i64 {
    let bigint = if db.engine() == Engine::MariaDb { "SIGNED" } else { "BIGINT" };
    let sql = format!(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS {bigint}) AS total FROM \
         (SELECT available + held + promo + earnings + debt AS amount FROM ledger_wallets \
         UNION ALL SELECT balance FROM ledger_accounts UNION ALL SELECT amount FROM ledger_deltas) AS parts"
    );
    rows(db, &sql, vec![]).await[0].try_get("", "total").unwrap()
}

/// Runs the futures at once, each in a task of its own, and gives what they gave.
pub(crate) async fn at_once<T: Send + 'static>(
    work: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = work.into_iter().map(tokio::spawn).collect();
    let mut given = Vec::new();
    for task in tasks {
        given.push(task.await.unwrap());
    }
    given
}

/// Everything that was written agrees with everything else.
pub(crate) async fn assert_sound(db: &Database, ledger: &Ledger) {
    assert_eq!(total(db).await, 0);
    let report = ledger.verify(|_| {}).await.unwrap();
    assert!(report.first_wrong.is_none(), "{:?}", report.first_wrong);
}
