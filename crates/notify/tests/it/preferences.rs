//! What people choose.

use kernel::DomainError;
use notify::{Category, Channel, DailyCaps, Kind, Preference, QuietHours, Recipient};
use testkit::{Domain, Scope, on_every_engine};

use crate::house::{House, event};

fn held(view: &notify::PreferencesView, category: Category, channel: Channel) -> bool {
    view.preferences.iter().find(|one| one.category == category && one.channel == channel).unwrap().enabled
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn who_chose_nothing_gets_what_the_catalogue_says(db: TestDb) {
        let house = House::open(db);
        let view = house.notify.preferences(house.person().user).await.unwrap();
        assert_eq!(view.preferences.len(), Category::ALL.len() * Channel::ALL.len());
        assert!(held(&view, Category::Wallet, Channel::Email) && !held(&view, Category::Wallet, Channel::Sms));
        assert_eq!((view.locked, view.quiet_hours, view.time_zone), (vec![Category::Security], None, "Asia/Kolkata"));
    }

    async fn a_choice_is_kept_and_changed(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let push = |enabled| Preference { category: Category::Boosts, channel: Channel::Push, enabled };
        let night = QuietHours::parse("22:30", "06:15").unwrap();
        let view = house.notify.choose(asha.user, &[push(false)], Some(Some(night))).await.unwrap();
        assert!(!held(&view, Category::Boosts, Channel::Push));
        assert_eq!(serde_json::json!(view.quiet_hours), serde_json::json!({"start": "22:30", "end": "06:15"}));
        let view = house.notify.choose(asha.user, &[push(true)], None).await.unwrap();
        assert!(held(&view, Category::Boosts, Channel::Push) && view.quiet_hours == Some(night));
        assert_eq!(house.notify.choose(asha.user, &[], Some(None)).await.unwrap().quiet_hours, None);
    }

    /// Mail about listings is "on" because some kinds go by it: storing that must not bring all of them.
    async fn what_was_shown_and_is_given_back_changes_nothing(db: TestDb) {
        let house = House::with(db, |config| config.caps = DailyCaps { push: 99, sms: 99, email: 99 });
        let goes = async |person: &Recipient| {
            let mut ways = Vec::new();
            for kind in Kind::all() {
                let told = house.tell(person, &event(kind, kind.as_str())).await;
                ways.push((kind, told.deliveries.iter().map(|one| one.channel).collect::<Vec<_>>()));
            }
            ways
        };
        let (one, other, third) = (house.person(), house.person(), house.person());
        let before = goes(&one).await;
        let shown = house.notify.preferences(other.user).await.unwrap();
        let again = house.notify.choose(other.user, &shown.preferences, None).await.unwrap();
        assert_eq!(again, shown);
        assert_eq!(goes(&other).await, before);
        let mail = |enabled| Preference { category: Category::Listings, channel: Channel::Email, enabled };
        for enabled in [false, true] {
            house.notify.choose(third.user, &[mail(enabled)], None).await.unwrap();
        }
        assert_eq!(goes(&third).await, before, "off and on again");
    }

    async fn one_click_unsubscribes_from_one_category(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let link = house.notify.unsubscribe_link(asha.user, Category::Wallet);
        let token = link.query_pairs().find(|(name, _)| name == "token").unwrap().1.into_owned();
        assert!(link.as_str().starts_with("https://dgt.example/api/unsubscribe?token="));
        for _ in 0..2 {
            assert_eq!(house.notify.unsubscribe(&token).await.unwrap(), Category::Wallet);
        }
        let view = house.notify.preferences(asha.user).await.unwrap();
        assert!(!held(&view, Category::Wallet, Channel::Email) && held(&view, Category::Listings, Channel::Email));
        assert!(house.tell(&asha, &event(Kind::RefundProcessed, "e")).await.deliveries.is_empty());
        // A cursor is signed by the same key, and is no token; nor is an altered one.
        for forged in ["", "x", &token.chars().skip(1).collect::<String>(), &format!("{token}A")] {
            let error = house.notify.unsubscribe(forged).await.unwrap_err();
            assert_eq!(error.code(), "unsubscribe_token_not_found");
        }
    }

    async fn two_choices_at_once_both_end(db: TestDb) {
        let house = std::sync::Arc::new(House::open(db));
        let asha = house.person();
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let house = std::sync::Arc::clone(&house);
                tokio::spawn(async move {
                    let mut choices: Vec<_> = Category::ALL
                        .map(|category| Preference { category, channel: Channel::Email, enabled: n % 2 == 0 })
                        .to_vec();
                    if n % 2 == 0 {
                        choices.reverse();
                    }
                    house.notify.choose(asha.user, &choices, None).await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let view = house.notify.preferences(asha.user).await.unwrap();
        let emails: std::collections::HashSet<_> =
            Category::ALL.iter().map(|category| held(&view, *category, Channel::Email)).collect();
        assert_eq!(emails.len(), 1, "one of them holds as a whole");
    }
}
