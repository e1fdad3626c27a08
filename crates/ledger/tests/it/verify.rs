//! The check of the whole ledger: silent when it is right, also under writers; and whatever row is tampered with, it is
//! named. Invariants 1, 4, 6 and 14.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use kernel::{Actor, Money, TypedId};
use ledger::{House, JournalKind, Leg, Mismatch, NewJournal, Part, Progress, Purse, Reference, templates};
use sea_orm::{ConnectionTrait, Value};
use store::{Engine, StoreError};
use testkit::{Domain, Scope, TestDb, on_every_engine};
use uuid::Uuid;

use crate::business::{Dice, Shop};

/// The database in the hands of somebody who may do anything.
struct Intruder<'a>(&'a TestDb);

impl Intruder<'_> {
    async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> u64 {
        let statement = self.0.engine().statement(sql, values);
        let done = self
            .0
            .in_txn(async |txn| txn.execute_raw(statement.clone()).await.map_err(StoreError::from))
            .await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
    }

    /// Takes the triggers away that refuse to change what was written.
    async fn disarm(&self) {
        for table in ["ledger_journals", "ledger_postings", "ledger_entries", "ledger_seals"] {
            if self.0.engine() == Engine::Postgres {
                self.run(&format!("DROP TRIGGER {table}_append_only ON {table}"), []).await;
            } else {
                self.run(&format!("DROP TRIGGER {table}_no_update"), []).await;
                self.run(&format!("DROP TRIGGER {table}_no_delete"), []).await;
            }
        }
    }

    async fn id(&self, sql: &str) -> Uuid {
        let row = self.0.reader().unwrap().query_one_raw(self.0.engine().statement(sql, [])).await.unwrap();
        row.unwrap_or_else(|| panic!("{sql}: nothing")).try_get("", "id").unwrap()
    }

    /// The first journal of a kind.
    async fn journal(&self, kind: &str) -> Uuid {
        self.id(&format!("SELECT id FROM ledger_journals WHERE kind = '{kind}' ORDER BY id LIMIT 1")).await
    }

    /// Keeps a copy of some rows, and removes them.
    async fn take_out(&self, table: &str, condition: &str, value: Uuid) {
        self.run(&format!("CREATE TABLE {table}_copy AS SELECT * FROM {table} WHERE 1 = 0"), []).await;
        let copy = format!("INSERT INTO {table}_copy SELECT * FROM {table} WHERE {condition}");
        assert!(self.run(&copy, [value.into()]).await > 0, "{table} {condition}");
        self.run(&format!("DELETE FROM {table} WHERE {condition}"), [value.into()]).await;
    }

    async fn put_back(&self, table: &str) {
        self.run(&format!("INSERT INTO {table} SELECT * FROM {table}_copy"), []).await;
        self.run(&format!("DROP TABLE {table}_copy"), []).await;
    }
}

/// A ledger with a bit of everything, two seals over the older part of it, and deltas that wait to be folded.
async fn lively(db: &TestDb) -> Shop {
    let (shop, dice) = (Shop::open(db), Dice::new(11));
    let mut customers = [shop.customer(), shop.customer(), shop.customer()];
    for _ in 0..2 {
        for customer in &mut customers {
            customer.top_up(&shop, 60_000).await;
            customer.boost(&shop, 9_900, JournalKind::BoostCharge).await;
            customer.live_for(&shop, &dice, 12).await;
            shop.clock.advance(TimeDelta::seconds(1));
        }
        let fee =
            templates::gateway_fee(&shop.ambient.new_uuid().to_string(), Money::inr(236), Money::inr(36));
        shop.post(fee.unwrap()).await;
        shop.clock.advance(TimeDelta::seconds(121));
        shop.ledger.seal(Duration::from_secs(120)).await.unwrap();
        shop.ledger.fold().await.unwrap();
    }
    for customer in &mut customers {
        customer.top_up(&shop, 60_000).await;
        customer.hold(&shop, 700).await;
        customer.hold(&shop, 800).await;
        // The first hold of the queue may be an older one.
        customer.end_hold(&shop, true).await;
        customer.end_hold(&shop, false).await;
        customer.hold(&shop, 900).await;
    }
    shop
}

/// What is changed and how it is changed back, and the table and column that the check must name.
struct Case {
    change: &'static str,
    undo: &'static str,
    key: Key,
    table: &'static str,
    column: &'static str,
}

/// What the one value of the statements is.
#[derive(Clone, Copy)]
enum Key {
    /// The first journal of a kind.
    Journal(&'static str),
    /// What a statement finds.
    Found(&'static str),
}

const fn case(
    change: &'static str,
    undo: &'static str,
    key: Key,
    table: &'static str,
    column: &'static str,
) -> Case {
    Case { change, undo, key, table, column }
}

const TOP_UP: Key = Key::Journal("top_up");
const ANY_WALLET: Key = Key::Found("SELECT user_id AS id FROM ledger_wallets ORDER BY user_id LIMIT 1");
const OPEN_HOLD: Key = Key::Found("SELECT id FROM ledger_holds WHERE status = 'open' ORDER BY id LIMIT 1");
const CAPTURED_HOLD: Key =
    Key::Found("SELECT id FROM ledger_holds WHERE status = 'captured' ORDER BY id LIMIT 1");
const WAITING: Key = Key::Found("SELECT journal_id AS id FROM ledger_deltas ORDER BY journal_id LIMIT 1");

const CASES: &[Case] = &[
    case(
        "UPDATE ledger_postings SET amount = amount + 1 WHERE journal_id = ? AND seq = 1",
        "UPDATE ledger_postings SET amount = amount - 1 WHERE journal_id = ? AND seq = 1",
        TOP_UP,
        "ledger_journals",
        "payload_hash",
    ),
    case(
        "UPDATE ledger_postings SET from_kind = 'bank:current' WHERE journal_id = ? AND seq = 1",
        "UPDATE ledger_postings SET from_kind = 'gateway:clearing' WHERE journal_id = ? AND seq = 1",
        TOP_UP,
        "ledger_journals",
        "payload_hash",
    ),
    case(
        "UPDATE ledger_postings SET from_kind = 'nowhere' WHERE journal_id = ? AND seq = 1",
        "UPDATE ledger_postings SET from_kind = 'gateway:clearing' WHERE journal_id = ? AND seq = 1",
        TOP_UP,
        "ledger_journals",
        "payload_hash",
    ),
    case(
        "UPDATE ledger_postings SET to_kind = 'earnings' WHERE journal_id = ? AND seq = 1",
        "UPDATE ledger_postings SET to_kind = 'available' WHERE journal_id = ? AND seq = 1",
        TOP_UP,
        "ledger_journals",
        "payload_hash",
    ),
    case(
        "UPDATE ledger_postings SET seq = 9 WHERE journal_id = ? AND seq = 1",
        "UPDATE ledger_postings SET seq = 1 WHERE journal_id = ? AND seq = 9",
        TOP_UP,
        "ledger_postings",
        "seq",
    ),
    case(
        "UPDATE ledger_journals SET kind = 'bonus' WHERE id = ?",
        "UPDATE ledger_journals SET kind = 'top_up' WHERE id = ?",
        TOP_UP,
        "ledger_journals",
        "payload_hash",
    ),
    case(
        "UPDATE ledger_journals SET kind = 'gift' WHERE id = ?",
        "UPDATE ledger_journals SET kind = 'top_up' WHERE id = ?",
        TOP_UP,
        "ledger_journals",
        "payload_hash",
    ),
    case(
        "UPDATE ledger_journals SET reason = 'another one' WHERE id = ?",
        "UPDATE ledger_journals SET reason = NULL WHERE id = ?",
        TOP_UP,
        "ledger_journals",
        "payload_hash",
    ),
    // Who posted it is in no digest of its own, but under the seal.
    case(
        "UPDATE ledger_journals SET actor_id = 'nobody' WHERE id = ?",
        "UPDATE ledger_journals SET actor_id = 'ledger' WHERE id = ?",
        TOP_UP,
        "ledger_seals",
        "root",
    ),
    case(
        "UPDATE ledger_entries SET available = available + 1 WHERE journal_id = ?",
        "UPDATE ledger_entries SET available = available - 1 WHERE journal_id = ?",
        TOP_UP,
        "ledger_entries",
        "available",
    ),
    case(
        "UPDATE ledger_entries SET held = held + 1 WHERE journal_id = ?",
        "UPDATE ledger_entries SET held = held - 1 WHERE journal_id = ?",
        Key::Journal("refund_hold"),
        "ledger_entries",
        "held",
    ),
    case(
        "UPDATE ledger_entries SET kind = 'bonus' WHERE journal_id = ?",
        "UPDATE ledger_entries SET kind = 'top_up' WHERE journal_id = ?",
        TOP_UP,
        "ledger_entries",
        "kind",
    ),
    case(
        "UPDATE ledger_entries SET version = version + 1000 WHERE journal_id = ?",
        "UPDATE ledger_entries SET version = version - 1000 WHERE journal_id = ?",
        TOP_UP,
        "ledger_entries",
        "version",
    ),
    case(
        "UPDATE ledger_wallets SET available = available + 1 WHERE user_id = ?",
        "UPDATE ledger_wallets SET available = available - 1 WHERE user_id = ?",
        ANY_WALLET,
        "ledger_wallets",
        "available",
    ),
    case(
        "UPDATE ledger_wallets SET promo = promo + 1 WHERE user_id = ?",
        "UPDATE ledger_wallets SET promo = promo - 1 WHERE user_id = ?",
        ANY_WALLET,
        "ledger_wallets",
        "promo",
    ),
    case(
        "UPDATE ledger_wallets SET debt = debt - 1 WHERE user_id = ?",
        "UPDATE ledger_wallets SET debt = debt + 1 WHERE user_id = ?",
        ANY_WALLET,
        "ledger_wallets",
        "debt",
    ),
    case(
        "UPDATE ledger_wallets SET version = version + 1 WHERE user_id = ?",
        "UPDATE ledger_wallets SET version = version - 1 WHERE user_id = ?",
        ANY_WALLET,
        "ledger_wallets",
        "version",
    ),
    case(
        "UPDATE ledger_holds SET amount = amount + 1, from_earnings = from_earnings + 1 WHERE id = ?",
        "UPDATE ledger_holds SET amount = amount - 1, from_earnings = from_earnings - 1 WHERE id = ?",
        OPEN_HOLD,
        "ledger_holds",
        "from_earnings",
    ),
    case(
        "UPDATE ledger_holds SET status = 'released' WHERE id = ?",
        "UPDATE ledger_holds SET status = 'captured' WHERE id = ?",
        CAPTURED_HOLD,
        "ledger_holds",
        "status",
    ),
    case(
        "UPDATE ledger_deltas SET amount = amount * 2 WHERE journal_id = ?",
        "UPDATE ledger_deltas SET amount = amount / 2 WHERE journal_id = ?",
        WAITING,
        "ledger_deltas",
        "amount",
    ),
];

/// How many postings there are, and how many house accounts they name.
async fn rows_in(db: &TestDb) -> (u64, u64) {
    let sql = "SELECT (SELECT COUNT(*) FROM ledger_postings) AS postings, (SELECT COUNT(*) FROM \
               (SELECT from_kind AS kind FROM ledger_postings WHERE from_user IS NULL UNION \
               SELECT to_kind FROM ledger_postings WHERE to_user IS NULL) AS houses) AS accounts";
    let row = db.reader().unwrap().query_one_raw(db.engine().statement(sql, [])).await.unwrap().unwrap();
    let count = |column| u64::try_from(row.try_get::<i64>("", column).unwrap()).unwrap();
    (count("postings"), count("accounts"))
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn an_empty_ledger_is_right(db: TestDb) {
        let report = Shop::open(db).ledger.verify(|_| ()).await.unwrap();
        assert_eq!(report, ledger::Report::default());
    }

    async fn a_sound_ledger_is_right_and_the_check_tells_how_far_it_is(db: TestDb) {
        let shop = lively(db).await;
        let mut told: Vec<Progress> = Vec::new();
        let report = shop.ledger.verify(|progress| told.push(progress)).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(shop.ledger.verify_by_templates(|_| ()).await.unwrap(), report);
        assert!(report.seals >= 2 && report.wallets == 3 && report.holds >= 9 && report.deltas > 0, "{report:?}");
        let (postings, accounts) = rows_in(db).await;
        assert_eq!((report.postings, report.accounts), (postings, accounts));
        let last = |part| told.iter().rev().find(|progress| progress.part == part).unwrap().checked;
        assert_eq!(
            [Part::Journals, Part::Holds, Part::Wallets, Part::Deltas].map(last),
            [report.journals, report.holds, report.wallets, report.deltas]
        );
    }

    async fn a_ledger_is_right_at_every_moment_while_writers_folders_and_sealers_run(db: TestDb) {
        let shop = Arc::new(Shop::open(db));
        let done = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for seed in 0..4 {
            let shop = Arc::clone(&shop);
            writers.push(tokio::spawn(async move {
                let mut customer = shop.customer();
                customer.live_for(&shop, &Dice::new(seed), 40).await;
            }));
        }
        let (keeping, ended) = (Arc::clone(&shop), Arc::clone(&done));
        let keeper = tokio::spawn(async move {
            while !ended.load(Ordering::SeqCst) {
                keeping.ledger.fold().await.unwrap();
                keeping.clock.advance(TimeDelta::seconds(60));
                keeping.ledger.seal(Duration::from_secs(3_600)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let (checking, ended) = (Arc::clone(&shop), Arc::clone(&done));
        let checker = tokio::spawn(async move {
            let mut rounds = 0;
            while !ended.load(Ordering::SeqCst) || rounds == 0 {
                let report = checking.ledger.verify(|_| ()).await.unwrap();
                assert!(report.is_clean(), "round {rounds}: {report:?}");
                rounds += 1;
            }
        });
        for writer in writers {
            writer.await.unwrap();
        }
        done.store(true, Ordering::SeqCst);
        keeper.await.unwrap();
        checker.await.unwrap();
    }

    async fn every_row_that_was_tampered_with_is_named(db: TestDb) {
        let shop = lively(db).await;
        let intruder = Intruder(db);
        intruder.disarm().await;
        for Case { change, undo, key, table, column } in CASES {
            let id = match key {
                Key::Journal(kind) => intruder.journal(kind).await,
                Key::Found(sql) => intruder.id(sql).await,
            };
            assert!(intruder.run(change, [id.into()]).await > 0, "{change}");
            let wrong = first_wrong(&shop).await;
            assert_eq!((wrong.table, wrong.column), (*table, *column), "{change}: {wrong}");
            intruder.run(undo, [id.into()]).await;
        }
        let report = shop.ledger.verify(|_| ()).await.unwrap();
        assert!(report.is_clean(), "all is as it was: {report:?}");
    }

    /// Everything about it adds up, and no template writes it.
    async fn a_credit_that_was_invented_is_found(db: TestDb) {
        let shop = Shop::open(db);
        let mut customer = shop.customer();
        customer.top_up(&shop, 500).await;
        let legs = vec![Leg::new(House::GatewayClearing, (customer.user, Purse::Available), Money::inr(1_000_000))];
        let about = Reference::new("refund", 1);
        shop.post(NewJournal::new("refund:fail:1", JournalKind::RefundRelease, about, legs).unwrap()).await;
        assert!(shop.ledger.verify(|_| ()).await.unwrap().is_clean());
        let wrong = shop.ledger.verify_by_templates(|_| ()).await.unwrap().first_wrong.unwrap();
        assert_eq!((wrong.table, wrong.column), ("ledger_postings", "from_kind and to_kind"), "{wrong}");
    }

    /// It mirrors what it names all the same, and has the digest for it.
    async fn a_reversal_of_a_reversal_is_found(db: TestDb) {
        let shop = Shop::open(db);
        let mut customer = shop.customer();
        customer.top_up(&shop, 500).await;
        let there = Leg::new(House::GatewayClearing, (customer.user, Purse::Available), Money::inr(500));
        let back = Leg::new((customer.user, Purse::Available), House::GatewayClearing, Money::inr(500));
        let mut reversals = Vec::new();
        for (key, leg) in [("there", there), ("back", back)] {
            let about = Reference::new("payment", key);
            let posted = shop.post(NewJournal::new(key, JournalKind::TopUp, about, vec![leg]).unwrap()).await;
            let reversed = db.in_txn(async |txn| {
                shop.ledger.reverse_in_txn(txn, posted, &Actor::System("desk"), "a mistake").await
            });
            reversals.push(reversed.await.unwrap().journal().unwrap());
        }
        assert!(shop.ledger.verify(|_| ()).await.unwrap().is_clean());
        let intruder = Intruder(db);
        intruder.disarm().await;
        let forge = "UPDATE ledger_journals SET reverses_id = ? WHERE id = ?";
        intruder.run(forge, [reversals[0].uuid().into(), reversals[1].uuid().into()]).await;
        let told = first_wrong(&shop).await;
        assert_eq!((told.table, told.column), ("ledger_journals", "payload_hash"), "{told}");
        let forge = "UPDATE ledger_journals SET payload_hash = ? WHERE id = ?";
        intruder.run(forge, [told.expected.into(), reversals[1].uuid().into()]).await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.table, wrong.column), ("ledger_journals", "reverses_id"), "{wrong}");
        assert_eq!(wrong.expected, "a journal that is no reversal");
    }

    async fn the_wrong_row_is_named_by_its_key_with_what_should_be_there(db: TestDb) {
        let shop = Shop::open(db);
        let intruder = Intruder(db);
        let mut customer = shop.customer();
        customer.top_up(&shop, 500).await;
        customer.top_up(&shop, 300).await;
        intruder.disarm().await;
        intruder.run("UPDATE ledger_entries SET available = 9000 WHERE version = 2", []).await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.expected.as_str(), wrong.found.as_str()), ("800", "9000"));
        let told = format!(
            "ledger_entries (user_id {}, version 2): available should be 800 and is 9000",
            customer.user
        );
        assert_eq!(wrong.to_string(), told);
    }

    async fn every_row_that_was_taken_out_is_missed(db: TestDb) {
        let shop = lively(db).await;
        let intruder = Intruder(db);
        intruder.disarm().await;
        let boost = intruder.journal("boost_charge").await;
        let top_up = intruder.journal("top_up").await;
        let hold = intruder.id("SELECT id FROM ledger_holds WHERE status = 'open' ORDER BY id LIMIT 1").await;
        let delta = intruder.id("SELECT journal_id AS id FROM ledger_deltas ORDER BY journal_id LIMIT 1").await;
        for (table, condition, id, named, column) in [
            ("ledger_postings", "journal_id = ? AND seq = 2", boost, "ledger_postings", "seq"),
            ("ledger_postings", "journal_id = ? AND seq = 3", boost, "ledger_journals", "payload_hash"),
            ("ledger_postings", "journal_id = ?", top_up, "ledger_journals", "postings"),
            ("ledger_entries", "journal_id = ?", top_up, "ledger_entries", "rows"),
            ("ledger_holds", "id = ?", hold, "ledger_wallets", "held (the sum of the open holds)"),
            ("ledger_deltas", "journal_id = ?", delta, "ledger_accounts", "balance with what waits to be folded"),
        ] {
            intruder.take_out(table, condition, id).await;
            let wrong = first_wrong(&shop).await;
            assert_eq!((wrong.table, wrong.column), (named, column), "{table} {condition}: {wrong}");
            intruder.put_back(table).await;
        }
        assert!(shop.ledger.verify(|_| ()).await.unwrap().is_clean());
    }

    async fn a_journal_that_was_taken_out_or_slipped_in_breaks_its_seal(db: TestDb) {
        let shop = lively(db).await;
        let intruder = Intruder(db);
        intruder.disarm().await;
        let fee = intruder.journal("gateway_fee").await;
        intruder.take_out("ledger_postings", "journal_id = ?", fee).await;
        intruder.take_out("ledger_journals", "id = ?", fee).await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.table, wrong.column), ("ledger_seals", "journals"), "{wrong}");
        intruder.put_back("ledger_journals").await;
        intruder.put_back("ledger_postings").await;
        assert!(shop.ledger.verify(|_| ()).await.unwrap().is_clean());

        // The same journal once more under another id and key, as old as the first of all.
        let old = Uuid::from_u128(1);
        for (table, column) in [("ledger_journals", "id"), ("ledger_postings", "journal_id")] {
            intruder.run(&format!("CREATE TABLE {table}_copy AS SELECT * FROM {table} WHERE 1 = 0"), []).await;
            let copy = format!("INSERT INTO {table}_copy SELECT * FROM {table} WHERE {column} = ?");
            intruder.run(&copy, [fee.into()]).await;
            intruder.run(&format!("UPDATE {table}_copy SET {column} = ?"), [old.into()]).await;
        }
        intruder.run("UPDATE ledger_journals_copy SET idem_key = 'another'", []).await;
        intruder.put_back("ledger_journals").await;
        intruder.put_back("ledger_postings").await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.table, wrong.column), ("ledger_seals", "journals"), "{wrong}");
    }

    async fn a_seal_that_was_changed_or_taken_out_breaks_the_chain(db: TestDb) {
        let shop = lively(db).await;
        let intruder = Intruder(db);
        intruder.disarm().await;
        for (change, undo, column) in [
            ("total = total + 1", "total = total - 1", "hash"),
            ("journals = journals + 1", "journals = journals - 1", "hash"),
        ] {
            intruder.run(&format!("UPDATE ledger_seals SET {change} WHERE n = 1"), []).await;
            let wrong = first_wrong(&shop).await;
            assert_eq!((wrong.table, wrong.column), ("ledger_seals", column), "{wrong}");
            intruder.run(&format!("UPDATE ledger_seals SET {undo} WHERE n = 1"), []).await;
        }
        intruder.run("UPDATE ledger_seals SET prev_hash = hash WHERE n = 2", []).await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.table, wrong.column), ("ledger_seals", "prev_hash"), "{wrong}");
        intruder.run("DELETE FROM ledger_seals WHERE n = 1", []).await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.table, wrong.column, wrong.expected.as_str()), ("ledger_seals", "n", "1"), "{wrong}");
    }

    async fn a_house_account_and_a_delta_of_no_journal_are_named(db: TestDb) {
        let shop = lively(db).await;
        let intruder = Intruder(db);
        let account = "UPDATE ledger_accounts SET balance = balance + 5 WHERE kind = 'revenue:boost'";
        intruder.run(account, []).await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.table, wrong.key.as_str()), ("ledger_accounts", "kind revenue:boost"));
        intruder.run("UPDATE ledger_accounts SET balance = balance - 5 WHERE kind = 'revenue:boost'", []).await;
        let stray: Uuid = shop.ambient.new_uuid();
        let insert = "INSERT INTO ledger_deltas (kind, journal_id, amount) VALUES ('revenue:boost', ?, 5)";
        intruder.run(insert, [stray.into()]).await;
        let wrong = first_wrong(&shop).await;
        assert_eq!((wrong.table, wrong.expected.as_str(), wrong.found.as_str()), ("ledger_deltas", "0", "5"));
        assert!(wrong.key.contains(&stray.to_string()));
    }
}

async fn first_wrong(shop: &Shop) -> Mismatch {
    shop.ledger.verify(|_| ()).await.unwrap().first_wrong.unwrap()
}
