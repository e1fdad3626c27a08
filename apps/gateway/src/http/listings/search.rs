//! The list of listings.

use actix_web::{get, web};
use catalog::{
    AttributeFilters, Condition, ListingCard, ListingFilters, ListingQuery, ListingSort, ListingStatus,
    Place, SearchWords, SortOrder,
};
use kernel::{CategoryId, FieldErrors, InvalidInput, Page, Paging, UserId};
use serde::Deserialize;

use super::body::point;
use crate::http::error::ApiResult;
use crate::http::extract::{Query, Viewer};
use crate::state::AppState;

/// What is searched for, and which part of it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ListingParams {
    /// In this category or one below it.
    #[param(value_type = Option<String>, format = Uuid)]
    category_id: Option<CategoryId>,
    /// Holding all these words, at most eight; the last may be just begun.
    #[param(example = "iphone 13", min_length = 1, max_length = 100)]
    search: Option<String>,
    /// Costing at least so many paise.
    #[param(example = 1_000_000, minimum = 0, maximum = 100_000_000_000_i64)]
    min_price: Option<i64>,
    /// Costing at most so many paise.
    #[param(example = 5_000_000, minimum = 0, maximum = 100_000_000_000_i64)]
    max_price: Option<i64>,
    /// In this city, in whatever case it is written.
    #[param(example = "Pune", min_length = 2, max_length = 60)]
    city: Option<String>,
    /// In this state, in whatever case it is written.
    #[param(example = "Maharashtra", min_length = 2, max_length = 60)]
    state: Option<String>,
    /// With these attributes, as `name:value` with commas between; a name given twice takes either value.
    #[param(example = "brand:Apple,storage:128", min_length = 1, max_length = 1_000)]
    attributes: Option<String>,
    /// In this condition.
    #[param(inline)]
    condition: Option<Condition>,
    /// Of this seller.
    #[param(value_type = Option<String>, format = Uuid)]
    seller_id: Option<UserId>,
    /// ACTIVE by default. Others than staff find only their own listings in other states.
    #[param(inline)]
    status: Option<ListingStatus>,
    /// Boosted at present.
    #[serde(default)]
    #[param(default = false)]
    boosted: bool,
    /// Featured at present.
    #[serde(default)]
    #[param(default = false)]
    featured: bool,
    /// `createdAt` by default, `relevance` with `search`, and then listings whose boost gives them that place come first;
    /// `distance` needs `latitude` and `longitude`.
    #[param(inline)]
    sort_by: Option<ListingSort>,
    /// The newest, the most, the cheapest, the nearest first by default.
    #[param(inline)]
    sort_order: Option<SortOrder>,
    /// Where `distance` is measured from, degrees north.
    #[param(example = 18.52, minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Where `distance` is measured from, degrees east.
    #[param(example = 73.857, minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// A page's number, from 1; asking for one tells the total. `page` × `limit` is at most 10 000. Not together with
    /// `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Listings per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`; the other parameters must be the same.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

impl ListingParams {
    fn parse(self) -> Result<(ListingQuery, Paging), InvalidInput> {
        let mut errors = FieldErrors::default();
        let filters = ListingFilters {
            category: self.category_id,
            search: self.search.and_then(|text| errors.check("search", SearchWords::parse(&text))),
            min_price: self.min_price,
            max_price: self.max_price,
            city: self.city.and_then(|text| errors.check("city", Place::parse(&text))),
            state: self.state.and_then(|text| errors.check("state", Place::parse(&text))),
            attributes: self
                .attributes
                .and_then(|text| errors.check("attributes", AttributeFilters::parse(&text)))
                .unwrap_or_default(),
            condition: self.condition,
            seller: self.seller_id,
            status: self.status,
            boosted: self.boosted,
            featured: self.featured,
        };
        errors.finish()?;
        let near = point(self.latitude, self.longitude)?;
        let query = ListingQuery::new(filters, self.sort_by, self.sort_order, near)?;
        let paging = Paging::parse(self.page, self.limit, self.cursor)
            .map_err(|(field, error)| InvalidInput(vec![error.of(field)]))?;
        Ok((query, paging))
    }
}

/// Finds listings.
///
/// A feed by default: go on with `cursor`, which neither loses nor repeats a listing while others come and go. Ask for
/// `page` to leaf and to be told the total. Without `sortBy` and `sortOrder`, up to 50 boosted listings come first; a boost
/// bought elsewhere shows within two seconds.
#[utoipa::path(
    tag = "listings",
    operation_id = "listListings",
    params(ListingParams),
    responses((status = 200, description = "A page of listings", body = Page<ListingCard>)),
    security((), ("bearer" = [])),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/listings")]
pub(crate) async fn list_listings(
    viewer: Viewer,
    state: web::Data<AppState>,
    params: Query<ListingParams>,
) -> ApiResult<web::Json<Page<ListingCard>>> {
    let (query, paging) = params.0.parse()?;
    Ok(web::Json(state.market.catalog.search_listings(viewer.0.as_ref(), &query, &paging).await?))
}
