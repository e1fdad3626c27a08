//! Listings that wait for a moderator.

use actix_web::{get, web};
use catalog::{ListingCard, ListingFilters, ListingQuery, ListingSort, ListingStatus, SortOrder};
use kernel::{CategoryId, InvalidInput, Page, Paging};
use serde::Deserialize;

use crate::http::error::ApiResult;
use crate::http::extract::{Moderator, Query};
use crate::state::AppState;

/// Which part of the queue.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct QueueParams {
    /// In this category or one below it.
    #[param(value_type = Option<String>, format = Uuid)]
    category_id: Option<CategoryId>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Listings per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

impl QueueParams {
    fn parse(self) -> Result<(ListingQuery, Paging), InvalidInput> {
        let paging = Paging::parse(self.page, self.limit, self.cursor)
            .map_err(|(field, error)| InvalidInput(vec![error.of(field)]))?;
        let filters = ListingFilters {
            category: self.category_id,
            status: Some(ListingStatus::Pending),
            ..ListingFilters::default()
        };
        let oldest_first = (Some(ListingSort::CreatedAt), Some(SortOrder::Asc));
        Ok((ListingQuery::new(filters, oldest_first.0, oldest_first.1, None)?, paging))
    }
}

/// Lists the listings that wait for a decision, the oldest first.
#[utoipa::path(
    tag = "moderation",
    operation_id = "reviewQueue",
    params(QueueParams),
    responses((status = 200, description = "A page of the queue", body = Page<ListingCard>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("moderator")))
)]
#[get("/api/moderation/queue")]
pub(crate) async fn review_queue(
    moderator: Moderator,
    state: web::Data<AppState>,
    params: Query<QueueParams>,
) -> ApiResult<web::Json<Page<ListingCard>>> {
    let (query, paging) = params.0.parse()?;
    let page = state.market.catalog.search_listings(Some(&moderator.caller.actor), &query, &paging).await?;
    Ok(web::Json(page))
}
