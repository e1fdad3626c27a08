//! Settings on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::{Ambient, Caller, DomainError, ErrorKind};
use platform::{PlatformError, Settings, settings};
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::{Database, audit};
use testkit::{Domain, FakeClock, Scope, TestDb, on_every_engine};

fn caller() -> Caller {
    Caller::system("test")
}

fn on(db: &TestDb) -> Settings {
    Settings::new(db.database().clone(), Ambient::system())
}

async fn count(db: &Database, sql: &str) -> i64 {
    let row = db.reader().unwrap().query_one_raw(db.engine().statement(sql, [])).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

async fn store_by_hand(db: &Database, key: &str, value: serde_json::Value) {
    let insert = db.engine().statement(
        "INSERT INTO settings (setting_key, value, version, updated_at, updated_by) VALUES (?, ?, 1, ?, 'hand')",
        [key.into(), value.into(), Ambient::system().now().into()],
    );
    db.schema_connection().execute_raw(insert).await.unwrap();
}

on_every_engine! { Scope::Domain(Domain::Platform) =>
    async fn a_setting_that_nobody_changed_has_its_default(db: TestDb) {
        let all = on(db);
        assert_eq!(all.get(&settings::LISTING_EXPIRY_DAYS).await, 30);
        assert_eq!(all.get(&settings::PLATFORM_NAME).await, "DGT Marketplace");
        assert!(all.get(&settings::STAFF_TOTP_REQUIRED).await);
        let list = all.list().await.unwrap();
        assert_eq!(list.len(), settings::ALL.len());
        assert!(list.iter().all(|setting| setting.version == 0 && setting.value == setting.default));
    }

    async fn a_change_is_seen_recorded_and_told(db: TestDb) {
        let all = on(db);
        assert_eq!(all.get(&settings::LISTING_EXPIRY_DAYS).await, 30);
        let view = all.set(&caller(), "listing_expiry_days", &json!(45), Some(0)).await.unwrap();
        assert_eq!((view.version, view.value), (1, json!(45)));
        assert_eq!(all.get(&settings::LISTING_EXPIRY_DAYS).await, 45, "what was cached is dropped");
        assert_eq!(all.public().await["listing_expiry_days"], json!(45));
        assert!(!all.public().await.contains_key("staff_totp_required"));

        let found = all.find("listing_expiry_days").await.unwrap();
        assert_eq!((found.version, found.updated_by.as_deref()), (1, Some("test")));
        let history = all.history("listing_expiry_days", 10).await.unwrap();
        assert_eq!(history.iter().map(|change| &change.value).collect::<Vec<_>>(), [&json!(45)]);
        let records = audit::of_subject(db.reader().unwrap(), "setting", "listing_expiry_days").await.unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!((&records[0].before["value"], &records[0].after["value"]), (&json!(30), &json!(45)));
        let events = "SELECT COUNT(*) AS n FROM outbox_events WHERE kind = 'settings.updated'";
        assert_eq!(count(db, events).await, 1);
    }

    async fn setting_the_value_it_has_changes_nothing(db: TestDb) {
        let all = on(db);
        for _ in 0..3 {
            let view = all.set(&caller(), "platform_name", &json!("  Bazaar "), None).await.unwrap();
            assert_eq!((view.version, view.value), (1, json!("Bazaar")));
        }
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM audit_log").await, 1);
    }

    async fn what_does_not_fit_is_refused_by_the_settings_name(db: TestDb) {
        let all = on(db);
        let error = all.set(&caller(), "platform_commission", &json!(51), None).await.unwrap_err();
        assert_eq!((error.kind(), error.fields()[0].field.as_str()), (ErrorKind::Invalid, "platform_commission"));
        let error = all.set(&caller(), "no_such_setting", &json!(1), None).await.unwrap_err();
        assert!(matches!(error, PlatformError::Unknown));
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM settings").await, 0);
    }

    async fn an_old_version_does_not_overwrite_a_new_one(db: TestDb) {
        let all = on(db);
        all.set(&caller(), "listing_expiry_days", &json!(45), Some(0)).await.unwrap();
        let error = all.set(&caller(), "listing_expiry_days", &json!(60), Some(0)).await.unwrap_err();
        assert!(matches!(error, PlatformError::OutOfDate { current: 1 }));
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
        assert_eq!(all.get(&settings::LISTING_EXPIRY_DAYS).await, 45);
        let refused = all.set(&caller(), "platform_commission", &json!(6), Some(3)).await;
        assert!(matches!(refused, Err(PlatformError::OutOfDate { current: 0 })));
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM settings").await, 1, "a refusal leaves no row behind");
    }

    /// Eight tasks change a setting that was never changed before: each change is one version.
    async fn concurrent_changes_follow_each_other(db: TestDb) {
        let tasks: Vec<_> = (1..=8)
            .map(|days| {
                let all = on(db);
                let change = async move { all.set(&caller(), "listing_expiry_days", &json!(days), None).await };
                tokio::spawn(change)
            })
            .collect();
        let mut versions = Vec::new();
        for task in tasks {
            versions.push(task.await.unwrap().unwrap().version);
        }
        versions.sort_unstable();
        assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7, 8]);
        let history = on(db).history("listing_expiry_days", 100).await.unwrap();
        let last = on(db).find("listing_expiry_days").await.unwrap();
        assert_eq!((history.len(), &history[0].value), (8, &last.value));
    }

    async fn of_concurrent_changes_to_one_version_one_wins(db: TestDb) {
        let tasks: Vec<_> = (1..=8)
            .map(|days| {
                let all = on(db);
                tokio::spawn(async move {
                    all.set(&caller(), "listing_expiry_days", &json!(days), Some(0)).await
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(matches!(error, PlatformError::OutOfDate { current: 1 }), "{error}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(count(db, "SELECT COUNT(*) AS n FROM audit_log").await, 1);
    }

    async fn another_process_sees_a_change_within_five_seconds(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let other = Settings::new(db.database().clone(), testkit::ambient(&clock));
        assert_eq!(other.get(&settings::MAX_IMAGES_PER_LISTING).await, 10);
        on(db).set(&caller(), "max_images_per_listing", &json!(4), None).await.unwrap();
        clock.advance(TimeDelta::milliseconds(4_999));
        assert_eq!(other.get(&settings::MAX_IMAGES_PER_LISTING).await, 10, "it does not read each time");
        clock.advance(TimeDelta::milliseconds(1));
        assert_eq!(other.get(&settings::MAX_IMAGES_PER_LISTING).await, 4);
    }

    async fn a_stored_value_that_no_longer_fits_falls_back_to_the_default(db: TestDb) {
        store_by_hand(db, "listing_expiry_days", json!("thirty")).await;
        store_by_hand(db, "platform_commission", json!(900)).await;
        store_by_hand(db, "from_another_version", json!({"a": 1})).await;
        store_by_hand(db, "max_images_per_listing", json!(7)).await;
        let all = on(db);
        assert_eq!(all.get(&settings::LISTING_EXPIRY_DAYS).await, 30);
        assert_eq!(all.get(&settings::PLATFORM_COMMISSION).await, 5);
        assert_eq!(all.get(&settings::MAX_IMAGES_PER_LISTING).await, 7);
        assert_eq!(all.find("listing_expiry_days").await.unwrap().value, json!(30));
        assert_eq!(all.list().await.unwrap().len(), settings::ALL.len());
        all.set(&caller(), "listing_expiry_days", &json!(20), Some(1)).await.unwrap();
        assert_eq!(all.get(&settings::LISTING_EXPIRY_DAYS).await, 20, "and it can be put right");
    }

    async fn a_transaction_reads_what_it_wrote_and_no_second_connection(db: TestDb) {
        let all = on(db);
        all.set(&caller(), "platform_commission", &json!(7), None).await.unwrap();
        let (inside, cached) = db
            .in_txn(async |txn| {
                let inside = all.get_in_txn(txn, &settings::PLATFORM_COMMISSION).await?;
                Ok::<_, PlatformError>((inside, all.get(&settings::CONTACT_DAILY_CAP).await))
            })
            .await
            .unwrap();
        assert_eq!((inside, cached), (7, 30));
    }

    async fn seeding_twice_or_at_once_sets_each_value_once(db: TestDb) {
        let values = Arc::new([("support_email", json!("help@dgt.example")), ("platform_name", json!("Bazaar"))]);
        on(db).set(&caller(), "platform_name", &json!("Chosen"), None).await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (all, values) = (on(db), Arc::clone(&values));
                tokio::spawn(async move { all.seed(&caller(), values.as_slice()).await.unwrap() })
            })
            .collect();
        let mut set = 0;
        for task in tasks {
            set += task.await.unwrap();
        }
        assert_eq!(set, 1, "only what nobody had chosen, and only once");
        let all = on(db);
        assert_eq!(all.get(&settings::PLATFORM_NAME).await, "Chosen");
        assert_eq!(all.get(&settings::SUPPORT_EMAIL).await, "help@dgt.example");
    }
}
