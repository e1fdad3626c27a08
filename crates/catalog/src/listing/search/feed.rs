//! A page of a feed: first what stood before others when the feed began, then the rest, without what came first.

use chrono::DateTime;
use kernel::{ListingId, Page};
use serde::{Deserialize, Serialize};

use super::order::Position;
use super::{Found, Search};
use crate::CatalogError;
use crate::listing::ListingCard;

/// Where a feed was left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Bookmark {
    /// The last item.
    #[serde(rename = "p")]
    position: Position,
    /// Whether it stood before the others.
    #[serde(rename = "f", default, skip_serializing_if = "std::ops::Not::not")]
    is_on_top: bool,
    /// When the feed began, in microseconds since 1970: who stands before others is decided once.
    #[serde(rename = "b")]
    began_micros: i64,
}

impl Search<'_> {
    pub(super) async fn feed(
        &self,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ListingCard>, CatalogError> {
        let cursors = &self.catalog.config.cursors;
        let bookmark: Option<Bookmark> = cursor.map(|text| cursors.open(&self.scope, text)).transpose()?;
        let began = bookmark.map_or(self.prominent.at, |bookmark| {
            DateTime::from_timestamp_micros(bookmark.began_micros).unwrap_or_default()
        });
        let on_top = self.on_top(began);
        // One more than is shown tells whether the feed goes on.
        let wanted = limit + 1;
        let after = bookmark.map(|bookmark| bookmark.position);
        let is_among_top = bookmark.is_none_or(|bookmark| bookmark.is_on_top);
        let mut found = self.top(&on_top, is_among_top, wanted, after).await?;
        let so_many = found.len();
        let rest = wanted.saturating_sub(u32::try_from(so_many).unwrap_or(wanted));
        if rest > 0 {
            let after = if is_among_top { None } else { after };
            found.extend(self.cards(self.select().but(&on_top).page(rest, 0, after)).await?);
        }
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let page = Page::feed(found, limit, |(card, key)| {
            let bookmark = Bookmark {
                position: Position::after(card, *key),
                is_on_top: shown <= so_many,
                began_micros: began.timestamp_micros(),
            };
            cursors.seal(&self.scope, &bookmark)
        });
        Ok(page.map(|(card, _)| card))
    }

    async fn top(
        &self,
        on_top: &[ListingId],
        is_among_top: bool,
        rows: u32,
        after: Option<Position>,
    ) -> Result<Vec<Found>, CatalogError> {
        if on_top.is_empty() || !is_among_top {
            return Ok(Vec::new());
        }
        self.cards(self.select().only(on_top).newest(rows, after)).await
    }
}
