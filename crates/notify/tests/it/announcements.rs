//! Telling many at once.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::{AnnouncementId, DomainError, Paging, Role};
use notify::{
    AnnouncementEvent, AnnouncementInput, AnnouncementStatus, Audience, AudienceFacts, Claim, DeliveryStatus,
    FanOut, Language, NotifyError, Recipient,
};
use testkit::{Domain, Scope, TestDb, on_every_engine};

use crate::house::House;

fn input() -> AnnouncementInput {
    AnnouncementInput {
        title_en: "Festival week".to_owned(),
        title_hi: Some("त्योहार सप्ताह".to_owned()),
        body_en: "Boosts cost half until Sunday.".to_owned(),
        body_hi: None,
        action: Some("/boosts".to_owned()),
        audience: Audience::All {},
        in_app: true,
        push: true,
        priority: 0,
        dismissible: true,
        starts_at: None,
        expires_at: None,
    }
}

fn facts() -> AudienceFacts {
    AudienceFacts { city: Some("Pune".to_owned()), state: None, role: Role::User, segments: Vec::new() }
}

/// People in the order of their ids.
fn people(house: &House, count: usize) -> Vec<Recipient> {
    let mut people: Vec<_> = (0..count).map(|_| house.person()).collect();
    people.sort_by_key(|person| person.user);
    people
}

async fn scheduled(house: &House, input: AnnouncementInput) -> AnnouncementId {
    let caller = house.moderator();
    let id = house.notify.create_announcement(&caller, &input.check().unwrap()).await.unwrap().id;
    house.notify.move_announcement(&caller, id, AnnouncementEvent::Schedule, Some(1)).await.unwrap();
    id
}

async fn begin(house: &House, id: AnnouncementId) -> FanOut {
    house.notify.begin_fan_out(id).await.unwrap().unwrap()
}

async fn advance(
    db: &TestDb,
    house: &House,
    fan_out: &FanOut,
    batch: &[Recipient],
) -> Result<usize, NotifyError> {
    db.in_txn(async |txn| house.notify.advance_fan_out_in_txn(txn, fan_out, batch).await)
        .await
        .map(|advanced| advanced.told.len())
}

async fn finish(db: &TestDb, house: &House, fan_out: &FanOut) -> Result<(), NotifyError> {
    db.in_txn(async |txn| house.notify.finish_fan_out_in_txn(txn, fan_out).await).await
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let now = "2026-01-05T00:00:00Z".parse().unwrap();
    let wrong = AnnouncementInput {
        title_en: "x".to_owned(),
        body_hi: Some("a\u{0}b".to_owned()),
        action: Some("https://evil.example".to_owned()),
        audience: Audience::City { city: String::new() },
        in_app: false,
        push: false,
        priority: 101,
        starts_at: Some(now),
        expires_at: Some(now),
        ..input()
    };
    let mut fields: Vec<_> = wrong.check().unwrap_err().0.into_iter().map(|error| error.field).collect();
    fields.sort();
    assert_eq!(fields, ["action", "audience.city", "bodyHi", "expiresAt", "inApp", "priority", "titleEn"]);
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn an_audience_is_told_in_batches_each_once(db: TestDb) {
        let house = House::open(db);
        let mut people = people(&house, 10);
        people[3].language = Language::Hindi;
        house.device(people[0].user, "phone").await;
        let id = scheduled(&house, input()).await;
        assert_eq!(house.notify.due_announcements(10).await.unwrap(), [id]);
        let mut fan_out = begin(&house, id).await;
        assert!(house.notify.due_announcements(10).await.unwrap().is_empty(), "somebody does it");
        for batch in people.chunks(4) {
            assert_eq!(advance(db, &house, &fan_out, batch).await.unwrap(), batch.len());
            fan_out = fan_out.moved_to(batch.last().unwrap().user);
        }
        finish(db, &house, &fan_out).await.unwrap();
        let view = house.notify.announcement(&house.moderator(), id).await.unwrap();
        assert_eq!((view.status, view.reached), (AnnouncementStatus::Sent, 10));
        assert_eq!(view.position, Some(people[9].user));
        let told = house.inbox(people[3].user).await.remove(0);
        assert_eq!((told.title.as_str(), told.body.as_str()), ("त्योहार सप्ताह", "Boosts cost half until Sunday."));
        assert_eq!(house.log(people[0].user).await.len(), 1, "it is pushed too");
    }

    async fn a_fan_out_goes_on_where_another_process_stopped(db: TestDb) {
        let house = House::open(db);
        let people = people(&house, 6);
        let id = scheduled(&house, input()).await;
        let paused = begin(&house, id).await;
        assert_eq!(advance(db, &house, &paused, &people[..2]).await.unwrap(), 2);
        assert!(house.notify.begin_fan_out(id).await.unwrap().is_none());
        house.clock.advance(TimeDelta::minutes(3));
        assert_eq!(house.notify.due_announcements(10).await.unwrap(), [id]);
        let next = begin(&house, id).await;
        assert_eq!(next.position, Some(people[1].user));
        let paused = paused.moved_to(people[1].user);
        let late = advance(db, &house, &paused, &people[2..4]).await.unwrap_err();
        assert_eq!(late.code(), "lease_lost");
        assert!(house.inbox(people[2].user).await.is_empty(), "whoever lost the lease tells nobody");
        assert_eq!(advance(db, &house, &next, &people[2..]).await.unwrap(), 4);
        assert_eq!(finish(db, &house, &paused).await.unwrap_err().code(), "lease_lost");
        finish(db, &house, &next).await.unwrap();
        assert_eq!(house.notify.announcement(&house.moderator(), id).await.unwrap().reached, 6);
    }

    async fn of_many_processes_one_fans_out(db: TestDb) {
        let house = Arc::new(House::open(db));
        let id = scheduled(&house, input()).await;
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { house.notify.begin_fan_out(id).await.unwrap().is_some() })
            })
            .collect();
        let mut began = 0;
        for task in tasks {
            began += usize::from(task.await.unwrap());
        }
        assert_eq!(began, 1);
    }

    /// A stop reaches the pushes that are queued; and what waits for the end of quiet hours is not news by then.
    async fn what_is_over_is_pushed_to_nobody(db: TestDb) {
        let house = House::open(db);
        let hours = house.ambient.now() + TimeDelta::hours(2);
        for (expires_at, stop) in [(None, true), (Some(hours), false)] {
            let asha = house.person();
            house.device(asha.user, &format!("phone-{stop}")).await;
            let id = scheduled(&house, AnnouncementInput { expires_at, ..input() }).await;
            let fan_out = begin(&house, id).await;
            advance(db, &house, &fan_out, &[asha]).await.unwrap();
            finish(db, &house, &fan_out).await.unwrap();
            let push = house.log(asha.user).await.remove(0).id;
            if stop {
                let caller = house.moderator();
                house.notify.move_announcement(&caller, id, AnnouncementEvent::Stop, None).await.unwrap();
            } else {
                house.clock.advance(TimeDelta::hours(3));
            }
            assert!(matches!(house.claim(push).await, Claim::Over(DeliveryStatus::Withheld)), "{stop}");
            let row = house.log(asha.user).await.remove(0);
            assert_eq!(row.reason.as_deref(), Some("announcement_over"), "{stop}");
        }
        let asha = house.person();
        house.device(asha.user, "phone").await;
        let id = scheduled(&house, input()).await;
        let fan_out = begin(&house, id).await;
        advance(db, &house, &fan_out, &[asha]).await.unwrap();
        let push = house.log(asha.user).await.remove(0).id;
        assert!(matches!(house.claim(push).await, Claim::Send(_)), "one that goes on is pushed");
    }

    async fn who_wants_no_announcements_is_not_counted(db: TestDb) {
        let house = House::open(db);
        let people = people(&house, 2);
        for channel in notify::Channel::ALL {
            let off = notify::Preference { category: notify::Category::Announcements, channel, enabled: false };
            house.choose(people[0].user, &[off], None).await.unwrap();
        }
        let id = scheduled(&house, input()).await;
        let fan_out = begin(&house, id).await;
        assert_eq!(advance(db, &house, &fan_out, &people).await.unwrap(), 1);
        assert_eq!(house.notify.announcement(&house.moderator(), id).await.unwrap().reached, 1);
    }

    async fn a_batch_goes_on_in_order(db: TestDb) {
        let house = House::open(db);
        let people = people(&house, 4);
        let id = scheduled(&house, input()).await;
        let fan_out = begin(&house, id).await;
        for batch in [vec![people[1], people[0]], vec![people[0], people[0]]] {
            let error = advance(db, &house, &fan_out, &batch).await.unwrap_err();
            assert_eq!(error.code(), "batch_out_of_order");
        }
        assert_eq!(advance(db, &house, &fan_out, &people[..2]).await.unwrap(), 2);
        // The same batch once more, by one who did not see that it committed.
        assert_eq!(advance(db, &house, &fan_out, &people[..2]).await.unwrap_err().code(), "lease_lost");
    }

    async fn a_stop_ends_it_between_two_batches(db: TestDb) {
        let house = House::open(db);
        let people = people(&house, 4);
        let id = scheduled(&house, input()).await;
        let fan_out = begin(&house, id).await;
        advance(db, &house, &fan_out, &people[..2]).await.unwrap();
        let stopped = house.notify.move_announcement(&house.moderator(), id, AnnouncementEvent::Stop, None).await;
        assert_eq!(stopped.unwrap().status, AnnouncementStatus::Stopped);
        let fan_out = fan_out.moved_to(people[1].user);
        assert!(advance(db, &house, &fan_out, &people[2..]).await.is_err());
        assert!(house.notify.begin_fan_out(id).await.unwrap().is_none());
        let shown = house.notify.active_announcements(people[0].user, Language::English, &facts()).await.unwrap();
        assert!(shown.is_empty() && house.inbox(people[3].user).await.is_empty());
    }

    async fn it_begins_at_its_hour_and_ends_at_its_hour(db: TestDb) {
        let house = House::open(db);
        let now = house.ambient.now();
        let hours = |n| Some(now + TimeDelta::hours(n));
        let id = scheduled(&house, AnnouncementInput { starts_at: hours(1), expires_at: hours(3), ..input() }).await;
        assert!(house.notify.due_announcements(10).await.unwrap().is_empty());
        assert!(house.notify.begin_fan_out(id).await.unwrap().is_none());
        house.clock.advance(TimeDelta::hours(1));
        assert_eq!(house.notify.due_announcements(10).await.unwrap(), [id]);
        begin(&house, id).await;
        house.clock.advance(TimeDelta::hours(2));
        assert!(house.notify.due_announcements(10).await.unwrap().is_empty());
        assert_eq!(house.notify.expire_announcements().await.unwrap(), 1);
        assert_eq!(house.notify.expire_announcements().await.unwrap(), 0);
        assert_eq!(house.notify.announcement(&house.moderator(), id).await.unwrap().status, AnnouncementStatus::Expired);
        let caller = house.moderator();
        let over = AnnouncementInput { expires_at: hours(0), ..input() };
        let draft = house.notify.create_announcement(&caller, &over.check().unwrap()).await.unwrap().id;
        let error = house.notify.move_announcement(&caller, draft, AnnouncementEvent::Schedule, None).await;
        assert_eq!(error.unwrap_err().code(), "announcement_over");
    }

    async fn somebody_sees_what_is_for_them_until_they_close_it(db: TestDb) {
        let house = House::open(db);
        let asha = house.person().user;
        let mut ids = Vec::new();
        for (priority, audience) in [
            (0, Audience::All {}),
            (5, Audience::City { city: "pune".to_owned() }),
            (9, Audience::Role { role: Role::Admin }),
        ] {
            let id = scheduled(&house, AnnouncementInput { priority, audience, ..input() }).await;
            begin(&house, id).await;
            ids.push(id);
        }
        let fixed = scheduled(&house, AnnouncementInput { dismissible: false, priority: -1, ..input() }).await;
        begin(&house, fixed).await;
        let pushed = scheduled(&house, AnnouncementInput { in_app: false, ..input() }).await;
        begin(&house, pushed).await;
        let shown = async || -> Vec<AnnouncementId> {
            let all = house.notify.active_announcements(asha, Language::Hindi, &facts()).await.unwrap();
            all.into_iter().map(|one| one.id).collect()
        };
        assert_eq!(shown().await, [ids[1], ids[0], fixed]);
        for _ in 0..2 {
            house.notify.dismiss_announcement(asha, &facts(), ids[1]).await.unwrap();
        }
        assert_eq!(shown().await, [ids[0], fixed]);
        let error = house.notify.dismiss_announcement(asha, &facts(), fixed).await.unwrap_err();
        assert_eq!(error.code(), "announcement_not_dismissible");
        // One that is for others, or stands nowhere to be closed, is as unknown as one that is none.
        for id in [ids[2], pushed, house.ambient.new_id()] {
            let unknown = house.notify.dismiss_announcement(asha, &facts(), id).await.unwrap_err();
            assert_eq!(unknown.code(), "announcement_not_found");
        }
        let others = house.notify.active_announcements(house.person().user, Language::English, &facts()).await;
        assert_eq!(others.unwrap().len(), 3, "it is closed for one person");
    }

    async fn only_a_draft_is_changed_and_all_of_it_is_recorded(db: TestDb) {
        let house = House::open(db);
        let caller = house.moderator();
        let fields = input().check().unwrap();
        let id = house.notify.create_announcement(&caller, &fields).await.unwrap().id;
        let other = AnnouncementInput { push: false, ..input() }.check().unwrap();
        let error = house.notify.update_announcement(&caller, id, &other, Some(9)).await.unwrap_err();
        assert_eq!(error.code(), "version_mismatch");
        assert_eq!(house.notify.update_announcement(&caller, id, &other, Some(1)).await.unwrap().version, 2);
        house.notify.move_announcement(&caller, id, AnnouncementEvent::Schedule, None).await.unwrap();
        for code in [
            house.notify.update_announcement(&caller, id, &fields, None).await.map(drop),
            house.notify.delete_announcement(&caller, id).await,
            house.notify.move_announcement(&caller, id, AnnouncementEvent::Finish, None).await.map(drop),
        ]
        .map(|result| result.unwrap_err().kind())
        {
            assert_eq!(code, kernel::ErrorKind::Conflict);
        }
        house.notify.move_announcement(&caller, id, AnnouncementEvent::Unschedule, None).await.unwrap();
        let paging = Paging::After { cursor: None, limit: 10 };
        let drafts = house.notify.announcements(&house.moderator(), Some(AnnouncementStatus::Draft), &paging).await.unwrap();
        assert_eq!(drafts.data.len(), 1);
        house.notify.delete_announcement(&caller, id).await.unwrap();
        let records = store::audit::of_subject(db.reader().unwrap(), "announcement", &id.to_string()).await.unwrap();
        assert_eq!(records.len(), 5);
    }
}
