//! Lists in pages: by number where people leaf, by cursor where a feed goes on.

use serde::Serialize;

use crate::ParseError;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// A numbered page, from 1, with the total told.
    Numbered {
        /// From 1.
        page: u32,
        /// Items per page.
        limit: u32,
    },
    /// What comes after a cursor, or the beginning.
    After {
        /// The opaque, signed cursor that the page before gave.
        cursor: Option<String>,
        /// Items per page.
        limit: u32,
    },
}

impl Paging {
    /// Items per page when the client does not say.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// The most items a page holds.
    pub const MAX_LIMIT: u32 = 100;
    /// How deep numbered pages go: page × limit.
    pub const MAX_DEPTH: u32 = 10_000;

    /// Reads the three query parameters. Asking for `page` opts into numbered pages and the total.
    ///
    /// # Errors
    /// With the name of the parameter that is wrong.
    pub fn parse(
        page: Option<u32>,
        limit: Option<u32>,
        cursor: Option<String>,
    ) -> Result<Self, (&'static str, ParseError)> {
        let limit = limit.unwrap_or(Self::DEFAULT_LIMIT);
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            return Err(("limit", ParseError::new("out_of_range", "must be from 1 to 100")));
        }
        match (page, cursor) {
            (Some(_), Some(_)) => {
                Err(("cursor", ParseError::new("conflicting", "give either page or cursor, not both")))
            }
            (Some(page), None) => {
                let deep = page.checked_mul(limit).is_none_or(|depth| depth > Self::MAX_DEPTH);
                if page == 0 || deep {
                    let message =
                        "must be at least 1, and page × limit at most 10000; use cursor to go deeper";
                    return Err(("page", ParseError::new("out_of_range", message)));
                }
                Ok(Self::Numbered { page, limit })
            }
            (None, cursor) => Ok(Self::After { cursor, limit }),
        }
    }

    /// Items per page.
    pub fn limit(&self) -> u32 {
        match self {
            Self::Numbered { limit, .. } | Self::After { limit, .. } => *limit,
        }
    }

    /// How many items come before the page, for numbered pages.
    pub fn offset(&self) -> u64 {
        match self {
            Self::Numbered { page, limit } => u64::from(page.saturating_sub(1)) * u64::from(*limit),
            Self::After { .. } => 0,
        }
    }
}

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"page": null, "limit": 20, "total": null, "totalPages": null, "nextCursor": "eyJhdCI6MTc3MjQzMTIwMH0"}))]
pub struct Pagination {
    /// The page's number, if numbered pages were asked for.
    pub page: Option<u32>,
    /// Items per page, as asked for.
    pub limit: u32,
    /// How many items there are in all, if numbered pages were asked for.
    pub total: Option<u64>,
    /// How many pages there are in all, if numbered pages were asked for.
    pub total_pages: Option<u64>,
    /// What to pass as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// Where they stand.
    pub pagination: Pagination,
}

impl<T> Page<T> {
    /// A numbered page.
    pub fn numbered(data: Vec<T>, page: u32, limit: u32, total: u64) -> Self {
        let total_pages = Some(total.div_ceil(u64::from(limit.max(1))));
        Self {
            data,
            pagination: Pagination {
                page: Some(page),
                limit,
                total: Some(total),
                total_pages,
                next_cursor: None,
            },
        }
    }

    /// A page of a feed. Give one item more than the limit, if there is one: it tells that the feed goes on,
    /// and `cursor_of` is asked for the cursor that stands after the last item kept.
    pub fn feed(mut data: Vec<T>, limit: u32, cursor_of: impl FnOnce(&T) -> String) -> Self {
        let keep = usize::try_from(limit).unwrap_or(usize::MAX);
        let goes_on = data.len() > keep;
        data.truncate(keep);
        let next_cursor = if goes_on { data.last().map(cursor_of) } else { None };
        Self {
            data,
            pagination: Pagination { page: None, limit, total: None, total_pages: None, next_cursor },
        }
    }

    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), pagination: self.pagination }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_opts_into_numbers() {
        assert_eq!(Paging::parse(None, None, None).unwrap(), Paging::After { cursor: None, limit: 20 });
        assert_eq!(Paging::parse(Some(3), Some(10), None).unwrap().offset(), 20);
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for (page, limit, field) in [
            (None, Some(0), "limit"),
            (None, Some(101), "limit"),
            (Some(0), None, "page"),
            (Some(501), None, "page"),
        ] {
            assert_eq!(Paging::parse(page, limit, None).unwrap_err().0, field);
        }
        assert!(Paging::parse(Some(u32::MAX), Some(100), None).is_err());
        assert_eq!(Paging::parse(Some(1), None, Some("x".into())).unwrap_err().0, "cursor");
        assert!(Paging::parse(Some(500), None, None).is_ok());
    }

    #[test]
    fn a_feed_tells_whether_it_goes_on() {
        let more = Page::feed(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!((more.data, more.pagination.next_cursor), (vec![1, 2], Some("2".to_owned())));
        let end = Page::feed(vec![1, 2], 2, ToString::to_string);
        assert_eq!(end.pagination.next_cursor, None);
    }
}
