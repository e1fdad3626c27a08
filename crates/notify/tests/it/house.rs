//! A marketplace that tells people things: what the tests of this crate share.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{
    Ambient, Caller, CursorCodec, DeliveryId, HookDeliveryId, Paging, SealingKeys, SessionId, UserId,
};
use notify::{
    Claim, DeliveryFilter, DeliveryView, HookClaim, Kind, Language, NewChoices, NewNotification,
    NotificationFilter, NotificationView, Notify, NotifyConfig, NotifyError, Platform, Preference,
    PreferencesView, PushTarget, QuietHours, Recipient, TargetKind, Told,
};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use testkit::{FakeClock, TestDb};

/// Noon in India.
pub(crate) const NOON: &str = "2026-01-05T06:30:00Z";

pub(crate) struct House {
    pub(crate) notify: Notify,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<FakeClock>,
    db: store::Database,
}

pub(crate) fn config() -> NotifyConfig {
    // 32 bytes of zeros.
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    NotifyConfig::new(
        CursorCodec::new(b"a key of at least thirty-two bytes"),
        SealingKeys::from_texts(&[("k1".to_owned(), key.into())]).unwrap(),
        "DGT Marketplace",
        "https://dgt.example".parse().unwrap(),
        "https://dgt.example/api/unsubscribe".parse().unwrap(),
    )
}

impl House {
    pub(crate) fn open(db: &TestDb) -> Self {
        Self::with(db, |_| {})
    }

    pub(crate) fn with(db: &TestDb, change: impl FnOnce(&mut NotifyConfig)) -> Self {
        let clock = FakeClock::at(NOON);
        let ambient = testkit::ambient(&clock);
        let mut config = config();
        change(&mut config);
        let notify = Notify::new(db.database().clone(), ambient.clone(), config);
        Self { notify, ambient, clock, db: db.database().clone() }
    }

    pub(crate) fn person(&self) -> Recipient {
        Recipient {
            user: self.ambient.new_id(),
            language: Language::English,
            has_phone: true,
            has_email: true,
        }
    }

    pub(crate) fn moderator(&self) -> Caller {
        Caller::system("test")
    }

    /// Somebody's device, used through a login of its own.
    pub(crate) async fn device(&self, user: UserId, token: &str) -> SessionId {
        let target = PushTarget::parse(TargetKind::Token, token).unwrap();
        let session = self.ambient.new_id();
        self.notify.register_device((user, session), Platform::Android, &target).await.unwrap();
        session
    }

    /// The same house after its sealing keys were changed; the first of them seals.
    pub(crate) fn with_keys(&self, names: &[(&str, u8)]) -> Self {
        let key = |fill| SecretString::from(STANDARD.encode([fill; 32]));
        let texts: Vec<_> = names.iter().map(|(name, fill)| ((*name).to_owned(), key(*fill))).collect();
        let sealing = SealingKeys::from_texts(&texts).unwrap();
        let config = NotifyConfig { sealing, ..self.notify.config().clone() };
        let notify = Notify::new(self.db.clone(), self.ambient.clone(), config);
        Self { notify, ambient: self.ambient.clone(), clock: Arc::clone(&self.clock), db: self.db.clone() }
    }

    /// Keeps choices about categories, and the quiet hours if they are given.
    pub(crate) async fn choose(
        &self,
        user: UserId,
        preferences: &[Preference],
        quiet_hours: Option<Option<QuietHours>>,
    ) -> Result<PreferencesView, NotifyError> {
        let new = NewChoices { preferences: preferences.to_vec(), quiet_hours, ..NewChoices::default() };
        self.notify.choose(user, &new).await
    }

    pub(crate) async fn tell(&self, to: &Recipient, new: &NewNotification) -> Told {
        self.db.in_txn(async |txn| self.notify.notify_in_txn(txn, to, new).await).await.unwrap()
    }

    pub(crate) async fn claim(&self, id: DeliveryId) -> Claim {
        let claim = self.db.in_txn(async |txn| self.notify.claim_delivery_in_txn(txn, id).await);
        claim.await.unwrap()
    }

    pub(crate) async fn claim_hook(&self, id: HookDeliveryId) -> HookClaim {
        self.db.in_txn(async |txn| self.notify.claim_hook_in_txn(txn, id).await).await.unwrap()
    }

    pub(crate) async fn inbox(&self, user: UserId) -> Vec<NotificationView> {
        let paging = Paging::After { cursor: None, limit: 100 };
        self.notify.notifications(user, NotificationFilter::default(), &paging).await.unwrap().data
    }

    pub(crate) async fn log(&self, user: UserId) -> Vec<DeliveryView> {
        let filter = DeliveryFilter { user: Some(user), ..DeliveryFilter::default() };
        let paging = Paging::After { cursor: None, limit: 100 };
        self.notify.deliveries(&self.moderator(), &filter, &paging).await.unwrap().data
    }
}

/// An event of the kind with its samples; another key is another event.
pub(crate) fn event(kind: Kind, key: &str) -> NewNotification {
    let params: serde_json::Map<String, Json> = kind
        .spec()
        .variables
        .iter()
        .map(|variable| (variable.name.to_owned(), variable.sample.value()))
        .collect();
    NewNotification {
        kind,
        event_key: key.to_owned(),
        params: json!(params),
        action: Some("/listings/1".to_owned()),
        only: None,
    }
}
