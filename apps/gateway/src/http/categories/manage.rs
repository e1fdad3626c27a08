//! Categories made, changed and deleted by administrators.

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpResponse, delete, post, put, web};
use catalog::CategoryView;
use kernel::CategoryId;

use super::body::CategoryBody;
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IfMatch, PathId, Valid};
use crate::state::AppState;

/// Creates a category.
#[utoipa::path(
    tag = "categories",
    operation_id = "createCategory",
    request_body = CategoryBody,
    responses((status = 201, description = "The category", body = CategoryView,
               headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Its version"))),
              (status = 409, description = "Another category has the slug", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/categories")]
pub(crate) async fn create_category(
    admin: Admin,
    state: web::Data<AppState>,
    body: Valid<CategoryBody>,
) -> ApiResult<HttpResponse> {
    let input = body.0.parse()?;
    let category = state.market.catalog.create_category(&admin.caller, &input).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/api/categories/{}", category.id)))
        .insert_header((ETAG, format!("\"{}\"", category.version)))
        .json(category))
}

/// Changes a category: all of it, at once.
///
/// Listings keep the attributes that they have; new definitions bind them when they are next edited. Send the
/// category's `ETag` as `If-Match` to change only what you have seen.
#[utoipa::path(
    tag = "categories",
    operation_id = "updateCategory",
    params(("id" = String, Path, format = Uuid, description = "The category"),
           ("If-Match" = Option<String>, Header, description = "The category's `ETag` as you have seen it", example = "\"1\"")),
    request_body = CategoryBody,
    responses((status = 200, description = "The category", body = CategoryView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 409, description = "Another category has the slug", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[put("/api/categories/{id}")]
pub(crate) async fn update_category(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<CategoryId>,
    seen: IfMatch,
    body: Valid<CategoryBody>,
) -> ApiResult<HttpResponse> {
    let input = body.0.parse()?;
    let category = state.market.catalog.update_category(&admin.caller, id.0, seen.0, &input).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, format!("\"{}\"", category.version))).json(category))
}

/// Deletes a category that has neither subcategories nor listings.
///
/// One that is used can be deactivated instead.
#[utoipa::path(
    tag = "categories",
    operation_id = "deleteCategory",
    params(("id" = String, Path, format = Uuid, description = "The category"),
           ("If-Match" = Option<String>, Header, description = "The category's `ETag` as you have seen it", example = "\"1\"")),
    responses((status = 204, description = "It is gone"),
              (status = 409, description = "It is used", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[delete("/api/categories/{id}")]
pub(crate) async fn delete_category(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<CategoryId>,
    seen: IfMatch,
) -> ApiResult<HttpResponse> {
    state.market.catalog.delete_category(&admin.caller, id.0, seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
