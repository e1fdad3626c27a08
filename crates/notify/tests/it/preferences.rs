//! What people choose.

use kernel::DomainError;
use notify::{
    Category, Channel, DailyCaps, Kind, KindPreference, NewChoices, Preference, PreferencesView, QuietHours,
    Recipient,
};
use testkit::{Domain, Scope, on_every_engine};

use crate::house::{House, event};

fn held(view: &notify::PreferencesView, category: Category, channel: Channel) -> bool {
    view.preferences.iter().find(|one| one.category == category && one.channel == channel).unwrap().enabled
}

/// A choice for a kind alone.
fn alone(kind: Kind, channel: Channel, enabled: impl Into<Option<bool>>) -> KindPreference {
    KindPreference { kind, channel, enabled: enabled.into() }
}

fn of_kinds(kinds: &[KindPreference]) -> NewChoices {
    NewChoices { kinds: kinds.to_vec(), ..NewChoices::default() }
}

/// The ways that a kind goes by, as its person is shown them.
fn ways(view: &PreferencesView, kind: Kind) -> Vec<Channel> {
    view.follows.iter().find(|one| one.kind == kind).unwrap().channels.clone()
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
        let view = house.choose(asha.user, &[push(false)], Some(Some(night))).await.unwrap();
        assert!(!held(&view, Category::Boosts, Channel::Push));
        assert_eq!(serde_json::json!(view.quiet_hours), serde_json::json!({"start": "22:30", "end": "06:15"}));
        let view = house.choose(asha.user, &[push(true)], None).await.unwrap();
        assert!(held(&view, Category::Boosts, Channel::Push) && view.quiet_hours == Some(night));
        assert_eq!(house.choose(asha.user, &[], Some(None)).await.unwrap().quiet_hours, None);
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
        let again = house.choose(other.user, &shown.preferences, None).await.unwrap();
        assert_eq!(again, shown);
        assert_eq!(goes(&other).await, before);
        let mail = |enabled| Preference { category: Category::Listings, channel: Channel::Email, enabled };
        for enabled in [false, true] {
            house.choose(third.user, &[mail(enabled)], None).await.unwrap();
        }
        assert_eq!(goes(&third).await, before, "off and on again");
    }

    async fn what_is_chosen_for_a_kind_comes_before_its_category(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        house.device(asha.user, "token-of-a-phone").await;
        let goes = async |kind: Kind, key: &str| {
            let told = house.tell(&asha, &event(kind, &format!("{key} {}", kind.as_str()))).await;
            let mut ways: Vec<_> = told.notification.iter().map(|_| Channel::InApp).collect();
            ways.extend(told.deliveries.iter().map(|one| one.channel));
            ways
        };
        let chosen = [
            alone(Kind::ListingApproved, Channel::Push, false),
            alone(Kind::ListingApproved, Channel::Email, true),
            alone(Kind::ListingExpired, Channel::InApp, false),
        ];
        let view = house.notify.choose(asha.user, &of_kinds(&chosen)).await.unwrap();
        assert_eq!(view.kinds, chosen);
        assert!(held(&view, Category::Listings, Channel::Push), "the category is as it was");
        for (kind, expected) in [
            (Kind::ListingApproved, vec![Channel::InApp, Channel::Email]),
            (Kind::ListingExpired, vec![Channel::Push]),
            (Kind::ListingRejected, vec![Channel::InApp, Channel::Push, Channel::Email]),
        ] {
            assert_eq!((ways(&view, kind), goes(kind, "first").await), (expected.clone(), expected), "{kind:?}");
        }

        // Its category switched off leaves it on, and taken away it follows its category.
        let off = |channel| Preference { category: Category::Listings, channel, enabled: false };
        let view = house.choose(asha.user, &[off(Channel::Email)], None).await.unwrap();
        assert_eq!(goes(Kind::ListingApproved, "second").await, ways(&view, Kind::ListingApproved));
        assert_eq!(ways(&view, Kind::ListingApproved), [Channel::InApp, Channel::Email]);
        let taken = of_kinds(&chosen.map(|choice| KindPreference { enabled: None, ..choice }));
        let view = house.notify.choose(asha.user, &taken).await.unwrap();
        assert_eq!((view.kinds.len(), ways(&view, Kind::ListingApproved)), (0, vec![Channel::InApp, Channel::Push]));
        assert_eq!(goes(Kind::ListingApproved, "third").await, [Channel::InApp, Channel::Push]);
    }

    async fn what_is_chosen_for_a_kind_does_not_hold_back_what_is_critical(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let off: Vec<_> =
            Channel::ALL.into_iter().map(|way| alone(Kind::SecurityContactChanged, way, false)).collect();
        let view = house.notify.choose(asha.user, &of_kinds(&off)).await.unwrap();
        assert_eq!(ways(&view, Kind::SecurityContactChanged), Channel::ALL);
        let told = house.tell(&asha, &event(Kind::SecurityContactChanged, "e")).await;
        assert!(told.notification.is_some());
        assert_eq!(told.deliveries.iter().map(|one| one.channel).collect::<Vec<_>>(), [Channel::Sms, Channel::Email]);
    }

    async fn choices_for_kinds_that_are_given_back_change_nothing_and_the_last_of_two_holds(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let twice = [
            alone(Kind::WalletBonus, Channel::Push, true),
            alone(Kind::BoostEnded, Channel::Sms, true),
            alone(Kind::WalletBonus, Channel::Push, false),
        ];
        let shown = house.notify.choose(asha.user, &of_kinds(&twice)).await.unwrap();
        assert_eq!(shown.kinds, [twice[1], twice[2]], "in the catalogue's order");
        let back = NewChoices {
            preferences: shown.preferences.clone(),
            kinds: shown.kinds.clone(),
            quiet_hours: Some(shown.quiet_hours),
        };
        assert_eq!(house.notify.choose(asha.user, &back).await.unwrap(), shown);
        assert_eq!(house.notify.preferences(house.person().user).await.unwrap().kinds, [], "another's are their own");
    }

    async fn one_click_ends_the_mails_of_a_kind_that_was_switched_on_alone(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let chosen = [
            alone(Kind::WalletToppedUp, Channel::Email, false),
            alone(Kind::WalletBonus, Channel::Push, false),
            alone(Kind::WalletBonus, Channel::Email, true),
            alone(Kind::ListingApproved, Channel::Email, true),
        ];
        house.notify.choose(asha.user, &of_kinds(&chosen)).await.unwrap();
        let link = house.notify.unsubscribe_link(asha.user, Category::Wallet);
        let token = link.query_pairs().find(|(name, _)| name == "token").unwrap().1.into_owned();
        house.notify.unsubscribe(&token).await.unwrap();
        let view = house.notify.preferences(asha.user).await.unwrap();
        assert_eq!(view.kinds, [chosen[3], chosen[0], chosen[1]], "only what would have gone by mail is taken away");
        let mails = view.follows.iter().filter(|one| one.category == Category::Wallet && !one.critical);
        assert!(mails.into_iter().all(|one| !one.channels.contains(&Channel::Email)));
        assert!(house.tell(&asha, &event(Kind::WalletBonus, "e")).await.deliveries.is_empty());
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
                    house.choose(asha.user, &choices, None).await.unwrap();
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
