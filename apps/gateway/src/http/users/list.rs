//! Staff's view of people.

use actix_web::{get, web};
use identity::{StaffUserView, UserFilter, UserSearch, UserStatus};
use kernel::{FieldErrors, InvalidInput, Page, Paging, Role, UserId};
use serde::Deserialize;

use crate::http::error::ApiResult;
use crate::http::extract::{Admin, PathId, Query};
use crate::state::AppState;

/// Whom to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct UserParams {
    /// Only those of this role.
    role: Option<Role>,
    /// Only those of this status.
    status: Option<UserStatus>,
    /// A phone number or e-mail address, matched exactly, or part of a name.
    #[param(min_length = 1, max_length = 254, example = "asha")]
    search: Option<String>,
    /// A page's number, from 1; page × limit goes to 10 000.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// People per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

impl UserParams {
    fn parse(self) -> Result<(UserFilter, Paging), InvalidInput> {
        let mut errors = FieldErrors::default();
        let paging = Paging::parse(self.page.or(Some(1)), self.limit, None);
        let paging = match paging {
            Ok(paging) => Some(paging),
            Err((field, error)) => errors.check(field, Err(error)),
        };
        let search = errors.check("search", self.search.as_deref().map(UserSearch::parse).transpose());
        match (paging, search) {
            (Some(paging), Some(search)) => {
                Ok((UserFilter { role: self.role, status: self.status, search }, paging))
            }
            _ => Err(errors.into_error()),
        }
    }
}

/// Lists people, newest first.
#[utoipa::path(
    tag = "users",
    operation_id = "listUsers",
    params(UserParams),
    responses((status = 200, description = "A page of people", body = Page<StaffUserView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/users")]
pub(crate) async fn list_users(
    _admin: Admin,
    state: web::Data<AppState>,
    params: Query<UserParams>,
) -> ApiResult<web::Json<Page<StaffUserView>>> {
    let (filter, paging) = params.0.parse()?;
    Ok(web::Json(state.market.identity.list_users(&filter, &paging).await?))
}

/// Shows somebody's account.
#[utoipa::path(
    tag = "users",
    operation_id = "userDetail",
    params(("id" = String, Path, format = Uuid, description = "The user")),
    responses((status = 200, description = "The account", body = StaffUserView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/users/{id}")]
pub(crate) async fn user_detail(
    _admin: Admin,
    state: web::Data<AppState>,
    id: PathId<UserId>,
) -> ApiResult<web::Json<StaffUserView>> {
    Ok(web::Json(state.market.identity.user_detail(id.0).await?))
}
