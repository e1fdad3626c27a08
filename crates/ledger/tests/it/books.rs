//! The wallet and its history: what the model says, under every filter, every paging, and while writers run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use kernel::{Currency, Money, Page, Paging, UserId};
use ledger::{
    JournalKind, Ledger, LedgerError, Leg, NewJournal, Purse, Reference, TransactionFilter, TransactionQuery,
    TransactionType as T, WalletTransactionView, templates,
};
use testkit::{Domain, Scope, on_every_engine};

use crate::business::{Customer, Dice, Known, Shop, wait};

async fn page(
    ledger: &Ledger,
    user: UserId,
    filter: &TransactionFilter,
    paging: Paging,
) -> Result<Page<WalletTransactionView>, LedgerError> {
    ledger.transactions(user, &TransactionQuery { filter: filter.clone(), paging }).await
}

/// All rows, by following the cursors.
async fn walk(ledger: &Ledger, user: UserId, filter: &TransactionFilter, limit: u32) -> Vec<Known> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let paging = Paging::After { cursor: cursor.take(), limit };
        let page = page(ledger, user, filter, paging).await.unwrap();
        rows.extend(page.data.iter().map(Known::of));
        cursor = page.pagination.next_cursor;
        if cursor.is_none() {
            return rows;
        }
        assert_eq!(page.data.len(), usize::try_from(limit).unwrap(), "a page that goes on is full");
    }
}

/// All rows, by turning numbered pages.
async fn leaf(ledger: &Ledger, user: UserId, filter: &TransactionFilter, limit: u32) -> (Vec<Known>, u64) {
    let (mut rows, mut number) = (Vec::new(), 1);
    loop {
        let page = page(ledger, user, filter, Paging::Numbered { page: number, limit }).await.unwrap();
        rows.extend(page.data.iter().map(Known::of));
        number += 1;
        if u64::from(number) > page.pagination.total_pages.unwrap() {
            return (rows, page.pagination.total.unwrap());
        }
    }
}

/// A question at random, and the model's answer, latest first.
fn question(dice: &Dice, customer: &Customer) -> (TransactionFilter, Vec<Known>) {
    let mut types = Vec::new();
    for _ in 0..dice.between(0, 4) {
        types.push(dice.pick(&T::ALL));
    }
    let moment =
        || -> Option<DateTime<Utc>> { (dice.between(0, 1) == 0).then(|| dice.pick(&customer.rows).at) };
    let (from, to) = match (moment(), moment()) {
        (Some(one), Some(other)) if one >= other => (Some(other), None),
        bounds => bounds,
    };
    let filter = TransactionFilter::new(types.clone(), from, to).unwrap();
    let is_wanted = |row: &&Known| {
        (types.is_empty() || types.contains(&row.says))
            && from.is_none_or(|from| row.at >= from)
            && to.is_none_or(|to| row.at < to)
    };
    let answer = customer.rows.iter().rev().filter(is_wanted).cloned().collect();
    (filter, answer)
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    /// Each of the two sees their own side of it.
    async fn a_journal_between_two_wallets_shows_each_what_it_did_to_theirs(db: TestDb) {
        let shop = Shop::open(db);
        let [buyer, seller] = [(); 2].map(|()| shop.customer().user);
        shop.ledger.post(&templates::top_up("pay_1", buyer, Money::inr(100)).unwrap()).await.unwrap();
        let legs = vec![Leg::new((buyer, Purse::Available), (seller, Purse::Earnings), Money::inr(30))];
        let sale = NewJournal::new("sale:1", JournalKind::Recovery, Reference::new("sale", 1), legs).unwrap();
        shop.ledger.post(&sale).await.unwrap();
        for (user, spendable) in [(buyer, [100, 70]), (seller, [0, 30])] {
            let first = Paging::After { cursor: None, limit: 1 };
            let rows = page(&shop.ledger, user, &TransactionFilter::default(), first).await.unwrap().data;
            let change = &rows[0].spendable;
            assert_eq!([change.before, change.after].map(Money::amount), spendable);
        }
    }

    async fn somebody_without_money_has_a_wallet_of_zeros(db: TestDb) {
        let shop = Shop::open(db);
        let wallet = shop.ledger.wallet(shop.ambient.new_id()).await.unwrap();
        let balances =
            [wallet.available, wallet.held, wallet.promo, wallet.earnings, wallet.debt, wallet.spendable];
        assert!(balances.iter().all(|balance| *balance == Money::inr(0)));
        assert_eq!((wallet.lifetime.credited, wallet.currency), (Money::inr(0), Currency::Inr));
        let none = TransactionFilter::default();
        assert!(walk(&shop.ledger, shop.ambient.new_id(), &none, 20).await.is_empty());
        assert_eq!(leaf(&shop.ledger, shop.ambient.new_id(), &none, 20).await, (Vec::new(), 0));
    }

    async fn history_reads_are_the_models_answer(db: TestDb) {
        let (shop, dice) = (Shop::open(db), Dice::new(29));
        let (mut one, mut other) = (shop.customer(), shop.customer());
        for _ in 0..120 {
            one.live(&shop, &dice).await;
            wait(&shop, &dice);
            if dice.between(0, 3) == 0 {
                other.live(&shop, &dice).await;
            }
        }
        let said: std::collections::BTreeSet<_> = one.rows.iter().map(|row| row.says).collect();
        assert!(said.len() >= 11, "the model has seen {said:?}");
        for _ in 0..40 {
            let customer = if dice.between(0, 3) == 0 { &other } else { &one };
            let (filter, answer) = question(&dice, customer);
            let limit = u32::try_from(dice.between(1, 30)).unwrap();
            assert_eq!(walk(&shop.ledger, customer.user, &filter, limit).await, answer, "{filter:?}");
            let (rows, total) = leaf(&shop.ledger, customer.user, &filter, limit).await;
            assert_eq!((rows.len(), total), (answer.len(), u64::try_from(answer.len()).unwrap()));
            assert_eq!(rows, answer, "{filter:?}");
        }
        for customer in [&one, &other] {
            check_wallet(&shop, customer).await;
        }
    }

    async fn no_row_is_lost_or_doubled_while_writers_run(db: TestDb) {
        let shop = Arc::new(Shop::open(db));
        let done = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        let mut readers = Vec::new();
        for seed in 0..3 {
            let mut customer = shop.customer();
            let (user, shop, done) = (customer.user, Arc::clone(&shop), Arc::clone(&done));
            let reading = Arc::clone(&shop);
            readers.push(tokio::spawn(async move { read_until(&reading, user, &done).await }));
            writers.push(tokio::spawn(async move {
                customer.live_for(&shop, &Dice::new(seed), 60).await;
                customer
            }));
        }
        let mut customers = Vec::new();
        for writer in writers {
            customers.push(writer.await.unwrap());
        }
        done.store(true, Ordering::SeqCst);
        for reader in readers {
            assert!(reader.await.unwrap() > 0);
        }
        for customer in &customers {
            let answer: Vec<_> = customer.rows.iter().rev().cloned().collect();
            assert_eq!(walk(&shop.ledger, customer.user, &TransactionFilter::default(), 7).await, answer);
            check_wallet(&shop, customer).await;
        }
    }

    async fn several_writers_of_one_wallet_leave_one_unbroken_history(db: TestDb) {
        let shop = Arc::new(Shop::open(db));
        let user: UserId = shop.ambient.new_id();
        let done = Arc::new(AtomicBool::new(false));
        let (reading, ended) = (Arc::clone(&shop), Arc::clone(&done));
        let reader = tokio::spawn(async move { read_until(&reading, user, &ended).await });
        let mut writers = Vec::new();
        for _ in 0..8 {
            let shop = Arc::clone(&shop);
            writers.push(tokio::spawn(async move {
                let mut customer = shop.customer();
                customer.user = user;
                for _ in 0..15 {
                    customer.top_up(&shop, 500).await;
                }
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        done.store(true, Ordering::SeqCst);
        assert!(reader.await.unwrap() > 0);
        assert_eq!(walk(&shop.ledger, user, &TransactionFilter::default(), 13).await.len(), 120);
        assert_eq!(shop.ledger.wallet(user).await.unwrap().available, Money::inr(60_000));
    }

    async fn a_cursor_is_good_for_its_own_list_alone(db: TestDb) {
        let shop = Shop::open(db);
        let (mut one, other) = (shop.customer(), shop.customer());
        for _ in 0..3 {
            one.top_up(&shop, 1_000).await;
        }
        let all = TransactionFilter::default();
        let first = page(&shop.ledger, one.user, &all, Paging::After { cursor: None, limit: 2 }).await.unwrap();
        let cursor = first.pagination.next_cursor;
        let again = |user, filter| {
            let paging = Paging::After { cursor: cursor.clone(), limit: 2 };
            let ledger = shop.ledger.clone();
            async move { page(&ledger, user, &filter, paging).await }
        };
        assert_eq!(again(one.user, all.clone()).await.unwrap().data.len(), 1);
        let topups = TransactionFilter::new(vec![T::CreditTopup], None, None).unwrap();
        for (user, filter) in [(other.user, all), (one.user, topups)] {
            let error = again(user, filter).await.unwrap_err();
            assert!(matches!(&error, LedgerError::Invalid(error) if error.0[0].field == "cursor"), "{error:?}");
        }
    }

    async fn no_moment_is_too_far_away_to_ask_for(db: TestDb) {
        let shop = Shop::open(db);
        let mut customer = shop.customer();
        customer.top_up(&shop, 1_000).await;
        let (past, future) = (Some(DateTime::<Utc>::MIN_UTC), Some(DateTime::<Utc>::MAX_UTC));
        // More often than there are connections: one that is given what its engine cannot keep would be lost.
        for _ in 0..20 {
            for (from, to, rows) in [(past, None, 1), (None, past, 0), (future, None, 0), (None, future, 1)] {
                let filter = TransactionFilter::new(Vec::new(), from, to).unwrap();
                assert_eq!(walk(&shop.ledger, customer.user, &filter, 10).await.len(), rows, "{from:?} {to:?}");
            }
        }
    }

    async fn stats_are_sums_of_this_month_and_of_all_time(db: TestDb) {
        let shop = Shop::open(db);
        let mut customer = shop.customer();
        // The last moment of February in India, and the first of March.
        shop.clock.set("2026-02-28T18:29:59.999999Z".parse().unwrap());
        customer.top_up(&shop, 50_000).await;
        customer.boost(&shop, 9_900, JournalKind::BoostCharge).await;
        shop.clock.set("2026-02-28T18:30:00Z".parse().unwrap());
        customer.bonus(&shop, 2_000, None).await;
        customer.boost(&shop, 4_900, JournalKind::BoostCharge).await;
        customer.boost(&shop, 19_900, JournalKind::FeatureCharge).await;
        customer.hold(&shop, 700).await;
        customer.end_hold(&shop, true).await;
        let stats = shop.ledger.stats(customer.user).await.unwrap();
        assert_eq!(stats.month_began_at, "2026-02-28T18:30:00Z".parse::<DateTime<Utc>>().unwrap());
        let sum = |says| {
            let found = stats.types.iter().find(|total| total.says == says).unwrap();
            (found.this_month.amount(), found.lifetime.amount())
        };
        assert_eq!(sum(T::CreditTopup), (0, 50_000));
        assert_eq!(sum(T::CreditBonus), (2_000, 2_000));
        assert_eq!(sum(T::DebitBoost), (4_900, 14_800));
        assert_eq!(sum(T::DebitFeature), (19_900, 19_900));
        assert_eq!((sum(T::Hold), sum(T::DebitRefund)), ((700, 700), (700, 700)));
        assert_eq!(sum(T::DebitPayout), (0, 0));
        let totals = |totals: ledger::WalletTotalsView| {
            (totals.credited.amount(), totals.spent.amount(), totals.refunded.amount())
        };
        assert_eq!(totals(stats.this_month), (2_000, 24_800, 700));
        assert_eq!(totals(stats.lifetime), (52_000, 34_700, 700));
        let wallet = shop.ledger.wallet(customer.user).await.unwrap();
        assert_eq!(totals(wallet.lifetime), (52_000, 34_700, 700));
    }
}

/// Reads the history over and over: each time it is one unbroken line down to the first row.
async fn read_until(shop: &Shop, user: UserId, done: &AtomicBool) -> usize {
    let (mut rounds, mut longest) = (0, 0);
    while !done.load(Ordering::SeqCst) || rounds == 0 {
        let rows = walk(&shop.ledger, user, &TransactionFilter::default(), 5).await;
        let expected: Vec<_> = (1..=rows.len()).rev().map(|version| format!("{version}-0")).collect();
        assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), expected);
        for pair in rows.windows(2) {
            assert_eq!((pair[0].spendable.0, pair[0].held.0), (pair[1].spendable.1, pair[1].held.1));
        }
        assert!(rows.len() >= longest, "what was read stays");
        longest = rows.len();
        rounds += 1;
        tokio::task::yield_now().await;
    }
    rounds
}

/// The wallet and its sums are the model's.
async fn check_wallet(shop: &Shop, customer: &Customer) {
    let wallet = shop.ledger.wallet(customer.user).await.unwrap();
    let found = (wallet.available, wallet.held, wallet.promo, wallet.debt, wallet.spendable);
    let balances = (customer.available, customer.held, customer.promo, customer.debt, customer.spendable());
    let known = (
        Money::inr(balances.0),
        Money::inr(balances.1),
        Money::inr(balances.2),
        Money::inr(balances.3),
        Money::inr(balances.4),
    );
    assert_eq!(found, known);
    let stats = shop.ledger.stats(customer.user).await.unwrap();
    for total in &stats.types {
        let of = |is_wanted: &dyn Fn(&Known) -> bool| -> i64 {
            customer
                .rows
                .iter()
                .filter(|row| row.says == total.says && is_wanted(row))
                .map(|row| row.amount)
                .sum()
        };
        assert_eq!(total.lifetime.amount(), of(&|_| true), "{:?}", total.says);
        assert_eq!(total.this_month.amount(), of(&|row| row.at >= stats.month_began_at), "{:?}", total.says);
    }
}
