//! Listings written through the catalogue, as sellers would; only the sellers themselves are put into place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use catalog::{AttributeSpec, CategoryView};
use catalog::{Catalog, CatalogConfig, Description, ListingInput, ListingSettings, Price, Title};
use kernel::{Actor, Ambient, CategoryId, CursorCodec, ListingId, Money, Role, TypedId, UserId};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use store::{Database, StoreError};
use tokio::task::JoinSet;

use super::goods::{self, GOODS, Goods};
use crate::dice::Dice;

const SELLERS: u64 = 200;
const WRITERS: u64 = 8;

/// What can be asked for.
#[derive(Debug, Serialize)]
pub struct Filled {
    /// Listings by id.
    pub listings: Vec<ListingId>,
    /// Lists by category and price.
    pub filters: Vec<Filter>,
}

/// A list of a category's listings within a band of prices.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    category: CategoryId,
    min_price: u64,
    max_price: u64,
}

/// The catalogue, and what is sold in it.
#[derive(Debug)]
pub(super) struct Shop {
    /// The catalogue.
    pub(super) catalog: Catalog,
    shelves: Vec<Shelf>,
}

/// A category, what it asks of its listings, and what is sold in it.
#[derive(Debug)]
struct Shelf {
    id: CategoryId,
    attributes: Vec<AttributeSpec>,
    goods: &'static Goods,
}

/// Writes so many ACTIVE listings into a migrated and seeded database. The seed decides everything but the ids.
///
/// # Errors
/// When the database fails, or lacks the seeded categories.
pub async fn fill(db: &Database, ambient: &Ambient, listings: usize, seed: u64) -> anyhow::Result<Filled> {
    let shop = Arc::new(Shop::open(db, ambient).await?);
    let sellers: Arc<Vec<Actor>> = Arc::new(add_sellers(db, ambient).await?);
    let left = Arc::new(AtomicUsize::new(listings));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (shop, sellers, left) = (Arc::clone(&shop), Arc::clone(&sellers), Arc::clone(&left));
        let mut dice = Dice::new(seed.wrapping_mul(WRITERS).wrapping_add(writer));
        writers.spawn(async move {
            let mut written = Vec::new();
            while take_one(&left) {
                let seller = sellers.get(dice.index(sellers.len())).context("there are no sellers")?;
                written.push(shop.write_one(seller, &mut dice).await?);
            }
            Ok::<_, anyhow::Error>(written)
        });
    }
    let mut written = Vec::with_capacity(listings);
    while let Some(ended) = writers.join_next().await {
        written.extend(ended??);
    }
    Ok(Filled { listings: written, filters: filters(&shop.shelves) })
}

impl Shop {
    /// The shop of a seeded database. What is handed in there is out at once from now on, so that each listing costs one
    /// transaction.
    pub(super) async fn open(db: &Database, ambient: &Ambient) -> anyhow::Result<Self> {
        let at_once = db.engine().statement("UPDATE categories SET auto_approve = ?", [true.into()]);
        db.in_txn(async |txn| Ok::<_, StoreError>(txn.execute_raw(at_once.clone()).await.map(drop)?)).await?;
        let cursors = CursorCodec::new(&ambient.random_bytes::<32>());
        let config = CatalogConfig { cursors, media: Default::default() };
        let catalog = Catalog::new(db.clone(), ambient.clone(), config);
        let shelves = shelves(catalog.list_categories(None).await?)?;
        Ok(Self { catalog, shelves })
    }

    /// Writes an ACTIVE listing of the seller's.
    pub(super) async fn write_one(&self, seller: &Actor, dice: &mut Dice) -> anyhow::Result<ListingId> {
        let shelf = weighted(&self.shelves, dice).context("nothing is sold")?;
        let (title, description) = shelf.goods.text(dice);
        let input = ListingInput {
            category: shelf.id,
            title: Title::parse(&title)?,
            description: Description::parse(&description)?,
            price: Price::parse(Money::inr(i64::try_from(shelf.goods.paise(dice))?))?,
            negotiable: dice.below(2) == 0,
            condition: goods::condition(dice)?,
            location: goods::place(dice)?,
            attributes: goods::attributes(&shelf.attributes, dice),
            photos: Vec::new(),
            auto_renew: false,
        };
        Ok(self.catalog.create_listing(seller, &input, true, &ListingSettings::default()).await?.id)
    }
}

fn take_one(left: &AtomicUsize) -> bool {
    left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn shelves(categories: Vec<CategoryView>) -> anyhow::Result<Vec<Shelf>> {
    let shelf = |goods: &'static Goods| {
        let category = categories.iter().find(|category| category.slug == goods.slug);
        let category =
            category.with_context(|| format!("there is no category {}: seed first", goods.slug))?;
        Ok(Shelf { id: category.id, attributes: category.attributes.clone(), goods })
    };
    GOODS.iter().map(shelf).collect()
}

fn filters(shelves: &[Shelf]) -> Vec<Filter> {
    let filter = |shelf: &Shelf| {
        let (min_price, max_price) = shelf.goods.band();
        Filter { category: shelf.id, min_price, max_price }
    };
    shelves.iter().map(filter).collect()
}

fn weighted<'a>(shelves: &'a [Shelf], dice: &mut Dice) -> Option<&'a Shelf> {
    let mut at = dice.below(shelves.iter().map(|shelf| shelf.goods.weight).sum());
    shelves.iter().find(|shelf| {
        let here = at < shelf.goods.weight;
        at = at.saturating_sub(shelf.goods.weight);
        here
    })
}

/// Members who have logged in once; a code for each would cost a minute.
async fn add_sellers(db: &Database, ambient: &Ambient) -> anyhow::Result<Vec<Actor>> {
    let mut sellers = Vec::new();
    for number in 0..SELLERS {
        let (id, now): (UserId, _) = (ambient.new_id(), ambient.now());
        let insert = db.engine().statement(
            "INSERT INTO users (id, phone, name, name_folded, language, role, status, version, created_at, updated_at) \
             VALUES (?, ?, ?, ?, 'en', 'USER', 'ACTIVE', 1, ?, ?)",
            [
                id.uuid().into(),
                format!("+91970000{number:04}").into(),
                format!("Seller {number}").into(),
                format!("seller {number}").into(),
                now.into(),
                now.into(),
            ],
        );
        db.in_txn(async |txn| Ok::<_, StoreError>(txn.execute_raw(insert.clone()).await.map(drop)?)).await?;
        sellers.push(Actor::Person { user: id, role: Role::User, session: ambient.new_id(), staff: None });
    }
    Ok(sellers)
}
