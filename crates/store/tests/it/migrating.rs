//! Migrations: several processes at once take turns, a second run changes nothing, the audit log cannot be changed.

use kernel::{Ambient, Caller};
use sea_orm::ConnectionTrait;
use store::{DatabaseConfig, StoreError, audit};
use testkit::{Scope, on_every_engine};

on_every_engine! { Scope::Store =>
    async fn four_migrators_at_once_all_succeed(db: TestDb) {
        assert!(!migrations::is_current(db).await.unwrap(), "it has the store's tables alone");
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let config = DatabaseConfig::new(db.url());
                tokio::spawn(async move { migrations::migrate(&config, Scope::All).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert!(migrations::is_current(db).await.unwrap());
    }

    async fn the_audit_log_refuses_to_be_changed(db: TestDb) {
        let caller = Caller::system("test");
        db.in_txn(async |txn| {
            let entry = audit::Entry {
                caller: &caller,
                action: "thing.changed",
                subject_kind: "thing",
                subject_id: "1".to_owned(),
                before: serde_json::json!({"a": 1}),
                after: serde_json::json!({"a": 2}),
                reason: Some("because".to_owned()),
            };
            audit::append_in_txn(txn, &Ambient::system(), entry).await
        })
        .await
        .unwrap();
        for sql in ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"] {
            let refused = db.in_txn(async |txn| Ok::<_, StoreError>(txn.execute_unprepared(sql).await?)).await;
            assert!(refused.unwrap_err().to_string().contains("append-only"), "{sql}");
        }
        let records = audit::of_subject(db.reader().unwrap(), "thing", "1").await.unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].after, serde_json::json!({"a": 2}));
        assert_eq!((records[0].actor_kind.as_str(), records[0].actor_id.as_str()), ("system", "test"));
    }
}
