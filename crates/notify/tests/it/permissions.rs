//! Staff's work is refused to whoever may not do it, whatever stands in front of this crate.

use kernel::{Actor, Ambient, Caller, DomainError, Origin, Paging, Role};
use notify::{
    AnnouncementEvent, AnnouncementInput, Audience, Channel, DeliveryFilter, HookInput, Kind, Language,
    NotifyError, TemplateKey,
};
use testkit::{Domain, Scope, on_every_engine};

use crate::house::House;

fn somebody(role: Role) -> Caller {
    let ambient = Ambient::system();
    let (user, session) = (ambient.new_id(), ambient.new_id());
    Caller { actor: Actor::Person { user, role, session, staff: None }, origin: Origin::default() }
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, NotifyError>) {
    assert_eq!(result.unwrap_err().code(), "forbidden");
}

const KEY: TemplateKey =
    TemplateKey { kind: Kind::WalletBonus, channel: Channel::Push, language: Language::English };

fn announcement() -> AnnouncementInput {
    AnnouncementInput {
        title_en: "Festival week".to_owned(),
        title_hi: None,
        body_en: "Boosts cost half until Sunday.".to_owned(),
        body_hi: None,
        action: None,
        audience: Audience::All {},
        in_app: true,
        push: false,
        priority: 0,
        dismissible: true,
        starts_at: None,
        expires_at: None,
    }
}

on_every_engine! { Scope::Domain(Domain::Notify) =>
    async fn only_who_runs_the_place_does_staffs_work(db: TestDb) {
        let house = House::open(db);
        let (notify, paging) = (&house.notify, Paging::After { cursor: None, limit: 10 });
        let hook = HookInput::parse("https://example.com/", "", &["*".to_owned()], false).unwrap();
        for role in [Role::User, Role::Moderator, Role::Finance] {
            let caller = &somebody(role);
            let parts = notify.template(&house.moderator(), KEY).await.unwrap().parts;
            is_refused(notify.templates(caller).await);
            is_refused(notify.template(caller, KEY).await);
            is_refused(notify.preview_template(caller, KEY, None).await);
            is_refused(notify.set_template(caller, KEY, parts, None).await);
            is_refused(notify.reset_template(caller, KEY, None).await);

            let id = house.ambient.new_id();
            let fields = announcement().check().unwrap();
            is_refused(notify.announcements(caller, None, &paging).await);
            is_refused(notify.announcement(caller, id).await);
            is_refused(notify.create_announcement(caller, &fields).await);
            is_refused(notify.update_announcement(caller, id, &fields, None).await);
            is_refused(notify.move_announcement(caller, id, AnnouncementEvent::Stop, None).await);
            is_refused(notify.delete_announcement(caller, id).await);

            let id = house.ambient.new_id();
            is_refused(notify.deliveries(caller, &DeliveryFilter::default(), &paging).await);
            is_refused(notify.delivery(caller, id).await);
            is_refused(db.in_txn(async |txn| notify.retry_delivery_in_txn(txn, caller, id).await).await);

            let (id, delivery) = (house.ambient.new_id(), house.ambient.new_id());
            is_refused(notify.hooks(caller).await);
            is_refused(notify.hook(caller, id).await);
            is_refused(notify.create_hook(caller, &hook).await);
            is_refused(notify.update_hook(caller, id, &hook, None).await);
            is_refused(notify.switch_hook(caller, id, true).await);
            is_refused(notify.rotate_hook_secret(caller, id).await);
            is_refused(notify.delete_hook(caller, id).await);
            is_refused(notify.hook_deliveries(caller, id, &paging).await);
            is_refused(db.in_txn(async |txn| notify.resend_hook_in_txn(txn, caller, delivery).await).await);
        }
        for role in [Role::Admin, Role::SuperAdmin] {
            let caller = &somebody(role);
            notify.templates(caller).await.unwrap();
            notify.create_announcement(caller, &announcement().check().unwrap()).await.unwrap();
            notify.deliveries(caller, &DeliveryFilter::default(), &paging).await.unwrap();
            notify.create_hook(caller, &hook).await.unwrap();
        }
    }
}
