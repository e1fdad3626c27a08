//! What administrators do: templates written, tried out and reset, and messages that were given up sent after all.

use sea_orm::ConnectionTrait;

use super::*;

const TEMPLATE: &str = "/api/notification-templates/wallet.bonus/push/en";

on_every_engine! { Scope::All =>
    async fn a_template_is_checked_used_and_reset(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let (theirs, own) = (device(&app, &member).await, device(&app, &admin).await);
        let kinds = app.get("/api/notification-kinds").bearer(&admin).send().await.expect(StatusCode::OK);
        assert!(kinds.body["data"].as_array().unwrap().iter().any(|kind| kind["kind"] == "wallet.bonus"));
        let before = app.get(TEMPLATE).bearer(&admin).send().await.expect(StatusCode::OK);
        assert_eq!((before.header("etag"), &before.body["overridden"]), ("\"0\"", &json!(false)));
        let wrong = json!({ "title": "Credit", "body": "{{ nobody }}" });
        let refused = app.put(TEMPLATE).bearer(&admin).json(&wrong).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["body"]);
        let words = json!({ "title": "Credit", "body": "Here: {{ amount | money }}" });
        let preview = app.post(&format!("{TEMPLATE}/preview")).bearer(&admin).json(&words).send().await;
        assert_eq!(preview.expect(StatusCode::OK).text("/body"), "Here: ₹500.00");
        app.put(TEMPLATE).bearer(&admin).header("if-match", "\"0\"").json(&words).send().await.expect(StatusCode::OK);
        let stale = app.put(TEMPLATE).bearer(&admin).header("if-match", "\"0\"").json(&words).send().await;
        stale.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        let test = app.post(&format!("{TEMPLATE}/test")).bearer(&admin).send().await;
        assert_eq!(test.expect(StatusCode::OK).body, json!({ "sent": 1 }));
        assert_eq!(app.message("push", &own).await, "Here: ₹500.00");
        bonus(&app, &admin, &member, 1_200).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(app.message("push", &theirs).await, "Here: ₹12.00");
        let reset = app.delete(TEMPLATE).bearer(&admin).send().await.expect(StatusCode::OK);
        assert_eq!((&reset.body["overridden"], &reset.body["body"]), (&json!(false), &before.body["body"]));
        let inbox = app.post("/api/notification-templates/wallet.bonus/in_app/en/test").bearer(&admin).send().await;
        inbox.problem(StatusCode::CONFLICT, "nothing_to_send");
        for path in ["weather/push/en", "wallet.bonus/pigeon/en", "wallet.bonus/push/ta"] {
            let none = app.get(&format!("/api/notification-templates/{path}")).bearer(&admin).send().await;
            none.problem(StatusCode::NOT_FOUND, "not_found");
        }
        app.stop().await;
    }

    async fn what_was_given_up_is_sent_after_all_and_what_has_left_is_not(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let token = device(&app, &member).await;
        let told = tell(&app, &member, Kind::WalletBonus, "given up").await;
        let id = told.deliveries[0].id;
        let sql = "UPDATE notification_deliveries SET status = 'dead', due_at = NULL WHERE id = ?";
        let give_up = app.state.db.engine().statement(sql, [kernel::TypedId::uuid(id).into()]);
        let given_up = async |txn: &sea_orm::DatabaseTransaction| {
            Ok::<_, store::StoreError>(txn.execute_raw(give_up.clone()).await?.rows_affected())
        };
        assert_eq!(app.state.db.in_txn(given_up).await.unwrap(), 1);
        let path = format!("/api/notification-deliveries/{id}");
        app.post(&format!("{path}/retry")).bearer(&admin).send().await.expect(StatusCode::NO_CONTENT);
        app.run_jobs().await;
        assert_eq!(app.messages("push", &token).await.len(), 1);
        let sent = app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK);
        assert_eq!(sent.text("/status"), "sent");
        assert!(!sent.body.to_string().contains(&token), "neither to whom nor what");
        let again = app.post(&format!("{path}/retry")).bearer(&admin).send().await;
        again.problem(StatusCode::CONFLICT, "delivery_not_dead");
        let wrong = app.get("/api/notification-deliveries?kind=weather").bearer(&admin).send().await;
        assert_eq!(wrong.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["kind"]);
        app.stop().await;
    }
}
