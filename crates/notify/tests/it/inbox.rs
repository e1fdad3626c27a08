//! The inbox.

use kernel::{DomainError, NotificationId, Paging};
use notify::{Category, Kind, NotificationFilter};
use testkit::{Domain, Scope, on_every_engine};

use crate::house::{House, event};

const ALL: NotificationFilter = NotificationFilter { unread: false, category: None };

fn after(cursor: Option<String>, limit: u32) -> Paging {
    Paging::After { cursor, limit }
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn the_inbox_is_left_and_gone_on_with_by_cursor(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        for n in 0..7 {
            house.clock.advance(chrono::TimeDelta::seconds(1));
            house.tell(&asha, &event(Kind::ListingApproved, &format!("e{n}"))).await;
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = house.notify.notifications(asha.user, ALL, &after(cursor, 3)).await.unwrap();
            seen.extend(page.data.iter().map(|one| one.id));
            // What comes in meanwhile moves nothing.
            house.tell(&asha, &event(Kind::WalletBonus, &format!("later{}", seen.len()))).await;
            cursor = page.pagination.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 7);
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first, each once");
        let numbered = Paging::Numbered { page: 2, limit: 4 };
        let page = house.notify.notifications(asha.user, ALL, &numbered).await.unwrap();
        assert_eq!((page.data.len(), page.pagination.total), (4, Some(10)));
    }

    async fn a_cursor_is_of_one_person_and_filter(db: TestDb) {
        let house = House::open(db);
        let (asha, ravi) = (house.person(), house.person());
        for n in 0..3 {
            house.tell(&asha, &event(Kind::ListingApproved, &format!("e{n}"))).await;
        }
        let cursor = house.notify.notifications(asha.user, ALL, &after(None, 1)).await.unwrap().pagination.next_cursor;
        let unread = NotificationFilter { unread: true, ..ALL };
        for (user, filter) in [(ravi.user, ALL), (asha.user, unread)] {
            let error = house.notify.notifications(user, filter, &after(cursor.clone(), 1)).await.unwrap_err();
            assert_eq!(error.fields()[0].field, "cursor");
        }
    }

    async fn what_was_read_is_not_counted(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        for n in 0..3 {
            house.clock.advance(chrono::TimeDelta::seconds(1));
            house.tell(&asha, &event(Kind::ListingApproved, &format!("e{n}"))).await;
        }
        house.clock.advance(chrono::TimeDelta::seconds(1));
        house.tell(&asha, &event(Kind::WalletBonus, "bonus")).await;
        assert_eq!(house.notify.unread_notifications(asha.user).await.unwrap(), 4);
        let all = house.inbox(asha.user).await;
        house.notify.mark_notification_read(asha.user, all[0].id).await.unwrap();
        house.clock.advance(chrono::TimeDelta::minutes(1));
        house.notify.mark_notification_read(asha.user, all[0].id).await.unwrap();
        house.notify.mark_notification_clicked(asha.user, all[1].id).await.unwrap();
        let again = house.inbox(asha.user).await;
        assert_eq!(again[0].read_at, Some(again[0].created_at), "the first time counts");
        assert!(again[1].clicked_at.is_some() && again[1].clicked_at == again[1].read_at);
        assert_eq!(house.notify.unread_notifications(asha.user).await.unwrap(), 2);
        let unread = NotificationFilter { unread: true, category: Some(Category::Listings) };
        let left = house.notify.notifications(asha.user, unread, &after(None, 9)).await.unwrap();
        assert_eq!(left.data.len(), 2);
        // What the client has not seen yet stays unread.
        assert_eq!(house.notify.mark_all_notifications_read(asha.user, Some(again[3].id)).await.unwrap(), 1);
        assert_eq!(house.notify.mark_all_notifications_read(asha.user, None).await.unwrap(), 1);
        assert_eq!(house.notify.unread_notifications(asha.user).await.unwrap(), 0);
    }

    async fn somebody_elses_notification_is_not_found(db: TestDb) {
        let house = House::open(db);
        let (asha, ravi) = (house.person(), house.person());
        let id = house.tell(&asha, &event(Kind::ListingApproved, "e")).await.notification.unwrap();
        let unknown: NotificationId = house.ambient.new_id();
        for id in [id, unknown] {
            let codes = [
                house.notify.notification(ravi.user, id).await.map(drop),
                house.notify.mark_notification_read(ravi.user, id).await,
                house.notify.mark_notification_clicked(ravi.user, id).await,
                house.notify.delete_notification(ravi.user, id).await,
            ]
            .map(|result| result.unwrap_err().code());
            assert_eq!(codes, ["notification_not_found"; 4]);
        }
        assert_eq!(house.notify.mark_all_notifications_read(ravi.user, None).await.unwrap(), 0);
        assert!(house.notify.notification(asha.user, id).await.unwrap().read_at.is_none());
    }

    async fn a_deleted_notification_does_not_come_back(db: TestDb) {
        let house = House::open(db);
        let asha = house.person();
        let id = house.tell(&asha, &event(Kind::ListingApproved, "e")).await.notification.unwrap();
        house.notify.delete_notification(asha.user, id).await.unwrap();
        assert!(!house.tell(&asha, &event(Kind::ListingApproved, "e")).await.is_new);
        assert!(house.inbox(asha.user).await.is_empty());
    }

    /// Sixteen readers and one that reads all, at once: one moment is kept, and the count ends at zero.
    async fn readers_at_once_agree(db: TestDb) {
        let house = std::sync::Arc::new(House::open(db));
        let asha = house.person();
        let id = house.tell(&asha, &event(Kind::ListingApproved, "e")).await.notification.unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let house = std::sync::Arc::clone(&house);
                tokio::spawn(async move {
                    if n % 4 == 0 {
                        house.notify.mark_all_notifications_read(asha.user, None).await.map(drop).unwrap();
                    } else {
                        house.notify.mark_notification_read(asha.user, id).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(house.notify.unread_notifications(asha.user).await.unwrap(), 0);
        assert!(house.notify.notification(asha.user, id).await.unwrap().read_at.is_some());
    }
}
