//! A numbered page, with the total.

use kernel::Page;
use sea_orm::ConnectionTrait;

use super::Search;
use crate::CatalogError;
use crate::listing::ListingCard;

impl Search<'_> {
    pub(super) async fn numbered(
        &self,
        page: u32,
        limit: u32,
        offset: u64,
    ) -> Result<Page<ListingCard>, CatalogError> {
        let on_top = self.on_top(self.prominent.at);
        let mut top = Vec::new();
        if !on_top.is_empty() {
            let rows = u32::try_from(on_top.len()).unwrap_or(u32::MAX);
            top = self.cards(self.select().only(&on_top).newest(rows, None)).await?;
        }
        let so_many = u64::try_from(top.len()).unwrap_or_default();
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let kept = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found: Vec<_> = top.into_iter().skip(skipped).take(kept).collect();
        let rest = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(limit));
        if rest > 0 {
            let offset = offset.saturating_sub(so_many);
            found.extend(self.cards(self.select().but(&on_top).page(rest, offset, None)).await?);
        }
        let row = self.catalog.db.reader()?.query_one_raw(self.select().count()).await?;
        let total: i64 = row.map(|row| row.try_get("", "total")).transpose()?.unwrap_or_default();
        let cards = found.into_iter().map(|(card, _)| card).collect();
        Ok(Page::numbered(cards, page, limit, u64::try_from(total).unwrap_or_default()))
    }
}
