//! What every history begins with: a database with sellers' listings and boost plans, made once and copied.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use catalog::{
    AttributeSchema, BoostKind, BoostPlanInput, CategoryInput, CategoryName, Condition, Description,
    ListingInput, ListingSettings, Location, Place, PlanDays, PlanFeatures, PlanName, PlanPrice, Price, Slug,
    Title,
};
use kernel::{
    Actor, Ambient, BoostPlanId, Caller, CategoryId, ListingId, Money, Origin, Role, TypedId, UserId,
};
use marketplace::Marketplace;
use migrations::{Scope, migrate};
use sea_orm::ConnectionTrait;
use store::{Database, DatabaseConfig};

use super::ambient::{Hands, SeededBytes};
use super::bank::Bank;
use super::world;

/// How many people buy.
const USERS: usize = 4;
/// What boosts cost in paise, for how many days, and what they give.
const PLANS: [(i64, i64, BoostKind); 3] =
    [(4_900, 1, BoostKind::Boost), (9_900, 7, BoostKind::Boost), (19_900, 30, BoostKind::Feature)];

/// A boost that can be bought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) id: BoostPlanId,
    pub(super) paise: i64,
    pub(super) days: i64,
    pub(super) kind: BoostKind,
}

/// Who takes part, and with what.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) users: Vec<UserId>,
    pub(super) staff: Caller,
    pub(super) plans: Vec<Plan>,
    /// Listings that are ACTIVE, each with its seller.
    pub(super) listings: Vec<(ListingId, UserId)>,
}

/// The prepared database. Its folder goes when this does.
#[derive(Debug)]
pub(super) struct Stage {
    folder: PathBuf,
    pub(super) scene: Scene,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What stays behind is in the memory of a machine that starts again empty.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Stage {
    /// Prepares the database, always the same.
    pub(super) async fn set() -> anyhow::Result<Self> {
        let folder = scratch();
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let url = url(&folder.join("template.db"));
        migrate(&DatabaseConfig::new(&url), Scope::All).await?;
        let db = Database::connect(&config(&url)).await?;
        let ambient = Ambient::new(Arc::new(Hands::new()), Arc::new(SeededBytes::new(0)));
        let bank = Arc::new(Bank::new(0, db.clone(), None));
        let market = world::marketplace(&db, &ambient, bank, marketplace::Failpoints::default(), &folder)?;
        let scene = prepare(&market, &ambient).await?;
        drop(market);
        db.close().await?;
        Ok(Self { folder, scene })
    }

    /// Where a history keeps files beside its database.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A copy of the prepared database for one history, and its file.
    pub(super) async fn copy(&self, history: u64) -> anyhow::Result<(Database, PathBuf)> {
        let path = self.folder.join(format!("history_{history}.db"));
        std::fs::copy(self.folder.join("template.db"), &path)?;
        Ok((Database::connect(&config(&url(&path))).await?, path))
    }
}

/// Closes a history's database and removes its files.
pub(super) async fn discard(db: Database, path: &Path) -> anyhow::Result<()> {
    db.close().await?;
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// In memory where there is some: durability is for other tests.
fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    base.join(format!("dgt-simulate-{}-{}", std::process::id(), Ambient::system().new_uuid().simple()))
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

fn config(url: &str) -> DatabaseConfig {
    DatabaseConfig { max_connections: 1, ..DatabaseConfig::new(url) }
}

async fn prepare(market: &Marketplace, ambient: &Ambient) -> anyhow::Result<Scene> {
    let staff = Caller { actor: person(ambient, Role::Admin), origin: Origin::default() };
    let category = CategoryInput {
        slug: Slug::parse("things")?,
        name: CategoryName::parse("Things")?,
        icon: None,
        parent: None,
        attributes: AttributeSchema::default(),
        auto_approve: true,
        expiry_days: None,
        order: 0,
        active: true,
    };
    let category = market.catalog.create_category(&staff, &category).await?.id;
    let mut plans = Vec::new();
    for (paise, days, kind) in PLANS {
        let made = market.catalog.create_boost_plan(&staff, &plan(paise, days, kind)?).await?;
        plans.push(Plan { id: made.id, paise, days, kind });
    }
    let settings = ListingSettings { max_images: 3, expiry_days: 60 };
    let mut scene = Scene { users: Vec::new(), staff, plans, listings: Vec::new() };
    for _ in 0..USERS {
        let seller = person(ambient, Role::User);
        let user = seller.user().context("a person has an id")?;
        register(market, ambient, user, scene.users.len()).await?;
        scene.users.push(user);
        for title in ["A red bicycle", "A blue bicycle"] {
            let made =
                market.catalog.create_listing(&seller, &listing(category, title)?, true, &settings).await?;
            scene.listings.push((made.id, user));
        }
    }
    Ok(scene)
}

/// Somebody who has logged in once, written down as identity keeps them.
async fn register(
    market: &Marketplace,
    ambient: &Ambient,
    user: UserId,
    number: usize,
) -> anyhow::Result<()> {
    let sql = "INSERT INTO users (id, phone, name, name_folded, language, role, status, version, created_at, updated_at) \
               VALUES (?, ?, 'A seller', 'a seller', 'en', 'USER', 'ACTIVE', 1, ?, ?)";
    let (phone, now) = (format!("+91980000000{number}"), ambient.now());
    let insert =
        market.db.engine().statement(sql, [user.uuid().into(), phone.into(), now.into(), now.into()]);
    market.db.schema_connection().execute_raw(insert).await?;
    Ok(())
}

fn person(ambient: &Ambient, role: Role) -> Actor {
    Actor::Person { user: ambient.new_id(), role, session: ambient.new_id(), staff: None }
}

fn plan(paise: i64, days: i64, kind: BoostKind) -> anyhow::Result<BoostPlanInput> {
    Ok(BoostPlanInput {
        kind,
        slug: Slug::parse(&format!("plan-{paise}"))?,
        name: PlanName::parse("A plan")?,
        price: PlanPrice::parse(Money::inr(paise))?,
        days: PlanDays::parse(days)?,
        features: PlanFeatures::parse(&["Stands before others".to_owned()])?,
        top_placement: kind == BoostKind::Boost,
        highlight: false,
        popular: false,
        order: 0,
        active: true,
    })
}

fn listing(category: CategoryId, title: &str) -> anyhow::Result<ListingInput> {
    Ok(ListingInput {
        category,
        title: Title::parse(title)?,
        description: Description::parse("Hardly ever used, kept indoors.")?,
        price: Price::parse(Money::inr(10_000))?,
        negotiable: false,
        condition: Condition::Good,
        location: Location {
            city: Place::parse("Pune")?,
            state: Place::parse("Maharashtra")?,
            pincode: None,
            point: None,
        },
        attributes: serde_json::Map::new(),
        photos: Vec::new(),
        auto_renew: false,
    })
}
