//! One's own inbox, read.

use actix_web::{get, web};
use kernel::{InvalidInput, Page, Paging};
use notify::{Category, NotificationFilter, NotificationView};
use serde::{Deserialize, Serialize};

use crate::http::error::ApiResult;
use crate::http::extract::{Member, Query};
use crate::state::AppState;

/// Which notifications, and which part of their list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct InboxParams {
    /// Only those that were not read.
    unread: Option<bool>,
    /// Only those of this category.
    #[param(inline)]
    category: Option<Category>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Notifications per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

impl InboxParams {
    fn parse(self) -> Result<(NotificationFilter, Paging), InvalidInput> {
        let paging = Paging::parse(self.page, self.limit, self.cursor)
            .map_err(|(field, error)| InvalidInput(vec![error.of(field)]))?;
        let unread = self.unread.unwrap_or_default();
        Ok((NotificationFilter { unread, category: self.category }, paging))
    }
}

/// How much was not read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UnreadCount {
    /// The number of notifications.
    #[schema(example = 3)]
    unread: u64,
}

/// Lists your notifications, newest first.
///
/// The list is stable while new ones arrive. `action` is a path inside the app; `data` holds the facts, for clients
/// that write their own words.
#[utoipa::path(
    tag = "notifications",
    operation_id = "listNotifications",
    params(InboxParams),
    responses((status = 200, description = "A page of your notifications", body = Page<NotificationView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/notifications")]
pub(crate) async fn list_notifications(
    member: Member,
    state: web::Data<AppState>,
    params: Query<InboxParams>,
) -> ApiResult<web::Json<Page<NotificationView>>> {
    let (filter, paging) = params.0.parse()?;
    Ok(web::Json(state.market.notify.notifications(member.user, filter, &paging).await?))
}

/// Tells how many of your notifications were not read.
#[utoipa::path(
    tag = "notifications",
    operation_id = "unreadNotifications",
    responses((status = 200, description = "The number", body = UnreadCount)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/notifications/unread-count")]
pub(crate) async fn unread_notifications(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<UnreadCount>> {
    let unread = state.market.notify.unread_notifications(member.user).await?;
    Ok(web::Json(UnreadCount { unread }))
}
