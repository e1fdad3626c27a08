//! Categories, read; the tree costs nothing but its bytes.

use std::str::FromStr;

use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag};
use actix_web::{HttpRequest, HttpResponse, get, web};
use catalog::{CategoryNode, CategoryView};
use kernel::{CategoryId, Page};

use crate::http::error::ApiResult;
use crate::http::extract::{PathId, Versioned, Viewer, conditional_json, is_known};
use crate::state::AppState;

/// Lists all categories, each followed by those below it.
///
/// Administrators see inactive ones too. It is one page: there are never many.
#[utoipa::path(
    tag = "categories",
    operation_id = "listCategories",
    responses((status = 200, description = "The categories", body = Page<CategoryView>)),
    security((), ("bearer" = [])),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/categories")]
pub(crate) async fn list_categories(
    viewer: Viewer,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<Page<CategoryView>>> {
    let categories = state.market.catalog.list_categories(viewer.0.as_ref()).await?;
    let total = categories.len();
    let limit = u32::try_from(total.max(1)).unwrap_or(u32::MAX);
    Ok(web::Json(Page::numbered(
        categories,
        1,
        limit,
        u64::from(limit).min(total.try_into().unwrap_or(u64::MAX)),
    )))
}

/// Shows the tree of active categories.
///
/// It has an `ETag`: ask with `If-None-Match` and get `304` while nothing has changed.
#[utoipa::path(
    tag = "categories",
    operation_id = "categoryTree",
    responses((status = 200, description = "The top categories, with those below them", body = Vec<CategoryNode>,
               headers(("ETag" = String, description = "Changes with the tree"))),
              (status = 304, description = "You have it already")),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/categories/tree")]
pub(crate) async fn category_tree(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let document = state.market.catalog.category_tree_document().await?;
    let known = EntityTag::from_str(&document.etag).is_ok_and(|tag| is_known(&request, &tag));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, document.etag)).insert_header((CACHE_CONTROL, "no-cache"));
    if known {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(document.body))
}

/// Shows a category.
#[utoipa::path(
    tag = "categories",
    operation_id = "getCategory",
    params(("id" = String, Path, format = Uuid, description = "The category")),
    responses((status = 200, description = "The category", body = CategoryView,
               headers(("ETag" = String, description = "Its version, for `If-Match`"))),
              (status = 304, description = "You have this version already")),
    security((), ("bearer" = [])),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/categories/{id}")]
pub(crate) async fn get_category(
    request: HttpRequest,
    viewer: Viewer,
    state: web::Data<AppState>,
    id: PathId<CategoryId>,
) -> ApiResult<HttpResponse> {
    let category = state.market.catalog.get_category(viewer.0.as_ref(), id.0).await?;
    Ok(conditional_json(&request, &Versioned { version: category.version, body: category }))
}
