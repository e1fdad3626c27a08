//! What people chose holds: ways that are off, quiet hours, caps, and the link in a mail.

use super::*;

/// Push messages about the wallet, on or off.
fn push(enabled: bool) -> Value {
    json!({ "preferences": [{ "category": "wallet", "channel": "push", "enabled": enabled }] })
}

on_every_engine! { Scope::All =>
    async fn what_is_switched_off_does_not_go_not_even_when_it_waited(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let token = device(&app, &member).await;
        let chosen = choose(&app, &member, &push(false)).await;
        let is_off = |one: &Value| one["category"] == "wallet" && one["channel"] == "push" && one["enabled"] == false;
        assert!(chosen["preferences"].as_array().unwrap().iter().any(is_off));
        assert_eq!(chosen["locked"], json!(["security"]));
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        assert_eq!(list(&app, &member, "").await.len(), 1, "the inbox has it");
        assert!(deliveries(&app, &admin, &member, "").await.is_empty(), "nothing was planned");

        choose(&app, &member, &push(true)).await;
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        choose(&app, &member, &push(false)).await;
        app.run_jobs().await;
        let planned = deliveries(&app, &admin, &member, "").await;
        assert_eq!((&planned[0]["status"], &planned[0]["reason"]), (&json!("withheld"), &json!("preference")));
        assert!(app.messages("push", &token).await.is_empty());
        choose(&app, &member, &push(true)).await;
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(app.messages("push", &token).await.len(), 1, "switched on it goes");
        for (start, end, named) in [
            ("22:00", "22:00", vec!["quietHours.end"]),
            ("22:00", "25:00", vec!["quietHours.end"]),
            ("9", "7", vec!["quietHours.start", "quietHours.end"]),
        ] {
            let wrong = json!({ "quietHours": { "start": start, "end": end } });
            let refused = app.put("/api/notifications/preferences").bearer(&member).json(&wrong).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), named);
        }
        app.stop().await;
    }

    async fn one_kind_is_chosen_beside_its_category_and_comes_before_it(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let token = device(&app, &member).await;
        let both = async || {
            let before = app.messages("push", &token).await.len();
            bonus(&app, &admin, &member, 100).await;
            app.topped_up(&member, 50_000).await;
            relay(&app).await;
            app.run_jobs().await;
            let all = app.messages("push", &token).await;
            let new = all.len() - before;
            all.into_iter().take(new).collect::<Vec<_>>()
        };
        let kind = |enabled: Value| json!([{ "kind": "wallet.bonus", "channel": "push", "enabled": enabled }]);
        let is_bonus = |message: &String| message.contains("₹1.00");
        let chosen = choose(&app, &member, &json!({ "kinds": kind(json!(false)) })).await;
        assert_eq!(chosen["kinds"], kind(json!(false)));
        let follows = chosen["follows"].as_array().unwrap();
        let follows = follows.iter().find(|one| one["kind"] == "wallet.bonus").unwrap();
        assert_eq!(follows["channels"], json!(["in_app"]));
        let pushed = both().await;
        assert!(pushed.len() == 1 && !is_bonus(&pushed[0]), "the bonus alone is held back: {pushed:?}");

        // The other way round, and given back as it was shown.
        let mut other = push(false);
        other["kinds"] = kind(json!(true));
        let shown = choose(&app, &member, &other).await;
        let back = json!({ "preferences": shown["preferences"], "kinds": shown["kinds"], "quietHours": shown["quietHours"] });
        assert_eq!(choose(&app, &member, &back).await, shown);
        assert_eq!(app.get("/api/notifications/preferences").bearer(&member).send().await.body, shown);
        let pushed = both().await;
        assert!(pushed.len() == 1 && is_bonus(&pushed[0]), "the bonus alone goes: {pushed:?}");

        // What waits is withheld, with a reason.
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        choose(&app, &member, &json!({ "kinds": kind(Value::Null) })).await;
        app.run_jobs().await;
        let planned = deliveries(&app, &admin, &member, "").await;
        assert_eq!((&planned[0]["status"], &planned[0]["reason"]), (&json!("withheld"), &json!("preference")));
        assert_eq!(app.messages("push", &token).await.len(), 2);

        for (wrong, field) in [
            (json!([{ "kind": "wallet.lottery", "channel": "push", "enabled": true }]), "kinds[0].kind"),
            (json!([{ "kind": "wallet.bonus", "channel": "pigeon", "enabled": true }]), "kinds[0].channel"),
            (json!([{ "kind": "wallet.bonus", "channel": "push" }]), "kinds[0].enabled"),
            (json!(vec![json!({ "kind": "wallet.bonus", "channel": "push", "enabled": true }); 201]), "kinds"),
        ] {
            let refused = app.put("/api/notifications/preferences").bearer(&member).json(&json!({ "kinds": wrong }));
            let refused = refused.send().await.problem(StatusCode::BAD_REQUEST, "invalid_input");
            assert_eq!(refused.fields(), [field]);
        }
        app.stop().await;
    }

    async fn quiet_hours_hold_back_all_but_what_is_critical_and_end(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let token = device(&app, &member).await;
        // It is about half past eleven in India.
        let quiet = json!({ "quietHours": { "start": "11:00", "end": "15:00" } });
        assert_eq!(choose(&app, &member, &quiet).await["quietHours"], quiet["quietHours"]);
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(unread(&app, &member).await, 1);
        assert!(app.messages("push", &token).await.is_empty());
        address(&app, &member).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(app.messages("push", &token).await.len(), 1, "that the address has changed is critical");
        app.clock.advance(chrono::TimeDelta::hours(4));
        app.run_jobs().await;
        assert_eq!(app.messages("push", &token).await.len(), 2);
        app.stop().await;
    }

    async fn beyond_the_daily_cap_it_is_withheld_but_for_what_is_critical(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut admin = app.staff(Role::Admin).await;
        let mut member = app.member().await;
        let wanted = json!({ "preferences": [{ "category": "wallet", "channel": "sms", "enabled": true }] });
        choose(&app, &member, &wanted).await;
        let phone = member.phone.clone();
        let before = app.messages("sms", &phone).await.len();
        let arrived = async || app.messages("sms", &phone).await.len() - before;
        let cap = usize::try_from(app.state.market.notify.config().caps.sms).unwrap();
        for number in 1..=cap + 1 {
            bonus(&app, &admin, &member, 100).await;
            relay(&app).await;
            app.run_jobs().await;
            assert_eq!(arrived().await, number.min(cap));
        }
        let withheld = deliveries(&app, &admin, &member, "&status=withheld").await;
        assert_eq!((withheld.len(), &withheld[0]["reason"]), (1, &json!("daily_cap")));
        address(&app, &member).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(arrived().await, cap + 1, "that the address has changed is critical");
        // Another day in India.
        app.clock.advance(chrono::TimeDelta::days(1));
        app.refresh(&mut admin).await;
        app.refresh(&mut member).await;
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(arrived().await, cap + 2);
        app.stop().await;
    }

    async fn one_click_on_a_mails_link_ends_its_sort_of_mail(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let email = address(&app, &member).await;
        app.topped_up(&member, 50_000).await;
        relay(&app).await;
        app.run_jobs().await;
        let mails = app.messages("email", &email).await;
        let link = mails.iter().find_map(|mail| {
            let start = mail.find("/api/notifications/unsubscribe?token=")?;
            mail.get(start..)?.split_whitespace().next().map(str::to_owned)
        });
        let link = link.unwrap();
        let wanted = async || {
            let all = app.get("/api/notifications/preferences").bearer(&member).send().await.body;
            let all = all["preferences"].as_array().unwrap().clone();
            all.iter().find(|one| one["category"] == "wallet" && one["channel"] == "email").unwrap()["enabled"] == true
        };
        let page = app.get(&link).send().await.expect(StatusCode::OK);
        assert!(page.header("content-security-policy").contains("form-action 'self'"));
        assert!(String::from_utf8_lossy(&page.bytes).contains("<form method=\"post\">"));
        assert!(wanted().await, "looking changes nothing");
        for _ in 0..2 {
            let click = app.post(&link).raw("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click");
            click.send().await.expect(StatusCode::OK);
        }
        assert!(!wanted().await);
        app.topped_up(&member, 50_000).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(app.messages("email", &email).await.len(), mails.len());
        let forged = app.post(&format!("{link}x")).send().await;
        forged.problem(StatusCode::NOT_FOUND, "unsubscribe_token_not_found");
        let bare = app.post("/api/notifications/unsubscribe").send().await;
        assert_eq!(bare.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["token"]);
        app.stop().await;
    }
}
