//! The list of listings: filtered, ordered, a page or a feed at a time. One statement each, and one more for the
//! total where a numbered page is asked for.

mod order;
mod query;
mod statement;

use kernel::{Actor, InvalidInput, ListingId, Money, Page, Paging, Permission, UserId};
use sea_orm::{ConnectionTrait, QueryResult};
use store::StoreError;
use uuid::Uuid;

use self::order::Position;
pub(super) use self::statement::CARD;
use self::statement::Select;
use super::{Condition, ListingCard, ListingStatus};
use crate::photo::MediaUrls;
use crate::{Catalog, CatalogError};

pub use order::{ListingSort, SortOrder};
pub use query::{AttributeFilters, ListingFilters, ListingQuery};

/// Whose listings a search may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Everybody's.
    All,
    /// This person's alone.
    Own(UserId),
}

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
        let scope = query.scope(viewer);
        let after: Option<Position> = match paging {
            Paging::After { cursor: Some(cursor), .. } => Some(self.config.cursors.open(&scope, cursor)?),
            _ => None,
        };
        let reader = self.db.reader()?;
        let engine = self.db.engine();
        let select = Select::new(engine, query, status, audience, categories.as_deref());
        let rows = reader.query_all_raw(select.page(paging, after)).await?;
        let cards = rows
            .iter()
            .map(|row| Ok((read_card(row, &self.config.media)?, row.try_get_by_index(CARD_COLUMNS).ok())))
            .collect::<Result<Vec<(ListingCard, Option<i64>)>, StoreError>>()?;
        match paging {
            Paging::Numbered { page, limit } => {
                let total = count(reader, select).await?;
                Ok(Page::numbered(cards, *page, *limit, total).map(|(card, _)| card))
            }
            Paging::After { limit, .. } => {
                let page = Page::feed(cards, *limit, |(card, key)| {
                    self.config.cursors.seal(&scope, &Position::after(card, *key))
                });
                Ok(page.map(|(card, _)| card))
            }
        }
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

async fn count(reader: &impl ConnectionTrait, select: Select<'_>) -> Result<u64, StoreError> {
    let row = reader.query_one_raw(select.count()).await?;
    let total: i64 = row.map(|row| row.try_get("", "total")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(total).unwrap_or_default())
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
    })
}
