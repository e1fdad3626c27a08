//! The list of listings: filtered, ordered, a page or a feed at a time. One statement each, one more for the total where
//! a numbered page is asked for, and one where listings that were paid for stand before the others.

mod feed;
mod numbered;
mod order;
mod query;
mod statement;

use kernel::{Actor, CategoryId, InvalidInput, ListingId, Money, Page, Paging, Permission, UserId};
use sea_orm::{QueryResult, Statement};
use store::StoreError;
use uuid::Uuid;

pub(super) use self::statement::CARD;
use self::statement::Select;
use super::{Condition, ListingCard, ListingStatus};
use crate::boost::ProminentListings;
use crate::photo::MediaUrls;
use crate::{Catalog, CatalogError};

pub use order::{ListingSort, SortOrder};
pub use query::{AttributeFilters, ListingFilters, ListingQuery};

/// The most listings that stand before the others in one list; of more, those whose boosts began last.
const MOST_ON_TOP: usize = 50;

/// Whose listings a search may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Everybody's.
    All,
    /// This person's alone.
    Own(UserId),
}

/// A search that may be carried out.
struct Search<'a> {
    catalog: &'a Catalog,
    query: &'a ListingQuery,
    status: ListingStatus,
    audience: Audience,
    categories: Option<Vec<CategoryId>>,
    /// What a cursor of it belongs to.
    scope: String,
    prominent: std::sync::Arc<ProminentListings>,
}

/// A card with its sort key, where that is a number that the card does not tell.
type Found = (ListingCard, Option<i64>);

impl Catalog {
    /// Finds listings. Everybody finds ACTIVE ones; asking for another status, staff find everybody's and others
    /// find their own, except deleted ones.
    ///
    /// Pages of a feed neither lose nor repeat a listing that stays as it is, whatever is added or taken away in
    /// between.
    ///
    /// # Errors
    /// When an attribute cannot be filtered by, the cursor is not of this search, or nobody is logged in and another
    /// status than ACTIVE is asked for.
    pub async fn search_listings(
        &self,
        viewer: Option<&Actor>,
        query: &ListingQuery,
        paging: &Paging,
    ) -> Result<Page<ListingCard>, CatalogError> {
        let status = query.filters().status.unwrap_or(ListingStatus::Active);
        let audience = audience(viewer, status)?;
        let tree = self.category_tree().await?;
        let categories = query.filters().category.map(|id| tree.with_descendants(id));
        query.check_attributes(|name| tree.is_filterable(name, categories.as_deref()))?;
        let (scope, prominent) = (query.scope(viewer), self.prominent_listings().await?);
        let search = Search { catalog: self, query, status, audience, categories, scope, prominent };
        match paging {
            Paging::Numbered { page, limit } => search.numbered(*page, *limit, paging.offset()).await,
            Paging::After { cursor, limit } => search.feed(cursor.as_deref(), *limit).await,
        }
    }
}

impl Search<'_> {
    fn select(&self) -> Select<'_> {
        let (engine, now) = (self.catalog.db.engine(), self.catalog.ambient.now());
        Select::new(engine, self.query, self.status, self.audience, self.categories.as_deref(), now)
    }

    /// Listings that stood before others at the moment and may match: the database decides on words and attributes.
    fn on_top(&self, at: chrono::DateTime<chrono::Utc>) -> Vec<ListingId> {
        if !self.query.is_by_default() {
            return Vec::new();
        }
        let categories = self.categories.as_deref();
        self.prominent.top(at, MOST_ON_TOP, |listing| self.query.may_match(listing, categories))
    }

    async fn cards(&self, statement: Statement) -> Result<Vec<Found>, CatalogError> {
        use sea_orm::ConnectionTrait;
        let rows = self.catalog.db.reader()?.query_all_raw(statement).await?;
        let now = self.catalog.ambient.now();
        rows.iter()
            .map(|row| {
                let mut card = read_card(row, &self.catalog.config.media)?;
                card.show(&self.prominent, now);
                Ok((card, row.try_get_by_index(CARD_COLUMNS).ok()))
            })
            .collect()
    }
}

fn audience(viewer: Option<&Actor>, status: ListingStatus) -> Result<Audience, CatalogError> {
    let is_staff = viewer.is_some_and(|actor| actor.may(Permission::ListingsViewAll));
    match (status, viewer.and_then(Actor::user)) {
        (ListingStatus::Active, _) => Ok(Audience::All),
        _ if is_staff => Ok(Audience::All),
        (ListingStatus::Deleted, Some(_)) => Err(InvalidInput::field(
            "status",
            "status_not_visible",
            "deleted listings are seen by staff alone",
        )
        .into()),
        (_, Some(user)) => Ok(Audience::Own(user)),
        (_, None) => Err(CatalogError::StatusNotPublic),
    }
}

/// How many columns a card has; a sort key that is computed follows them.
const CARD_COLUMNS: usize = 11;

/// Reads the columns of [`CARD`], by their place.
pub(super) fn read_card(row: &QueryResult, urls: &MediaUrls) -> Result<ListingCard, StoreError> {
    let corrupt = || StoreError::Corrupt("a listing's status or condition".to_owned());
    let condition: String = row.try_get_by_index(5)?;
    let status: String = row.try_get_by_index(8)?;
    let cover: Option<String> = row.try_get_by_index(7)?;
    Ok(ListingCard {
        id: ListingId::from(row.try_get_by_index::<Uuid>(0)?),
        category_id: row.try_get_by_index::<Uuid>(1)?.into(),
        title: row.try_get_by_index(2)?,
        price: Money::inr(row.try_get_by_index(3)?),
        negotiable: row.try_get_by_index(4)?,
        condition: condition.parse::<Condition>().ok().ok_or_else(corrupt)?,
        city: row.try_get_by_index(6)?,
        photo_url: cover.map(|name| urls.of(&name)),
        status: status.parse::<ListingStatus>().ok().ok_or_else(corrupt)?,
        created_at: row.try_get_by_index(9)?,
        published_at: row.try_get_by_index(10)?,
        boosted_until: None,
        featured_until: None,
        highlighted: false,
    })
}
