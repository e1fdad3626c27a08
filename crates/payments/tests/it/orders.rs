//! Orders: intended first, made once, looked after until they are paid or expire.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use kernel::{DomainError, Money, Paging, UserId};
use payments::{OrderStatus, PaymentError, PaymentStatus, ProviderOrder};
use sea_orm::ConnectionTrait;
use sha2::Sha256;
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::desk::{Desk, KEY_SECRET, captured, paid, placed};

/// When the next order is due.
async fn next_look(db: &TestDb) -> Option<DateTime<Utc>> {
    let sql = "SELECT next_poll_at FROM payment_orders WHERE next_poll_at IS NOT NULL ORDER BY next_poll_at LIMIT 1";
    let row = db.reader().unwrap().query_one_raw(db.engine().statement(sql, [])).await.unwrap();
    row.map(|row| row.try_get("", "next_poll_at").unwrap())
}

/// How many orders the runbook finds that were given up.
async fn given_up(db: &TestDb) -> i64 {
    let sql = "SELECT COUNT(*) AS n FROM payment_orders WHERE failed_looks >= 20 AND next_poll_at IS NULL";
    let row = db.reader().unwrap().query_one_raw(db.engine().statement(sql, [])).await.unwrap();
    row.unwrap().try_get("", "n").unwrap()
}

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn receipt_len_le_40(db: TestDb) {
        let desk = Desk::new(db);
        let (one, other) = (desk.open().await, desk.open().await);
        assert!((1..=40).contains(&one.receipt.len()), "{}", one.receipt);
        assert_ne!(one.receipt, other.receipt);
    }

    async fn an_order_is_intended_before_it_is_made_and_keeps_its_first_id(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.open().await;
        assert_eq!((order.status, order.provider_order_id.clone()), (OrderStatus::Creating, None));
        assert_eq!(desk.payments.order(order.id).await.unwrap(), order);
        let made = desk.place(&order).await;
        assert_eq!((made.status, made.provider_order_id.clone()), (OrderStatus::Created, Some(placed(&order).id)));
        assert_eq!(desk.place(&order).await, made, "noted twice is noted once");
        let second = ProviderOrder { id: "order_second".to_owned(), ..placed(&order) };
        let note = async |txn: &_| desk.payments.note_created_in_txn(txn, order.id, &second).await;
        assert_eq!(desk.db.in_txn(note).await.unwrap(), made, "somebody may be paying the first");
    }

    async fn an_order_of_another_amount_or_receipt_is_not_ours(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.open().await;
        for other in [
            ProviderOrder { charge: Money::inr(100).into(), ..placed(&order) },
            ProviderOrder { receipt: None, ..placed(&order) },
            ProviderOrder { receipt: Some("other".to_owned()), ..placed(&order) },
        ] {
            let note = async |txn: &_| desk.payments.note_created_in_txn(txn, order.id, &other).await;
            assert!(matches!(desk.db.in_txn(note).await, Err(PaymentError::OrderNotFound)));
        }
        assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Creating);
    }

    async fn an_amount_out_of_the_limits_is_refused_by_its_field(db: TestDb) {
        let desk = Desk::new(db);
        let user: UserId = desk.ambient.new_id();
        for paise in [99, 0, -100, 5_000_001] {
            let open = async |txn: &_| desk.payments.open_order_in_txn(txn, user, Money::inr(paise)).await;
            let error = desk.db.in_txn(open).await.unwrap_err();
            assert_eq!(error.fields()[0].field, "amount", "{paise}");
        }
    }

    async fn order_poll_ladder(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let begin = order.created_at;
        let rungs = [
            TimeDelta::minutes(10),
            TimeDelta::hours(1),
            TimeDelta::hours(24),
            TimeDelta::days(3),
            TimeDelta::days(5),
        ];
        for rung in rungs {
            desk.clock.set(begin + rung - TimeDelta::seconds(1));
            assert!(desk.payments.due_orders(10).await.unwrap().is_empty(), "nothing before {rung}");
            desk.clock.set(begin + rung);
            assert_eq!(desk.payments.due_orders(10).await.unwrap()[0].id, order.id, "due at {rung}");
            assert!(desk.payments.due_orders(10).await.unwrap().is_empty(), "taken once");
            assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Created);
            desk.payments.note_polled(order.id).await.unwrap();
        }
        assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Expired);
        for day in 6..=30 {
            desk.clock.set(begin + TimeDelta::days(day) - TimeDelta::seconds(1));
            assert!(desk.payments.due_orders(10).await.unwrap().is_empty(), "nothing before day {day}");
            desk.clock.set(begin + TimeDelta::days(day));
            assert_eq!(desk.payments.due_orders(10).await.unwrap()[0].id, order.id, "due on day {day}");
            desk.payments.note_polled(order.id).await.unwrap();
        }
        desk.pass(TimeDelta::days(300));
        assert!(desk.payments.due_orders(10).await.unwrap().is_empty(), "no order is looked after for ever");
        desk.apply(&captured(&order, "pay_late")).await;
        assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Paid, "late still counts");
    }

    /// Nobody worked for days: the order is looked at once, and not once for each look that was missed.
    async fn looks_that_were_missed_are_not_made_up_for(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        desk.pass(TimeDelta::days(9));
        assert_eq!(desk.payments.due_orders(10).await.unwrap().len(), 1);
        desk.payments.note_polled(order.id).await.unwrap();
        assert!(desk.payments.due_orders(10).await.unwrap().is_empty());
        desk.pass(TimeDelta::days(1));
        assert_eq!(desk.payments.due_orders(10).await.unwrap().len(), 1);
    }

    /// The provider does not show it: ever more rarely, and not for ever.
    async fn an_order_that_cannot_be_looked_at_is_given_up_after_two_weeks(db: TestDb) {
        let desk = Desk::new(db);
        let (placed, never, paid) = (desk.placed().await, desk.open().await, desk.placed().await);
        desk.apply(&captured(&paid, "pay_1")).await;
        let begin = placed.created_at;
        let mut looks = Vec::new();
        while let Some(at) = next_look(db).await {
            desk.clock.set(at);
            for due in desk.payments.due_orders(10).await.unwrap() {
                desk.payments.note_look_failed(due.id).await.unwrap();
                if due.id == placed.id {
                    looks.push((at - begin).num_minutes());
                }
            }
        }
        assert_eq!(looks[..6], [10, 25, 55, 115, 235, 475]);
        assert_eq!((looks.len(), looks[19] / (24 * 60)), (20, 13));
        let status = async |order: &payments::Order| desk.payments.order(order.id).await.unwrap().status;
        assert_eq!(status(&placed).await, OrderStatus::Expired);
        assert_eq!(status(&never).await, OrderStatus::Failed);
        assert_eq!(status(&paid).await, OrderStatus::Paid);
        assert_eq!(given_up(db).await, 3, "the runbook finds them");
        desk.apply(&captured(&placed, "pay_2")).await;
        assert_eq!(status(&placed).await, OrderStatus::Paid, "a webhook still counts");
    }

    async fn a_look_that_shows_the_order_again_forgets_those_that_failed(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        for _ in 0..19 {
            desk.clock.set(next_look(db).await.unwrap());
            assert_eq!(desk.payments.due_orders(10).await.unwrap().len(), 1);
            desk.payments.note_look_failed(order.id).await.unwrap();
        }
        desk.clock.set(next_look(db).await.unwrap());
        desk.payments.due_orders(10).await.unwrap();
        desk.payments.note_polled(order.id).await.unwrap();
        let seen = desk.ambient.now();
        desk.clock.set(next_look(db).await.unwrap());
        assert!(desk.ambient.now() - seen <= TimeDelta::days(1), "the next of its daily looks");
        desk.payments.due_orders(10).await.unwrap();
        desk.payments.note_look_failed(order.id).await.unwrap();
        assert_eq!(next_look(db).await, Some(desk.ambient.now() + TimeDelta::minutes(15)), "as after the first");
    }

    async fn a_look_that_never_ended_is_taken_again(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.open().await;
        desk.pass(TimeDelta::minutes(10));
        assert_eq!(desk.payments.due_orders(10).await.unwrap().len(), 1);
        desk.pass(TimeDelta::minutes(14));
        assert!(desk.payments.due_orders(10).await.unwrap().is_empty());
        desk.pass(TimeDelta::minutes(1));
        assert_eq!(desk.payments.due_orders(10).await.unwrap()[0].id, order.id);
    }

    async fn of_eight_pollers_at_once_each_order_is_taken_by_one(db: TestDb) {
        let desk = Desk::new(db);
        for _ in 0..20 {
            desk.placed().await;
        }
        desk.pass(TimeDelta::minutes(10));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let desk = desk.clone();
                tokio::spawn(async move { desk.payments.due_orders(10).await.unwrap() })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.unwrap().into_iter().map(|order| order.id));
        }
        let distinct: HashSet<_> = taken.iter().collect();
        assert_eq!((taken.len(), distinct.len()), (20, 20));
    }

    /// Somebody may pay twice or refund in the dashboard, and the webhook that says so may be lost.
    async fn a_paid_order_is_looked_after_weekly_for_half_a_year(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        desk.pass(TimeDelta::minutes(10));
        assert_eq!(desk.payments.due_orders(10).await.unwrap().len(), 1);
        desk.apply(&captured(&order, "pay_1")).await;
        desk.payments.note_polled(order.id).await.unwrap();
        for week in 0..26 {
            desk.clock.set(order.created_at + TimeDelta::days(5 + 7 * week) - TimeDelta::seconds(1));
            assert!(desk.payments.due_orders(10).await.unwrap().is_empty(), "nothing before week {week}");
            desk.pass(TimeDelta::seconds(1));
            assert_eq!(desk.payments.due_orders(10).await.unwrap()[0].id, order.id, "due in week {week}");
            desk.payments.note_polled(order.id).await.unwrap();
        }
        desk.pass(TimeDelta::days(300));
        assert!(desk.payments.due_orders(10).await.unwrap().is_empty());
        assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Paid);
    }

    async fn an_order_that_was_never_made_fails_and_one_that_was_does_not(db: TestDb) {
        let desk = Desk::new(db);
        let (never, made) = (desk.open().await, desk.placed().await);
        let fail = async |id| {
            desk.db.in_txn(async |txn| desk.payments.note_order_failed_in_txn(txn, id).await).await.unwrap().status
        };
        assert_eq!((fail(never.id).await, fail(made.id).await), (OrderStatus::Failed, OrderStatus::Created));
        desk.pass(TimeDelta::days(10));
        assert_eq!(desk.payments.due_orders(10).await.unwrap().len(), 1);
        assert_eq!(desk.place(&never).await.status, OrderStatus::Created, "it was there after all");
    }

    async fn an_attempt_that_failed_shows_on_its_order(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        desk.apply(&paid(&order, "pay_1", PaymentStatus::Failed)).await;
        assert_eq!(desk.payments.order(order.id).await.unwrap().status, OrderStatus::Attempted);
    }

    async fn somebody_elses_order_is_not_found(db: TestDb) {
        let desk = Desk::new(db);
        let (order, stranger) = (desk.placed().await, desk.ambient.new_id::<UserId>());
        let id = placed(&order).id;
        assert_eq!(desk.payments.order_of(order.user, order.id).await.unwrap().id, order.id);
        assert_eq!(desk.payments.order_by_provider_id(order.user, &id).await.unwrap().id, order.id);
        assert!(matches!(desk.payments.order_of(stranger, order.id).await, Err(PaymentError::OrderNotFound)));
        let by_provider_id = desk.payments.order_by_provider_id(stranger, &id).await;
        assert!(matches!(by_provider_id, Err(PaymentError::OrderNotFound)));
        let folded = desk.payments.order_by_provider_id(order.user, &id.to_uppercase()).await;
        assert!(matches!(folded, Err(PaymentError::OrderNotFound)), "ids differ by case");
    }

    async fn a_users_orders_come_in_pages_latest_first(db: TestDb) {
        let desk = Desk::new(db);
        let user: UserId = desk.ambient.new_id();
        desk.open().await;
        let mut opened = Vec::new();
        for _ in 0..5 {
            desk.pass(TimeDelta::seconds(1));
            opened.insert(0, desk.open_for(user).await.id);
        }
        let (mut listed, mut cursor) = (Vec::new(), None);
        loop {
            let page = desk.payments.orders_of(user, &Paging::After { cursor, limit: 2 }).await.unwrap();
            listed.extend(page.data.into_iter().map(|order| order.id));
            cursor = page.pagination.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(listed, opened);
        let second = desk.payments.orders_of(user, &Paging::Numbered { page: 2, limit: 2 }).await.unwrap();
        assert_eq!(second.pagination.total, Some(5));
        assert_eq!(second.data.iter().map(|order| order.id).collect::<Vec<_>>(), opened[2..4]);
        let stolen = desk.payments.orders_of(user, &Paging::After { cursor: None, limit: 2 }).await.unwrap();
        let other = Paging::After { cursor: stolen.pagination.next_cursor, limit: 2 };
        let refused = desk.payments.orders_of(desk.ambient.new_id(), &other).await.unwrap_err();
        assert_eq!(refused.fields()[0].field, "cursor");
    }

    async fn a_checkout_is_checked_against_the_order_that_is_stored(db: TestDb) {
        let desk = Desk::new(db);
        let (order, unmade) = (desk.placed().await, desk.open().await);
        let sign = |order_id: &str, payment_id: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(KEY_SECRET.as_bytes()).unwrap();
            mac.update(format!("{order_id}|{payment_id}").as_bytes());
            hex::encode(mac.finalize().into_bytes())
        };
        let signature = sign(&placed(&order).id, "pay_1");
        assert!(desk.payments.is_checkout_genuine(&order, "pay_1", &signature));
        assert!(!desk.payments.is_checkout_genuine(&order, "pay_2", &signature));
        assert!(!desk.payments.is_checkout_genuine(&order, "pay_1", &sign("order_other", "pay_1")));
        assert!(!desk.payments.is_checkout_genuine(&unmade, "pay_1", &sign("", "pay_1")));
    }
}
