//! One history's world: a database, the marketplace on it, the provider beside it, and a fuse for crashes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use catalog::photo::{MediaUrls, PhotoConfig, Photos, local_folder};
use catalog::{Catalog, CatalogConfig};
use identity::{Identity, IdentityConfig, Keys};
use kernel::{Ambient, CursorCodec, SealingKeys};
use ledger::{Ledger, LedgerConfig};
use marketplace::{BoostDesk, Failpoint, Failpoints, Marketplace};
use moderation::Moderation;
use notify::{HookClient, Notify, NotifyConfig, OtpMessages, OtpSenders, OtpTemplates, Senders};
use payments::{OrderLimits, PaymentProvider, Payments, PaymentsConfig};
use platform::Settings;
use secrecy::SecretString;
use store::Database;
use url::Url;

use super::ambient::{Hands, SeededBytes};
use super::bank::{Bank, KEY_SECRET, WEBHOOK_SECRET};
use super::mute::Mute;
use super::stage::{Scene, Stage, discard};
use super::{Places, Sabotage};

/// Signs cursors, which nobody looks at here.
const CURSOR_KEY: &[u8] = b"the simulator's cursor key: no secret";

/// Ends a flow at the failpoint that is so many failpoints away; 0 never.
#[derive(Debug, Default)]
pub(super) struct Fuse {
    left: AtomicI64,
    /// Where flows have died.
    places: Mutex<Places>,
}

impl Fuse {
    /// Lets the flow that runs next die at its nth failpoint.
    pub(super) fn light(&self, nth: i64) {
        self.left.store(nth, Ordering::SeqCst);
    }

    /// Whether the flow has died. Puts the fuse out.
    pub(super) fn take_burnt(&self) -> bool {
        self.left.compare_exchange(-1, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// A failpoint was reached: whether to die here.
    fn burns(&self, place: Failpoint) -> bool {
        let left = self.left.load(Ordering::SeqCst);
        if left <= 0 {
            return false;
        }
        let is_here = left == 1;
        self.left.store(if is_here { -1 } else { left - 1 }, Ordering::SeqCst);
        if is_here {
            self.places.lock().unwrap_or_else(PoisonError::into_inner).insert(place.name());
        }
        is_here
    }

    /// Where flows have died so far.
    pub(super) fn places(&self) -> Places {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The world of one history.
pub(super) struct World {
    pub(super) db: Database,
    pub(super) market: Marketplace,
    pub(super) bank: Arc<Bank>,
    pub(super) hands: Arc<Hands>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) scene: Scene,
    ambient: Ambient,
    path: PathBuf,
    folder: PathBuf,
}

impl World {
    /// A fresh world.
    pub(super) async fn open(
        stage: &Stage,
        history: u64,
        seed: u64,
        sabotage: Option<Sabotage>,
    ) -> anyhow::Result<Self> {
        let (db, path) = stage.copy(history).await?;
        let hands = Arc::new(Hands::new());
        let ambient =
            Ambient::new(Arc::<Hands>::clone(&hands), Arc::new(SeededBytes::new(seed.rotate_left(17))));
        let bank = Arc::new(Bank::new(seed.rotate_left(31), db.clone(), sabotage));
        let fuse = Arc::<Fuse>::default();
        let folder = stage.folder().to_owned();
        let market = marketplace(&db, &ambient, Arc::<Bank>::clone(&bank), failpoints(&fuse), &folder)?;
        Ok(Self { db, market, bank, hands, fuse, scene: stage.scene.clone(), ambient, path, folder })
    }

    /// The process has died and starts again: nothing is left of it but its database.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        let bank = Arc::<Bank>::clone(&self.bank);
        self.market = marketplace(&self.db, &self.ambient, bank, failpoints(&self.fuse), &self.folder)?;
        Ok(())
    }

    /// Ends the world and removes its files.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let Self { db, market, bank, path, .. } = self;
        drop((market, bank));
        discard(db, &path).await
    }
}

fn failpoints(fuse: &Arc<Fuse>) -> Failpoints {
    let fuse = Arc::<Fuse>::clone(fuse);
    Failpoints::new(move |place| fuse.burns(place))
}

/// The real marketplace, with the model of the provider in the provider's place and nobody who carries messages.
pub(super) fn marketplace(
    db: &Database,
    ambient: &Ambient,
    provider: Arc<Bank>,
    failpoints: Failpoints,
    folder: &Path,
) -> anyhow::Result<Marketplace> {
    let (db, ambient) = (db.clone(), ambient.clone());
    let cursors = || CursorCodec::new(CURSOR_KEY);
    let media = MediaUrls::default();
    let provider: Arc<dyn PaymentProvider> = provider;
    let config = PaymentsConfig {
        key_id: "rzp_test_simulator".to_owned(),
        key_secret: SecretString::from(KEY_SECRET),
        webhook_secret: SecretString::from(WEBHOOK_SECRET),
        webhook_secret_previous: None,
        cursors: cursors(),
        limits: OrderLimits::default(),
    };
    let catalog =
        Catalog::new(db.clone(), ambient.clone(), CatalogConfig { cursors: cursors(), media: media.clone() });
    let ledger = Ledger::new(db.clone(), ambient.clone(), LedgerConfig { cursors: cursors() });
    Ok(Marketplace {
        identity: Identity::new(db.clone(), ambient.clone(), IdentityConfig::new(Keys::development()?)),
        photos: Photos::new(
            db.clone(),
            ambient.clone(),
            local_folder(folder)?,
            PhotoConfig { urls: media, ..PhotoConfig::default() },
        ),
        moderation: Moderation::new(db.clone(), ambient.clone()),
        settings: Settings::new(db.clone(), ambient.clone()),
        otp_messages: OtpMessages::new("DGT Marketplace", OtpTemplates::default()),
        notify: Notify::new(db.clone(), ambient.clone(), notify_config(cursors())?),
        otp_senders: OtpSenders { sms: Arc::new(Mute), mail: Arc::new(Mute) },
        senders: Senders { push: None, sms: Arc::new(Mute), mail: Arc::new(Mute) },
        hooks: HookClient::new(),
        boost_desk: BoostDesk::open(&db, &ambient, &catalog, &ledger),
        catalog,
        ledger,
        payments: Payments::new(db.clone(), ambient.clone(), config, provider),
        turns: marketplace::Turns::default(),
        failpoints,
        db,
        ambient,
    })
}

/// Nobody is notified in a simulation, whose relay does not run.
fn notify_config(cursors: CursorCodec) -> anyhow::Result<NotifyConfig> {
    let key = SecretString::from("ZGV2ZWxvcG1lbnQtc2VhbGluZy1rZXktMzItYnl0ZXM=");
    let sealing = SealingKeys::from_texts(&[("simulator".to_owned(), key)])?;
    let page = || Url::parse("http://127.0.0.1/");
    Ok(NotifyConfig::new(cursors, sealing, "DGT Marketplace", page()?, page()?))
}
