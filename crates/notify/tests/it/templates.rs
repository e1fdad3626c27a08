//! Staff's work on templates.

use kernel::DomainError;
use notify::{Channel, Kind, Language, TemplateKey, TemplateParts};
use testkit::{Domain, Scope, on_every_engine};

use crate::house::{House, event};

const KEY: TemplateKey =
    TemplateKey { kind: Kind::ListingApproved, channel: Channel::InApp, language: Language::English };

fn parts(title: &str, body: &str) -> TemplateParts {
    TemplateParts { title: Some(title.to_owned()), body: body.to_owned(), ..TemplateParts::default() }
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn a_template_of_staff_takes_the_defaults_place(db: TestDb) {
        let house = House::open(db);
        let caller = house.moderator();
        let before = house.notify.template(&house.moderator(), KEY).await.unwrap();
        assert_eq!((before.version, before.overridden), (0, false));
        let new = parts("Hurray", "{{ title | upper }} is live");
        let view = house.notify.set_template(&caller, KEY, new.clone(), Some(0)).await.unwrap();
        assert_eq!((view.version, view.overridden, &view.parts), (1, true, &new));
        let asha = house.person();
        house.tell(&asha, &event(Kind::ListingApproved, "e")).await;
        let told = house.inbox(asha.user).await.remove(0);
        assert_eq!((told.title.as_str(), told.body.as_str()), ("Hurray", "RED BICYCLE, 21 GEARS is live"));
        let same = house.notify.set_template(&caller, KEY, new, None).await.unwrap();
        assert_eq!(same.version, 1, "nothing changed");
        let reset = house.notify.reset_template(&caller, KEY, Some(1)).await.unwrap();
        assert_eq!((reset.version, reset.overridden, reset.parts), (2, false, before.parts));
        let records = store::audit::of_subject(db.reader().unwrap(), "template", "listing.approved/in_app/en").await;
        let actions: Vec<_> = records.unwrap().into_iter().map(|record| record.action).collect();
        assert_eq!(actions, ["template.changed", "template.reset"]);
    }

    async fn a_change_of_an_old_copy_is_refused(db: TestDb) {
        let house = House::open(db);
        let caller = house.moderator();
        house.notify.set_template(&caller, KEY, parts("One", "x"), Some(0)).await.unwrap();
        for expected in [0, 2] {
            let error = house.notify.set_template(&caller, KEY, parts("Two", "x"), Some(expected)).await.unwrap_err();
            assert_eq!(error.code(), "version_mismatch");
        }
        assert_eq!(house.notify.template(&house.moderator(), KEY).await.unwrap().parts.title.as_deref(), Some("One"));
    }

    async fn of_two_first_changes_at_once_one_counts(db: TestDb) {
        let house = std::sync::Arc::new(House::open(db));
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let house = std::sync::Arc::clone(&house);
                tokio::spawn(async move {
                    let new = parts(&format!("Title {n}"), "x");
                    house.notify.set_template(&house.moderator(), KEY, new, Some(0)).await.is_ok()
                })
            })
            .collect();
        let mut changed = 0;
        for task in tasks {
            changed += usize::from(task.await.unwrap());
        }
        assert_eq!((changed, house.notify.template(&house.moderator(), KEY).await.unwrap().version), (1, 1));
    }

    async fn what_is_wrong_is_told_before_it_is_stored(db: TestDb) {
        let house = House::open(db);
        let wrong = parts("{{ nobody }}", "{% if %}");
        let error = house.notify.set_template(&house.moderator(), KEY, wrong.clone(), None).await.unwrap_err();
        let fields: Vec<_> = error.fields().iter().map(|field| (field.field.as_str(), field.code.as_str())).collect();
        assert_eq!(fields, [("title", "unknown_variable"), ("body", "invalid_template")]);
        assert_eq!(house.notify.preview_template(&house.moderator(), KEY, Some(wrong)).await.unwrap_err().fields().len(), 2);
        assert_eq!(house.notify.template(&house.moderator(), KEY).await.unwrap().version, 0);
    }

    async fn a_template_is_tried_out_with_samples(db: TestDb) {
        let house = House::open(db);
        let shown = house.notify.preview_template(&house.moderator(), KEY, None).await.unwrap();
        assert!(shown.body.contains("Red bicycle"), "{}", shown.body);
        let mail = TemplateKey { channel: Channel::Email, ..KEY };
        let page = TemplateParts { html: Some("<p>{{ title }}</p>".to_owned()), ..parts("S", "x") };
        let shown = house.notify.preview_template(&house.moderator(), mail, Some(page)).await.unwrap();
        assert_eq!(shown.html.as_deref(), Some("<p>Red bicycle, 21 gears</p>"));
        let all = house.notify.templates(&house.moderator()).await.unwrap();
        assert_eq!(all.len(), Kind::all().count() * Channel::ALL.len() * Language::ALL.len());
    }
}
