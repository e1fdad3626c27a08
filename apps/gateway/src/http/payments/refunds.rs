//! Everybody's refunds, for those who look after the money.

use actix_web::{get, web};
use kernel::{Page, UserId};
use payments::{RefundFilter, RefundOrigin, RefundStatus, StaffRefundView};
use serde::Deserialize;

use super::read::paging;
use crate::http::error::ApiResult;
use crate::http::extract::{Finance, Query};
use crate::state::AppState;

/// Which refunds, and which part of their list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct RefundParams {
    /// Only of this person's payments.
    #[param(value_type = Option<String>, format = Uuid)]
    user_id: Option<UserId>,
    /// Only those that are this far.
    status: Option<RefundStatus>,
    /// Only those that these made: us for staff, the dashboard, or the marketplace itself of what is nobody's.
    origin: Option<RefundOrigin>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Refunds per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

/// Lists everybody's refunds, newest first.
#[utoipa::path(
    tag = "payments",
    operation_id = "allRefunds",
    params(RefundParams),
    responses((status = 200, description = "A page of refunds", body = Page<StaffRefundView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("finance")))
)]
#[get("/api/payments/refunds")]
pub(crate) async fn all_refunds(
    _finance: Finance,
    state: web::Data<AppState>,
    params: Query<RefundParams>,
) -> ApiResult<web::Json<Page<StaffRefundView>>> {
    let RefundParams { user_id, status, origin, page, limit, cursor } = params.0;
    let filter = RefundFilter { user: user_id, status, origin };
    let paging = paging(page, limit, cursor)?;
    Ok(web::Json(state.market.payments.all_refunds(&filter, &paging).await?))
}
